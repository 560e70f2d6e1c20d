"""Catalogue, carts, discount codes and orders for the pages of a shop."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.checkout.cart_changes import CartChange
from stripe_connector.checkout.place_order import Orders
from stripe_connector.checkout.storefront import Page, Region, Storefront
from stripe_connector.errors import InvalidRequest, invalid_field, required_field
from stripe_connector.http.bff.contract import route
from stripe_connector.http.body import json_body
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 500
_MAX_PAGE = 10_000


def endpoints(storefront: Storefront, orders: Orders, limit: RateLimit) -> list[AnyEndpoint]:
    """The rows of the table. Limited is what writes, and what tells whether a guess was right."""

    async def categories(_request: Request) -> Response:
        return json_response(await storefront.categories())

    async def products(request: Request) -> Response:
        page = Page(
            offset=_number(request, "offset", 1, 0, _MAX_PAGE),
            limit=_number(request, "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT),
            category_id=request.query_params.get("categoryId", ""),
            region=_region(request),
        )
        return json_response(await storefront.products(page))

    async def product(request: Request) -> Response:
        sku = request.path_params["sku"]
        return json_response(await storefront.product(sku, _region(request)))

    async def create_cart(request: Request) -> Response:
        region = await json_body(request, Region, any_media_type=True)
        return json_response(await storefront.create_cart(region), 201)

    async def cart(request: Request) -> Response:
        return json_response(await storefront.cart(request.path_params["id"]))

    async def change_cart(request: Request) -> Response:
        change: CartChange = await json_body(request, CartChange, any_media_type=True)
        return json_response(await storefront.change_cart(request.path_params["id"], change))

    async def discount_code(request: Request) -> Response:
        code = request.query_params.get("code", "").strip()
        if not code:
            raise required_field("code")
        return json_response(await storefront.discount_code(code))

    async def place_order(request: Request) -> Response:
        """201 for the request that placed the order, 200 for those that find it placed.

        The difference is for logs and developers; the storefront's pages read the body alone.
        """
        placed = await orders.place(request.path_params["id"])
        return json_response(placed.order, 201 if placed.is_new else 200)

    async def order(request: Request) -> Response:
        return json_response(await orders.order(request.path_params["id"]))

    return [
        route("GET", "/categories", categories),
        route("GET", "/products", products),
        route("GET", "/products/{sku}", product),
        route("POST", "/carts", create_cart, limit),
        route("GET", "/carts/{id}", cart, limit),
        route("PUT", "/carts/{id}", change_cart, limit),
        route("POST", "/carts/{id}/order", place_order, limit),
        route("GET", "/discount-codes", discount_code, limit),
        route("GET", "/orders/{id}", order, limit),
    ]


def _region(request: Request) -> Region:
    """Currency and country of the query, as those of a new cart's body."""
    given = {
        name: text
        for name in ("currency", "country")
        if (text := request.query_params.get(name, "").strip())
    }
    try:
        return msgspec.convert(given, Region)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Currency or country: {error}", code="InvalidField") from error


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number of the query; a limit that is too high is cut, nonsense is refused."""
    text = request.query_params.get(name, "").strip()
    if not text:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) <= 9) or int(text) < least:
        raise invalid_field(name, text[:32], reason=f"A whole number from {least} is expected.")
    return min(int(text), most)
