"""The merchant gives a Payment another key: what was started here is still known as such."""

from __future__ import annotations

from typing import Any

from tests.behaviour import stored
from tests.behaviour.steps import assert_agreement, started
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.world import World

Json = dict[str, Any]


async def rename(world: World, payment_id: str, key: str = "ERP-2026-000123") -> None:
    """What the merchant's own programs do when they see the Payment."""
    payment = await world.payment(payment_id)
    action = {"action": "setKey", "key": key}
    await world.commercetools(
        "POST", f"payments/{payment_id}", {"version": payment["version"], "actions": [action]}
    )


async def test_two_tabs_share_one_intent() -> None:
    world = World()
    first = await started(world)
    await rename(world, first.payment_id)

    second = await world.start(first.session)

    assert second["clientSecret"] == first.secret
    await world.pay(first.secret)
    await assert_agreement(world)
    assert sum(intent["amount_received"] for intent in world.stripe.intents) == 1000


async def test_what_is_still_due_after_a_renamed_payment_gets_a_payment_of_its_own() -> None:
    world = World()
    first = await started(world)
    await world.pay(first.secret)
    await world.deliver_all()
    await rename(world, first.payment_id)
    await world.reprice(first.cart_id, 1700)

    second = await world.start(first.session)
    await world.pay(second["clientSecret"])

    await assert_agreement(world)
    amounts = sorted(intent["amount_received"] for intent in world.stripe.intents)
    assert amounts == [700, 1000]


async def test_an_order_keeps_its_page_and_becomes_paid() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    page = (await shopper.session(order["id"])).json()
    [payment] = await shopper.payments(order["id"])
    await rename(world, payment["id"])

    again = (await shopper.session(order["id"])).json()

    assert again == page
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_changed_order_replaces_the_page_of_a_renamed_payment() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    await shopper.session(order["id"])
    [payment] = await shopper.payments(order["id"])
    await rename(world, payment["id"])
    await _reprice(world, order["id"], 2000)

    replaced = (await shopper.session(order["id"])).json()

    opened = [each["id"] for each in world.stripe.sessions if each["status"] == "open"]
    assert opened == [replaced["id"]]
    await shopper.pay(replaced)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_charge_without_the_shopper_is_not_taken_for_one_of_theirs() -> None:
    world = World(stored.ENABLED)
    lin = await stored.regular(world)
    cart = await world.cart(customerId=lin.id)
    charged = await stored.charge(world, cart["id"], await lin.on_file(), cents=400)
    assert stored.state_of(charged) == "Completed"
    [payment] = [
        each for each in world.store.collection("payment") if each["key"].endswith("_recurring")
    ]
    await rename(world, payment["id"])

    rest = await world.start(await world.session(cart["id"]))
    await world.pay(rest["clientSecret"])

    await assert_agreement(world)
    amounts = sorted(intent["amount_received"] for intent in world.stripe.intents)
    assert amounts == [400, 600]
