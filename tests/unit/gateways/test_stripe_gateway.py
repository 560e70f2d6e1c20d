from __future__ import annotations

import contextlib
import traceback
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import stripe

from stripe_connector.errors import BackendError, ConnectorError, NotFound
from stripe_connector.gateways.stripe import (
    API_VERSION,
    FailureReplayed,
    IdempotencyKeyInUse,
    IdempotencyMismatch,
    PermissionMissing,
    Stripe,
    StripeCustomer,
    StripePaymentMethod,
    StripeRefused,
    StripeUnavailable,
)
from stripe_connector.gateways.stripe.decoding import Unreadable
from tests.fakes import FakeClock
from tests.unit.gateways.script import Answer, Script, form_of, outgoing_to

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import IntentCreateParams

SECRET_KEY = "sk_test_hush"
CUSTOMER_ID = "0b6ad2a5-1d8c-4a37-9b5c-0f3c6c1d2e3f"
INTENT_PARAMS: IntentCreateParams = {"amount": 1234, "currency": "eur"}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 1234,
    "amount_captured": 1234,
    "currency": "eur",
    "status": "succeeded",
    "captured": True,
    "payment_intent": "pi_1",
}
INTENT = {
    "id": "pi_1",
    "object": "payment_intent",
    "amount": 1234,
    "amount_received": 0,
    "currency": "eur",
    "status": "requires_capture",
    "created": 1_790_000_000,
    "latest_charge": CHARGE,
    "metadata": {"ct_payment_id": "p-1"},
}
REFUND = {"id": "re_1", "object": "refund", "amount": 5, "currency": "eur", "status": "pending"}
DISPUTE = {"id": "dp_1", "amount": 5, "currency": "eur", "status": "needs_response"}


class Account:
    """The gateway in front of a scripted API."""

    def __init__(self, *answers: Answer | dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.api = Script(
            *(httpx.Response(200, json=a) if isinstance(a, dict) else a for a in answers)
        )
        self.gateway = Stripe(
            secret_key=SECRET_KEY,
            api_base="https://stripe.test",
            outgoing=outgoing_to(self.api, self.clock),
            app_info={"name": "shop", "version": "1", "url": "https://x.test", "partner_id": None},
        )

    @property
    def asked(self) -> str:
        """The last request without its query."""
        request = self.api.last
        return f"{request.method} {request.url.copy_with(query=None)}"

    @property
    def query(self) -> list[tuple[str, str]]:
        return self.api.last.url.params.multi_items()


def refusal(
    status: int, type_: str, headers: dict[str, str] | None = None, **fields: Any
) -> Answer:
    error = {"type": type_, "message": "Said by Stripe.", **fields}
    return httpx.Response(status, json={"error": error}, headers=headers)


# The SDK on our own client


def test_the_pinned_version_is_the_sdks() -> None:
    assert stripe.api_version == API_VERSION


async def test_every_call_names_the_version_the_key_and_the_connector() -> None:
    account = Account(INTENT)
    await account.gateway.get_intent("pi_1")
    headers = account.api.last.headers
    assert headers["stripe-version"] == API_VERSION
    assert headers["authorization"] == f"Bearer {SECRET_KEY}"
    assert "shop/1 (https://x.test)" in headers["user-agent"]
    assert "x-stripe-client-telemetry" not in headers


async def test_parameters_are_form_encoded() -> None:
    account = Account(INTENT)
    await account.gateway.create_intent(
        {
            "amount": 1234,
            "currency": "eur",
            "automatic_payment_methods": {"enabled": True},
            "metadata": {"a": "b&c"},
        },
        "p-1:1",
    )
    assert account.asked == "POST https://stripe.test/v1/payment_intents"
    assert account.api.last.headers["idempotency-key"] == "p-1:1"
    assert account.api.last.headers["content-type"] == "application/x-www-form-urlencoded"
    assert form_of(account.api.last) == {
        "amount": ["1234"],
        "currency": ["eur"],
        "automatic_payment_methods[enabled]": ["true"],
        "metadata[a]": ["b&c"],
    }


async def test_a_repeated_write_keeps_its_key_and_body() -> None:
    account = Account(httpx.ReadTimeout("slow"), httpx.Response(503), INTENT)
    await account.gateway.update_customer("cus_1", {"name": "Jane"})
    keys = {request.headers["idempotency-key"] for request in account.api.requests}
    assert len(account.api.requests) == 3
    assert len(keys) == 1
    assert len({request.content for request in account.api.requests}) == 1


async def test_the_policy_of_the_connector_is_the_only_one() -> None:
    account = Account(httpx.Response(503))
    with pytest.raises(StripeUnavailable):
        await account.gateway.get_intent("pi_1")
    assert len(account.api.requests) == 3


# Errors


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (refusal(400, "invalid_request_error", code="charge_already_refunded"), StripeRefused),
        (refusal(400, "invalid_request_error"), StripeRefused),
        (refusal(400, "invalid_request_error", code="parameter_unknown"), BackendError),
        (refusal(400, "invalid_request_error", code="testmode_charges_only"), BackendError),
        (refusal(400, "idempotency_error"), IdempotencyMismatch),
        (refusal(400, "invalid_request_error", code="rate_limit"), StripeUnavailable),
        (refusal(401, "invalid_request_error"), BackendError),
        (refusal(402, "card_error", code="card_declined"), StripeRefused),
        (refusal(403, "invalid_request_error"), PermissionMissing),
        (refusal(404, "invalid_request_error", code="resource_missing"), NotFound),
        (refusal(400, "invalid_request_error", code="resource_missing"), NotFound),
        (refusal(404, "invalid_request_error"), BackendError),
        (refusal(409, "idempotency_error", code="idempotency_key_in_use"), IdempotencyKeyInUse),
        (refusal(409, "invalid_request_error", code="something"), StripeUnavailable),
        (refusal(429, "invalid_request_error", code="lock_timeout"), StripeUnavailable),
        (refusal(500, "api_error"), StripeUnavailable),
        (httpx.Response(502, text="<html>"), StripeUnavailable),
        (httpx.Response(200, text="<html>"), StripeUnavailable),
        (httpx.Response(200, json={}), Unreadable),
        (httpx.ConnectError("refused"), StripeUnavailable),
    ],
    ids=repr,
)
async def test_errors(answer: Answer, expected: type[ConnectorError]) -> None:
    account = Account(answer)
    with pytest.raises(ConnectorError) as caught:
        await account.gateway.capture_intent("pi_1", {"amount_to_capture": 5}, "t-1:1")
    assert type(caught.value) is expected


async def test_a_decline_says_why_in_words_for_the_shopper() -> None:
    answer = refusal(
        402,
        "card_error",
        code="card_declined",
        decline_code="insufficient_funds",
        payment_intent=INTENT,
    )
    with pytest.raises(StripeRefused) as caught:
        await Account(answer).gateway.create_intent(INTENT_PARAMS, "k")
    assert caught.value.body()["errors"] == [
        {
            "code": "card_declined",
            "message": "Said by Stripe.",
            "declineCode": "insufficient_funds",
        }
    ]
    assert caught.value.intent_id == "pi_1"


async def test_a_problem_of_our_key_is_for_the_log_alone() -> None:
    message = "The provided key 'rk_test_abc123' does not have access to account 'acct_1'."
    answer = refusal(403, "invalid_request_error", {"request-id": "req_1"}, message=message)
    with pytest.raises(BackendError) as caught:
        await Account(answer).gateway.get_intent("pi_1")
    assert caught.value.detail == (
        "PermissionError 403 req_1"
        " The provided key 'rk_test_***' does not have access to account 'acct_1'."
    )
    assert "acct_1" not in str(caught.value.body())


async def test_no_secret_is_in_any_form_of_an_error() -> None:
    answer = refusal(
        400,
        "invalid_request_error",
        message="Not with sk_live_abc, whsec_abc or pi_1_secret_abc.",
        payment_intent={"id": "pi_1", "client_secret": "pi_1_secret_abc"},
    )
    account = Account(answer)
    with pytest.raises(StripeRefused) as caught:
        await account.gateway.create_intent(INTENT_PARAMS, "k")
    error = caught.value
    shown = f"{error!r} {error.body()} {error.detail} {''.join(traceback.format_exception(error))}"
    assert "_abc" not in shown
    assert SECRET_KEY not in shown + repr(account.gateway)


async def test_a_replayed_failure_is_told_apart_and_not_asked_for_again() -> None:
    account = Account(refusal(500, "api_error", {"idempotent-replayed": "true"}))
    with pytest.raises(FailureReplayed):
        await account.gateway.create_refund({}, "t-1:1")
    assert len(account.api.requests) == 1


@pytest.mark.parametrize("answer", [refusal(500, "api_error"), httpx.ReadTimeout("slow")], ids=repr)
async def test_a_fresh_failure_is_no_replay(answer: Answer) -> None:
    with pytest.raises(StripeUnavailable) as caught:
        await Account(answer).gateway.create_refund({}, "t-1:1")
    assert not isinstance(caught.value, FailureReplayed)


async def test_a_replayed_answer_that_is_no_failure_of_stripe_leaves_the_key_alone() -> None:
    answer = refusal(429, "rate_limit", {"idempotent-replayed": "true"}, code="lock_timeout")
    with pytest.raises(StripeUnavailable) as caught:
        await Account(answer).gateway.create_refund({}, "t-1:1")
    assert not isinstance(caught.value, FailureReplayed)


async def test_a_busy_stripe_says_when_to_come_back() -> None:
    with pytest.raises(StripeUnavailable) as caught:
        await Account(
            refusal(429, "invalid_request_error", {"retry-after": "30"})
        ).gateway.get_intent("pi_1")
    assert caught.value.retry_after == 30


async def test_a_key_in_use_is_waited_for() -> None:
    busy = refusal(409, "idempotency_error", code="idempotency_key_in_use")
    account = Account(busy, busy, busy, REFUND)
    assert (await account.gateway.create_refund({}, "t-1:1")).id == "re_1"
    assert account.clock.slept == [0.2, 0.4, 0.8]


# Questions


async def test_an_intent_comes_with_its_charge() -> None:
    account = Account(INTENT)
    intent = await account.gateway.get_intent("pi_1")
    assert intent.charge is not None
    assert intent.charge.id == "ch_1"
    assert account.asked == "GET https://stripe.test/v1/payment_intents/pi_1"
    assert account.query == [("expand[0]", "latest_charge")]


async def test_an_intent_is_updated() -> None:
    account = Account(INTENT)
    await account.gateway.update_intent("pi_1", {"amount": 5}, "k")
    assert account.asked == "POST https://stripe.test/v1/payment_intents/pi_1"
    assert form_of(account.api.last) == {"amount": ["5"]}


async def test_an_intent_is_captured() -> None:
    account = Account(INTENT)
    await account.gateway.capture_intent("pi_1", {"amount_to_capture": 5}, "t-1:1")
    assert account.asked == "POST https://stripe.test/v1/payment_intents/pi_1/capture"
    assert account.api.last.headers["idempotency-key"] == "t-1:1"
    assert form_of(account.api.last) == {
        "amount_to_capture": ["5"],
        "expand[0]": ["latest_charge"],
    }


async def test_an_intent_is_cancelled() -> None:
    account = Account(INTENT)
    await account.gateway.cancel_intent("pi_1", "t-1:1")
    assert account.asked == "POST https://stripe.test/v1/payment_intents/pi_1/cancel"
    assert account.api.last.headers["idempotency-key"] == "t-1:1"
    assert form_of(account.api.last) == {"expand[0]": ["latest_charge"]}


async def test_an_intent_is_found_by_its_payment_among_those_created_since() -> None:
    other = INTENT | {"metadata": {"ct_payment_id": "p-2"}}
    ours = INTENT | {"id": "pi_2", "metadata": {"ct_payment_id": "p-1"}}
    account = Account({"data": [other], "has_more": True}, {"data": [ours], "has_more": False})
    found = await account.gateway.find_intent("p-1", 1_000)
    assert found is not None
    assert found.id == "pi_2"
    assert dict(account.query) == {
        "created[gte]": "1000",
        "created[lte]": "1600",
        "limit": "100",
        "starting_after": "pi_1",
    }


async def test_an_intent_that_is_not_listed_is_searched() -> None:
    account = Account({"data": []}, {"data": [INTENT]})
    found = await account.gateway.find_intent('p-"1', 1_000)
    assert found is not None
    assert dict(account.query)["query"] == r'metadata["ct_payment_id"]:"p-\"1"'


async def test_an_intent_that_is_nowhere_is_none() -> None:
    assert await Account({"data": []}, {"data": []}).gateway.find_intent("p-1", 0) is None


async def test_all_pages_of_refunds_are_read() -> None:
    second = REFUND | {"id": "re_2"}
    account = Account({"data": [REFUND], "has_more": True}, {"data": [second], "has_more": False})
    refunds = await account.gateway.list_refunds("pi_1")
    assert [refund.id for refund in refunds] == ["re_1", "re_2"]
    assert dict(account.query) == {
        "payment_intent": "pi_1",
        "limit": "100",
        "starting_after": "re_1",
    }


async def test_disputes_and_payment_methods_are_read() -> None:
    assert (await Account(DISPUTE).gateway.get_dispute("dp_1")).status == "needs_response"
    method = {"id": "pm_1", "type": "card", "customer": "cus_1"}
    assert await Account(method).gateway.get_payment_method("pm_1") == StripePaymentMethod(
        "pm_1", "card", "cus_1"
    )


async def test_a_customer_is_read() -> None:
    customer = {"id": "cus_1", "metadata": {"ct_customer_id": CUSTOMER_ID}}
    assert await Account(customer).gateway.get_customer("cus_1") == StripeCustomer(
        "cus_1", own_metadata={"ct_customer_id": CUSTOMER_ID}
    )


@pytest.mark.parametrize(
    "answer",
    [
        {"id": "cus_1", "deleted": True},
        refusal(404, "invalid_request_error", code="resource_missing"),
    ],
    ids=["deleted", "missing"],
)
async def test_a_customer_may_be_gone(answer: Answer | dict[str, Any]) -> None:
    assert await Account(answer).gateway.get_customer("cus_1") is None


async def test_a_customer_is_not_gone_because_stripe_is_down() -> None:
    with pytest.raises(StripeUnavailable):
        await Account(httpx.Response(500)).gateway.get_customer("cus_1")


async def test_a_customer_is_found_by_the_id_at_commercetools() -> None:
    account = Account({"data": [{"id": "cus_1"}]})
    assert await account.gateway.find_customer(CUSTOMER_ID) == StripeCustomer("cus_1")
    assert dict(account.query)["query"] == f'metadata["ct_customer_id"]:"{CUSTOMER_ID}"'
    assert await Account({"data": []}).gateway.find_customer(CUSTOMER_ID) is None


async def test_what_is_no_customer_id_is_not_searched_for() -> None:
    account = Account({"data": [{"id": "cus_1"}]})
    assert await account.gateway.find_customer('x" OR email:"jane@example.com') is None
    assert account.api.requests == []


async def test_customers_are_created() -> None:
    account = Account({"id": "cus_1"})
    assert await account.gateway.create_customer({"name": "Jane"}, "u-1") == StripeCustomer("cus_1")
    assert account.api.last.headers["idempotency-key"] == "u-1"


async def test_an_ephemeral_key_is_made_for_the_version_of_the_client() -> None:
    account = Account({"id": "ephkey_1", "secret": "ek_test_1"})
    assert await account.gateway.create_ephemeral_key("cus_1", "2020-08-27") == "ek_test_1"
    assert account.api.last.headers["stripe-version"] == "2020-08-27"
    assert form_of(account.api.last) == {"customer": ["cus_1"]}


async def test_a_customer_session_gives_its_client_secret() -> None:
    account = Account({"client_secret": "cuss_secret_1"})
    created = await account.gateway.create_customer_session(
        {"customer": "cus_1", "components": {"payment_element": {"enabled": True}}}
    )
    assert created == "cuss_secret_1"
    assert account.asked == "POST https://stripe.test/v1/customer_sessions"


async def test_ping_asks_for_little() -> None:
    account = Account({"data": [INTENT]})
    await account.gateway.ping()
    assert account.query == [("limit", "1")]


@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway: gateway.get_intent("../customers/cus_1"),
        lambda gateway: gateway.get_customer("a/../b"),
        lambda gateway: gateway.get_dispute("x?limit=1"),
    ],
)
async def test_an_id_cannot_leave_its_place_in_the_path(
    ask: Callable[[Stripe], Awaitable[object]],
) -> None:
    account = Account(refusal(404, "invalid_request_error", code="resource_missing"))
    with contextlib.suppress(NotFound):
        await ask(account.gateway)
    path = account.api.last.url.raw_path.decode().partition("?expand")[0]
    assert path.count("/") == 3
    assert "?" not in path
