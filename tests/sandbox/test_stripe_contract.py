"""The stand-in's answers have the shapes that the SDK's resource classes declare."""

from __future__ import annotations

import inspect
import typing
from collections.abc import AsyncIterator, Iterator
from typing import Any, ForwardRef, Literal, get_args, get_origin

import httpx
import pytest
import stripe

from sandbox.stripe import methods
from tests.sandbox.stripe_account import RETURN_URL, Account, Json


def _problems(value: object, kind: Any, path: str) -> Iterator[str]:
    """Where a JSON value does not fit an annotation of the SDK."""
    if isinstance(kind, ForwardRef):
        # classes that the SDK imports for type checkers only, some under another name
        kind = getattr(stripe, kind.__forward_arg__.removesuffix("Resource"), Any)
    match get_origin(kind):
        case typing.Union:
            options = get_args(kind)
            literals = [each for each in options if get_origin(each) is Literal]
            if isinstance(value, str) and literals:
                # Literal | str is a closed set that Stripe may extend: we may not
                options = tuple(literals)
            found = [list(_problems(value, option, path)) for option in options]
            if all(found):
                yield from min(found, key=len)
        case typing.Literal:
            if value not in get_args(kind):
                yield f"{path}: {value!r} is none of {get_args(kind)}"
        case origin if origin is list:
            if not isinstance(value, list):
                yield f"{path}: {value!r} is no list"
                return
            for each in value:
                yield from _problems(each, get_args(kind)[0], f"{path}[]")
        case None if inspect.isclass(kind) and issubclass(kind, stripe.StripeObject):
            if not isinstance(value, dict):
                yield f"{path}: {value!r} is no object"
                return
            yield from _object_problems(value, kind, path)
        case None if kind is Any:
            return
        case None if inspect.isclass(kind):
            if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
                yield f"{path}: {value!r} is no {kind.__name__}"


def _object_problems(value: Json, kind: type, path: str) -> Iterator[str]:
    declared = {
        name: annotation
        for name, annotation in inspect.get_annotations(kind).items()
        if not str(annotation).startswith("typing.ClassVar") and not name.startswith("_")
    }
    if not declared:
        return
    for name, annotation in declared.items():
        if name in value:
            yield from _problems(value[name], annotation, f"{path}.{name}")
        elif type(None) not in get_args(annotation):
            yield f"{path}.{name} is missing"
    yield from (f"{path}.{name} is not declared" for name in value.keys() - declared.keys())


def _assert_conforms(value: Json, kind: type) -> None:
    assert list(_problems(value, kind, kind.__name__)) == []


@pytest.fixture
def account() -> Account:
    return Account()


async def _every_kind_of_payment(account: Account) -> None:
    customer = await account.customer(
        email="ada@example.com",
        **{"address[country]": "DE", "shipping[name]": "Ada"}
        | {"shipping[address][city]": "Berlin"},
    )
    await account.paid(
        customer=customer["id"],
        setup_future_usage="off_session",
        **{"hooks[inputs][tax][calculation]": "taxcalc_1", "metadata[a]": "b"},
    )
    await account.paid("pm_card_authenticationRequired")
    await account.call(
        "POST",
        "/v1/payment_intents",
        {
            "amount": 1000,
            "currency": "eur",
            "payment_method": "pm_card_visa_chargeDeclined",
            "confirm": "true",
            "return_url": RETURN_URL,
        },
    )
    debit = await account.intent(
        confirm="true",
        return_url=RETURN_URL,
        **{
            "payment_method_data[type]": "sepa_debit",
            "payment_method_data[sepa_debit][iban]": "DE89370400440532013000",
        },
    )
    await account.admin(f"stripe/payment_intents/{debit['id']}/settle", outcome="succeed")
    await account.intent(
        currency="usd",
        confirm="true",
        return_url=RETURN_URL,
        **{"payment_method_data[type]": "us_bank_account"}
        | {"payment_method_data[us_bank_account][account_number]": "000123456789"},
    )
    ideal = await account.intent(
        confirm="true", return_url=RETURN_URL, **{"payment_method_data[type]": "ideal"}
    )
    await account.admin(f"stripe/payment_intents/{ideal['id']}/authenticate", outcome="succeed")
    for kind in sorted(methods.REDIRECTS - {"ideal"}):
        await _paid_on_a_page(account, kind)
    for card in ("pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail"):
        intent = await account.authorized(card)
        await account.post(f"/v1/payment_intents/{intent['id']}/capture")
        await account.post("/v1/refunds", payment_intent=intent["id"])
    await account.post("/v1/refunds", payment_intent=ideal["id"])
    account.clock.advance(60)
    await account.paid("pm_card_createDispute")
    await account.paid("pm_card_createDisputeInquiry")
    canceled = await account.authorized()
    await account.post(f"/v1/payment_intents/{canceled['id']}/cancel")


async def _paid_on_a_page(account: Account, kind: str) -> None:
    currencies = methods.CURRENCIES[kind] or {"eur"}
    intent = await account.intent(
        currency="eur" if "eur" in currencies else min(currencies),
        confirm="true",
        return_url=RETURN_URL,
        **{"allowed_payment_method_types[]": kind, "payment_method_data[type]": kind},
    )
    paid = await account.admin(
        f"stripe/payment_intents/{intent['id']}/authenticate", outcome="succeed"
    )
    assert paid["status"] == "succeeded"


@pytest.mark.parametrize(
    ("path", "kind", "at_least"),
    [
        ("/v1/payment_intents", stripe.PaymentIntent, 9),
        ("/v1/charges", stripe.Charge, 9),
        ("/v1/refunds", stripe.Refund, 4),
        ("/v1/disputes", stripe.Dispute, 2),
        ("/v1/customers", stripe.Customer, 1),
        ("/v1/payment_methods", stripe.PaymentMethod, 1),
        ("/v1/balance_transactions", stripe.BalanceTransaction, 12),
        ("/v1/events", stripe.Event, 50),
    ],
)
async def test_every_listed_object_conforms_to_the_sdk(
    account: Account, path: str, kind: type, at_least: int
) -> None:
    await _every_kind_of_payment(account)
    listed = await account.get(path, limit=100)

    assert len(listed["data"]) >= at_least
    for value in listed["data"]:
        _assert_conforms(value, kind)


async def test_payment_methods_of_all_types_conform_to_the_sdk(account: Account) -> None:
    await _every_kind_of_payment(account)
    assert {each["type"] for each in account.state.methods} == {
        "card",
        "sepa_debit",
        "us_bank_account",
        *methods.REDIRECTS,
    }
    for method in account.state.methods:
        _assert_conforms(method, stripe.PaymentMethod)


async def test_browser_secrets_and_endpoints_conform_to_the_sdk(account: Account) -> None:
    customer = await account.customer()
    version = {"stripe-version": "2026-10-28.endive"}
    key = await account.call(
        "POST", "/v1/ephemeral_keys", {"customer": customer["id"]}, headers=version
    )
    session = await account.post(
        "/v1/customer_sessions",
        customer=customer["id"],
        **{"components[payment_element][enabled]": "true"},
    )
    token = await account.post(
        "/v1/test_helpers/confirmation_tokens", payment_method="pm_card_visa"
    )
    endpoint = await account.post(
        "/v1/webhook_endpoints", url="https://shop.test", **{"enabled_events[]": "*"}
    )

    _assert_conforms(
        {name: value for name, value in key.json().items() if name != "associated_objects"},
        stripe.EphemeralKey,
    )
    _assert_conforms(session, stripe.CustomerSession)
    _assert_conforms(token, stripe.ConfirmationToken)
    _assert_conforms(endpoint, stripe.WebhookEndpoint)


@pytest.fixture
async def sdk(account: Account) -> AsyncIterator[stripe.StripeClient]:
    """The SDK's own client, its HTTP client connected to the stand-in."""
    http = stripe.HTTPXClient(allow_sync_methods=False)
    await http._client_async.aclose()
    http._client_async = httpx.AsyncClient(
        transport=account.client._transport, base_url="http://stripe.test"
    )
    yield stripe.StripeClient(
        "sk_test_sandbox", http_client=http, base_addresses={"api": "http://stripe.test"}
    )
    await http._client_async.aclose()


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_the_sdk_pays_captures_and_refunds(sdk: stripe.StripeClient) -> None:
    intent = await sdk.v1.payment_intents.create_async(
        {
            "amount": 1000,
            "currency": "EUR",
            "capture_method": "manual",
            "confirm": True,
            "payment_method": "pm_card_visa",
            "return_url": RETURN_URL,
            "metadata": {"order": "7"},
            "payment_method_options": {"card": {"request_multicapture": "if_available"}},
        },
        {"idempotency_key": "k"},
    )
    captured = await sdk.v1.payment_intents.capture_async(
        intent.id, {"amount_to_capture": 400, "final_capture": False, "expand": ["latest_charge"]}
    )
    refund = await sdk.v1.refunds.create_async({"payment_intent": intent.id, "amount": 100})
    found = await sdk.v1.payment_intents.search_async({"query": "metadata['order']:'7'"})

    assert isinstance(captured.latest_charge, stripe.Charge)
    assert captured.latest_charge.amount_captured == 400
    assert refund.status == "succeeded"
    assert [each.id for each in found.data] == [intent.id]


@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
async def test_the_sdk_recognizes_the_stand_ins_errors(sdk: stripe.StripeClient) -> None:
    with pytest.raises(stripe.CardError) as declined:
        await sdk.v1.payment_intents.create_async(
            {
                "amount": 1000,
                "currency": "eur",
                "confirm": True,
                "payment_method": "pm_card_visa_chargeDeclinedInsufficientFunds",
                "return_url": RETURN_URL,
            }
        )
    with pytest.raises(stripe.InvalidRequestError) as missing:
        await sdk.v1.payment_intents.retrieve_async("pi_none")
    await sdk.v1.customers.create_async({"name": "Ada"}, {"idempotency_key": "k"})
    with pytest.raises(stripe.IdempotencyError):
        await sdk.v1.customers.create_async({"name": "Eve"}, {"idempotency_key": "k"})

    assert declined.value.code == "card_declined"
    assert declined.value.error is not None
    assert declined.value.error.decline_code == "insufficient_funds"
    assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")
