"""Requests that version 0.1.0 left half done, or had finished, are completed or recognised today.

Version 0.1.0 serves each request until it dies before or after any of its calls; then today's
version gets the same request again. What is moved at Stripe must be what was asked for once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import httpx
import pytest
from msgspec import Struct

from tests.behaviour import stored
from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Once,
    assert_agreement,
    confirm,
    event,
    no_trouble,
    operate,
    refunded,
    started,
)
from tests.upgrade.previous import world_of_previous
from tests.wire import Crash, Trouble
from tests.world import World

Send = Callable[[], Awaitable[httpx.Response]]
CALLS = 14
"""More calls than any of these requests makes: the last tries are requests that were finished."""


class Moved(Struct, frozen=True):
    """What Stripe's objects add up to, in minor units."""

    intents: int
    authorized: int
    captured: int
    refunded: int


class Case(Struct, frozen=True):
    """A request, and all that may have moved once it was made any number of times."""

    request: Callable[[World], Awaitable[Send]]
    """Brings the world to where the request makes sense, and says how to send it."""
    moved: Moved
    environment: Mapping[str, str] = {}


async def _start(world: World) -> Send:
    session = await world.session((await world.cart())["id"])
    return lambda: world.client.post("/payments", headers=session)


async def _confirm(world: World) -> Send:
    shop = await started(world)
    await world.pay(shop.secret)
    return lambda: confirm(world, shop)


async def _webhook(world: World) -> Send:
    shop = await started(world)
    await world.pay(shop.secret)
    return lambda: world.deliver(event(world, "payment_intent.succeeded"))


async def _webhook_of_a_page(world: World) -> Send:
    order_id = await _order(world)
    page = await world.client.post("/api/v1/payments/sessions", json={"id": order_id})
    await world.at_stripe(
        f"checkout/sessions/{page.json()['id']}/pay",
        payment_method="pm_card_visa",
        email="ada@example.com",
    )
    return lambda: world.deliver(event(world, "checkout.session.completed"))


async def _order(world: World) -> str:
    cart = await world.cart(shippingAddress={"country": "DE"}, customerEmail="ada@example.com")
    answer = await world.client.post(f"/api/v1/carts/{cart['id']}/order")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def _operation(action: str, cents: int | None = None, **fields: Any) -> Callable[..., Any]:
    async def request(world: World) -> Send:
        payment_id = await world.paid()
        return lambda: operate(world, payment_id, action, cents, **fields)

    return request


async def _charge(world: World) -> Send:
    lin = await stored.regular(world)
    method = await lin.on_file()
    cart = await world.cart(customerId=lin.id)
    return lambda: stored.charge(world, cart["id"], method)


CASES: dict[str, Case] = {
    "start": Case(_start, Moved(1, 0, 0, 0)),
    "confirm": Case(_confirm, Moved(1, 1000, 1000, 0)),
    "webhook": Case(_webhook, Moved(1, 1000, 1000, 0)),
    "webhook of a page": Case(_webhook_of_a_page, Moved(1, 1000, 1000, 0)),
    "capture": Case(_operation("capturePayment", 1000), Moved(1, 1000, 1000, 0), MANUAL),
    "capture of a part": Case(
        _operation("capturePayment", 400, key="part"), Moved(1, 1000, 400, 0), MULTICAPTURE
    ),
    "refund": Case(_operation("refundPayment", 300), Moved(1, 1000, 1000, 300)),
    "refund with a key": Case(
        _operation("refundPayment", 300, key="back"), Moved(1, 1000, 1000, 300)
    ),
    "cancel": Case(_operation("cancelPayment"), Moved(1, 1000, 0, 0), MANUAL),
    "reverse": Case(_operation("reversePayment"), Moved(1, 1000, 1000, 1000)),
    "charge of a stored method": Case(_charge, Moved(1, 1000, 1000, 0), stored.ENABLED),
}


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
@pytest.mark.parametrize("name", CASES)
async def test_a_request_that_the_previous_version_left_is_completed_once(
    name: str, trouble: Trouble
) -> None:
    case = CASES[name]
    for call in range(CALLS):
        world = world_of_previous(case.environment)
        send = await case.request(world)
        world.network.trouble = Once(call, trouble)
        with contextlib.suppress(Crash):
            await send()
        world.network.trouble = no_trouble
        world.processor = world.start_processor()

        answer = await send()

        assert answer.is_success, (call, answer.text)
        await assert_agreement(world)
        assert _moved(world) == case.moved, call
        for order in world.store.collection("order"):
            assert order["paymentState"] == "Paid", call


async def test_what_a_page_of_the_previous_version_collects_makes_the_order_paid() -> None:
    world = world_of_previous()
    order_id = await _order(world)
    first = await world.client.post("/api/v1/payments/sessions", json={"id": order_id})
    world.processor = world.start_processor()

    again = await world.client.post("/api/v1/payments/sessions", json={"id": order_id})
    await world.at_stripe(
        f"checkout/sessions/{first.json()['id']}/pay",
        payment_method="pm_card_visa",
        email="ada@example.com",
    )
    await assert_agreement(world)

    assert again.json() == first.json()
    [order] = world.store.collection("order")
    assert (order["paymentState"], order["orderState"]) == ("Paid", "Confirmed")


async def test_an_intent_of_the_previous_version_follows_a_changed_cart() -> None:
    world = world_of_previous()
    shop = await started(world)
    world.processor = world.start_processor()
    await world.reprice(shop.cart_id, 1200)

    again = await world.start(shop.session)

    assert again["clientSecret"] == shop.secret
    [intent] = world.stripe.intents
    assert intent["amount"] == 1200


def _moved(world: World) -> Moved:
    charges = [each for each in world.stripe.charges if each["status"] == "succeeded"]
    return Moved(
        intents=len(list(world.stripe.intents)),
        authorized=sum(charge["amount"] for charge in charges),
        captured=sum(intent["amount_received"] for intent in world.stripe.intents),
        refunded=refunded(world),
    )
