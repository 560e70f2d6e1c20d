"""commercetools' resources: only the fields that the connector uses.

Unknown fields are ignored, so a new field on their side costs nothing here. The Payment itself
belongs to the ledger (`ledger.payment`).
"""

from __future__ import annotations

import re
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.ledger.actions import TransactionDraft
from stripe_connector.ledger.payment import CustomFields, Payment, Reference, Token
from stripe_connector.money import Money, MoneyDraft

_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def is_id(text: str) -> bool:
    """Whether a text has the form of commercetools' ids.

    Other texts are never sent: `order-number=1` or `key=x` would find resources by values that can
    be guessed, while an id cannot.
    """
    return _ID.fullmatch(text) is not None


class Address(Struct, frozen=True, rename="camel"):
    country: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    street_name: str | None = None
    street_number: str | None = None
    additional_street_info: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    state: str | None = None
    phone: str | None = None
    mobile: str | None = None
    email: str | None = None


class TaxedPrice(Struct, frozen=True, rename="camel"):
    total_net: Money
    total_gross: Money
    total_tax: Money | None = None


class ShippingInfo(Struct, frozen=True, rename="camel"):
    shipping_method_name: str
    price: Money


class CartShipping(Struct, frozen=True, rename="camel"):
    """One of several deliveries, where the shipping mode is Multiple."""

    shipping_info: ShippingInfo
    shipping_address: Address | None = None


class LineItem(Struct, frozen=True, rename="camel"):
    """A line or custom line: the fields that payments need."""

    id: str
    recurrence_info: Any | None = None


class KeyReference(Struct, frozen=True, rename="camel"):
    """A reference by key, as stores are referenced."""

    key: str


class PaymentReference(Struct, frozen=True):
    """A payment on a cart or order; `obj` is there when the read expanded it."""

    id: str
    obj: Payment | None = None


class PaymentInfo(Struct, frozen=True):
    payments: list[PaymentReference] = []


class CartLock(Struct, frozen=True, rename="camel"):
    """The merchant is editing the cart: no one else may change it."""

    created_at: str | None = None


class Cart(Struct, frozen=True, rename="camel"):
    id: str
    version: int
    total_price: Money
    cart_state: str = "Active"
    """Active, Merged, Ordered or Frozen."""
    lock: CartLock | None = None
    taxed_price: TaxedPrice | None = None
    customer_id: str | None = None
    anonymous_id: str | None = None
    customer_email: str | None = None
    country: str | None = None
    locale: str | None = None
    store: KeyReference | None = None
    billing_address: Address | None = None
    shipping_address: Address | None = None
    shipping_info: ShippingInfo | None = None
    shipping: list[CartShipping] = []
    """In place of both where the shipping mode is Multiple."""
    line_items: list[LineItem] = []
    custom_line_items: list[LineItem] = []
    payment_info: PaymentInfo = PaymentInfo()
    custom: CustomFields | None = None

    @property
    def payments(self) -> list[Payment]:
        """The cart's payments, where the read expanded them."""
        return [p.obj for p in self.payment_info.payments if p.obj is not None]

    @property
    def gross_total(self) -> Money:
        """What the cart costs, taxes included."""
        return self.taxed_price.total_gross if self.taxed_price else self.total_price

    @property
    def deliveries(self) -> list[ShippingInfo]:
        """Every shipping that is charged, whatever the shipping mode."""
        single = [self.shipping_info] if self.shipping_info else []
        return [*single, *(each.shipping_info for each in self.shipping)]

    @property
    def delivery_address(self) -> Address | None:
        """The shipping address; of several, the first."""
        several = (each.shipping_address for each in self.shipping)
        return self.shipping_address or next((each for each in several if each is not None), None)

    @property
    def is_recurring(self) -> bool:
        """Whether a line recurs and there is a customer to charge again."""
        return self.customer_id is not None and any(
            line.recurrence_info for line in [*self.line_items, *self.custom_line_items]
        )


class Customer(Struct, frozen=True, rename="camel"):
    id: str
    version: int
    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    addresses: list[Address] = []
    custom: CustomFields | None = None


class CartReference(Struct, frozen=True):
    id: str


class ActiveCart(Struct, frozen=True, rename="camel"):
    cart_ref: CartReference


class SessionMetadata(Struct, frozen=True, rename="camel"):
    """Metadata that the storefront or Checkout gave the session."""

    allowed_payment_methods: list[str] = []
    processor_url: str | None = None
    payment_interface: str | None = None
    checkout_transaction_item_id: str | None = None
    merchant_return_url: str | None = None
    future_order_number: str | None = None
    gift_card_planned_amount: MoneyDraft | None = None
    correlation_id: str | None = None


class Session(Struct, frozen=True, rename="camel"):
    """A Checkout session (https://docs.commercetools.com/checkout/sessions-api)."""

    id: str
    state: str
    expiry_at: str | None = None
    active_cart: ActiveCart | None = None
    metadata: SessionMetadata = SessionMetadata()

    @property
    def cart_id(self) -> str | None:
        return self.active_cart.cart_ref.id if self.active_cart else None


class Introspection(Struct, frozen=True):
    """The authorization server's answer about an access token (RFC 7662)."""

    active: bool
    scope: str | None = None
    client_id: str | None = None
    exp: int | None = None
    """Unix seconds; commercetools sends milliseconds in some answers, the gateway normalises."""


class PaymentMethod(Struct, frozen=True, rename="camel"):
    """A stored payment method of a customer."""

    id: str
    version: int
    created_at: str
    customer: Reference | None = None
    payment_interface: str | None = None
    interface_account: str | None = None
    method: str | None = None
    token: Token | None = None
    payment_method_status: str = "Active"
    default: bool = False

    @property
    def is_active(self) -> bool:
        """Whether it may be offered to the customer."""
        return self.payment_method_status == "Active"

    @property
    def token_value(self) -> str | None:
        """Stripe's id of the method."""
        return self.token.value if self.token else None


class TokenValue(Struct, frozen=True):
    value: str


class PaymentMethodInfoDraft(Struct, frozen=True, rename="camel"):
    payment_interface: str
    interface_account: str | UnsetType = UNSET
    method: str | UnsetType = UNSET
    token: TokenValue | UnsetType = UNSET


class PaymentDraft(Struct, frozen=True, rename="camel"):
    """A new Payment. `key` makes creation idempotent: a second one is a DuplicateField."""

    key: str
    amount_planned: MoneyDraft
    payment_method_info: PaymentMethodInfoDraft
    customer: Reference | UnsetType = UNSET
    anonymous_id: str | UnsetType = UNSET
    checkout_transaction_item_id: str | UnsetType = UNSET
    interface_id: str | UnsetType = UNSET
    transactions: list[TransactionDraft] | UnsetType = UNSET
    interface_interactions: list[CustomFields] | UnsetType = UNSET


class PaymentMethodDraft(Struct, frozen=True, rename="camel"):
    """A new stored method. `key` makes creation idempotent, like a payment's."""

    key: str
    customer: Reference
    payment_interface: str
    method: str
    token: TokenValue
    interface_account: str | UnsetType = UNSET
    payment_method_status: str = "Active"
    default: bool = False
