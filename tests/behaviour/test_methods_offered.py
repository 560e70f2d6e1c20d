"""Which methods pay: session, rule, component and account restrict intent and element alike."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import httpx
import pytest

from tests.behaviour.steps import CONFIGURATION, shuffled, switch
from tests.behaviour.stored import ENABLED, regular
from tests.wire import Call
from tests.world import World

Json = dict[str, Any]

SESSIONS: dict[str, list[str] | None] = {
    "any": None,
    "card": ["card"],
    "two": ["ideal", "card"],
    "wallet": ["applePay"],
    "component": ["dropin", "ideal"],
    "klarna": ["klarna"],
    "unknown beside": ["card", "cheque"],
    "unknown": ["cheque"],
}
RULES: dict[str, list[str] | None] = {"any": None, "ideal": ["ideal"], "two": ["card", "klarna"]}
ACCOUNTS: dict[str, Json] = {
    "as it is": {},
    "without iDEAL": {"ideal": "off"},
    "with Klarna": {"klarna": "on"},
}
DEFAULT = {"card", "ideal", "sepa_debit"}
"""What a German cart is offered by the account as it is, of the types in the tables above."""


async def asking(
    session: list[str] | None = None, rule: Json | None = None, **account: str
) -> tuple[World, dict[str, str]]:
    """A world with a session for a German cart."""
    world = World({"STRIPE_PAYMENT_BEHAVIOR_RULES": json.dumps({"DE": rule})} if rule else {})
    if account:
        await switch(world, **account)
    cart = await world.cart(country="DE")
    metadata = {} if session is None else {"allowedPaymentMethods": session}
    return world, dict(await world.session(cart["id"], **metadata))


def open_intents(world: World) -> list[Json]:
    return [dict(each) for each in world.stripe.intents if each["status"] != "canceled"]


def expected(session: str, rule: str, account: str) -> set[str] | None:
    """The types that are left, written down apart from the code; None where nothing restricts."""
    allowed = {
        "any": None,
        "card": {"card"},
        "two": {"card", "ideal"},
        "wallet": {"card"},
        "component": None,
        "klarna": {"klarna"},
        "unknown beside": {"card"},
        "unknown": set(),
    }[session]
    ruled = {"any": None, "ideal": {"ideal"}, "two": {"card", "klarna"}}[rule]
    offered = {
        "as it is": DEFAULT,
        "without iDEAL": DEFAULT - {"ideal"},
        "with Klarna": DEFAULT | {"klarna"},
    }[account]
    if allowed is None and ruled is None:
        return None
    return (
        (offered if allowed is None else allowed) & (offered if ruled is None else ruled) & offered
    )


@pytest.mark.parametrize("account", ACCOUNTS)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("session", SESSIONS)
async def test_session_rule_and_account_restrict_intent_and_element_alike(
    session: str, rule: str, account: str
) -> None:
    ruled = RULES[rule]
    world, headers = await asking(
        SESSIONS[session], {"paymentMethods": ruled} if ruled else None, **ACCOUNTS[account]
    )
    left = expected(session, rule, account)
    element = await world.client.get("/config-element/payment", headers=headers)
    started = await world.client.post("/payments", headers=headers)
    if left == set():
        for answer in (element, started):
            assert answer.status_code == 409, answer.text
            assert answer.json()["errors"][0]["code"] == "NoPaymentMethod"
        assert not list(world.stripe.intents)
        assert not list(world.store.collection("payment"))
        return
    assert (element.status_code, started.status_code) == (200, 200), (element.text, started.text)
    [intent] = open_intents(world)
    if left is None:
        assert intent["automatic_payment_methods"]["enabled"] is True
        assert "allowedPaymentMethodTypes" not in element.json() | started.json()
        return
    assert intent["automatic_payment_methods"] is None
    assert set(intent["payment_method_types"]) == left
    assert set(intent["allowed_payment_method_types"]) == left
    assert set(element.json()["allowedPaymentMethodTypes"]) == left
    assert set(started.json()["allowedPaymentMethodTypes"]) == left


async def test_a_rules_configuration_restricts_intent_and_element() -> None:
    rule = {"paymentMethodConfiguration": "pmc_berlin"}
    world, headers = await asking(rule=rule)
    made = await world.ask_stripe("POST", CONFIGURATION, name="Berlin")
    world.stripe.configurations[made["id"]]["id"] = "pmc_berlin"
    world.stripe.configurations.add(world.stripe.configurations[made["id"]])
    await switch(world, "pmc_berlin", card="on")
    element = await world.client.get("/config-element/payment", headers=headers)
    assert element.json()["paymentMethodConfiguration"] == "pmc_berlin"
    await world.start(headers)
    [intent] = open_intents(world)
    assert intent["payment_method_configuration_details"]["id"] == "pmc_berlin"
    assert intent["payment_method_types"] == ["card"]
    # With a session's types, which exclude it, its types count instead.
    cart = await world.cart(country="DE")
    session = await world.session(cart["id"], allowedPaymentMethods=["card", "ideal"])
    started = await world.start(session)
    assert started["allowedPaymentMethodTypes"] == ["card"]


async def test_an_unknown_name_is_dropped_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    world, headers = await asking(["card", "cheque"])
    with caplog.at_level(logging.WARNING):
        await world.start(headers)
    [warned] = [each for each in caplog.records if each.message == "Unknown payment methods"]
    assert warned.__dict__["fields"] == {"names": ["cheque"]}


async def test_a_component_narrows_within_the_sessions_set() -> None:
    world, headers = await asking(["card", "ideal"])
    element = await world.client.get("/config-element/ideal", headers=headers)
    assert element.json()["allowedPaymentMethodTypes"] == ["ideal"]
    body = {"paymentMethodType": "ideal"}
    started = await world.client.post("/payments", headers=headers, json=body)
    assert started.status_code == 200, started.text
    [intent] = open_intents(world)
    assert intent["payment_method_types"] == ["ideal"]
    for outside in ("sepa_debit", "klarna"):
        body = {"paymentMethodType": outside}
        answer = await world.client.post("/payments", headers=headers, json=body)
        assert answer.status_code == 409, answer.text
        assert outside in answer.json()["message"]
    answer = await world.client.post("/payments", headers=headers, json={"paymentMethodType": "x"})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "paymentMethodType"


async def test_other_methods_take_a_new_intent_and_the_open_one_is_cancelled() -> None:
    world, headers = await asking()
    first = await world.start(headers)
    body = {"paymentMethodType": "card"}
    second = (await world.client.post("/payments", headers=headers, json=body)).json()
    assert second["paymentReference"] != first["paymentReference"]
    again = (await world.client.post("/payments", headers=headers, json=body)).json()
    assert again["clientSecret"] == second["clientSecret"]
    third = await world.start(headers)
    assert third["clientSecret"] not in (first["clientSecret"], second["clientSecret"])
    [payable] = open_intents(world)
    assert payable["client_secret"] == third["clientSecret"]
    await world.pay(third["clientSecret"])
    await world.deliver_all()
    assert await world.transactions(third["paymentReference"]) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]
    for replaced in (first, second):
        assert await world.transactions(replaced["paymentReference"]) == [
            ("Authorization", 1000, "Failure")
        ]


@pytest.mark.parametrize("seed", range(8))
async def test_starts_for_other_methods_at_once_leave_one_payable_intent(seed: int) -> None:
    world, headers = await asking()
    shuffled(world, seed)
    types = ("card", "ideal", None, "card")
    answers = await asyncio.gather(
        *(
            world.client.post("/payments", headers=headers, json={"paymentMethodType": type_})
            for type_ in types
        )
    )
    assert {answer.status_code for answer in answers} <= {200, 409, 503}
    assert len(open_intents(world)) <= 1
    final = await world.start(headers)
    [payable] = open_intents(world)
    assert payable["client_secret"] == final["clientSecret"]
    assert payable["metadata"]["ct_payment_id"] == final["paymentReference"]


async def test_a_payment_that_another_start_gave_up_gets_no_intent_later() -> None:
    """The one start is refused and gives the Payment up while the other's intent is on its way: the
    next Payment has an intent of its own, and two must not be payable."""
    world = World()
    cart = await world.cart(currency="USD")
    headers = await world.session(cart["id"])
    refused, may_give_up, made, may_link = (asyncio.Event() for _ in range(4))

    async def turn(call: Call) -> None:
        if call.backend != "commercetools" or "/payments/" not in call.path:
            return
        if b"setInterfaceId" in call.body and not made.is_set():
            made.set()
            await may_link.wait()
        elif b'"failed"' in call.body and not refused.is_set():
            refused.set()
            await may_give_up.wait()

    def start(type_: str) -> asyncio.Task[httpx.Response]:
        body = {"paymentMethodType": type_}
        return asyncio.create_task(world.client.post("/payments", headers=headers, json=body))

    world.network.turn = turn
    refused_start = start("ideal")  # takes euros only
    await refused.wait()
    late = start("card")
    await made.wait()
    may_give_up.set()
    assert (await refused_start).status_code == 400
    in_between = await start("card")
    may_link.set()
    answers = [in_between, await late]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len({answer.json()["clientSecret"] for answer in answers}) == 1
    [payable] = open_intents(world)
    assert payable["client_secret"] == in_between.json()["clientSecret"]


@pytest.mark.parametrize("countries", [("DE", "FR"), ("FR", "DE")])
async def test_a_rule_may_name_the_configuration_that_is_the_accounts_own(
    countries: tuple[str, str],
) -> None:
    """Stripe names it in every automatic intent, also where no rule does."""
    rules = {"DE": {"paymentMethodConfiguration": "pmc_sandbox"}}
    world = World({"STRIPE_PAYMENT_BEHAVIOR_RULES": json.dumps(rules)})
    for country in countries:
        cart = await world.cart(country=country)
        headers = await world.session(cart["id"])
        first = await world.start(headers)
        assert (await world.start(headers))["clientSecret"] == first["clientSecret"]
    assert [each["status"] for each in world.stripe.intents] == ["requires_payment_method"] * 2


async def test_an_intent_that_is_paid_meanwhile_is_not_replaced() -> None:
    """The cancellation comes too late: the payment counts, and nothing is asked for again."""
    world, headers = await asking()
    started = await world.start(headers)
    await world.pay(started["clientSecret"])
    body = {"paymentMethodType": "ideal"}
    answer = await world.client.post("/payments", headers=headers, json=body)
    assert answer.status_code in (400, 409), answer.text
    assert [each["status"] for each in world.stripe.intents] == ["succeeded"]
    assert await world.transactions(started["paymentReference"]) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_stored_methods_of_other_types_are_neither_shown_nor_taken() -> None:
    lin = await regular(World(ENABLED))
    await lin.saves()
    [shown] = await lin.shown()
    cart = await lin.world.cart(customerId=lin.id)
    session = await lin.world.session(cart["id"], allowedPaymentMethods=["ideal"])
    listed = await lin.world.client.get("/stored-payment-methods", headers=session)
    assert listed.json() == {"storedPaymentMethods": []}
    body = {"storedPaymentMethodId": shown["id"]}
    answer = await lin.world.client.post("/payments", headers=session, json=body)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "storedPaymentMethodId"


async def test_a_rules_configuration_excludes_stored_methods_before_anything_is_cancelled() -> None:
    rules = {"NL": {"paymentMethodConfiguration": "pmc_amsterdam"}}
    lin = await regular(World({**ENABLED, "STRIPE_PAYMENT_BEHAVIOR_RULES": json.dumps(rules)}))
    await lin.saves()
    [shown] = await lin.shown()
    world = lin.world
    made = await world.ask_stripe("POST", CONFIGURATION, name="Amsterdam")
    world.stripe.configurations[made["id"]]["id"] = "pmc_amsterdam"
    world.stripe.configurations.add(world.stripe.configurations[made["id"]])
    await switch(world, "pmc_amsterdam", ideal="on")
    cart = await world.cart(customerId=lin.id, country="NL")
    session = await world.session(cart["id"])
    started = await world.start(session)
    listed = await world.client.get("/stored-payment-methods", headers=session)
    assert listed.json() == {"storedPaymentMethods": []}
    body = {"storedPaymentMethodId": shown["id"]}
    answer = await world.client.post("/payments", headers=session, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["field"] == "storedPaymentMethodId"
    [still] = [each for each in open_intents(world) if each["status"] != "succeeded"]
    assert still["client_secret"] == started["clientSecret"]
    # Where the configuration includes the type, the same method pays.
    await switch(world, "pmc_amsterdam", card="on")
    world.clock.advance(601)
    listed = await world.client.get("/stored-payment-methods", headers=session)
    assert [each["id"] for each in listed.json()["storedPaymentMethods"]] == [shown["id"]]
    answer = await world.client.post("/payments", headers=session, json=body)
    assert answer.status_code == 200, answer.text


async def test_where_the_account_cannot_be_read_stripe_alone_judges_the_types() -> None:
    world, headers = await asking(["ideal"])
    world.network.trouble = lambda call: "refused" if call.path == CONFIGURATION else None
    started = await world.start(headers)
    assert started["allowedPaymentMethodTypes"] == ["ideal"]


async def test_the_account_is_read_once_in_ten_minutes_and_for_restrictions_alone() -> None:
    world, headers = await asking()

    def reads() -> int:
        return sum(call.path == CONFIGURATION for call in world.network.calls)

    await world.start(headers)
    assert reads() == 0
    cart = await world.cart()
    restricted = await world.session(cart["id"], allowedPaymentMethods=["card"])
    for _ in range(3):
        await world.start(restricted)
    assert reads() == 1
    world.clock.advance(601)
    await world.start(restricted)
    assert reads() == 2
