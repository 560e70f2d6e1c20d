"""Starting a payment with a stored method, or with the shopper's consent to store one."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.behaviour.steps import Json, Once, no_trouble, shuffled
from tests.behaviour.stored import ENABLED, NOBODY, Regular, records, regular
from tests.wire import Crash, Trouble
from tests.world import World

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CONSENT: Json = {"storePaymentMethod": True}
TROUBLES: list[Trouble] = [
    "refused",
    "lost",
    "error before",
    "error after",
    "stored before",
    "stored after",
    "busy",
    "crash before",
    "crash after",
]


async def customer(environment: Mapping[str, str] = ENABLED) -> Regular:
    return await regular(World(environment))


async def post(world: World, session: Mapping[str, str], body: Json | None) -> httpx.Response:
    return await world.client.post("/payments", headers=session, json=body)


async def start(world: World, session: Mapping[str, str], **body: Any) -> Json:
    answer = await post(world, session, body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def open_intent(world: World) -> Json:
    """The one intent that can still be paid."""
    [intent] = [each for each in world.stripe.intents.newest({}) if each["status"] in OPEN]
    return intent


def chosen(world: World) -> tuple[str | None, str | None]:
    """The method that the open intent pays with, and what it is kept for."""
    intent = open_intent(world)
    return intent["payment_method"], intent["setup_future_usage"]


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error.get("field")


async def token_of(world: World, method_id: str) -> str:
    return str((await world.commercetools("GET", f"payment-methods/{method_id}"))["token"]["value"])


async def confirm_alone(world: World, secret: str) -> Json:
    """The browser confirms with nothing but the client secret."""
    intent_id = secret.partition("_secret_")[0]
    return await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{intent_id}/confirm",
        return_url="http://localhost:3000/return",
    )


# Consent


async def test_without_consent_nothing_is_kept() -> None:
    lin = await customer()
    session = await lin.session()
    for body in ({}, {"storePaymentMethod": False}, {"storePaymentMethod": None}):
        await start(lin.world, session, **body)
        assert chosen(lin.world) == (None, None)


@pytest.mark.parametrize(
    ("environment", "usage"),
    [
        ({}, "on_session"),
        ({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"}, "off_session"),
        ({"STRIPE_PAYMENT_FLOW": "pi_first"}, "on_session"),
        (
            {
                "STRIPE_PAYMENT_FLOW": "pi_first",
                "STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session",
            },
            "off_session",
        ),
    ],
)
async def test_with_consent_the_method_is_kept_for_what_is_configured(
    environment: Mapping[str, str], usage: str
) -> None:
    lin = await customer({**ENABLED, **environment})
    started = await start(lin.world, await lin.session(), **CONSENT)
    assert chosen(lin.world) == (None, usage)
    await lin.world.pay(started["clientSecret"])
    await lin.world.deliver_all()
    assert len(await lin.shown()) == len(await records(lin.world)) == 1


async def test_consent_of_a_customer_whom_stripe_does_not_know_yet_makes_one() -> None:
    world = World(ENABLED)
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com"})
    lin = Regular(world, created["customer"]["id"], "")
    started = await start(world, await lin.session(), **CONSENT)
    assert open_intent(world)["customer"].startswith("cus_")
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    assert len(await lin.shown()) == 1


async def test_consent_is_kept_where_the_stripe_customer_was_deleted() -> None:
    lin = await customer()
    await lin.world.ask_stripe("DELETE", f"/v1/customers/{lin.stripe_id}")
    started = await start(lin.world, await lin.session(), **CONSENT)
    await lin.world.pay(started["clientSecret"])
    await lin.world.deliver_all()
    assert len(await lin.shown()) == 1


async def test_consent_given_and_taken_back_changes_the_same_intent() -> None:
    lin = await customer()
    session = await lin.session()
    first = await start(lin.world, session)
    for body, usage in ((CONSENT, "on_session"), ({}, None), (CONSENT, "on_session")):
        assert await start(lin.world, session, **body) == first
        assert chosen(lin.world) == (None, usage)


async def test_a_guest_who_agrees_is_told_that_a_customer_is_needed() -> None:
    world = World(ENABLED)
    session = await world.session((await world.cart())["id"])
    for body in (CONSENT, {"storedPaymentMethodId": NOBODY}):
        answer = await post(world, session, body)
        assert refusal(answer) == (400, "RequiredField", "customerId")
    assert list(world.stripe.intents) == []


# A stored method


async def test_a_stored_method_needs_nothing_but_the_client_secret() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    started = await start(lin.world, await lin.session(), storedPaymentMethodId=method_id)
    assert set(started) >= {"clientSecret", "paymentReference", "cartId"}
    assert "pm_" not in str(started)
    assert chosen(lin.world) == (await token_of(lin.world, method_id), None)
    assert open_intent(lin.world)["customer"] == lin.stripe_id
    assert (await confirm_alone(lin.world, started["clientSecret"]))["status"] == "succeeded"
    await lin.world.deliver_all()
    transactions = await lin.world.transactions(started["paymentReference"])
    assert ("Charge", 1000, "Success") in transactions
    payment = await lin.world.payment(started["paymentReference"])
    assert payment["paymentMethodInfo"]["token"]["value"] == await token_of(lin.world, method_id)
    assert len(await records(lin.world)) == 1


async def test_another_choice_changes_the_same_intent() -> None:
    lin = await customer()
    visa, master = await lin.on_file(), await lin.on_file("pm_card_mastercard")
    session = await lin.session()
    first = await start(lin.world, session)
    for body in (
        {"storedPaymentMethodId": visa},
        {"storedPaymentMethodId": master},
        {"storedPaymentMethodId": master},
        CONSENT,
        {"storedPaymentMethodId": visa},
        {},
    ):
        assert await start(lin.world, session, **body) == first
        stored = body.get("storedPaymentMethodId")
        usage = "on_session" if body == CONSENT else None
        assert chosen(lin.world) == (stored and await token_of(lin.world, str(stored)), usage)
    assert len(list(lin.world.stripe.intents)) == 1


async def test_the_same_choice_again_writes_nothing() -> None:
    lin = await customer()
    session, method_id = await lin.session(), await lin.on_file()
    await start(lin.world, session, storedPaymentMethodId=method_id)
    lin.world.network.calls.clear()
    await start(lin.world, session, storedPaymentMethodId=method_id)
    assert {call.method for call in lin.world.network.calls} == {"GET"}


async def test_after_a_decline_the_same_or_another_method_may_be_tried() -> None:
    lin = await customer()
    bad, good = await lin.on_file("pm_card_chargeCustomerFail"), await lin.on_file()
    session = await lin.session()
    for _ in range(2):
        started = await start(lin.world, session, storedPaymentMethodId=bad)
        assert (await confirm_alone(lin.world, started["clientSecret"]))["error"]
    again = await start(lin.world, session, storedPaymentMethodId=good)
    assert again == started
    assert (await confirm_alone(lin.world, again["clientSecret"]))["status"] == "succeeded"


async def test_while_the_shopper_authenticates_only_another_method_interrupts() -> None:
    lin = await customer()
    strict, other = await lin.on_file("pm_card_threeDSecure2Required"), await lin.on_file()
    session = await lin.session()
    started = await start(lin.world, session, storedPaymentMethodId=strict)
    assert (await confirm_alone(lin.world, started["clientSecret"]))["status"] == "requires_action"
    for body in ({}, {"storedPaymentMethodId": strict}):
        assert await start(lin.world, session, **body) == started
        assert open_intent(lin.world)["status"] == "requires_action"
    assert await start(lin.world, session, storedPaymentMethodId=other) == started
    assert open_intent(lin.world)["status"] == "requires_confirmation"


async def test_a_changed_price_keeps_the_chosen_method() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    cart = await lin.world.cart(1000, customerId=lin.id)
    session = await lin.world.session(cart["id"])
    first = await start(lin.world, session, storedPaymentMethodId=method_id)
    await lin.world.reprice(cart["id"], 1700)
    assert await start(lin.world, session, storedPaymentMethodId=method_id) == first
    assert open_intent(lin.world)["amount"] == 1700
    assert chosen(lin.world)[0] == await token_of(lin.world, method_id)


async def test_a_wallets_headers_do_not_keep_a_stored_method_from_its_customer() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    session = {**await lin.session(), "x-express-checkout": "true"}
    await start(lin.world, session, storedPaymentMethodId=method_id)
    assert open_intent(lin.world)["customer"] == lin.stripe_id


# What is refused


async def test_nobody_pays_with_another_customers_method() -> None:
    lin = await customer()
    method_id = await lin.on_file()
    mia = await regular(lin.world, "mia@example.com")
    session = await mia.session()
    for named in (method_id, NOBODY):
        answer = await post(lin.world, session, {"storedPaymentMethodId": named})
        assert refusal(answer) == (400, "InvalidField", "storedPaymentMethodId")
    assert list(lin.world.stripe.intents) == []


@pytest.mark.parametrize("started_before", [True, False])
async def test_a_method_that_stripe_has_lost_is_refused_and_the_cart_can_still_be_paid(
    started_before: bool,
) -> None:
    lin = await customer()
    method_id, session = await lin.on_file(), await lin.session()
    if started_before:
        await start(lin.world, session)
    token = await token_of(lin.world, method_id)
    await lin.world.ask_stripe("POST", f"/v1/payment_methods/{token}/detach")
    answer = await post(lin.world, session, {"storedPaymentMethodId": method_id})
    assert answer.status_code == 400, answer.text
    started = await start(lin.world, session)
    assert open_intent(lin.world)["client_secret"] == started["clientSecret"]
    assert chosen(lin.world) == (None, None)


async def test_a_method_of_a_stripe_customer_who_is_gone_is_refused() -> None:
    lin = await customer()
    method_id, session = await lin.on_file(), await lin.session()
    await lin.world.ask_stripe("DELETE", f"/v1/customers/{lin.stripe_id}")
    answer = await post(lin.world, session, {"storedPaymentMethodId": method_id})
    assert answer.status_code == 400, answer.text


async def test_storing_what_is_stored_is_a_400() -> None:
    lin = await customer()
    body = {**CONSENT, "storedPaymentMethodId": await lin.on_file()}
    answer = await post(lin.world, await lin.session(), body)
    assert refusal(answer) == (400, "InvalidOperation", None)
    assert list(lin.world.stripe.intents) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"storePaymentMethod": "yes"}, "storePaymentMethod"),
        ({"storePaymentMethod": 1}, "storePaymentMethod"),
        ({"storedPaymentMethodId": "pm_1"}, "storedPaymentMethodId"),
        ({"storedPaymentMethodId": "../carts"}, "storedPaymentMethodId"),
        ({"storedPaymentMethodId": 7}, "storedPaymentMethodId"),
    ],
)
async def test_nonsense_is_refused_with_the_field(body: Json, field: str) -> None:
    lin = await customer()
    answer = await post(lin.world, await lin.session(), body)
    assert refusal(answer) == (400, "InvalidField", field)


async def test_without_the_setting_a_choice_is_refused_and_no_choice_is_fine() -> None:
    lin = await customer({})
    session = await lin.session()
    for body in (CONSENT, {"storedPaymentMethodId": NOBODY}):
        assert refusal(await post(lin.world, session, body)) == (400, "InvalidOperation", None)
    assert list(lin.world.stripe.intents) == []
    await start(lin.world, session, storePaymentMethod=False)


async def test_the_alias_for_older_enablers_takes_no_body() -> None:
    lin = await customer()
    answer = await lin.world.client.request(
        "GET", "/payments", headers=await lin.session(), content=b"{ not json"
    )
    assert answer.status_code == 200
    assert chosen(lin.world) == (None, None)


# Trouble


@pytest.mark.parametrize("trouble", TROUBLES)
async def test_after_trouble_at_any_call_a_repetition_has_one_intent_with_the_last_choice(
    trouble: Trouble,
) -> None:
    """The first request wanted something else than the one that follows it."""
    for index in itertools.count():
        lin = await customer()
        method_id, session = await lin.on_file(), await lin.session()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await post(lin.world, session, CONSENT)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code in (200, 503), answer.text
        lin.world.network.trouble = no_trouble
        started = await start(lin.world, session, storedPaymentMethodId=method_id)
        assert open_intent(lin.world)["client_secret"] == started["clientSecret"]
        assert chosen(lin.world) == (await token_of(lin.world, method_id), None)
        if not fault.happened:
            break
    assert index >= 8


async def test_two_tabs_with_different_choices_share_one_intent() -> None:
    for seed in range(12):
        lin = await customer()
        method_id, session = await lin.on_file(), await lin.session()
        shuffled(lin.world, seed)
        answers = await asyncio.gather(
            *(
                lin.world.start_processor().client.post("/payments", headers=session, json=body)
                for body in ({"storedPaymentMethodId": method_id}, CONSENT, {})
            )
        )
        lin.world.network.turn = None
        assert {answer.status_code for answer in answers} <= {200, 503}
        secrets = {answer.json().get("clientSecret") for answer in answers} - {None}
        assert secrets == {open_intent(lin.world)["client_secret"]}
