"""Catalogue, carts and orders as a shop's pages show them.

What a cart or an order costs to the last minor unit belongs to `models` and `orders`.
"""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.gateways.commercetools.models import CartReference
from stripe_connector.gateways.commercetools.orders import Attribute, Image, LocalizedString
from stripe_connector.ledger.payment import Reference
from stripe_connector.money import MoneyDraft


class Parent(Struct, frozen=True):
    """A reference whose type is known from the field."""

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


class ShownPrice(Struct, frozen=True):
    id: str
    value: MoneyDraft


class Stock(Struct, frozen=True, rename="camel"):
    is_on_stock: bool = False
    available_quantity: int | None = None


class Availability(Stock, frozen=True, rename="camel"):
    channels: dict[str, Stock] = {}
    """Stock by supply channel; the fields above are then missing."""


class ShownVariant(Struct, frozen=True, rename="camel"):
    id: int
    sku: str | None = None
    price: ShownPrice | None = None
    """The one that was selected for a currency and country."""
    images: list[Image] = []
    attributes: list[Attribute] = []
    availability: Availability | None = None
    """None where stock is not tracked."""


class Product(Struct, frozen=True, rename="camel"):
    """The published state of a product, with its categories expanded."""

    id: str
    name: LocalizedString
    slug: LocalizedString
    master_variant: ShownVariant
    description: LocalizedString = {}
    categories: list[CategoryReference] = []
    variants: list[ShownVariant] = []
    """Without the master variant."""


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
        """The amount to pay, taxes included."""
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
    """The part of an address that taxes need."""

    country: str


class CartDraft(Struct, frozen=True, rename="camel", omit_defaults=True):
    currency: str
    country: str
    locale: str
    line_items: list[LineDraft] = []
    shipping_address: AddressDraft | None = None
