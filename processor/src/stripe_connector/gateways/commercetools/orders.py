"""commercetools' Order and what it costs: only the fields that the checkout uses."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec import Struct

from stripe_connector.gateways.commercetools.models import (
    Address,
    CartReference,
    PaymentInfo,
    ShippingInfo,
    TaxedPrice,
)
from stripe_connector.ledger.payment import CustomFields, Payment
from stripe_connector.money import Money

LocalizedString = dict[str, str]
"""A text by language tag: `{"en": "Shirt", "de-AT": "Leiberl"}`."""


class Image(Struct, frozen=True):
    url: str
    label: str | None = None


class Attribute(Struct, frozen=True):
    name: str
    value: Any
    """Of the type that the product type declares: a text, a number, an enum, a set of these, ..."""


class OrderedVariant(Struct, frozen=True, rename="camel"):
    id: int
    sku: str | None = None
    images: list[Image] = []
    attributes: list[Attribute] = []


class Price(Struct, frozen=True):
    """The price of one piece before discounts and taxes that are not included."""

    value: Money


class PricedLine(Struct, frozen=True, kw_only=True, rename="camel"):
    """The common fields of lines and custom lines; a custom line may be negative."""

    id: str
    name: LocalizedString
    quantity: int
    total_price: Money
    """Quantity times price after the line's own discounts; taxes only where prices include them."""
    taxed_price: TaxedPrice | None = None


class CartDiscountReference(Struct, frozen=True):
    id: str


class PartOfDiscount(Struct, frozen=True):
    """A cart discount that a price contains."""

    discount: CartDiscountReference


class DiscountedUnit(Struct, frozen=True, rename="camel"):
    included_discounts: list[PartOfDiscount] = []


class DiscountedUnits(Struct, frozen=True, rename="camel"):
    """Some pieces of a line at one discounted price."""

    discounted_price: DiscountedUnit = DiscountedUnit()


class CodeWithDiscounts(Struct, frozen=True, rename="camel"):
    code: str
    cart_discounts: list[CartDiscountReference] = []


class DiscountCodeReference(Struct, frozen=True):
    obj: CodeWithDiscounts | None = None
    """Where the read expanded it."""


class EnteredCode(Struct, frozen=True, rename="camel"):
    """A discount code on a cart or order, whether or not it has an effect."""

    discount_code: DiscountCodeReference


class OrderLine(PricedLine, frozen=True, kw_only=True, rename="camel"):
    variant: OrderedVariant
    price: Price
    line_item_mode: str = "Standard"
    """Standard or GiftLineItem."""
    discounted_price_per_quantity: list[DiscountedUnits] = []

    @property
    def is_gift(self) -> bool:
        return self.line_item_mode == "GiftLineItem"

    @property
    def discounts(self) -> set[str]:
        """Ids of the cart discounts that its price contains."""
        return {
            included.discount.id
            for units in self.discounted_price_per_quantity
            for included in units.discounted_price.included_discounts
        }


class DiscountedShippingPrice(Struct, frozen=True):
    value: Money


class PricedShipping(ShippingInfo, frozen=True, kw_only=True, rename="camel"):
    discounted_price: DiscountedShippingPrice | None = None
    taxed_price: TaxedPrice | None = None

    @property
    def total_price(self) -> Money:
        """The price after discounts on shipping; taxes only where prices include them."""
        return self.discounted_price.value if self.discounted_price else self.price


class Shipping(Struct, frozen=True, rename="camel"):
    """One of several shipping methods, where the lines go to several addresses."""

    shipping_info: PricedShipping


class TotalDiscount(Struct, frozen=True, rename="camel"):
    """A cart discount that no line contains."""

    discounted_amount: Money
    included_discounts: list[PartOfDiscount] = []


class Priced(Struct, frozen=True, kw_only=True, rename="camel"):
    """The fields that decide the price of a cart or an order."""

    total_price: Money
    taxed_price: TaxedPrice | None = None
    """Only where every part of it is taxed."""
    line_items: list[OrderLine] = []
    custom_line_items: list[PricedLine] = []
    shipping_info: PricedShipping | None = None
    shipping: list[Shipping] = []
    """In place of `shipping_info` where there are several."""
    discount_on_total_price: TotalDiscount | None = None
    discount_codes: list[EnteredCode] = []

    @property
    def gross_total(self) -> Money:
        """The amount to pay, taxes included."""
        return self.taxed_price.total_gross if self.taxed_price else self.total_price

    @property
    def shippings(self) -> list[PricedShipping]:
        """Every shipping that is charged."""
        single = [self.shipping_info] if self.shipping_info else []
        return [*single, *(shipping.shipping_info for shipping in self.shipping)]

    def codes_of(self, discounts: Iterable[str]) -> list[str]:
        """The entered codes that brought any of these cart discounts, as far as they are known."""
        brought = set(discounts)
        known = [each.discount_code.obj for each in self.discount_codes]
        return [
            code.code
            for code in known
            if code is not None and brought & {discount.id for discount in code.cart_discounts}
        ]

    def gross(self, part: PricedLine | PricedShipping) -> Money:
        """The part's share of the gross total, before discounts on the total."""
        if self.taxed_price and part.taxed_price:
            return part.taxed_price.total_gross
        return part.total_price


class Payable(Priced, frozen=True, kw_only=True, rename="camel"):
    """A cart or order that payments are made for."""

    id: str
    version: int
    customer_id: str | None = None
    customer_email: str | None = None
    locale: str | None = None
    country: str | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    payment_info: PaymentInfo = PaymentInfo()
    custom: CustomFields | None = None

    @property
    def payments(self) -> list[Payment]:
        """Its payments, where the read expanded them."""
        return [p.obj for p in self.payment_info.payments if p.obj is not None]


class PayableCart(Payable, frozen=True, kw_only=True, rename="camel"):
    """A cart that is paid before it is ordered."""

    cart_state: str = "Active"
    """Active, Merged, Ordered or Frozen."""

    @property
    def is_ordered(self) -> bool:
        return self.cart_state == "Ordered"


class Order(Payable, frozen=True, kw_only=True, rename="camel"):
    created_at: str
    """ISO 8601 in UTC, like `completed_at`."""
    completed_at: str | None = None
    order_number: str | None = None
    order_state: str = "Open"
    """Open, Confirmed, Complete or Cancelled."""
    payment_state: str | None = None
    """BalanceDue, Failed, Pending, CreditOwed or Paid."""
    cart: CartReference | None = None
