"""The playground for storefront developers: every component of the enabler, and what it tells."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal
from uuid import UUID

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shop.account import DEMO_CUSTOMER
from sandbox.shop.elements import Elements
from sandbox.shop.express import json_response, read_json
from sandbox.shop.markets import digits
from sandbox.shop.merchant import Action, Merchant, Paid
from sandbox.shop.rendering import Pages

_SKU = "stoneware-mug-1"
_CARTS: dict[str, Action] = {
    "DE": {
        "currency": "EUR",
        "address": {"country": "DE", "city": "Berlin", "postalCode": "10969"},
    },
    "NL": {
        "currency": "EUR",
        "address": {"country": "NL", "city": "Amsterdam", "postalCode": "1012 AB"},
    },
    "GB": {
        "currency": "GBP",
        "address": {"country": "GB", "city": "London", "postalCode": "N1 9GU"},
    },
    "JP": {
        "currency": "JPY",
        "address": {"country": "JP", "city": "Tokyo", "postalCode": "150-0041"},
    },
}


class _Wanted(Struct, frozen=True):
    country: Literal["DE", "NL", "GB", "JP"]
    customer: bool = False


class _Changed(Struct, frozen=True, rename="camel"):
    cart_id: UUID


class Playground:
    """Carts of its own, apart from the visitor's basket."""

    def __init__(self, merchant: Merchant, pages: Pages, elements: Elements) -> None:
        self._merchant = merchant
        self._pages = pages
        self._elements = elements

    def routes(self) -> list[Route]:
        return [
            Route("/playground", self.show),
            Route("/playground/carts", self.create, methods=["POST"]),
            Route("/playground/more", self.more, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        if self._elements.bundle is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return self._pages.render(request, "playground.html", has_elements=True)

    async def create(self, request: Request) -> Response:
        """A cart with one mug, to be delivered to a country, and a session for it."""
        wanted = await read_json(request, _Wanted)
        terms = _CARTS[wanted.country]
        customer = await self._merchant.customer(DEMO_CUSTOMER) if wanted.customer else None
        name = {"firstName": "Ada", "lastName": "Byron", "streetName": "Main street"}
        cart = await self._merchant.create_cart(
            {
                "currency": terms["currency"],
                "country": wanted.country,
                "shippingAddress": {**name, **terms["address"]},
                "lineItems": [{"sku": _SKU, "quantity": 1}],
                **({"customerId": customer.id} if customer else {}),
            }
        )
        session = await self._merchant.session(cart.id, cart.customer_id)
        return json_response({"sessionId": session, **_shown(cart)})

    async def more(self, request: Request) -> Response:
        """One more mug, as if the cart had been changed in another tab."""
        changed = await read_json(request, _Changed)
        action = {"action": "addLineItem", "sku": _SKU, "quantity": 1}
        return json_response(_shown(await self._merchant.update(str(changed.cart_id), [action])))


def _shown(cart: Paid) -> Action:
    money = cart.total_price
    amount = {**msgspec.to_builtins(money), "fractionDigits": digits(money.currency_code)}
    return {"cartId": cart.id, "amount": amount}
