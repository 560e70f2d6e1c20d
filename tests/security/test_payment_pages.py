"""An outsider who knows an order's id or number, and asks for pages as they please.

Whatever they send, in whatever order and with Stripe's events in between: the order does not fail,
is not cancelled, does not grow, and its shopper pays it.
"""

from __future__ import annotations

import random

import httpx
import pytest

from tests.behaviour import buy_now
from tests.behaviour.test_bff_payments import PAID, Shopper
from tests.world import Json, World

MODES = ["hosted_page", "embedded_page", "elements", "popup"]
NO_LIMITS = {
    **buy_now.ENABLED,
    "CHECKOUT_CANCEL_UNPAID_ORDERS": "true",
    "BFF_REQUESTS_PER_MINUTE": "0",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "0",
    "BUY_NOW_SESSIONS_PER_MINUTE": "0",
}


async def outsider(world: World, order: Json, chance: random.Random) -> httpx.Response:
    """One call to any route that takes an order."""
    name = chance.choice([order["id"], order["orderNumber"]])
    api, items = "/api/v1", [{"amount": chance.choice([2500, 1]), "name": "x"}]
    state = chance.choice(
        [
            *PAID,
            {"action": "changeOrderState", "orderState": "Cancelled"},
            {"action": "changePaymentState", "paymentState": "Failed"},
        ]
    )
    calls: list[tuple[str, str, Json | None]] = [
        ("POST", f"{api}/payments/sessions", {"id": name, "uiMode": chance.choice(MODES)}),
        ("POST", "/v1/create-session", {"order_id": name, "items": items}),
        ("POST", "/v1/create-session", {"order_id": name}),
        ("PUT", f"{api}/orders/{name}", {"version": chance.randrange(9), "actions": [state]}),
        ("POST", f"{api}/carts/{order['origin']}/order", None),
        ("GET", f"/v1/session-status?order_id={name}&session_id=free_{name}", None),
        ("GET", "/create-checkout-session?ui_mode=elements", None),
    ]
    method, path, body = chance.choice(calls)
    return await world.client.request(method, path, json=body)


@pytest.mark.parametrize("mode", ["hosted_page", "embedded_page"])
@pytest.mark.parametrize("seed", range(4))
async def test_no_hundred_calls_of_an_outsider_fail_cancel_block_or_grow_an_order(
    seed: int, mode: str
) -> None:
    world = World(NO_LIMITS)
    shopper, chance = Shopper(world), random.Random(seed)
    order = await shopper.order()
    request = {"id": order["id"], "uiMode": mode}
    page = (await world.client.post("/api/v1/payments/sessions", json=request)).json()
    for _ in range(100):
        answer = await outsider(world, order, chance)
        assert answer.status_code < 500, answer.text
        if chance.random() < 0.2:
            await world.deliver_all()
    await world.deliver_all()
    assert await shopper.states(order["id"]) == (None, "Open")
    assert len(await shopper.payments(order["id"])) == 1
    again = await world.client.post("/api/v1/payments/sessions", json=request)
    assert (again.status_code, again.json()["id"]) == (201, page["id"])
    await world.at_stripe(f"checkout/sessions/{page['id']}/pay")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_an_outsider_who_is_there_first_leaves_the_shopper_a_page_to_pay_on() -> None:
    """By number only hosted pages are opened, and 409 names it to who knows the order's id."""
    world = World(NO_LIMITS)
    shopper = Shopper(world)
    order = await shopper.order()
    body = {"order_id": order["orderNumber"], "items": [{"amount": 2500}]}
    theirs = (await world.client.post("/v1/create-session", json=body)).json()
    answer = await world.client.post(
        "/api/v1/payments/sessions", json={"id": order["id"], "uiMode": "elements"}
    )
    assert answer.json()["errors"][0]["url"] == theirs["url"]
    await shopper.pay(theirs)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_asking_for_pages_has_a_limit_of_its_own() -> None:
    world = World({"BFF_PAYMENT_PAGES_PER_MINUTE": "2"})
    order = await Shopper(world).order()
    answers = [
        await world.client.post("/api/v1/payments/sessions", json={"id": order["id"]})
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert (await world.client.get(f"/api/v1/orders/{order['id']}")).status_code == 200
