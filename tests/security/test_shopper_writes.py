"""A shopper who writes into their own Payment and cart, field by field, by commercetools' /me.

Each row is a write that commercetools allows. Afterwards the sale goes on, and must end exactly as
the same sale does without it: what is owed, what is charged, what is recorded, whose it is.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.commercetools import me
from sandbox.commercetools.seed import identifier
from tests.behaviour.steps import intent_of, operate
from tests.world import World, money

Json = dict[str, Any]

ADA = identifier("customer", "ada")
PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


def asked(type_: str, cents: int = 1000, **fields: str) -> Json:
    """A transaction as a shopper may add it: Initial, with ids of their choice."""
    draft = {"type": type_, "amount": money(cents), **fields}
    return {"action": "addTransaction", "transaction": draft}


WRITES: dict[str, Json] = {
    "a cent is planned": {"action": "changeAmountPlanned", "amount": money(1)},
    "a fortune is planned": {"action": "changeAmountPlanned", "amount": money(10**9)},
    "another currency is planned": {"action": "changeAmountPlanned", "amount": money(1000, "USD")},
    "the account is removed": {"action": "setMethodInfoInterfaceAccount"},
    "the account is another": {
        "action": "setMethodInfoInterfaceAccount",
        "interfaceAccount": "acct_evil",
    },
    "the account is of the other mode": {
        "action": "setMethodInfoInterfaceAccount",
        "interfaceAccount": "acct_sandbox",
    },
    "the method is another": {"action": "setMethodInfoMethod", "method": "gift card"},
    "the method is removed": {"action": "setMethodInfoMethod"},
    "the name is another": {"action": "setMethodInfoName", "name": {"en": "paid, thank you"}},
    "an authorization is asked for": asked("Authorization"),
    "a charge is asked for": asked("Charge"),
    "a charge of a cent is asked for": asked("Charge", 1),
    "a charge of more is asked for": asked("Charge", 10**9),
    "a charge with an interaction id": asked("Charge", interactionId="ch_1"),
    "a charge with an interface id": asked("Charge", interfaceId="ch_1"),
}


async def sale(write: Json | None, *, at_once: bool) -> Json:
    """A sale of ten euros, with or without a write before it is paid: all that it left behind.

    Paid `at_once`, or after the page has started the payment once more.
    """
    world = World()
    cart = await world.cart(1000, customerId=ADA)
    session = await world.session(cart["id"])
    started = await world.start(session)
    payment_id = started["paymentReference"]
    if write is not None:
        answer = await world.change_mine(f"me/payments/{payment_id}", write)
        assert answer.status_code == 200, answer.text
    if not at_once:
        started = await world.start(session)
    intent = await intent_of(world, started["paymentReference"])
    await world.pay(started["clientSecret"])
    path = f"/confirmPayments/{started['paymentReference']}"
    confirmed = await world.client.post(path, headers=session, json={"paymentIntent": intent["id"]})
    await world.deliver_all()
    again = await world.client.post("/payments", headers=session)
    over = await operate(world, started["paymentReference"], "refundPayment", 1001)
    refunded = await operate(world, started["paymentReference"], "refundPayment", 1000)
    await world.deliver_all()
    recorded = await world.transactions(started["paymentReference"])
    return {
        "same payment": started["paymentReference"] == payment_id,
        "asked": intent["amount"],
        "confirmed": confirmed.status_code,
        "owed again": again.status_code,
        "refunded too much": over.json().get("outcome", over.status_code),
        "refunded": refunded.json().get("outcome", refunded.text),
        "at Stripe": sum(each["amount"] for each in world.stripe.refunds.newest({})),
        "intents": len(list(world.stripe.intents.newest({}))),
        "recorded": sorted(each for each in recorded if each[2] != "Initial"),
    }


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "started again"])
@pytest.mark.parametrize("name", WRITES)
async def test_what_a_shopper_writes_into_their_payment_decides_nothing(
    name: str, at_once: bool
) -> None:
    untouched = await sale(None, at_once=at_once)
    assert untouched["recorded"] == sorted([*PAID, ("Refund", 1000, "Success")])
    assert (untouched["confirmed"], untouched["refunded"]) == (200, "approved")
    assert await sale(WRITES[name], at_once=at_once) == untouched


async def named(type_: str, cents: int, field: str, *, paid: bool) -> Json:
    """A sale in which a transaction that a shopper adds has the id of the real intent or charge."""
    world = World()
    cart = await world.cart(1000, customerId=ADA)
    session = await world.session(cart["id"])
    started = await world.start(session)
    payment_id, secret = started["paymentReference"], started["clientSecret"]
    intent = await intent_of(world, payment_id)
    real = intent["id"]
    if paid:
        await world.pay(secret)
        real = next(iter(world.stripe.charges))["id"]
    if cents:
        write = asked(type_, cents, **{field: real})
        answer = await world.change_mine(f"me/payments/{payment_id}", write)
        assert answer.status_code == 200, answer.text
    if not paid:
        await world.pay(secret)
    confirmed = await world.client.post(
        f"/confirmPayments/{payment_id}", headers=session, json={"paymentIntent": intent["id"]}
    )
    await world.deliver_all()
    again = await world.client.post("/payments", headers=session)
    over = await operate(world, payment_id, "refundPayment", 1001)
    refunded = await operate(world, payment_id, "refundPayment", 1000)
    await world.deliver_all()
    recorded = await world.transactions(payment_id)
    return {
        "confirmed": confirmed.status_code,
        "owed again": again.status_code,
        "refunded too much": over.json().get("outcome", over.status_code),
        "refunded": refunded.json().get("outcome", refunded.text),
        "at Stripe": sum(each["amount"] for each in world.stripe.refunds.newest({})),
        "recorded": {
            type_: sum(each[1] for each in recorded if each[0] == type_ and each[2] == "Success")
            for type_ in ("Authorization", "Charge", "Refund")
        },
        "pending": [each for each in recorded if each[2] == "Pending"],
    }


@pytest.mark.parametrize("paid", [False, True], ids=["before it is paid", "once it is paid"])
@pytest.mark.parametrize("field", ["interactionId", "interfaceId"])
@pytest.mark.parametrize("cents", [1, 100_000])
@pytest.mark.parametrize("type_", ["Authorization", "Charge"])
async def test_a_transaction_with_the_real_ids_of_stripe_brings_nothing(
    type_: str, cents: int, field: str, *, paid: bool
) -> None:
    """These two types are all that commercetools lets shoppers add.

    One that is smaller may be taken for a part of the real one; the sums are what Stripe says.
    """
    untouched = await named(type_, 0, field, paid=paid)
    assert untouched["recorded"] == {"Authorization": 1000, "Charge": 1000, "Refund": 1000}
    assert await named(type_, cents, field, paid=paid) == untouched


def test_every_right_of_a_shopper_is_tried() -> None:
    """What is not in the table needs a custom type, which our Payments have not before a write."""
    tried = {each["action"] for each in WRITES.values()}
    barred = {
        "setMethodInfoInterface",  # set once, by us
        "setCustomField",
        "setMethodInfoCustomField",
        "setMethodInfoCustomType",
        "setTransactionCustomField",
    }
    assert tried | barred == set(me.RIGHTS["payments"].actions)


async def test_the_interface_of_a_payment_of_ours_cannot_be_taken_away() -> None:
    world = World()
    cart = await world.cart(1000, customerId=ADA)
    started = await world.start(await world.session(cart["id"]))
    answer = await world.change_mine(
        f"me/payments/{started['paymentReference']}",
        {"action": "setMethodInfoInterface", "interface": "another"},
    )
    assert answer.status_code == 400


async def test_a_payment_that_a_shopper_made_pays_for_nothing() -> None:
    """However it looks: our interface, our account, a charge of the whole sum."""
    world = World()
    cart = await world.cart(1000, customerId=ADA)
    session = await world.session(cart["id"])
    draft = {
        "amountPlanned": money(1000),
        "paymentMethodInfo": {
            "paymentInterface": "checkout-stripe",
            "interfaceAccount": "acct_sandbox:test",
            "method": "card",
            "token": {"value": "pm_card_visa"},
        },
        "transaction": {
            "type": "Charge",
            "amount": money(1000),
            "interactionId": "ch_1",
            "interfaceId": "ch_1",
        },
    }
    made = (await world.me("POST", "me/payments", draft)).json()
    add = {"action": "addPayment", "payment": {"typeId": "payment", "id": made["id"]}}
    answer = await world.change_mine(f"me/carts/{cart['id']}", add)
    assert answer.status_code == 200, answer.text

    started = await world.start(session)
    assert started["paymentReference"] != made["id"]
    intent = await intent_of(world, started["paymentReference"])
    assert intent["amount"] == 1000
    confirmed = await world.client.post(
        f"/confirmPayments/{made['id']}", headers=session, json={"paymentIntent": intent["id"]}
    )
    assert confirmed.status_code in (400, 404, 409)
    for action, cents in (("capturePayment", 1000), ("refundPayment", 1000)):
        answer = await operate(world, made["id"], action, cents)
        assert answer.status_code in (400, 404, 409), answer.text
    assert list(world.stripe.refunds.newest({})) == []
    assert (await world.payment(made["id"]))["transactions"][0]["state"] == "Initial"


async def test_a_payment_that_a_shopper_takes_off_their_cart_is_not_asked_for_twice_at_once() -> (
    None
):
    """At no moment are two intents open for one cart: the one that is there is taken up again."""
    world = World()
    cart = await world.cart(1000, customerId=ADA)
    session = await world.session(cart["id"])
    first = await world.start(session)
    remove = {
        "action": "removePayment",
        "payment": {"typeId": "payment", "id": first["paymentReference"]},
    }
    answer = await world.change_mine(f"me/carts/{cart['id']}", remove)
    assert answer.status_code == 200, answer.text
    second = await world.start(session)
    assert second["paymentReference"] == first["paymentReference"]
    [intent] = world.stripe.intents.newest({})
    assert intent["amount"] == 1000
