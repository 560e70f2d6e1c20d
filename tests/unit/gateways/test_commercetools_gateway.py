from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec
import pytest

from stripe_connector import context
from stripe_connector.context import RequestContext
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    ConnectorError,
    DuplicateField,
    InvalidRequest,
    NotFound,
    VersionConflict,
)
from stripe_connector.gateways.commercetools import Commercetools
from stripe_connector.gateways.commercetools.history import CommercetoolsHistory
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentDraft,
    PaymentMethodDraft,
    PaymentMethodInfoDraft,
    TokenValue,
)
from stripe_connector.gateways.commercetools.update_actions import SetCustomerField
from stripe_connector.ledger.actions import SetInterfaceId
from stripe_connector.ledger.payment import Payment, Reference
from stripe_connector.money import Money, MoneyDraft
from tests.fakes import FakeClock
from tests.unit.gateways.script import Answer, Script, body_of, form_of, outgoing_to

MONEY = {"type": "centPrecision", "centAmount": 1234, "currencyCode": "EUR", "fractionDigits": 2}
PAYMENT = {"id": "p-1", "version": 3, "amountPlanned": MONEY, "transactions": []}
CUSTOMER = {"id": "u-1", "version": 7, "email": "jane@example.com"}
TYPE = {"id": "t-1", "fieldDefinitions": [{"name": "one"}, {"name": "two"}]}
METHOD = {
    "id": "m-1",
    "version": 1,
    "createdAt": "2026-11-21T10:00:00.000Z",
    "customer": {"typeId": "customer", "id": "u-1"},
    "method": "card",
    "token": {"value": "pm_1"},
}
GONE = httpx.Response(404, json={"message": "gone", "errors": [{"code": "ResourceNotFound"}]})
CONFLICT = httpx.Response(
    409, json={"errors": [{"code": "ConcurrentModification", "currentVersion": 9}]}
)


def cart(version: int = 1, *payments: str) -> dict[str, Any]:
    references = [{"typeId": "payment", "id": payment} for payment in payments]
    return {
        "id": "c-1",
        "version": version,
        "totalPrice": MONEY,
        "paymentInfo": {"payments": references},
    }


class Project:
    """The gateway in front of a scripted API; the authorization server always grants."""

    def __init__(self, *answers: Answer | dict[str, Any]) -> None:
        self.clock = FakeClock()
        self.api = Script(
            *(httpx.Response(200, json=a) if isinstance(a, dict) else a for a in answers)
        )
        self.granted = 0
        self.gateway = CommercetoolsHistory(
            project_key="shop",
            api_url="https://api.test",
            auth_url="https://auth.test",
            session_url="https://session.test",
            checkout_url="https://checkout.test",
            client_id="id",
            client_secret="hush",
            payment_interface="Stripe",
            outgoing=outgoing_to(self._answer, self.clock),
        )

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path != "/oauth/token":
            return await self.api(request)
        self.granted += 1
        token = f"token-{self.granted}"
        return httpx.Response(
            200, json={"access_token": token, "expires_in": 1000, "scope": "manage_project:shop"}
        )

    @property
    def asked(self) -> str:
        """The last request without its query."""
        request = self.api.last
        return f"{request.method} {request.url.copy_with(query=None)}"

    @property
    def query(self) -> dict[str, str]:
        return dict(self.api.last.url.params)


# Transport


async def test_requests_carry_the_token_and_the_correlation_id() -> None:
    project = Project(PAYMENT)
    token = context.current.set(RequestContext(correlation_id="c-1"))
    try:
        await project.gateway.get_payment("p-1")
    finally:
        context.current.reset(token)
    assert project.api.last.headers["authorization"] == "Bearer token-1"
    assert project.api.last.headers["x-correlation-id"] == "c-1"


async def test_requests_of_no_request_carry_no_correlation_id() -> None:
    project = Project(PAYMENT)
    await project.gateway.get_payment("p-1")
    assert "x-correlation-id" not in project.api.last.headers


async def test_a_rejected_token_is_replaced_and_the_request_repeated() -> None:
    project = Project(httpx.Response(401), PAYMENT)
    assert (await project.gateway.get_payment("p-1")).id == "p-1"
    assert project.api.last.headers["authorization"] == "Bearer token-2"


async def test_many_rejected_requests_cause_one_new_token() -> None:
    async def accept_the_second(request: httpx.Request) -> httpx.Response:
        accepted = request.headers["authorization"] == "Bearer token-2"
        return httpx.Response(200, json=PAYMENT) if accepted else httpx.Response(401)

    project = Project(accept_the_second)
    await asyncio.gather(*(project.gateway.get_payment("p-1") for _ in range(20)))
    assert project.granted == 2


async def test_a_second_rejection_is_our_own_fault() -> None:
    project = Project(httpx.Response(401))
    with pytest.raises(BackendError):
        await project.gateway.get_payment("p-1")
    assert len(project.api.requests) == 2


async def test_reads_survive_a_passing_failure() -> None:
    project = Project(httpx.Response(503), httpx.ReadTimeout("slow"), PAYMENT)
    assert (await project.gateway.get_payment("p-1")).id == "p-1"


async def test_writes_are_not_repeated() -> None:
    project = Project(httpx.Response(503), PAYMENT)
    with pytest.raises(BackendUnavailable):
        await project.gateway.update_payment(payment(), [])
    assert len(project.api.requests) == 1


def error(status: int, code: str, **fields: Any) -> httpx.Response:
    message = f"Said by commercetools: {code}"
    body = {
        "statusCode": status,
        "message": message,
        "errors": [{"code": code, "message": message, **fields}],
    }
    return httpx.Response(status, json=body)


@pytest.mark.parametrize(
    ("answer", "expected", "code"),
    [
        (error(400, "DuplicateField", field="key"), DuplicateField, "DuplicateField"),
        (error(400, "InvalidOperation"), InvalidRequest, "InvalidOperation"),
        (error(400, "InvalidField"), InvalidRequest, "InvalidField"),
        (error(400, "RequiredField"), InvalidRequest, "RequiredField"),
        (error(400, "ReferencedResourceNotFound"), InvalidRequest, "ReferencedResourceNotFound"),
        (error(400, "InvalidJsonInput"), BackendError, "BackendError"),
        (error(400, "SomethingNew"), BackendError, "BackendError"),
        (error(403, "insufficient_scope"), BackendError, "BackendError"),
        (error(404, "ResourceNotFound"), NotFound, "ResourceNotFound"),
        (error(409, "ConcurrentModification"), VersionConflict, "ConcurrentModification"),
        (error(413, "ContentTooLarge"), BackendError, "BackendError"),
        (error(429, "Overloaded"), BackendUnavailable, "BackendUnavailable"),
        (error(500, "General"), BackendUnavailable, "BackendUnavailable"),
        (httpx.Response(502, text="<html>"), BackendUnavailable, "BackendUnavailable"),
        (
            httpx.Response(500, content=b'{"message": "\xff"}'),
            BackendUnavailable,
            "BackendUnavailable",
        ),
        (httpx.Response(200, content=b'{"id": "\xff"}'), BackendError, "BackendError"),
        (httpx.Response(302), BackendError, "BackendError"),
        (httpx.Response(200, text="<html>"), BackendError, "BackendError"),
        (httpx.ConnectError("refused"), BackendUnavailable, "BackendUnavailable"),
    ],
    ids=repr,
)
async def test_errors(answer: Answer, expected: type[ConnectorError], code: str) -> None:
    project = Project(answer)
    with pytest.raises(ConnectorError) as caught:
        await project.gateway.update_payment(payment(), [])
    assert type(caught.value) is expected
    assert caught.value.code == code


async def test_what_our_credentials_did_wrong_is_for_the_log_alone() -> None:
    project = Project(error(403, "insufficient_scope"))
    with pytest.raises(BackendError) as caught:
        await project.gateway.get_payment("p-1")
    assert caught.value.detail == (
        "payment: 403 insufficient_scope Said by commercetools: insufficient_scope"
    )
    assert "insufficient_scope" not in str(caught.value.body())


async def test_values_of_a_refused_field_do_not_come_back() -> None:
    project = Project(error(400, "DuplicateField", field="email", duplicateValue="j@example.com"))
    with pytest.raises(DuplicateField) as caught:
        await project.gateway.update_payment(payment(), [])
    assert caught.value.fields == {"field": "email"}


async def test_a_version_conflict_tells_the_current_version() -> None:
    with pytest.raises(VersionConflict) as caught:
        await Project(CONFLICT).gateway.update_payment(payment(), [])
    assert caught.value.fields == {"currentVersion": 9}


async def test_an_overloaded_backend_says_when_to_come_back() -> None:
    project = Project(httpx.Response(503, headers={"retry-after": "30"}))
    with pytest.raises(BackendUnavailable) as caught:
        await project.gateway.get_payment("p-1")
    assert caught.value.retry_after == 30


# Carts


async def test_a_cart_comes_with_its_payments() -> None:
    expanded = cart() | {"paymentInfo": {"payments": [{"id": "p-1", "obj": PAYMENT}]}}
    project = Project(expanded)
    found = await project.gateway.get_cart("c-1")
    assert [p.id for p in found.payments] == ["p-1"]
    assert project.asked == "GET https://api.test/shop/carts/c-1"
    assert project.query == {"expand": "paymentInfo.payments[*]"}


async def test_the_cart_of_a_payment_is_found() -> None:
    project = Project({"results": [cart()]})
    found = await project.gateway.find_cart_of_payment("p-1")
    assert found is not None
    assert project.query["where"] == 'paymentInfo(payments(id="p-1"))'
    assert project.query["expand"] == "paymentInfo.payments[*]"


async def test_a_payment_may_be_on_no_cart() -> None:
    assert await Project({"results": []}).gateway.find_cart_of_payment("p-1") is None


READ_CART = msgspec.convert(cart(1), Cart)


async def test_a_payment_is_put_on_the_cart() -> None:
    project = Project(cart(2, "p-1"))
    assert (await project.gateway.add_payment(READ_CART, "p-1")).version == 2
    assert body_of(project.api.last) == {
        "version": 1,
        "actions": [{"action": "addPayment", "payment": {"typeId": "payment", "id": "p-1"}}],
    }


async def test_a_cart_that_was_changed_meanwhile_is_read_and_written_again() -> None:
    project = Project(CONFLICT, cart(5, "p-0"), cart(6, "p-0", "p-1"))
    assert (await project.gateway.add_payment(READ_CART, "p-1")).version == 6
    assert body_of(project.api.last)["version"] == 5


async def test_a_payment_that_is_known_to_be_on_the_cart_is_not_put_there_again() -> None:
    project = Project()
    known = msgspec.convert(cart(3, "p-1"), Cart)
    assert await project.gateway.add_payment(known, "p-1") == known
    assert project.api.requests == []


@pytest.mark.parametrize("refusal", [CONFLICT, error(400, "InvalidOperation")], ids=repr)
async def test_a_payment_that_is_on_the_cart_already_is_fine(refusal: httpx.Response) -> None:
    project = Project(refusal, cart(5, "p-1"))
    assert (await project.gateway.add_payment(READ_CART, "p-1")).version == 5


async def test_a_payment_of_another_cart_is_refused() -> None:
    project = Project(error(400, "InvalidOperation"), cart(5))
    with pytest.raises(InvalidRequest):
        await project.gateway.add_payment(READ_CART, "p-1")


async def test_a_cart_that_never_stands_still_is_given_up() -> None:
    stale: list[Answer | dict[str, Any]] = [CONFLICT, cart(5)]
    project = Project(*stale * 5, cart(6, "p-1"))
    with pytest.raises(VersionConflict):
        await project.gateway.add_payment(READ_CART, "p-1")
    assert len(project.clock.slept) == 4


# Payments


def payment() -> Payment:
    return Payment(id="p-1", version=3, amount_planned=Money(1234, "EUR", 2))


def payment_draft() -> PaymentDraft:
    return PaymentDraft(
        key="c-1_1",
        amount_planned=MoneyDraft(1234, "EUR"),
        payment_method_info=PaymentMethodInfoDraft(payment_interface="Stripe"),
    )


async def test_a_payment_whose_key_is_taken_is_the_one_that_took_it() -> None:
    taken = error(400, "DuplicateField", field="key")
    project = Project(taken, PAYMENT)
    assert (await project.gateway.create_payment(payment_draft())).id == "p-1"


async def test_a_payment_whose_creation_was_not_answered_is_looked_for() -> None:
    project = Project(httpx.ReadTimeout("lost"), PAYMENT)
    assert (await project.gateway.create_payment(payment_draft())).id == "p-1"
    lost = Project(httpx.ReadTimeout("lost"), httpx.Response(404, json={}))
    with pytest.raises(BackendUnavailable):
        await lost.gateway.create_payment(payment_draft())


async def test_a_payment_is_created_from_its_draft() -> None:
    project = Project(PAYMENT)
    assert await project.gateway.create_payment(payment_draft()) == payment()
    assert project.asked == "POST https://api.test/shop/payments"
    assert body_of(project.api.last) == {
        "key": "c-1_1",
        "amountPlanned": {"centAmount": 1234, "currencyCode": "EUR"},
        "paymentMethodInfo": {"paymentInterface": "Stripe"},
    }


async def test_a_payment_is_written_from_its_version() -> None:
    project = Project(PAYMENT | {"version": 4, "interfaceId": "pi_1"})
    updated = await project.gateway.update_payment(payment(), [SetInterfaceId("pi_1")])
    assert (updated.version, updated.interface_id) == (4, "pi_1")
    assert body_of(project.api.last) == {
        "version": 3,
        "actions": [{"action": "setInterfaceId", "interfaceId": "pi_1"}],
    }


async def test_a_payment_is_found_by_key() -> None:
    project = Project(PAYMENT)
    assert await project.gateway.find_payment_by_key("c-1_1") == payment()
    assert project.asked == "GET https://api.test/shop/payments/key=c-1_1"


async def test_a_payment_is_found_by_its_intent() -> None:
    theirs = PAYMENT | {"id": "p-2", "paymentMethodInfo": {"paymentInterface": "Other"}}
    ours = PAYMENT | {"paymentMethodInfo": {"paymentInterface": "Stripe"}}
    project = Project({"results": [theirs, ours]})
    found = await project.gateway.find_payment_by_interface_id('pi_"1')
    assert found is not None
    assert found.id == "p-1"
    assert project.query["where"] == (r'interfaceId="pi_\"1"')
    assert int(project.query["limit"]) > 1


async def test_payments_of_intents_are_found_behind_a_page_of_others() -> None:
    theirs = [
        PAYMENT
        | {
            "id": f"a-{number:03}",
            "interfaceId": "pi_1",
            "paymentMethodInfo": {"paymentInterface": f"other-{number}"},
        }
        for number in range(500)
    ]
    ours = PAYMENT | {"interfaceId": "pi_1", "paymentMethodInfo": {"paymentInterface": "Stripe"}}
    project = Project({"results": theirs}, {"results": [ours]})
    found = await project.gateway.list_payments_of_intents(["pi_1", "pi_2"])
    assert {intent: each.id for intent, each in found.items()} == {"pi_1": "p-1"}
    assert project.query["where"] == 'interfaceId in ("pi_1", "pi_2") and id > "a-499"'


@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway: gateway.find_payment_by_key("k"),
        lambda gateway: gateway.get_customer("u-1"),
        lambda gateway: gateway.find_custom_object("box", "k"),
        lambda gateway: gateway.get_type_id("k"),
    ],
)
async def test_only_404_means_that_there_is_none(
    ask: Callable[[Commercetools], Awaitable[object]],
) -> None:
    assert await ask(Project(GONE).gateway) is None
    with pytest.raises(BackendUnavailable):
        await ask(Project(httpx.Response(500)).gateway)
    with pytest.raises(BackendError):
        await ask(Project(httpx.Response(403)).gateway)


@pytest.mark.parametrize(
    "ask",
    [
        lambda gateway: gateway.get_cart("c-1"),
        lambda gateway: gateway.get_payment("p-1"),
        lambda gateway: gateway.get_session("s-1"),
    ],
)
async def test_what_must_exist_is_not_found(
    ask: Callable[[Commercetools], Awaitable[object]],
) -> None:
    with pytest.raises(NotFound):
        await ask(Project(GONE).gateway)


# Customers, custom objects, types


async def test_a_customer_is_read_and_written() -> None:
    project = Project(CUSTOMER)
    customer = await project.gateway.get_customer("u-1")
    assert customer is not None
    await project.gateway.update_customer(customer, [SetCustomerField("x")])
    assert body_of(project.api.last) == {
        "version": 7,
        "actions": [{"action": "setCustomField", "name": "x"}],
    }


async def test_a_custom_object_is_read() -> None:
    project = Project({"id": "o-1", "value": {"customer": "cus_1"}})
    assert await project.gateway.find_custom_object("box", "u-1") == {"customer": "cus_1"}
    assert project.asked == "GET https://api.test/shop/custom-objects/box/u-1"


async def test_a_custom_object_is_created_only_where_there_is_none() -> None:
    project = Project({"id": "o-1", "value": 1})
    await project.gateway.create_custom_object("box", "u-1", {"customer": "cus_1"})
    assert body_of(project.api.last) == {
        "container": "box",
        "key": "u-1",
        "value": {"customer": "cus_1"},
        "version": 0,
    }
    with pytest.raises(VersionConflict):
        await Project(CONFLICT).gateway.create_custom_object("box", "u-1", 1)


async def test_types_are_read_and_created() -> None:
    project = Project(TYPE)
    assert await project.gateway.get_type_id("ours") == "t-1"
    assert await project.gateway.create_type({"key": "ours"}) == "t-1"


# Stored payment methods


async def test_stored_methods_are_those_of_customer_and_interface() -> None:
    without_token = {name: value for name, value in METHOD.items() if name != "token"}
    project = Project({"results": [METHOD, without_token]})
    found = await project.gateway.list_payment_methods("u-1")
    assert [each.token_value for each in found] == ["pm_1", None]
    assert project.query["where"] == 'customer(id="u-1") and paymentInterface="Stripe"'


TAKEN = error(400, "DuplicateField", field="key")
METHOD_DRAFT = PaymentMethodDraft(
    key="pm_1",
    customer=Reference("customer", "u-1"),
    payment_interface="Stripe",
    method="card",
    token=TokenValue("pm_1"),
)


async def test_a_stored_method_is_created() -> None:
    project = Project(METHOD)
    assert (await project.gateway.create_payment_method(METHOD_DRAFT)).id == "m-1"
    assert body_of(project.api.last)["token"] == {"value": "pm_1"}


async def test_a_stored_method_that_is_there_already_is_found_by_its_key() -> None:
    project = Project(TAKEN, METHOD)
    assert (await project.gateway.create_payment_method(METHOD_DRAFT)).id == "m-1"
    assert project.asked == "GET https://api.test/shop/payment-methods/key=pm_1"


@pytest.mark.parametrize(
    "found", [GONE, METHOD | {"customer": {"typeId": "customer", "id": "u-2"}}]
)
async def test_a_key_that_is_another_customers_is_told(found: Any) -> None:
    with pytest.raises(DuplicateField):
        await Project(TAKEN, found).gateway.create_payment_method(METHOD_DRAFT)


async def test_a_recurring_payment_job_goes_to_checkout() -> None:
    project = Project({"id": "j-1"})
    await project.gateway.create_recurring_payment_job("p-1", "m-1")
    assert project.asked == "POST https://checkout.test/shop/recurring-payment-jobs"
    assert body_of(project.api.last) == {
        "key": "p-1",
        "originPayment": {"typeId": "payment", "id": "p-1"},
        "paymentMethod": {"typeId": "payment-method", "id": "m-1"},
    }


# Sessions and tokens


async def test_a_session_is_read() -> None:
    project = Project({"id": "s-1", "state": "Active", "activeCart": {"cartRef": {"id": "c-1"}}})
    assert (await project.gateway.get_session("s-1")).cart_id == "c-1"
    assert project.asked == "GET https://session.test/shop/sessions/s-1"


async def test_a_session_id_cannot_leave_its_place_in_the_path() -> None:
    project = Project(GONE)
    with pytest.raises(NotFound) as caught:
        await project.gateway.get_session("../carts/c-1?expand=x")
    assert project.api.last.url.raw_path == b"/shop/sessions/..%2Fcarts%2Fc-1%3Fexpand%3Dx"
    assert "c-1" not in str(caught.value.body())


async def test_a_token_is_introspected_with_our_credentials() -> None:
    project = Project({"active": True, "scope": "a:shop", "exp": 1_790_000_000_123})
    answer = await project.gateway.introspect_token("somebody's & token")
    assert answer.exp == 1_790_000_000
    assert project.asked == "POST https://auth.test/oauth/introspect"
    assert project.api.last.headers["authorization"] == "Basic aWQ6aHVzaA=="
    assert form_of(project.api.last) == {"token": ["somebody's & token"]}


async def test_introspection_in_seconds_is_left_as_it_is() -> None:
    answer = await Project({"active": True, "exp": 1_790_000_000}).gateway.introspect_token("t")
    assert answer.exp == 1_790_000_000


async def test_refused_introspection_is_our_own_fault() -> None:
    with pytest.raises(BackendError):
        await Project(httpx.Response(401)).gateway.introspect_token("t")


async def test_our_own_scopes_are_told() -> None:
    assert await Project(PAYMENT).gateway.get_granted_scopes() == {"manage_project:shop"}


def test_no_representation_shows_the_secret() -> None:
    assert "hush" not in repr(Project(PAYMENT).gateway)


async def test_commercetools_is_told_who_asks() -> None:
    project = Project(PAYMENT)
    await project.gateway.get_payment("p-1")
    assert project.api.last.headers["user-agent"].startswith("stripe-connector/")
