"""`reconcile`: what should have followed from a payment (orders, stored methods, sessions)."""

from __future__ import annotations

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from tests.behaviour import buy_now, test_stored_methods
from tests.behaviour.reconciling import reconcile, repaired_for_good, written
from tests.behaviour.steps import Always, Once, event, no_trouble
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.wire import Crash
from tests.world import Json, World

DAY = 86_400


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def shopper(world: World) -> Shopper:
    return Shopper(world)


async def paid_unheard(shopper: Shopper) -> Json:
    """An order that was paid on Stripe's page, of which nobody heard."""
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    return order


async def test_an_order_that_was_paid_unheard_becomes_paid(world: World, shopper: Shopper) -> None:
    order = await paid_unheard(shopper)
    dry = await reconcile(world)
    assert "unfulfilled_order" in dry.found
    assert await shopper.states(order["id"]) == (None, "Open")
    result = await repaired_for_good(world)
    assert sorted(result.repaired) == dry.found
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_an_order_whose_payment_alone_was_recorded_becomes_paid(
    world: World, shopper: Shopper
) -> None:
    order = await paid_unheard(shopper)
    world.network.trouble = lambda call: (
        "crash before" if call.method == "POST" and "/orders/" in call.path else None
    )
    with pytest.raises(Crash):
        await world.deliver(event(world, "payment_intent.succeeded"))
    world.network.trouble = no_trouble
    result = await repaired_for_good(world)
    assert result.repaired == ["outdated_status", "unfulfilled_order"]
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_payment_of_a_cancelled_order_needs_a_person(
    world: World, shopper: Shopper
) -> None:
    order = await paid_unheard(shopper)
    current = await world.commercetools("GET", f"orders/{order['id']}")
    cancel = {"action": "changeOrderState", "orderState": "Cancelled"}
    await world.commercetools(
        "POST", f"orders/{order['id']}", {"version": current["version"], "actions": [cancel]}
    )
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["cancelled_order"])
    assert (await shopper.states(order["id"]))[1] == "Cancelled"


async def test_money_at_an_orders_old_amount_needs_a_person(world: World, shopper: Shopper) -> None:
    order = await paid_unheard(shopper)
    await _reprice(world, order["id"], 2700)
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["amount_mismatch"])
    assert await shopper.states(order["id"]) == (None, "Open")
    [intent] = world.stripe.intents
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    await repaired_for_good(world)


async def test_a_page_that_expired_unheard_is_recorded(world: World, shopper: Shopper) -> None:
    order = await shopper.order()
    await shopper.session(order["id"])
    world.clock.advance(2 * DAY)
    world.stripe.run_due()
    result = await repaired_for_good(world, since="P3D")
    assert "wrong_state" in result.repaired
    (payment,) = await shopper.payments(order["id"])
    assert [state for _, _, state in await world.transactions(payment["id"])] == ["Failure"]
    assert (await shopper.states(order["id"]))[0] == "Failed"


async def test_an_order_refunded_before_it_was_fulfilled_is_left_alone(
    world: World, shopper: Shopper
) -> None:
    order = await paid_unheard(shopper)
    [intent] = world.stripe.intents
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"])
    result = await repaired_for_good(world)
    assert "unfulfilled_order" not in result.found
    assert "missing_transaction" in result.repaired
    assert await shopper.states(order["id"]) == (None, "Open")


async def test_a_cart_that_was_paid_unheard_is_ordered() -> None:
    world = World(buy_now.ENABLED)
    await buy_now.pay(world, (await buy_now.create(world))["id"])
    dry = await reconcile(world)
    assert "unplaced_order" in dry.found
    assert buy_now.orders(world) == []
    result = await repaired_for_good(world)
    assert sorted(result.repaired) == dry.found
    [order] = buy_now.orders(world)
    assert (order["paymentState"], order["orderState"]) == ("Paid", "Confirmed")


async def test_an_order_that_was_placed_but_not_paid_in_time_is_completed() -> None:
    """Whoever placed it died before the order was set to Paid."""
    completed = 0
    for call in range(20):
        world = World(buy_now.ENABLED)
        await buy_now.pay(world, (await buy_now.create(world))["id"])
        trouble = Once(call, "crash after", "commercetools")
        world.network.trouble = trouble
        try:
            await world.deliver(event(world, "payment_intent.succeeded"))
        except Crash:
            completed += 1
        world.network.trouble = no_trouble
        if not trouble.happened:
            break
        await repaired_for_good(world)
        [order] = buy_now.orders(world)
        assert (order["paymentState"], order["orderState"]) == ("Paid", "Confirmed")
    assert completed > 3


async def test_a_sold_out_cart_remains_until_it_can_be_ordered() -> None:
    world = World(buy_now.ENABLED)
    await buy_now.pay(world, (await buy_now.create(world))["id"])
    backend = world.network.transports["commercetools.test"]
    open_again = backend.app

    async def sold_out(scope: Scope, receive: Receive, send: Send) -> None:
        ordering = scope["method"] == "POST" and scope["path"].endswith("/orders")
        error = {"code": "OutOfStock", "message": "Not enough on stock."}
        refusal = JSONResponse({"statusCode": 400, "errors": [error]}, 400)
        await (refusal if ordering else open_again)(scope, receive, send)

    backend.app = sold_out
    result = await reconcile(world, apply=True)
    assert (result.code, result.remains) == (1, ["unplaced_order"])
    assert "missing_transaction" in result.repaired
    backend.app = open_again
    await repaired_for_good(world)
    assert len(buy_now.orders(world)) == 1


async def test_orders_are_not_placed_while_commercetools_is_down() -> None:
    world = World(buy_now.ENABLED)
    await buy_now.pay(world, (await buy_now.create(world))["id"])
    refused = Always("error before", "commercetools", writes=True)
    world.network.trouble = lambda call: refused(call) if "/orders" in call.path else None
    assert (await reconcile(world, apply=True)).code == 3
    assert buy_now.orders(world) == []
    world.network.trouble = no_trouble
    await repaired_for_good(world)
    assert len(buy_now.orders(world)) == 1


async def test_a_saved_method_that_nobody_stored_is_stored() -> None:
    world = World(test_stored_methods.SAVING)
    shop = await test_stored_methods.paid(world)
    before = len(world.network.calls)
    dry = await reconcile(world)
    assert "unstored_method" in dry.found
    assert written(world, before) == []
    await repaired_for_good(world)
    [method] = await test_stored_methods.stored(world)
    assert await test_stored_methods.token_of(world, shop) == method["token"]["value"]


async def test_a_method_that_was_removed_at_stripe_is_not_offered_any_more() -> None:
    world = World(test_stored_methods.SAVING)
    await test_stored_methods.paid(world)
    await world.deliver_all()
    [method] = await test_stored_methods.stored(world)
    token = method["token"]["value"]
    await world.ask_stripe("POST", f"/v1/payment_methods/{token}/detach")
    result = await repaired_for_good(world)
    assert result.repaired == ["undelivered_event"]
    [method] = await test_stored_methods.stored(world)
    assert method["paymentMethodStatus"] == "Inactive"
