"""What visitors of the buy-now pages do."""

from __future__ import annotations

import httpx

from tests.world import Json, World

COOKIE_SECRET = "a secret only for tests 0123456789".replace(" ", "-")
BASE = "http://pay.shop.test"
ENABLED = {
    "BUY_NOW_ENABLED": "true",
    "BUY_NOW_URL": BASE,
    "BUY_NOW_PRODUCT": "stoneware-mug-2",
    "BUY_NOW_COOKIE_SECRET": COOKIE_SECRET,
}
CARD = {
    "method": "card",
    "number": "4242424242424242",
    "expiry": "12 / 34",
    "cvc": "123",
    "name": "Ada Lovelace",
    "email": "ada@example.com",
}
PRICE = 1_490
CREATE = "/create-checkout-session/"


async def pay(world: World, session_id: str, **form: str) -> str:
    """Fill in Stripe's page; where it leads to."""
    transport = world.network.transports["stripe.test"]
    async with httpx.AsyncClient(transport=transport, base_url="http://stripe.test") as browser:
        answer = await browser.post(f"/c/pay/{session_id}", data={**CARD, **form})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].removeprefix(BASE)


async def land(world: World, path: str, **headers: str) -> httpx.Response:
    return await world.client.get(path, headers=headers)


async def create(world: World, path: str = CREATE, **headers: str) -> Json:
    answer = await world.client.get(path, headers=headers)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def orders(world: World) -> list[Json]:
    return list(world.store.collection("order"))


def carts(world: World) -> list[Json]:
    return list(world.store.collection("cart"))


def forget(world: World) -> None:
    """Another visitor."""
    world.client.cookies.clear()
