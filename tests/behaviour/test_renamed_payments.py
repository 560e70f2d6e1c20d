"""The merchant gives a Payment another key: what was started here is still known as such."""

from __future__ import annotations

import contextlib
import itertools
from typing import Any

import pytest

from tests.behaviour import stored
from tests.behaviour.steps import Once, assert_agreement, no_trouble, started
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.wire import Crash
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


@pytest.mark.parametrize("key", ["ERP-2026", "ERP_2026", "2026_1"])
async def test_whatever_it_is_called_the_last_payment_stays_the_last(key: str) -> None:
    """A key that ends in a number is not the number of a Payment."""
    world = World()
    first = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{first.intent_id}/cancel")
    await world.deliver_all()
    second = await world.start(first.session)
    await rename(world, first.payment_id, key)

    assert await world.start(first.session) == second

    await world.pay(second["clientSecret"])
    await assert_agreement(world)


async def test_a_start_that_was_cut_off_before_the_renaming_is_completed() -> None:
    for index in itertools.count():
        world = World()
        cart = await world.cart()
        session = await world.session(cart["id"])
        world.network.trouble = fault = Once(index, "crash after")
        with contextlib.suppress(Crash):
            await world.start(session)
        if not fault.happened:
            break
        world.network.trouble = no_trouble
        world.processor = world.start_processor()
        on_cart = await stored_on(world, "carts", cart["id"])
        for payment_id in on_cart:
            await rename(world, payment_id)

        again = await world.start(session)

        assert on_cart in ([], [again["paymentReference"]])
        assert await world.start(session) == again
        await world.pay(again["clientSecret"])
        assert len([each for each in world.stripe.intents if each["amount_received"]]) == 1
        if on_cart:
            assert len(world.stripe.intents) == 1
    assert index >= 8


async def test_an_opening_that_was_cut_off_before_the_renaming_is_completed() -> None:
    for index in itertools.count():
        world = World()
        shopper = Shopper(world)
        order = await shopper.order()
        world.network.trouble = fault = Once(index, "crash after")
        with contextlib.suppress(Crash):
            await shopper.session(order["id"])
        if not fault.happened:
            break
        world.network.trouble = no_trouble
        world.processor = world.start_processor()
        on_order = await stored_on(world, "orders", order["id"])
        for payment_id in on_order:
            await rename(world, payment_id)

        page = (await shopper.session(order["id"])).json()

        if on_order:
            assert await stored_on(world, "orders", order["id"]) == on_order
            assert [each["id"] for each in world.stripe.sessions] == [page["id"]]
        await shopper.pay(page)
        await world.deliver_all()
        assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    assert index >= 7


async def stored_on(world: World, path: str, sale_id: str) -> list[str]:
    """The ids of the Payments on a cart or order."""
    sale = await world.commercetools("GET", f"{path}/{sale_id}")
    return [each["id"] for each in sale.get("paymentInfo", {}).get("payments", [])]


async def test_a_charge_without_the_shopper_that_is_repeated_charges_once() -> None:
    world = World(stored.ENABLED)
    lin = await stored.regular(world)
    method = await lin.on_file()
    cart = await world.cart(customerId=lin.id)
    charged = await stored.charge(world, cart["id"], method, cents=400)
    await rename(world, charged.json()["paymentId"])

    again = await stored.charge(world, cart["id"], method, cents=400)

    assert (again.status_code, again.json()) == (201, charged.json())
    assert [intent["amount_received"] for intent in world.stripe.intents] == [400]


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
