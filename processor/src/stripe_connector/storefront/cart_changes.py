"""Changes that a storefront's page may make to a cart, and their update actions."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, field

from stripe_connector.gateways.commercetools.shown import ShownAddress, ShownCart
from stripe_connector.gateways.commercetools.update_actions import (
    ActionOnCart,
    AddCartCode,
    AddToCart,
    ChangeCartQuantity,
    RemoveCartCode,
    RemoveFromCart,
    SetCartAddress,
    SetCartEmail,
)
from stripe_connector.ledger.payment import Reference

Text = Annotated[str, Meta(min_length=1, max_length=256)]
Line = Annotated[str, Meta(min_length=1, max_length=256)]
Quantity = Annotated[int, Meta(ge=0, le=1_000_000)]

_MAX_TEXT = 512


class _Change(Struct, frozen=True, kw_only=True, tag_field="action"):
    """Each change has `actions`: the update actions of commercetools that carry it out."""

    version: int | None = None
    """The version of the cart that the page shows; it may be stale."""

    def done_in(self, _cart: ShownCart) -> bool:
        """Whether the cart is already as after this change."""
        return False


class AddedLine(Struct, frozen=True, rename="camel"):
    variant_id: Text
    """The SKU of the variant."""
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class AddLineItem(_Change, frozen=True, kw_only=True, tag="AddLineItem"):
    line: AddedLine = field(name="AddLineItem")

    def actions(self) -> list[ActionOnCart]:
        return [AddToCart(self.line.variant_id, self.line.quantity)]


class ChangedLine(Struct, frozen=True, rename="camel"):
    line_item_id: Line
    quantity: Quantity
    """0 removes the line."""


class ChangeLineItemQuantity(_Change, frozen=True, kw_only=True, tag="ChangeLineItemQuantity"):
    line: ChangedLine = field(name="ChangeLineItemQuantity")

    def actions(self) -> list[ActionOnCart]:
        return [ChangeCartQuantity(self.line.line_item_id, self.line.quantity)]

    def done_in(self, cart: ShownCart) -> bool:
        return self.line.quantity == 0 and not _has_line(cart, self.line.line_item_id)


class RemovedLine(Struct, frozen=True, rename="camel"):
    line_item_id: Line
    quantity: Quantity | None = None


class RemoveLineItem(_Change, frozen=True, kw_only=True, tag="RemoveLineItem"):
    line: RemovedLine = field(name="RemoveLineItem")

    def actions(self) -> list[ActionOnCart]:
        return [RemoveFromCart(self.line.line_item_id, self.line.quantity or UNSET)]

    def done_in(self, cart: ShownCart) -> bool:
        return not _has_line(cart, self.line.line_item_id)


class GivenAddress(ShownAddress, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """A shipping address as a shopper types it; empty fields count as missing."""

    country: Annotated[str, Meta(pattern="^[A-Za-z]{2}$", max_length=2)]

    def given(self) -> dict[str, str]:
        """The fields that are not empty, under commercetools' names."""
        named = {
            "country": self.country.upper(),
            "title": self.title,
            "firstName": self.first_name,
            "lastName": self.last_name,
            "streetName": self.street_name,
            "streetNumber": self.street_number,
            "postalCode": self.postal_code,
            "city": self.city,
            "region": self.region,
            "state": self.state,
            "email": self.email,
        }
        trimmed = {name: (text or "").strip()[:_MAX_TEXT] for name, text in named.items()}
        return {name: text for name, text in trimmed.items() if text}


class SetShippingAddress(_Change, frozen=True, kw_only=True, tag="SetShippingAddress"):
    address: GivenAddress = field(name="SetShippingAddress")

    def actions(self) -> list[ActionOnCart]:
        address = self.address.given()
        actions: list[ActionOnCart] = [SetCartAddress(address)]
        if "email" in address:
            actions.append(SetCartEmail(address["email"]))
        return actions


class AddedCode(Struct, frozen=True):
    code: Text


class AddDiscountCode(_Change, frozen=True, kw_only=True, tag="AddDiscountCode"):
    added: AddedCode = field(name="AddDiscountCode")

    def actions(self) -> list[ActionOnCart]:
        return [AddCartCode(self.added.code)]


class RemovedCode(Struct, frozen=True):
    id: Text


class RemoveDiscountCode(_Change, frozen=True, kw_only=True, tag="RemoveDiscountCode"):
    removed: RemovedCode = field(name="RemoveDiscountCode")

    def actions(self) -> list[ActionOnCart]:
        return [RemoveCartCode(Reference("discount-code", self.removed.id))]

    def done_in(self, cart: ShownCart) -> bool:
        return cart.code(self.removed.id) is None


CartChange = (
    AddLineItem
    | ChangeLineItemQuantity
    | RemoveLineItem
    | SetShippingAddress
    | AddDiscountCode
    | RemoveDiscountCode
)


def _has_line(cart: ShownCart, line_item_id: str) -> bool:
    return any(line.id == line_item_id for line in cart.line_items)
