"""Calls to commercetools for a shop's pages: catalogue, carts, discount codes and orders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import msgspec
from msgspec import Struct

from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.shown import (
    CartDraft,
    Category,
    DiscountCode,
    Product,
    ProductPage,
    ShownCart,
    ShownOrder,
)
from stripe_connector.gateways.commercetools.update_actions import ActionOnCart
from stripe_connector.gateways.outgoing import segment
from stripe_connector.ledger.payment import Reference

T = TypeVar("T")

_PAGE = 500
"""The largest page of commercetools."""
MAX_OFFSET = 10_000
"""The largest offset of commercetools."""


class _Page(Struct, Generic[T]):
    results: list[T]


_categories = msgspec.json.Decoder(_Page[Category])
_products = msgspec.json.Decoder(ProductPage)
_cart = msgspec.json.Decoder(ShownCart)
_order = msgspec.json.Decoder(ShownOrder)
_orders = msgspec.json.Decoder(_Page[ShownOrder])
_discount_codes = msgspec.json.Decoder(_Page[DiscountCode])


class StorefrontCalls:
    """The part of the gateway for a shop's pages."""

    _api: str
    _client: Client

    # Catalogue

    async def list_categories(self) -> list[Category]:
        """All categories in the merchant's order."""
        found: list[Category] = []
        while True:
            page = await self._client.call(
                f"{self._api}/categories",
                _categories,
                subject="categories",
                params={
                    "sort": ["orderHint asc", "id asc"],
                    "limit": _PAGE,
                    "offset": len(found),
                    "withTotal": "false",
                },
            )
            found += page.results
            if len(page.results) < _PAGE or len(found) > MAX_OFFSET:
                return found

    async def list_category_ids_below(self, category_id: str) -> list[str]:
        """The categories under one, at any depth; at most one page."""
        page = await self._client.call(
            f"{self._api}/categories",
            _categories,
            subject="categories",
            params={
                "where": f"ancestors(id={quoted(category_id)})",
                "limit": _PAGE,
                "withTotal": "false",
            },
        )
        return [category.id for category in page.results]

    async def list_products(
        self,
        *,
        currency: str,
        country: str,
        offset: int,
        limit: int,
        category_ids: Sequence[str] | None = None,
    ) -> ProductPage:
        """Published products, of the categories or all, each variant with its price selected."""
        params: dict[str, str | int | list[str]] = {
            "priceCurrency": currency,
            "priceCountry": country,
            "expand": "categories[*]",
            "sort": ["createdAt asc", "id asc"],
            "offset": offset,
            "limit": limit,
        }
        if category_ids is not None:
            params["where"] = f"categories(id in ({', '.join(map(quoted, category_ids))}))"
        return await self._client.call(
            f"{self._api}/product-projections", _products, subject="products", params=params
        )

    async def find_product_by_sku(self, sku: str, *, currency: str, country: str) -> Product | None:
        """The published product one of whose variants has a SKU."""
        same = f"sku={quoted(sku)}"
        page = await self._client.call(
            f"{self._api}/product-projections",
            _products,
            subject="product",
            params={
                "where": f"masterVariant({same}) or variants({same})",
                "priceCurrency": currency,
                "priceCountry": country,
                "expand": "categories[*]",
                "limit": 1,
                "withTotal": "false",
            },
        )
        return page.results[0] if page.results else None

    async def find_products(
        self, name: str, *, is_id: bool, currency: str, country: str
    ) -> list[Product]:
        """Published products whose SKU, key or, with `is_id`, id is `name`."""
        same = f"={quoted(name)}"
        where = f"masterVariant(sku{same}) or variants(sku{same}) or key{same}"
        page = await self._client.call(
            f"{self._api}/product-projections",
            _products,
            subject="product",
            params={
                "where": f"{where} or id{same}" if is_id else where,
                "priceCurrency": currency,
                "priceCountry": country,
                "limit": 3,
                "withTotal": "false",
            },
        )
        return page.results

    async def find_discount_code(self, code: str) -> DiscountCode | None:
        """The discount code that shoppers type as `code`."""
        page = await self._client.call(
            f"{self._api}/discount-codes",
            _discount_codes,
            subject="discount code",
            params={"where": f"code={quoted(code)}", "limit": 1, "withTotal": "false"},
        )
        return page.results[0] if page.results else None

    # Carts and orders

    async def create_cart(self, draft: CartDraft) -> ShownCart:
        return await self._client.call(f"{self._api}/carts", _cart, draft, subject="cart")

    async def get_shown_cart(self, cart_id: str) -> ShownCart:
        """Raises NotFound."""
        return await self._client.call(
            f"{self._api}/carts/{segment(cart_id)}", _cart, subject="cart"
        )

    async def update_cart(
        self, cart_id: str, version: int, actions: Sequence[ActionOnCart]
    ) -> ShownCart:
        """Raises VersionConflict, NotFound, and InvalidRequest where the cart does not allow it."""
        return await self._client.call(
            f"{self._api}/carts/{segment(cart_id)}",
            _cart,
            {"version": version, "actions": actions},
            subject="cart",
        )

    async def create_order(self, cart_id: str, version: int, order_number: str) -> ShownOrder:
        """An open order of a cart at a version.

        Raises VersionConflict, DuplicateField where the number is taken, and InvalidRequest where
        commercetools refuses the cart. After BackendUnavailable it may have been created.
        """
        return await self._client.call(
            f"{self._api}/orders",
            _order,
            {
                "cart": Reference(type_id="cart", id=cart_id),
                "version": version,
                "orderNumber": order_number,
                "orderState": "Open",
            },
            subject="order",
        )

    async def get_shown_order(self, order_id: str) -> ShownOrder:
        """Raises NotFound."""
        return await self._client.call(
            f"{self._api}/orders/{segment(order_id)}", _order, subject="order"
        )

    async def find_order_by_number(self, order_number: str) -> ShownOrder | None:
        try:
            return await self._client.call(
                f"{self._api}/orders/order-number={segment(order_number)}",
                _order,
                subject="order",
            )
        except NotFound:
            return None

    async def find_order_of_cart(self, cart_id: str) -> ShownOrder | None:
        """The order of a cart, also one placed by another program."""
        page = await self._client.call(
            f"{self._api}/orders",
            _orders,
            subject="order",
            params={"where": f"cart(id={quoted(cart_id)})", "limit": 1, "withTotal": "false"},
        )
        return page.results[0] if page.results else None


def quoted(value: str) -> str:
    """A string literal of a query predicate."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
