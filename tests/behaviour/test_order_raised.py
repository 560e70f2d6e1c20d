"""An order whose total rises after it was paid on its own page is asked for the difference."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import Once, no_trouble
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.wire import Crash, Trouble
from tests.world import Json, World

PAID = ("Paid", "Confirmed")
OPEN = (None, "Open")


async def raised(cents: int = 2700, **environment: str) -> tuple[World, Shopper, str]:
    """An order of 25.00 that costs more when its page is paid."""
    world = World(environment)
    shopper = Shopper(world)
    order = await shopper.order()
    page = (await shopper.session(order["id"])).json()
    await _reprice(world, order["id"], cents)
    await shopper.pay(page)
    await world.deliver_all()
    return world, shopper, order["id"]


async def change(world: World, order_id: str, **action: str) -> None:
    order = await world.commercetools("GET", f"orders/{order_id}")
    body = {"version": order["version"], "actions": [action]}
    await world.commercetools("POST", f"orders/{order_id}", body)


async def codes(shopper: Shopper, order_id: str) -> list[tuple[int, str | None]]:
    """What each Payment of the order has brought, and its status code."""
    return [
        (
            sum(
                each["amount"]["centAmount"]
                for each in payment["transactions"]
                if (each["type"], each["state"]) == ("Charge", "Success")
            ),
            payment["paymentStatus"].get("interfaceCode"),
        )
        for payment in await shopper.payments(order_id)
    ]


def open_pages(world: World) -> list[Json]:
    return [each for each in world.stripe.sessions if each["status"] == "open"]


async def test_the_rest_is_asked_for_on_a_page_of_its_own() -> None:
    world, shopper, order_id = await raised()
    assert await codes(shopper, order_id) == [(2500, "amount_mismatch")]
    assert await shopper.states(order_id) == OPEN

    page = (await shopper.session(order_id)).json()
    assert [each["amount_total"] for each in open_pages(world)] == [200]
    assert (await shopper.session(order_id)).json() == page
    await shopper.pay(page)
    await world.deliver_all()

    assert await shopper.states(order_id) == PAID
    assert await codes(shopper, order_id) == [(2500, "succeeded"), (200, "succeeded")]
    assert (await reconcile(world)).lines == []
    assert (await shopper.session(order_id)).json()["code"] == "AlreadyPaid"


async def test_a_paid_order_is_asked_for_more_once_the_merchant_says_so() -> None:
    """`Paid` is the merchant's word, too: what they waived or took in cash is not asked for."""
    world = World()
    shopper = Shopper(world)
    order_id = (await shopper.order())["id"]
    await shopper.pay((await shopper.session(order_id)).json())
    await world.deliver_all()
    await _reprice(world, order_id, 2700)
    assert (await shopper.session(order_id)).json()["code"] == "AlreadyPaid"

    await change(world, order_id, action="changePaymentState", paymentState="BalanceDue")
    await shopper.pay((await shopper.session(order_id)).json())
    await world.deliver_all()

    assert await shopper.states(order_id) == PAID
    assert await codes(shopper, order_id) == [(2500, "succeeded"), (200, "succeeded")]


async def test_a_total_that_rises_again_replaces_the_page_of_the_rest() -> None:
    world, shopper, order_id = await raised()
    await shopper.session(order_id)
    await _reprice(world, order_id, 2900)
    page = (await shopper.session(order_id)).json()
    assert [each["amount_total"] for each in open_pages(world)] == [400]
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order_id) == PAID
    assert sum(brought for brought, _ in await codes(shopper, order_id)) == 2900


async def test_a_total_that_falls_back_closes_the_page_of_the_rest() -> None:
    world, shopper, order_id = await raised()
    await shopper.session(order_id)
    await _reprice(world, order_id, 2500)
    assert (await shopper.session(order_id)).json()["code"] == "AlreadyPaid"
    assert open_pages(world) == []
    assert await shopper.states(order_id) == PAID


async def test_a_rest_that_nobody_pays_neither_fails_nor_cancels_the_order() -> None:
    world, shopper, order_id = await raised(CHECKOUT_CANCEL_UNPAID_ORDERS="true")
    await shopper.session(order_id)
    world.clock.advance(2 * 86_400)
    world.stripe.run_due()
    await world.deliver_all()
    assert open_pages(world) == []
    assert await shopper.states(order_id) == OPEN
    await shopper.pay((await shopper.session(order_id)).json())
    await world.deliver_all()
    assert await shopper.states(order_id) == PAID


async def test_a_rest_below_stripes_minimum_is_a_clear_400_and_nothing_is_made() -> None:
    world, shopper, order_id = await raised(2530)
    answer = await shopper.session(order_id)
    assert answer.status_code == 400, answer.text
    assert open_pages(world) == []
    assert len(await shopper.payments(order_id)) == 1


async def test_where_such_money_goes_back_the_total_is_asked_for() -> None:
    world, shopper, order_id = await raised(STRIPE_MISMATCH_ACTION="reverse")
    await shopper.session(order_id)
    assert [each["amount_total"] for each in open_pages(world)] == [2700]


async def test_while_such_money_is_about_to_go_back_nothing_is_asked_for() -> None:
    world = World({"STRIPE_MISMATCH_ACTION": "reverse"})
    shopper = Shopper(world)
    order_id = (await shopper.order())["id"]
    page = (await shopper.session(order_id)).json()
    await _reprice(world, order_id, 2700)
    await shopper.pay(page)
    world.network.trouble = lambda call: "refused" if call.path == "/v1/refunds" else None
    for event in list(world.stripe.events):
        await world.deliver(event)
    answer = await shopper.session(order_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "PaymentProcessing")
    assert open_pages(world) == []


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_an_opening_of_the_rest_that_is_cut_off_anywhere_is_completed(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world, shopper, order_id = await raised()
        world.network.trouble = fault = Once(index, trouble)
        with contextlib.suppress(Crash):
            await shopper.session(order_id)
        if not fault.happened:
            break
        world.network.trouble = no_trouble
        if world.processor.wire.dead:
            world.processor = world.start_processor()
        page = (await shopper.session(order_id)).json()
        assert [each["id"] for each in open_pages(world)] == [page["id"]]
        await shopper.pay(page)
        await world.deliver_all()
        assert await shopper.states(order_id) == PAID
        assert sum(brought for brought, _ in await codes(shopper, order_id)) == 2700
    assert index >= 6
