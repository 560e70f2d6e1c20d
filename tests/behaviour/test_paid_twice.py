"""An order that is paid cannot be paid again; where it was all the same, somebody is told."""

from __future__ import annotations

import pytest

from tests.behaviour import buy_now
from tests.behaviour.reconciling import reconcile, repaired_for_good
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.world import World


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


@pytest.mark.parametrize("declined", [False, True])
async def test_the_page_of_an_order_that_costs_nothing_any_more_is_closed(
    world: World, shopper: Shopper, declined: bool
) -> None:
    order = await shopper.order()
    session = (await shopper.session(order["id"])).json()
    if declined:
        await shopper.pay(session, "4000000000000002")
    await _reprice(world, order["id"], 0)
    assert (await shopper.confirm(order["id"])).status_code == 200
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    assert world.stripe.sessions[session["id"]]["status"] == "expired"


async def test_money_on_two_payments_of_one_order_is_listed(world: World, shopper: Shopper) -> None:
    """A refund let the order be paid anew, and then the bank returned the refund."""
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    [intent] = world.stripe.intents
    refund = await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    for event in world.stripe.events:
        if event["type"] == "refund.created":
            await world.deliver(event)
    await shopper.pay((await shopper.session(order["id"])).json())
    await world.at_stripe(f"refunds/{refund['id']}", status="failed")
    await world.deliver_all()
    assert sum(each["amount_received"] for each in world.stripe.intents) == 5000
    result = await reconcile(world, apply=True)
    assert (result.code, set(result.remains)) == (1, {"amount_mismatch"})
    payments = {each["id"] for each in await shopper.payments(order["id"])}
    assert {line["payment"] for line in result.lines} <= payments


async def test_money_on_two_payments_of_one_cart_is_listed() -> None:
    world = World(buy_now.ENABLED)
    await buy_now.pay(world, (await buy_now.create(world))["id"])
    [intent] = world.stripe.intents
    refund = await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    for event in world.stripe.events:
        if event["type"] == "refund.created":
            await world.deliver(event)
    second = await buy_now.create(world)
    await buy_now.pay(world, second["id"])
    await world.deliver_all()
    [order] = buy_now.orders(world)
    assert order["paymentState"] == "Paid"
    await world.at_stripe(f"refunds/{refund['id']}", status="failed")
    await world.deliver_all()
    result = await reconcile(world, apply=True)
    assert (result.code, set(result.remains)) == (1, {"amount_mismatch"})
    assert {line["subject"] for line in result.lines} == {order["cart"]["id"]}


async def test_money_for_an_order_that_has_become_free_is_listed(
    world: World, shopper: Shopper
) -> None:
    """A failed refund brings it back, although the order's current page was never paid."""
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    [intent] = world.stripe.intents
    refund = await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    for event in world.stripe.events:
        if event["type"] == "refund.created":
            await world.deliver(event)
    await shopper.session(order["id"])
    await _reprice(world, order["id"], 0)
    assert (await shopper.confirm(order["id"])).status_code == 200
    await world.at_stripe(f"refunds/{refund['id']}", status="failed")
    await world.deliver_all()
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["amount_mismatch"])


async def test_a_run_leaves_an_order_to_be_fulfilled_until_its_page_is_closed(
    world: World, shopper: Shopper
) -> None:
    """A run changes nothing at Stripe: the page expires, or the processor closes it."""
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    [intent] = world.stripe.intents
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    for event in world.stripe.events:
        if event["type"] == "refund.created":
            await world.deliver(event)
    await shopper.session(order["id"])
    await _reprice(world, order["id"], 0)
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["unfulfilled_order"])
    world.clock.advance(90_000)
    world.stripe.run_due()
    await repaired_for_good(world, since="P2D")
    assert (await shopper.states(order["id"]))[0] == "Paid"
