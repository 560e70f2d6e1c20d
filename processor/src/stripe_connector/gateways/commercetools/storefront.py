"""What a shop's pages need of commercetools: catalogue, carts and orders as they are shown.

The Structs here hold what a shopper sees; what a cart or an order costs to the last minor unit
belongs to `models` and `orders`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.models import CartReference
from stripe_connector.gateways.commercetools.orders import LocalizedString
from stripe_connector.gateways.outgoing import segment
from stripe_connector.ledger.payment import Reference
from stripe_connector.money import MoneyDraft

T = TypeVar("T")

_PAGE = 500
"""The most that commercetools gives at once."""
MAX_OFFSET = 10_000
"""The most that commercetools skips."""


class Parent(Struct, frozen=True):
    """A reference whose type goes without saying."""

    id: str


class Category(Struct, frozen=True, rename="camel"):
    id: str
    name: LocalizedString
    slug: LocalizedString
    description: LocalizedString = {}
    ancestors: list[Parent] = []
    """From the root to the parent."""
    parent: Parent | None = None


class CategoryReference(Struct, frozen=True):
    id: str
    obj: Category | None = None


class Image(Struct, frozen=True):
    url: str
    label: str | None = None


class ShownPrice(Struct, frozen=True):
    id: str
    value: MoneyDraft


class Attribute(Struct, frozen=True):
    name: str
    value: Any
    """Whatever the product type says: a text, a number, an enum, a set of these, ..."""


class Stock(Struct, frozen=True, rename="camel"):
    is_on_stock: bool = False
    available_quantity: int | None = None


class Availability(Stock, frozen=True, rename="camel"):
    channels: dict[str, Stock] = {}
    """Where stock is kept by supply channel; the fields of its own are then missing."""


class ShownVariant(Struct, frozen=True, rename="camel"):
    id: int
    sku: str | None = None
    price: ShownPrice | None = None
    """The one that was selected for a currency and country."""
    images: list[Image] = []
    attributes: list[Attribute] = []
    availability: Availability | None = None
    """None where nobody counts the stock."""


class Product(Struct, frozen=True, rename="camel"):
    """The published state of a product, with its categories expanded."""

    id: str
    name: LocalizedString
    slug: LocalizedString
    master_variant: ShownVariant
    description: LocalizedString = {}
    categories: list[CategoryReference] = []
    variants: list[ShownVariant] = []
    """Without the master."""


class ProductPage(Struct, frozen=True):
    results: list[Product]
    total: int = 0


class TypedMoney(Struct, frozen=True, rename="camel"):
    type: str
    currency_code: str
    cent_amount: int
    fraction_digits: int


class IncludedDiscount(Struct, frozen=True, rename="camel"):
    discount: Reference
    discounted_amount: TypedMoney


class DiscountedPrice(Struct, frozen=True, rename="camel"):
    value: MoneyDraft
    included_discounts: list[IncludedDiscount] = []


class DiscountedPricePerQuantity(Struct, frozen=True, rename="camel"):
    quantity: int
    discounted_price: DiscountedPrice


class DiscountOnTotalPrice(Struct, frozen=True, rename="camel"):
    discounted_amount: TypedMoney
    included_discounts: list[IncludedDiscount] = []


class CodeOnCart(Struct, frozen=True, rename="camel"):
    discount_code: Reference
    state: str
    """MatchesCart, or why the code has no effect on this cart."""


class ShownLine(Struct, frozen=True, rename="camel"):
    id: str
    name: LocalizedString
    variant: ShownVariant
    quantity: int
    total_price: MoneyDraft
    product_slug: LocalizedString = {}
    discounted_price_per_quantity: list[DiscountedPricePerQuantity] = []


class ShownTaxes(Struct, frozen=True, rename="camel"):
    total_gross: MoneyDraft


class ShownAddress(Struct, frozen=True, rename="camel", omit_defaults=True):
    """An address with the fields that the storefront knows, in and out."""

    id: str | None = None
    country: str | None = None
    title: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    state: str | None = None
    email: str | None = None


class _Totals(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    version: int
    total_price: MoneyDraft
    taxed_price: ShownTaxes | None = None
    customer_id: str | None = None
    locale: str | None = None
    line_items: list[ShownLine] = []
    shipping_address: ShownAddress | None = None

    @property
    def gross_total(self) -> MoneyDraft:
        """What there is to pay, taxes included."""
        return self.taxed_price.total_gross if self.taxed_price else self.total_price


class ShownCart(_Totals, frozen=True, kw_only=True, rename="camel"):
    cart_state: str = "Active"
    """Active, Merged, Ordered or Frozen."""
    discount_codes: list[CodeOnCart] = []
    discount_on_total_price: DiscountOnTotalPrice | None = None
    custom_line_items: list[Parent] = []

    @property
    def is_ordered(self) -> bool:
        return self.cart_state == "Ordered"

    @property
    def is_empty(self) -> bool:
        return not self.line_items and not self.custom_line_items

    def code(self, id_: str) -> CodeOnCart | None:
        """A discount code on the cart."""
        return next((code for code in self.discount_codes if code.discount_code.id == id_), None)


class ShownOrder(_Totals, frozen=True, kw_only=True, rename="camel"):
    created_at: str
    """ISO 8601 in UTC, like `completed_at`."""
    completed_at: str | None = None
    order_number: str | None = None
    order_state: str = "Open"
    payment_state: str | None = None
    customer_email: str | None = None
    billing_address: ShownAddress | None = None
    cart: CartReference | None = None


class DiscountCode(Struct, frozen=True, rename="camel"):
    id: str
    code: str
    is_active: bool
    name: LocalizedString = {}
    description: LocalizedString = {}
    valid_from: str | None = None
    valid_until: str | None = None


class LineDraft(Struct, frozen=True, rename="camel"):
    """One piece of a variant."""

    product_id: str
    variant_id: int
    quantity: int = 1


class AddressDraft(Struct, frozen=True):
    """As much of an address as taxes need."""

    country: str


class CartDraft(Struct, frozen=True, rename="camel", omit_defaults=True):
    currency: str
    country: str
    locale: str
    line_items: list[LineDraft] = []
    shipping_address: AddressDraft | None = None


class _Page(Struct, Generic[T]):
    results: list[T]


_categories = msgspec.json.Decoder(_Page[Category])
_products = msgspec.json.Decoder(ProductPage)
_cart = msgspec.json.Decoder(ShownCart)
_order = msgspec.json.Decoder(ShownOrder)
_orders = msgspec.json.Decoder(_Page[ShownOrder])
_discount_codes = msgspec.json.Decoder(_Page[DiscountCode])


class StorefrontCalls:
    """The part of the gateway that a shop's pages are made with."""

    _api: str
    _client: Client

    # Catalogue

    async def categories(self) -> list[Category]:
        """All categories in the merchant's order."""
        found: list[Category] = []
        while True:
            page = await self._client.get(
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

    async def category_ids_below(self, category_id: str) -> list[str]:
        """The categories under one, at whatever depth; at most as many as a page has."""
        page = await self._client.get(
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

    async def products(
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
        return await self._client.get(
            f"{self._api}/product-projections", _products, subject="products", params=params
        )

    async def product_by_sku(self, sku: str, *, currency: str, country: str) -> Product | None:
        """The published product one of whose variants has a SKU."""
        same = f"sku={quoted(sku)}"
        page = await self._client.get(
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

    async def products_named(
        self, name: str, *, is_id: bool, currency: str, country: str
    ) -> list[Product]:
        """Published products of which `name` is a SKU, the key or, `is_id` says, perhaps the id."""
        same = f"={quoted(name)}"
        where = f"masterVariant(sku{same}) or variants(sku{same}) or key{same}"
        page = await self._client.get(
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

    async def discount_code(self, code: str) -> DiscountCode | None:
        """The discount code that shoppers type as `code`."""
        page = await self._client.get(
            f"{self._api}/discount-codes",
            _discount_codes,
            subject="discount code",
            params={"where": f"code={quoted(code)}", "limit": 1, "withTotal": "false"},
        )
        return page.results[0] if page.results else None

    # Carts and orders

    async def create_cart(self, draft: CartDraft) -> ShownCart:
        return await self._client.post(f"{self._api}/carts", draft, _cart, subject="cart")

    async def shown_cart(self, cart_id: str) -> ShownCart:
        """Raises NotFound."""
        return await self._client.get(
            f"{self._api}/carts/{segment(cart_id)}", _cart, subject="cart"
        )

    async def update_cart(
        self, cart_id: str, version: int, actions: Sequence[Mapping[str, object]]
    ) -> ShownCart:
        """Raises VersionConflict, NotFound, and InvalidRequest where the cart does not allow it."""
        return await self._client.post(
            f"{self._api}/carts/{segment(cart_id)}",
            {"version": version, "actions": actions},
            _cart,
            subject="cart",
        )

    async def create_order(self, cart_id: str, version: int, order_number: str) -> ShownOrder:
        """An open order of a cart at a version.

        Raises VersionConflict, DuplicateField where the number is taken, and InvalidRequest where
        commercetools takes no such cart. It may have been created after BackendUnavailable.
        """
        return await self._client.post(
            f"{self._api}/orders",
            {
                "cart": Reference(type_id="cart", id=cart_id),
                "version": version,
                "orderNumber": order_number,
                "orderState": "Open",
            },
            _order,
            subject="order",
        )

    async def shown_order(self, order_id: str) -> ShownOrder:
        """Raises NotFound."""
        return await self._client.get(
            f"{self._api}/orders/{segment(order_id)}", _order, subject="order"
        )

    async def order_by_number(self, order_number: str) -> ShownOrder | None:
        try:
            return await self._client.get(
                f"{self._api}/orders/order-number={segment(order_number)}", _order, subject="order"
            )
        except NotFound:
            return None

    async def order_of_cart(self, cart_id: str) -> ShownOrder | None:
        """The order that a cart became, whoever placed it."""
        page = await self._client.get(
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
