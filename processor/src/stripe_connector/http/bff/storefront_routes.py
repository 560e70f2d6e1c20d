"""Catalogue, carts, discount codes and orders for the pages of a shop."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.errors import InvalidRequest, invalid_field, required_field
from stripe_connector.http.bff.contract import route
from stripe_connector.http.bff.storefront_token import HEADER, StorefrontTokens
from stripe_connector.http.body import json_body
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint
from stripe_connector.storefront import views
from stripe_connector.storefront.cart_changes import CartChange
from stripe_connector.storefront.cart_guard import CartGuard
from stripe_connector.storefront.catalogue import (
    Country,
    Currency,
    ProductRange,
    Region,
    Storefront,
)
from stripe_connector.storefront.place_order import Orders

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 500
_MAX_PAGE = 10_000


def endpoints(
    storefront: Storefront,
    orders: Orders,
    guard: CartGuard,
    tokens: StorefrontTokens,
    *,
    limit: RateLimit,
    browsing: RateLimit,
) -> list[AnyEndpoint]:
    """The rows of the table. `browsing` limits the catalogue alone, `limit` what writes, and what
    tells whether a guess was right: who browses much can still pay."""

    async def categories(_request: Request) -> Response:
        return json_response(await storefront.categories())

    async def products(request: Request) -> Response:
        page = ProductRange(
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
        cart_id = request.path_params["id"]
        await guard.require_changeable(cart_id, vouched=tokens.vouched(request, cart_id))
        return json_response(await storefront.change_cart(cart_id, change))

    async def discount_code(request: Request) -> Response:
        code = request.query_params.get("code", "").strip()
        if not code:
            raise required_field("code")
        return json_response(await storefront.discount_code(code))

    async def place_order(request: Request) -> Response:
        """201 for the request that placed the order, 200 for those that find it placed.

        The difference is for logs and developers; the storefront's pages read the body alone.
        """
        cart_id = request.path_params["id"]
        await guard.require_orderable(cart_id, vouched=tokens.vouched(request, cart_id))
        placed = await orders.place(cart_id)
        return json_response(placed.order, 201 if placed.is_new else 200)

    async def order(request: Request) -> Response:
        return json_response(await orders.order(request.path_params["id"]))

    return [
        route("GET", "/categories", categories, _CATEGORIES, browsing),
        route("GET", "/products", products, _PRODUCTS, browsing),
        route("GET", "/products/{sku}", product, _PRODUCT, browsing),
        route("POST", "/carts", create_cart, _CREATE_CART, limit),
        route("GET", "/carts/{id}", cart, _CART, limit),
        route("PUT", "/carts/{id}", change_cart, _CHANGE_CART, limit),
        route("POST", "/carts/{id}/order", place_order, _PLACE_ORDER, limit),
        route("GET", "/discount-codes", discount_code, _DISCOUNT_CODE, limit),
        route("GET", "/orders/{id}", order, _ORDER, limit),
    ]


_TAG = "Storefront"
_REGION = (
    Parameter(
        "currency",
        "query",
        "Of the prices, as in ISO 4217: one of the merchant's markets, by default the first.",
        Currency,
    ),
    Parameter(
        "country",
        "query",
        "For which prices are meant, as in ISO 3166: of one of the merchant's markets.",
        Country,
    ),
)
_CART_ID = Parameter("id", "path", "The cart's id.")
_TOKEN = Parameter(
    HEADER, "header", "The shop's server vouches for the caller; needed for a customer's cart."
)
_NO_TOKEN = "The cart is a customer's and no valid token of the shop's server came along."
_NO_CART = "The cart was not found."
_NO_REGION = "Currency or country is not valid, or the shop has no such market."

_CATEGORIES = Documentation(
    tag=_TAG,
    summary="All categories",
    answers={200: Answer("They form a tree with one root.", list[views.CategoryView])},
)
_PRODUCTS = Documentation(
    tag=_TAG,
    summary="A page of products",
    parameters=(
        Parameter(
            "offset",
            "query",
            "The number of the page, from 1; 1 by default.",
            Annotated[int, Meta(ge=0, le=_MAX_PAGE)],
        ),
        Parameter(
            "limit",
            "query",
            f"Products on a page; {_DEFAULT_LIMIT} by default.",
            Annotated[int, Meta(ge=1, le=_MAX_LIMIT)],
        ),
        Parameter("categoryId", "query", "Only what is in this category or below it."),
        *_REGION,
    ),
    answers={
        200: Answer("The products, with the price that a cart would take.", views.ProductList)
    },
    refusals={400: "A parameter is not valid, or the shop has no such market."},
)
_PRODUCT = Documentation(
    tag=_TAG,
    summary="One product",
    parameters=(Parameter("sku", "path", "The SKU of one of its variants."), *_REGION),
    answers={200: Answer("The product.", views.ProductView)},
    refusals={400: _NO_REGION, 404: "The product was not found."},
)
_CREATE_CART = Documentation(
    tag=_TAG,
    summary="Create a cart",
    body=Region,
    any_media_type=True,
    answers={201: Answer("The empty cart.", views.CartView)},
    refusals={400: _NO_REGION},
)
_CART = Documentation(
    tag=_TAG,
    summary="A cart",
    parameters=(_CART_ID,),
    answers={200: Answer("The cart as it is now.", views.CartView)},
    refusals={404: _NO_CART},
)
_CHANGE_CART = Documentation(
    tag=_TAG,
    summary="Change a cart",
    description=(
        "One change at a time; its name is `action` and also the field that holds its details."
        " The `version` may be stale."
    ),
    body=CartChange,
    any_media_type=True,
    parameters=(_CART_ID, _TOKEN),
    answers={200: Answer("The cart after the change.", views.CartView)},
    refusals={
        400: "The body is not valid, or the cart cannot be changed like this.",
        403: _NO_TOKEN,
        404: _NO_CART,
        409: "The cart is paid, is being paid in another way, or others change it too often.",
    },
)
_PLACE_ORDER = Documentation(
    tag=_TAG,
    summary="Place the order of a cart",
    parameters=(_CART_ID, _TOKEN),
    answers={
        200: Answer("The order that was placed before.", views.OrderView),
        201: Answer("The order, placed by this request.", views.OrderView),
    },
    refusals={
        400: "The cart cannot be ordered.",
        403: _NO_TOKEN,
        404: _NO_CART,
        409: (
            "The cart is being paid in another way, is ordered and its order gone, or others"
            " change it too often."
        ),
    },
)
_DISCOUNT_CODE = Documentation(
    tag=_TAG,
    summary="Whether a discount code works",
    parameters=(Parameter("code", "query", "As it was typed.", required=True),),
    answers={200: Answer("It works now.", views.DiscountCodeView)},
    refusals={400: "There is no code in the query.", 404: "The code does not work."},
)
_ORDER = Documentation(
    tag=_TAG,
    summary="An order",
    parameters=(Parameter("id", "path", "The order's id."),),
    answers={200: Answer("The order as it is now.", views.OrderView)},
    refusals={404: "The order was not found."},
)


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
