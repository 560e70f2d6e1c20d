"""An outsider who guesses order numbers: they are short, printed and read aloud.

By number, `/v1/create-session` opens a page only with the right sum, and that page shows nothing of
the shopper. Whatever does not fit has one answer, so that numbers cannot be told apart by it.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import httpx
import pytest

from tests.behaviour import buy_now
from tests.behaviour.test_bff_payments import Shopper
from tests.world import Json, World

PATH = "/v1/create-session"
TOTAL = 2500


async def customers_order(world: World) -> Json:
    """An order of a registered customer, with an e-mail address, known at Stripe."""
    created = await world.commercetools("POST", "customers", {"email": "victim@example.com"})
    fields: Json = {
        "customerId": created["customer"]["id"],
        "customerEmail": "victim@example.com",
        "shippingAddress": {"country": "DE"},
    }
    cart = await world.cart(TOTAL, **fields)
    await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    return dict(
        await world.commercetools(
            "POST",
            "orders",
            {
                "cart": {"typeId": "cart", "id": cart["id"]},
                "version": (await world.commercetools("GET", f"carts/{cart['id']}"))["version"],
                "orderNumber": "1001",
            },
        )
    )


async def ask(world: World, name: str, amount: int | None = TOTAL, **more: Any) -> httpx.Response:
    items = None if amount is None else [{"amount": amount, "name": "x", "description": "y"}]
    body = {"order_id": name, **({} if items is None else {"items": items}), **more}
    return await world.client.post(PATH, json=body)


OFF: dict[str, Json] = {
    "another sum": {"amount": TOTAL - 1},
    "another currency": {"currency": "usd"},
}


async def cost(world: World, asked: Awaitable[httpx.Response]) -> list[str]:
    """The backends that are asked, in their order."""
    world.network.calls.clear()
    assert (await asked).status_code == 404
    return [call.backend for call in world.network.calls]


async def test_a_page_by_number_has_no_data_of_the_shopper() -> None:
    world = World(buy_now.ENABLED)
    order = await customers_order(world)
    page = (await ask(world, "1001")).json()
    session = world.stripe.sessions[page["id"]]
    assert (session["customer"], session["customer_email"], session["customer_details"]) == (
        None,
        None,
        None,
    )
    transport = world.network.transports["stripe.test"]
    async with httpx.AsyncClient(transport=transport, base_url="http://stripe.test") as browser:
        shown = (await browser.get(f"/c/pay/{page['id']}")).text
    assert "victim@example.com" not in shown
    assert order["id"] not in session["success_url"] + session["cancel_url"]
    await buy_now.pay(world, page["id"])
    await world.deliver_all()
    assert await Shopper(world).states(order["id"]) == ("Paid", "Confirmed")


async def test_by_id_the_page_knows_the_shopper() -> None:
    world = World(buy_now.ENABLED)
    order = await customers_order(world)
    page = (await ask(world, order["id"], None)).json()
    assert world.stripe.sessions[page["id"]]["customer"] is not None


async def test_all_that_does_not_fit_looks_the_same() -> None:
    world = World(buy_now.ENABLED)
    order = await customers_order(world)
    bodies = {
        "unknown": await ask(world, "1002"),
        "unknown, no sum": await ask(world, "1002", None),
        "no sum": await ask(world, "1001", None),
        "another sum": await ask(world, "1001", TOTAL - 1),
        "another currency": await ask(world, "1001", currency="usd"),
    }
    assert len(list(world.stripe.sessions)) == 0
    costs = {name: await cost(world, ask(world, "1001", **kind)) for name, kind in OFF.items()}
    unknown = await cost(world, ask(world, "1002"))
    assert costs == dict.fromkeys(OFF, unknown)  # nor does the time that it takes tell
    page = (await ask(world, "1001")).json()
    await buy_now.pay(world, page["id"])
    bodies["just paid"] = await ask(world, "1001")
    await world.deliver_all()
    bodies["paid"] = await ask(world, "1001")
    await world.commercetools(
        "POST",
        f"orders/{order['id']}",
        {
            "version": (await world.commercetools("GET", f"orders/{order['id']}"))["version"],
            "actions": [{"action": "changeOrderState", "orderState": "Cancelled"}],
        },
    )
    bodies["cancelled"] = await ask(world, "1001")
    assert {name: answer.status_code for name, answer in bodies.items()} == dict.fromkeys(
        bodies, 404
    )
    assert len({answer.text for answer in bodies.values()}) == 1


async def test_a_page_with_the_shoppers_data_is_not_handed_out_by_number() -> None:
    world = World(buy_now.ENABLED)
    order = await customers_order(world)
    own = (await ask(world, order["id"])).json()
    stranger = await ask(world, "1001")
    assert stranger.status_code == 404
    assert stranger.text == (await ask(world, "1002")).text
    assert own["id"] not in stranger.text
    assert world.stripe.sessions[own["id"]]["status"] == "open"
    assert (await ask(world, order["id"])).json()["id"] == own["id"]


@pytest.mark.parametrize("session_id", ["cs_test_unknown", "free_1001", "pi_1"])
async def test_a_status_tells_no_number_from_another(session_id: str) -> None:
    world = World(buy_now.ENABLED)
    await customers_order(world)
    answers = [
        await world.client.get(
            "/v1/session-status", params={"order_id": number, "session_id": session_id}
        )
        for number in ("1001", "1002")
    ]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert answers[0].text == answers[1].text
    costs = [
        await cost(
            world,
            world.client.get(
                "/v1/session-status", params={"order_id": number, "session_id": session_id}
            ),
        )
        for number in ("1001", "1002")
    ]
    assert costs[0] == costs[1]
