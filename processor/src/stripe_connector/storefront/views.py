"""The storefront contract: converts commercetools' resources into what its pages expect.

The shapes are those of the published storefront client, quirks included: a line's `totalPrice` is
a bare number while a cart's is an object, ids of variants are strings, an order's `origin` is its
cart's id, and `variants` of a product contain the master.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.gateways.commercetools import shown as commercetools
from stripe_connector.gateways.commercetools.orders import LocalizedString
from stripe_connector.gateways.commercetools.shown import (
    CodeOnCart,
    DiscountedPricePerQuantity,
    DiscountOnTotalPrice,
    Parent,
    ShownAddress,
    ShownCart,
    ShownLine,
    ShownOrder,
    ShownPrice,
    ShownVariant,
)
from stripe_connector.money import MoneyDraft
from stripe_connector.storefront.attributes import SHOWN, AttributeValue, attribute_value
from stripe_connector.storefront.names import localized

ALL_PRODUCTS = "all"
"""Id and slug of the root that stands above several roots."""
_ALL_PRODUCTS_NAME: LocalizedString = {"en": "All products", "de": "Alle Produkte"}


class Ancestor(Struct, frozen=True):
    id: str
    type: str = "category"


class CategoryView(Struct, frozen=True):
    id: str
    name: str
    slug: str
    description: str
    ancestors: list[Ancestor]
    parent: Parent | None


class ImageView(Struct, frozen=True):
    url: str
    label: str


class AttributeView(Struct, frozen=True):
    name: str
    value: AttributeValue


class AvailabilityView(Struct, frozen=True, rename="camel"):
    is_on_stock: bool
    available_qty: int | UnsetType = UNSET
    """Missing where stock is not tracked."""


class VariantView(Struct, frozen=True):
    id: str
    sku: str | None
    name: str
    slug: str
    images: list[ImageView]
    prices: list[ShownPrice]
    """The price that a cart would use, or none."""
    attributes: list[AttributeView]
    availability: AvailabilityView


class ProductView(Struct, frozen=True, rename="camel"):
    id: str
    name: str
    description: str
    slug: str
    categories: list[CategoryView]
    variants: list[VariantView]
    master_variant: VariantView


class ProductList(Struct, frozen=True):
    limit: int
    offset: int
    """As requested."""
    total: int
    results: list[ProductView]


class LineView(Struct, frozen=True, rename="camel"):
    id: str
    variant: VariantView
    quantity: int
    total_price: int
    """In the currency's minor unit."""
    currency_code: str
    discounted_price_per_quantity: list[DiscountedPricePerQuantity] | UnsetType = UNSET


class CartView(Struct, frozen=True, rename="camel"):
    id: str
    version: int
    customer_id: str | None
    line_items: list[LineView]
    total_price: MoneyDraft
    """The amount to pay."""
    total_quantity: int
    discount_codes: list[CodeOnCart]
    discount_on_total_price: DiscountOnTotalPrice | UnsetType = UNSET


class OrderView(Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    version: int
    order_number: str | UnsetType = UNSET
    customer_id: str | UnsetType = UNSET
    customer_email: str | UnsetType = UNSET
    line_items: list[LineView]
    total_price: MoneyDraft
    total_quantity: int
    billing_address: ShownAddress | UnsetType = UNSET
    shipping_address: ShownAddress | UnsetType = UNSET
    origin: str | UnsetType = UNSET
    order_state: str
    payment_state: str | UnsetType = UNSET
    """Missing until a payment was started."""
    created_at: str
    completed_at: str | UnsetType = UNSET


class DiscountCodeView(Struct, frozen=True):
    """A code that is valid now."""

    id: str
    code: str
    name: str
    description: str


def categories_view(found: Sequence[commercetools.Category], locale: str) -> list[CategoryView]:
    """All categories under one root.

    The storefront's pages start from the first category without a parent and show what is below
    it. So where a project has several roots, one more is put above them.
    """
    if sum(category.parent is None for category in found) <= 1:
        return [_category(category, locale) for category in found]
    root = CategoryView(
        ALL_PRODUCTS, localized(_ALL_PRODUCTS_NAME, locale), ALL_PRODUCTS, "", [], None
    )
    return [root, *(_category(category, locale, root=ALL_PRODUCTS) for category in found)]


def _category(
    category: commercetools.Category, locale: str, *, root: str | None = None
) -> CategoryView:
    above = [Ancestor(root)] if root else []
    return CategoryView(
        id=category.id,
        name=localized(category.name, locale),
        slug=localized(category.slug, locale),
        description=localized(category.description, locale),
        ancestors=[*above, *(Ancestor(ancestor.id) for ancestor in category.ancestors)],
        parent=category.parent or (Parent(root) if root else None),
    )


def product_view(found: commercetools.Product, locale: str) -> ProductView:
    name, slug = localized(found.name, locale), localized(found.slug, locale)
    master = _variant(found.master_variant, name, slug, locale)
    return ProductView(
        id=found.id,
        name=name,
        description=localized(found.description, locale),
        slug=slug,
        categories=[
            _category(reference.obj, locale)
            for reference in found.categories
            if reference.obj is not None
        ],
        variants=[master, *(_variant(each, name, slug, locale) for each in found.variants)],
        master_variant=master,
    )


def _variant(variant: ShownVariant, name: str, slug: str, locale: str) -> VariantView:
    return VariantView(
        id=str(variant.id),
        sku=variant.sku,
        name=name,
        slug=slug,
        images=[ImageView(image.url, image.label or "") for image in variant.images],
        prices=[variant.price] if variant.price else [],
        attributes=[
            AttributeView(
                SHOWN.get(attribute.name.lower(), attribute.name),
                attribute_value(attribute.value, locale),
            )
            for attribute in variant.attributes
        ],
        availability=_availability(variant.availability),
    )


def _availability(known: commercetools.Availability | None) -> AvailabilityView:
    if known is None:
        return AvailabilityView(is_on_stock=True)
    stocks: list[commercetools.Stock] = [*known.channels.values()] or [known]
    counted = [s.available_quantity for s in stocks if s.available_quantity is not None]
    return AvailabilityView(
        is_on_stock=any(stock.is_on_stock for stock in stocks),
        available_qty=sum(counted) if counted else UNSET,
    )


def _lines(lines: Iterable[ShownLine], locale: str) -> list[LineView]:
    return [
        LineView(
            id=line.id,
            variant=_variant(
                line.variant,
                localized(line.name, locale),
                localized(line.product_slug, locale),
                locale,
            ),
            quantity=line.quantity,
            total_price=line.total_price.cent_amount,
            currency_code=line.total_price.currency_code,
            discounted_price_per_quantity=line.discounted_price_per_quantity or UNSET,
        )
        for line in lines
    ]


def cart_view(found: ShownCart, locale: str) -> CartView:
    return CartView(
        id=found.id,
        version=found.version,
        customer_id=found.customer_id,
        line_items=_lines(found.line_items, found.locale or locale),
        total_price=found.gross_total,
        total_quantity=_pieces(found.line_items),
        discount_codes=found.discount_codes,
        discount_on_total_price=found.discount_on_total_price or UNSET,
    )


def order_view(found: ShownOrder, locale: str, *, personal: bool) -> OrderView:
    """An order, with or without personal data."""
    return OrderView(
        id=found.id,
        version=found.version,
        order_number=found.order_number or UNSET,
        customer_id=(personal and found.customer_id) or UNSET,
        customer_email=(personal and found.customer_email) or UNSET,
        line_items=_lines(found.line_items, found.locale or locale),
        total_price=found.gross_total,
        total_quantity=_pieces(found.line_items),
        billing_address=(personal and found.billing_address) or UNSET,
        shipping_address=(personal and found.shipping_address) or UNSET,
        origin=found.cart.id if found.cart else UNSET,
        order_state=found.order_state,
        payment_state=found.payment_state or UNSET,
        created_at=found.created_at,
        completed_at=found.completed_at or UNSET,
    )


def discount_code_view(found: commercetools.DiscountCode, locale: str) -> DiscountCodeView:
    return DiscountCodeView(
        id=found.id,
        code=found.code,
        name=localized(found.name, locale),
        description=localized(found.description, locale),
    )


def _pieces(lines: Iterable[ShownLine]) -> int:
    return sum(line.quantity for line in lines)
