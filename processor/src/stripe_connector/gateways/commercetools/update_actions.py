"""Update actions of orders, carts, customers and payment methods, as they are sent.

Each kind of resource has a base of its own, so that no action reaches another kind. Those of a
Payment are in `ledger.actions`.

Names and fields: https://docs.commercetools.com/api/projects/carts#update-actions, and the same
section of orders, customers and payment methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.ledger.payment import Reference


class ActionOnOrder(Struct, frozen=True, rename="camel", tag_field="action"):
    """Base of an order's actions; `action` is added by the encoder."""


class ChangeOrderPaymentState(ActionOnOrder, frozen=True, tag="changePaymentState"):
    payment_state: Literal["Paid", "Failed"]


class ChangeOrderState(ActionOnOrder, frozen=True, tag="changeOrderState"):
    order_state: Literal["Confirmed", "Cancelled"]


class ActionOnCart(Struct, frozen=True, rename="camel", tag_field="action"):
    """Base of a cart's actions."""


class AddToCart(ActionOnCart, frozen=True, tag="addLineItem"):
    sku: str
    quantity: int


class ChangeCartQuantity(ActionOnCart, frozen=True, tag="changeLineItemQuantity"):
    line_item_id: str
    quantity: int


class RemoveFromCart(ActionOnCart, frozen=True, tag="removeLineItem"):
    line_item_id: str
    quantity: int | UnsetType = UNSET


class SetCartAddress(ActionOnCart, frozen=True, tag="setShippingAddress"):
    address: Mapping[str, str]


class SetCartEmail(ActionOnCart, frozen=True, tag="setCustomerEmail"):
    email: str


class AddCartCode(ActionOnCart, frozen=True, tag="addDiscountCode"):
    code: str


class RemoveCartCode(ActionOnCart, frozen=True, tag="removeDiscountCode"):
    discount_code: Reference


class RecalculateCart(ActionOnCart, frozen=True, tag="recalculate"):
    """Takes prices, discounts and taxes anew."""


class ActionOnCustomer(Struct, frozen=True, rename="camel", tag_field="action"):
    """Base of a customer's actions."""


class SetCustomerType(ActionOnCustomer, frozen=True, tag="setCustomType"):
    type: Reference
    fields: Mapping[str, str]


class SetCustomerField(ActionOnCustomer, frozen=True, tag="setCustomField"):
    name: str
    value: str | UnsetType = UNSET
    """Not set: the field is removed."""


class ActionOnMethod(Struct, frozen=True, rename="camel", tag_field="action"):
    """Base of a stored payment method's actions."""


class SetMethodStatus(ActionOnMethod, frozen=True, tag="setPaymentMethodStatus"):
    payment_method_status: Literal["Active", "Inactive"]
