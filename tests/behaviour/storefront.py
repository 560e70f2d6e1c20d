"""What the published storefront does: the same requests, quirks included."""

from __future__ import annotations

from typing import Any

import httpx
import jwt

from tests.world import Processor, World

Json = dict[str, Any]

API = "/api/v1"
SECRET = "the shop's server vouches with this".replace(" ", "-")
VOUCHING = {"STOREFRONT_SECRET": SECRET}


def vouched(world: World, cart_id: str, **claims: Any) -> dict[str, str]:
    """The header by which the shop's server vouches for a caller."""
    expires = int(world.clock.time()) + 60
    claims = {"aud": "storefront", "sub": cart_id, "exp": expires, **claims}
    return {"X-Storefront-Token": jwt.encode(claims, SECRET, algorithm="HS256")}


ADDRESS: Json = {
    "country": "DE",
    "firstName": "Ada",
    "lastName": "Byron",
    "streetName": "Lindenstrasse",
    "streetNumber": "12",
    "postalCode": "10969",
    "city": "Berlin",
    "region": "Berlin",
    "email": "ada@example.com",
}


class Shopper:
    """One tab of a browser: it knows a cart, and the version that it last saw."""

    def __init__(self, world: World, cart: Json) -> None:
        self.world = world
        self.cart = cart

    @classmethod
    async def arrives(cls, world: World) -> Shopper:
        answer = await world.client.post(f"{API}/carts")
        assert answer.status_code == 201, answer.text
        return cls(world, answer.json())

    @property
    def path(self) -> str:
        return f"{API}/carts/{self.cart['id']}"

    async def ask(self, action: str, **payload: Any) -> httpx.Response:
        """A change of the cart at the version that this tab knows."""
        body = {"version": self.cart["version"], "action": action, action: payload}
        return await self.world.client.put(self.path, json=body)

    async def does(self, action: str, **payload: Any) -> Json:
        """A change that works; the tab then reloads the cart."""
        answer = await self.ask(action, **payload)
        assert answer.status_code == 200, answer.text
        await self.reloads()
        assert answer.json() == self.cart
        return self.cart

    async def reloads(self) -> Json:
        answer = await self.world.client.get(self.path)
        assert answer.status_code == 200, answer.text
        self.cart = answer.json()
        return self.cart

    async def fills(self, sku: str = "stoneware-mug-2", quantity: int = 2) -> Shopper:
        """A cart that can be ordered."""
        await self.does("AddLineItem", variantId=sku, quantity=quantity)
        await self.does("SetShippingAddress", **ADDRESS)
        return self

    async def orders(self, processor: Processor | None = None) -> httpx.Response:
        return await (processor or self.world.processor).client.post(f"{self.path}/order")


async def ready(world: World) -> Shopper:
    """A shopper about to order."""
    return await (await Shopper.arrives(world)).fills()


async def ordered(world: World) -> Json:
    """An order that was just placed."""
    answer = await (await ready(world)).orders()
    assert answer.status_code == 201, answer.text
    return dict(answer.json())
