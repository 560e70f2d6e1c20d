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
from stripe_connector.http.fields import Fields, named_by
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import SKU
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
    UnknownCountry,
    UnknownCurrency,
)
from stripe_connector.storefront.place_order import Orders

_DEFAULT_LIMIT = 20
_MAX_LIMIT = 500
_MAX_PAGE = 10_000
_FIELDS: Fields = {UnknownCurrency: "currency", UnknownCountry: "country"}


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


class StorefrontRoutes:
    """Catalogue, carts and orders.

    `browsing` limits the catalogue alone, `limit` what writes, and what tells whether a guess was
    right: who browses much can still pay.
    """

    def __init__(
        self,
        storefront: Storefront,
        orders: Orders,
        guard: CartGuard,
        tokens: StorefrontTokens,
        *,
        limit: RateLimit,
        browsing: RateLimit,
    ) -> None:
        self._storefront = storefront
        self._orders = orders
        self._guard = guard
        self._tokens = tokens
        self._limit = limit
        self._browsing = browsing

    def routes(self) -> list[AnyEndpoint]:
        limit, browsing = self._limit, self._browsing
        return [
            route("GET", "/categories", self.categories, self.CATEGORIES, browsing),
            route("GET", "/products", self.products, self.PRODUCTS, browsing),
            route("GET", "/products/{sku}", self.product, self.PRODUCT, browsing),
            route("POST", "/carts", self.create_cart, self.CREATE_CART, limit),
            route("GET", "/carts/{id}", self.cart, self.CART, limit),
            route("PUT", "/carts/{id}", self.change_cart, self.CHANGE_CART, limit),
            route("POST", "/carts/{id}/order", self.place_order, self.PLACE_ORDER, limit),
            route("GET", "/discount-codes", self.discount_code, self.DISCOUNT_CODE, limit),
            route("GET", "/orders/{id}", self.order, self.ORDER, limit),
        ]

    CATEGORIES = Documentation(
        tag=_TAG,
        summary="All categories",
        answers={200: Answer("They form a tree with one root.", list[views.CategoryView])},
    )

    async def categories(self, _request: Request) -> Response:
        return json_response(await self._storefront.categories())

    PRODUCTS = Documentation(
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

    async def products(self, request: Request) -> Response:
        page = ProductRange(
            offset=_number(request, "offset", 1, 0, _MAX_PAGE),
            limit=_number(request, "limit", _DEFAULT_LIMIT, 1, _MAX_LIMIT),
            category_id=request.query_params.get("categoryId", ""),
            region=_region(request),
        )
        with named_by(_FIELDS):
            return json_response(await self._storefront.products(page))

    PRODUCT = Documentation(
        tag=_TAG,
        summary="One product",
        parameters=(Parameter("sku", "path", "The SKU of one of its variants."), *_REGION),
        answers={200: Answer("The product.", views.ProductView)},
        refusals={400: _NO_REGION, 404: "The product was not found."},
    )

    async def product(self, request: Request) -> Response:
        sku = request.path_params["sku"]
        with named_by(_FIELDS):
            return json_response(await self._storefront.product(sku, _region(request)))

    CREATE_CART = Documentation(
        tag=_TAG,
        summary="Create a cart",
        body=Region,
        example={"currency": "EUR", "country": "DE"},
        any_media_type=True,
        answers={201: Answer("The empty cart.", views.CartView)},
        refusals={400: _NO_REGION},
    )

    async def create_cart(self, request: Request) -> Response:
        region = await json_body(request, Region, any_media_type=True)
        with named_by(_FIELDS):
            return json_response(await self._storefront.create_cart(region), 201)

    CART = Documentation(
        tag=_TAG,
        summary="A cart",
        parameters=(_CART_ID,),
        answers={200: Answer("The cart as it is now.", views.CartView)},
        refusals={404: _NO_CART},
    )

    async def cart(self, request: Request) -> Response:
        return json_response(await self._storefront.cart(request.path_params["id"]))

    CHANGE_CART = Documentation(
        tag=_TAG,
        summary="Change a cart",
        description=(
            "One change at a time; its name is `action` and also the field that holds its details."
            " The `version` may be stale."
        ),
        body=CartChange,
        example={"action": "AddLineItem", "AddLineItem": {"variantId": SKU, "quantity": 1}},
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

    async def change_cart(self, request: Request) -> Response:
        change: CartChange = await json_body(request, CartChange, any_media_type=True)
        cart_id = request.path_params["id"]
        await self._guard.require_changeable(
            cart_id, vouched=self._tokens.vouched(request, cart_id)
        )
        return json_response(await self._storefront.change_cart(cart_id, change))

    PLACE_ORDER = Documentation(
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

    async def place_order(self, request: Request) -> Response:
        """201 for the request that placed the order, 200 for those that find it placed.

        The difference is for logs and developers; the storefront's pages read the body alone.
        """
        cart_id = request.path_params["id"]
        await self._guard.require_orderable(cart_id, vouched=self._tokens.vouched(request, cart_id))
        placed = await self._orders.place(cart_id)
        return json_response(placed.order, 201 if placed.is_new else 200)

    DISCOUNT_CODE = Documentation(
        tag=_TAG,
        summary="Whether a discount code works",
        parameters=(Parameter("code", "query", "As it was typed.", required=True),),
        answers={200: Answer("It works now.", views.DiscountCodeView)},
        refusals={400: "There is no code in the query.", 404: "The code does not work."},
    )

    async def discount_code(self, request: Request) -> Response:
        code = request.query_params.get("code", "").strip()
        if not code:
            raise required_field("code")
        return json_response(await self._storefront.discount_code(code))

    ORDER = Documentation(
        tag=_TAG,
        summary="An order",
        parameters=(Parameter("id", "path", "The order's id."),),
        answers={200: Answer("The order as it is now.", views.OrderView)},
        refusals={404: "The order was not found."},
    )

    async def order(self, request: Request) -> Response:
        return json_response(await self._orders.order(request.path_params["id"]))


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
