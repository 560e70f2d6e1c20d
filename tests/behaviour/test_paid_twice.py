"""An order that is paid cannot be paid again; where it was all the same, somebody is told."""

from __future__ import annotations

import pytest

from tests.behaviour.reconciling import reconcile
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
    assert order["id"] in {line.get("subject") for line in result.lines}
