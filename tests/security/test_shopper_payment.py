"""A shopper who writes into their own Payment what commercetools lets them.

Until a Payment has a transaction, its shopper may change `amountPlanned` and add Initial
transactions, in any currency (https://docs.commercetools.com/api/projects/me-payments). Neither
decides what is asked for, nor what the merchant can do with the money.
"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.commercetools.seed import identifier
from tests.behaviour.steps import Shop, confirm, operate, refunded
from tests.world import World, money

Json = dict[str, Any]

ADA = identifier("customer", "ada")
WRITES: dict[str, Json] = {
    "another currency": {"action": "changeAmountPlanned", "amount": money(1000, "JPY")},
    "another number of digits": {"action": "changeAmountPlanned", "amount": money(1000, "TND")},
    "a lower amount": {"action": "changeAmountPlanned", "amount": money(1)},
    "an authorization": {
        "action": "addTransaction",
        "transaction": {"type": "Authorization", "amount": money(1000, "USD")},
    },
    "a charge": {
        "action": "addTransaction",
        "transaction": {"type": "Charge", "amount": money(1000, "EUR")},
    },
    "a charge in another currency": {
        "action": "addTransaction",
        "transaction": {"type": "Charge", "amount": money(1000, "USD")},
    },
}


async def ada_writes(world: World, write: Json) -> Shop:
    """Ada starts to pay, and then writes into her Payment."""
    cart = await world.cart(customerId=ADA)
    session = await world.session(cart["id"])
    answer = await world.start(session)
    shop = Shop(cart["id"], session, answer["paymentReference"], answer["clientSecret"])
    written = await world.change_mine(f"me/payments/{shop.payment_id}", write, customer="ada")
    assert written.status_code == 200, written.text
    return shop


@pytest.mark.parametrize("confirmed", [False, True])
@pytest.mark.parametrize("write", WRITES)
async def test_the_merchant_can_give_back_all_that_was_taken(write: str, confirmed: bool) -> None:
    world = World()
    shop = await ada_writes(world, WRITES[write])
    await world.pay(shop.secret)
    if confirmed:
        assert (await confirm(world, shop)).status_code == 200
    await world.deliver_all()

    part = await operate(world, shop.payment_id, "refundPayment", 300)
    rest = await operate(world, shop.payment_id, "reversePayment")

    assert (part.json(), rest.json()) == ({"outcome": "approved"},) * 2
    assert refunded(world) == 1000
    refunds = [t for t in await world.transactions(shop.payment_id) if t[0] == "Refund"]
    assert refunds == [("Refund", 300, "Success"), ("Refund", 700, "Success")]


@pytest.mark.parametrize("write", WRITES)
async def test_the_shop_asks_for_the_carts_price_all_the_same(write: str) -> None:
    world = World()
    shop = await ada_writes(world, WRITES[write])

    again = await world.start(shop.session)

    intent = world.stripe.intents[again["clientSecret"].partition("_secret_")[0]]
    assert (intent["amount"], intent["currency"]) == (1000, "eur")
    await world.pay(again["clientSecret"])
    await world.deliver_all()
    charges = [each for each in world.stripe.charges if each["status"] == "succeeded"]
    assert sum(charge["amount"] for charge in charges) == 1000
