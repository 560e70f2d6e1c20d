"""An order that was paid in full says so: in any order of events, refunds and operations.

What was captured decides, not today's balance. Every operation that records something ends in the
same fulfilment as the webhook.
"""

from __future__ import annotations

import itertools

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import operate
from tests.behaviour.test_bff_payments import Shopper
from tests.world import Json, World

PAID = ("Paid", "Confirmed")
UNPAID = (None, "Open")


async def paid_order(
    environment: Json | None = None, refunded: int = 0
) -> tuple[World, Shopper, str, str]:
    """An order paid on Stripe's page, and then refunded; nothing of it was delivered."""
    world = World(environment)
    shopper = Shopper(world)
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    if refunded:
        [intent] = list(world.stripe.intents)
        await world.ask_stripe("POST", "/v1/refunds", payment_intent=intent["id"], amount=refunded)
    (payment,) = await shopper.payments(order["id"])
    return world, shopper, order["id"], payment["id"]


async def _orders_of_events() -> list[tuple[int, ...]]:
    world, *_ = await paid_order(refunded=100)
    every = list(itertools.permutations(range(len(list(world.stripe.events)))))
    return every[:: max(1, len(every) // 60)]


@pytest.mark.parametrize(("refunded", "expected"), [(100, PAID), (2499, PAID), (2500, UNPAID)])
async def test_a_refund_in_part_leaves_an_order_paid_in_any_order_of_events(
    refunded: int, expected: tuple[str | None, str]
) -> None:
    for arrangement in await _orders_of_events():
        world, shopper, order_id, payment_id = await paid_order(refunded=refunded)
        events = list(world.stripe.events)
        for index in arrangement:
            assert (await world.deliver(events[index])).status_code == 200
        states = await shopper.states(order_id)
        if refunded == 2500 and states == PAID:
            # Told of the payment before the refund: it was paid then.
            assert arrangement.index(len(events) - 1) > 0
        else:
            assert states == expected
        assert sorted(await world.transactions(payment_id)) == [
            ("Authorization", 2500, "Success"),
            ("Charge", 2500, "Success"),
            ("Refund", refunded, "Success"),
        ]


@pytest.mark.parametrize("kind", ["refund.created", "charge.succeeded"])
async def test_one_event_of_a_payment_is_enough_to_mark_its_order(kind: str) -> None:
    world, shopper, order_id, _ = await paid_order(refunded=100)
    [event] = [event for event in world.stripe.events if event["type"] == kind]
    if kind == "refund.created":
        await world.deliver(
            next(e for e in world.stripe.events if e["type"] == "payment_intent.succeeded")
        )
        order = world.store.collection("order").get(order_id)
        assert order is not None
        unmarked = {name: value for name, value in order.items() if name != "paymentState"}
        world.store.replace("order", {**unmarked, "orderState": "Open"})
    assert (await world.deliver(event)).status_code == 200
    assert await shopper.states(order_id) == PAID


@pytest.mark.parametrize(
    ("action", "cents", "expected"),
    [
        ("refundPayment", 100, PAID),
        ("refundPayment", 2500, UNPAID),
        ("reversePayment", None, UNPAID),
    ],
)
async def test_an_operation_before_any_event_ends_in_fulfilment(
    action: str, cents: int | None, expected: tuple[str | None, str]
) -> None:
    world, shopper, order_id, payment_id = await paid_order()
    answer = await operate(world, payment_id, action, cents)
    assert answer.json() == {"outcome": "approved"}
    assert await shopper.states(order_id) == expected
    await world.deliver_all()
    assert await shopper.states(order_id) == expected


async def test_a_capture_marks_the_order_without_any_event() -> None:
    world, shopper, order_id, payment_id = await paid_order({"STRIPE_CAPTURE_METHOD": "manual"})
    answer = await operate(world, payment_id, "capturePayment", 2500)
    assert answer.json() == {"outcome": "approved"}
    assert await shopper.states(order_id) == PAID


async def test_a_refused_operation_that_has_recorded_the_payment_ends_in_fulfilment() -> None:
    world, shopper, order_id, payment_id = await paid_order()
    answer = await operate(world, payment_id, "refundPayment", 9999)
    assert answer.status_code == 400
    assert await shopper.states(order_id) == PAID


async def test_a_refund_is_approved_although_the_order_cannot_be_marked_now() -> None:
    world, shopper, order_id, payment_id = await paid_order()
    world.network.trouble = lambda call: (
        "error before" if "/orders/" in call.path and call.backend == "commercetools" else None
    )
    answer = await operate(world, payment_id, "refundPayment", 100)
    assert answer.json() == {"outcome": "approved"}
    assert await shopper.states(order_id) == UNPAID
    world.network.trouble = lambda _: None
    await world.deliver_all()
    assert await shopper.states(order_id) == PAID


async def test_reconcile_marks_an_order_whose_payment_was_refunded_in_part() -> None:
    world, shopper, order_id, _ = await paid_order(refunded=100)
    result = await reconcile(world, apply=True)
    assert result.code == 0, result.lines
    assert await shopper.states(order_id) == PAID


async def test_a_payment_on_a_cart_costs_no_call_more(world: World) -> None:
    """Only Payments of pages say that there is an order to look at."""
    payment_id = await world.paid()
    before = len(world.network.calls)
    await operate(world, payment_id, "refundPayment", 100)
    assert not [call for call in world.network.calls[before:] if "/orders" in call.path]


@pytest.fixture
def world() -> World:
    return World()
