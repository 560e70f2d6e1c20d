"""Buying one product: one order for each payment, and none before."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import pytest

from tests.behaviour.buy_now import (
    CREATE,
    ENABLED,
    PRICE,
    carts,
    create,
    forget,
    land,
    orders,
    pay,
)
from tests.wire import Crash
from tests.world import World


@pytest.fixture
def world() -> World:
    return World(ENABLED)


async def test_nothing_is_ordered_before_it_is_paid(world: World) -> None:
    for _ in range(3):
        session = await create(world)
        forget(world)
    await world.client.get(f"/success?session_id={session['id']}")
    await world.deliver_all()
    assert orders(world) == []


@pytest.mark.parametrize("first", ["webhook", "landing page", "both"])
async def test_a_payment_makes_one_order_whoever_comes_first(world: World, first: str) -> None:
    landing = await pay(world, (await create(world))["id"])
    if first == "webhook":
        await world.deliver_all()
    elif first == "landing page":
        await land(world, landing)
    else:
        await asyncio.gather(land(world, landing), world.deliver_all(), land(world, landing))
    for _ in range(2):
        await world.deliver_all()
        page = await land(world, landing)
    [order] = orders(world)
    assert (order["paymentState"], order["orderState"]) == ("Paid", "Confirmed")
    assert order["customerEmail"] == "ada@example.com"
    assert order["taxedPrice"]["totalGross"]["centAmount"] == PRICE
    assert order["orderNumber"] in page.text
    [payment] = order["paymentInfo"]["payments"]
    assert (await world.payment(payment["id"]))["key"] == f"{order['cart']['id']}_1"
    assert await world.transactions(payment["id"]) == [
        ("Authorization", PRICE, "Success"),
        ("Charge", PRICE, "Success"),
    ]


async def test_events_in_any_order_make_one_order(world: World) -> None:
    await pay(world, (await create(world))["id"])
    for event in [*reversed(world.stripe.events), *world.stripe.events]:
        assert (await world.deliver(event)).status_code == 200
    assert [order["paymentState"] for order in orders(world)] == ["Paid"]


async def test_a_delayed_payment_orders_once_the_money_has_come(world: World) -> None:
    session = await create(world)
    landing = await pay(
        world, session["id"], method="sepa_debit", iban="DE89370400440532013000", holder="Ada"
    )
    await world.deliver_all()
    assert "Look again" in (await land(world, landing)).text
    assert orders(world) == []
    [intent] = list(world.stripe.intents)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="succeed")
    await world.deliver_all()
    assert [order["paymentState"] for order in orders(world)] == ["Paid"]


async def test_money_that_is_captured_later_is_enough_for_an_order() -> None:
    world = World({**ENABLED, "STRIPE_CAPTURE_METHOD": "manual"})
    await pay(world, (await create(world))["id"])
    await world.deliver_all()
    [order] = orders(world)
    assert (order.get("paymentState"), order["orderState"]) == (None, "Open")
    payment = order["paymentInfo"]["payments"][0]["id"]
    await world.modify(
        payment, action="capturePayment", amount={"centAmount": PRICE, "currencyCode": "EUR"}
    )
    await world.deliver_all()
    assert [order["paymentState"] for order in orders(world)] == ["Paid"]


async def test_a_cart_that_costs_more_than_was_paid_is_not_ordered(world: World) -> None:
    session = await create(world)
    [cart] = carts(world)
    line = cart["lineItems"][0]["id"]
    await world.change_cart(
        cart["id"], {"action": "changeLineItemQuantity", "lineItemId": line, "quantity": 2}
    )
    landing = await pay(world, session["id"])
    await world.deliver_all()
    page = await land(world, landing)
    assert orders(world) == []
    assert "Look again" in page.text


async def test_a_paid_cart_that_cannot_be_ordered_is_ordered_as_soon_as_it_can(
    world: World,
) -> None:
    landing = await pay(world, (await create(world))["id"])
    [cart] = carts(world)
    await world.change_cart(cart["id"], {"action": "setShippingAddress"})
    assert "Look again" in (await land(world, landing)).text
    await world.deliver_all()
    assert orders(world) == []
    address = {"country": "DE"}
    await world.change_cart(cart["id"], {"action": "setShippingAddress", "address": address})
    await world.deliver_all()
    assert [order["paymentState"] for order in orders(world)] == ["Paid"]


async def test_an_expired_page_orders_nothing(world: World) -> None:
    session = await create(world)
    world.clock.advance(90_000)
    world.stripe.run_due()
    await world.deliver_all()
    page = await land(world, f"/success?session_id={session['id']}")
    assert "Nothing was charged" in page.text
    assert orders(world) == []


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_fulfilment_survives_trouble_at_every_call(trouble: Any) -> None:
    for index in range(12):
        world = World(ENABLED)
        landing = await pay(world, (await create(world))["id"])
        left = index

        def meet(_: object) -> Any:
            nonlocal left
            left -= 1
            return trouble if left == -1 else None

        world.network.trouble = meet
        with contextlib.suppress(Crash):
            await land(world, landing)
        world.network.trouble = lambda _: None
        world.processor = world.start_processor()
        await world.deliver_all()
        assert [order["paymentState"] for order in orders(world)] == ["Paid"]


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_opening_survives_trouble_at_every_call(trouble: Any) -> None:
    for index in range(10):
        world = World(ENABLED)
        await create(world)
        left = index

        def meet(_: object) -> Any:
            nonlocal left
            left -= 1
            return trouble if left == -1 else None

        world.network.trouble = meet
        with contextlib.suppress(Crash):
            await world.client.get(CREATE)
        world.network.trouble = lambda _: None
        cookies = world.client.cookies
        world.processor = world.start_processor()
        world.client.cookies = cookies
        session = await create(world)
        await pay(world, session["id"])
        await world.deliver_all()
        assert [order["paymentState"] for order in orders(world)] == ["Paid"]


async def test_two_clicks_at_once_have_one_session(world: World) -> None:
    first = await create(world)
    both = await asyncio.gather(create(world), create(world))
    assert {session["id"] for session in both} == {first["id"]}
