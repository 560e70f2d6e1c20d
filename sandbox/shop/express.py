"""The wallet on the basket page: what the merchant's server answers while its sheet is open."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shop import visitor
from sandbox.shop.account import Accounts
from sandbox.shop.bff import Bff
from sandbox.shop.forms import body_of
from sandbox.shop.markets import digits
from sandbox.shop.merchant import Action, Merchant

T = TypeVar("T")

_MOST_CHARACTERS = 256
_ADDRESS = (
    "country firstName lastName streetName streetNumber additionalStreetInfo region postalCode"
    " city phone email"
).split()


class _Selected(Struct, frozen=True):
    address: dict[str, str]


class _Chosen(Struct, frozen=True):
    id: str


class _Submitted(Struct, frozen=True, rename="camel"):
    shipping_address: dict[str, str] | None = None
    billing_address: dict[str, str] | None = None


class Express:
    """Acts on the visitor's own cart; everything is JSON, asked for by the basket page."""

    def __init__(self, bff: Bff, merchant: Merchant, accounts: Accounts) -> None:
        self._bff = bff
        self._merchant = merchant
        self._accounts = accounts

    def routes(self) -> list[Route]:
        return [
            Route("/express/session", self.session, methods=["POST"]),
            Route("/express/address", self.address, methods=["POST"]),
            Route("/express/rates", self.rates, methods=["POST"]),
            Route("/express/rate", self.rate, methods=["POST"]),
            Route("/express/addresses", self.addresses, methods=["POST"]),
        ]

    async def session(self, request: Request) -> Response:
        """A session for the basket."""
        customer = await self._accounts.customer(request)
        session = await self._merchant.session(_cart_id(request), customer.id if customer else None)
        return json_response({"sessionId": session})

    async def address(self, request: Request) -> Response:
        """Where to: as much as a wallet tells before the shopper has agreed."""
        selected = await read_json(request, _Selected)
        await self._update(request, _set("setShippingAddress", selected.address))
        return json_response({})

    async def rates(self, request: Request) -> Response:
        """How the basket can be delivered to the address that it has."""
        cart_id = _cart_id(request)
        methods = await self._merchant.shipping_methods(cart_id)
        cart = await self._merchant.cart(cart_id)
        lines_total = (await self._bff.cart(cart_id)).lines_total
        options = [
            {
                "id": each.id,
                "name": each.name,
                "description": each.description,
                "isSelected": each.id == cart.shipping_method_id,
                "amount": {
                    "centAmount": price.cent_amount,
                    "currencyCode": price.currency_code,
                    "fractionDigits": digits(price.currency_code),
                },
            }
            for each in methods
            if (price := each.price(lines_total)) is not None
        ]
        return json_response(options)

    async def rate(self, request: Request) -> Response:
        """The chosen way of delivery, of those that the basket can have."""
        chosen = await read_json(request, _Chosen)
        reference = {"typeId": "shipping-method", "id": chosen.id}
        await self._update(request, {"action": "setShippingMethod", "shippingMethod": reference})
        return json_response({})

    async def addresses(self, request: Request) -> Response:
        """The whole addresses, which wallets tell once the shopper has agreed."""
        submitted = await read_json(request, _Submitted)
        actions: list[Action] = []
        if submitted.shipping_address:
            actions.append(_set("setShippingAddress", submitted.shipping_address))
        if submitted.billing_address:
            actions.append(_set("setBillingAddress", submitted.billing_address))
        found = [submitted.shipping_address, submitted.billing_address]
        email = next((each["email"] for each in found if each and each.get("email")), None)
        if email:
            actions.append({"action": "setCustomerEmail", "email": email[:_MOST_CHARACTERS]})
        if actions:
            await self._update(request, *actions)
        return json_response({})

    async def _update(self, request: Request, *actions: Action) -> None:
        await self._merchant.update(_cart_id(request), actions)


def _cart_id(request: Request) -> str:
    cart_id = visitor.of(request).cart_id
    if cart_id is None:
        raise HTTPException(HTTPStatus.CONFLICT, "The basket is empty.")
    return cart_id


def _set(action: str, given: Mapping[str, str]) -> Action:
    """The action that sets an address; fields that addresses do not have are left out."""
    address = {
        name: given[name][:_MOST_CHARACTERS] for name in _ADDRESS if given.get(name, "").strip()
    }
    if "region" in address:  # taxes of the United States go by state
        address["state"] = address["region"]
    return {"action": action, "address": address}


async def read_json(request: Request, shape: type[T]) -> T:
    """The body in a shape; raises HTTPException 413 or 400 for what no page of the shop sends."""
    try:
        return msgspec.json.decode(await body_of(request), type=shape)
    except msgspec.DecodeError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "This cannot be read.") from error


def json_response(content: Any) -> Response:
    """An answer to a script of the shop."""
    return Response(msgspec.json.encode(content), media_type="application/json")
