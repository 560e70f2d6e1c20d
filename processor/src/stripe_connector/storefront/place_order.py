"""Places orders: one per cart, despite repeated requests and crashes.

The order's number follows from the cart's id. commercetools lets no two orders have the same
number and no cart be ordered twice, so a repetition, on any instance, finds the order that
the first try placed even if its answer was lost.
"""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta

from msgspec import Struct

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.concurrency import TRIES
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    ConnectorError,
    DuplicateField,
    InvalidRequest,
    NotFound,
    VersionConflict,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.commercetools.shown import ShownCart, ShownOrder
from stripe_connector.gateways.commercetools.update_actions import RecalculateCart
from stripe_connector.settings import Settings
from stripe_connector.storefront import views
from stripe_connector.storefront.catalogue import read_cart


class Placed(Struct, frozen=True):
    order: views.OrderView
    is_new: bool


class Orders:
    """Places orders and shows them. Any caller with an order's id may see it."""

    def __init__(self, commercetools: Commercetools, settings: Settings, clock: Clock) -> None:
        self._commercetools = commercetools
        self._clock = clock
        self._locale = settings.storefront_locale
        self._personal_for = timedelta(minutes=settings.bff_order_pii_minutes)

    async def order(self, order_id: str) -> views.OrderView:
        """Raises the same NotFound for every order that does not exist or may not be seen."""
        if not is_id(order_id):
            raise NotFound("The order was not found.")
        return self._shown(await self._commercetools.get_shown_order(order_id))

    async def place(self, cart_id: str, *, paid: bool = False) -> Placed:
        """Place the one order of a cart, open and not paid yet when it is new.

        A cart that is `paid` always keeps its prices. Raises NotFound, InvalidRequest where the
        cart cannot be ordered as it is, and BackendUnavailable where it is unknown whether it was:
        placing it again shows that.
        """
        cart = await read_cart(self._commercetools, cart_id)
        for tries in range(1, TRIES + 1):
            if cart.is_ordered:
                return self._placed(await self._existing(cart), is_new=False)
            try:
                return self._placed(
                    await self._commercetools.create_order(
                        cart.id, cart.version, order_number(cart.id)
                    ),
                    is_new=True,
                )
            except (BackendUnavailable, DuplicateField) as error:
                found = await self._numbered(cart)
                if found is None:
                    raise
                return self._placed(found, is_new=isinstance(error, BackendUnavailable))
            except (VersionConflict, InvalidRequest) as error:
                cart = await self._commercetools.get_shown_cart(cart_id)
                last = isinstance(error, InvalidRequest) or tries == TRIES
                if last and not cart.is_ordered:
                    raise await self._refusal(error, cart, paid=paid) from error
        return self._placed(await self._existing(cart), is_new=False)

    async def _refusal(
        self, error: ConnectorError, cart: ShownCart, *, paid: bool
    ) -> ConnectorError:
        """commercetools' refusal as a text for the shopper, with prices brought up to date."""
        if paid:
            return error
        if error.code == "PriceChanged":
            await self._commercetools.update_cart(cart.id, cart.version, [RecalculateCart()])
            return Conflict("Prices have changed. Check the cart and order again.", code=error.code)
        if isinstance(error, InvalidRequest) and cart.is_empty:
            return InvalidRequest("The cart is empty.", code="EmptyCart")
        if isinstance(error, InvalidRequest) and cart.shipping_address is None:
            return InvalidRequest(
                "The cart has no shipping address.", code="MissingShippingAddress"
            )
        return error

    async def _existing(self, cart: ShownCart) -> ShownOrder:
        """The order of an ordered cart: ours, or one that another program placed."""
        found = await self._numbered(cart) or await self._commercetools.find_order_of_cart(cart.id)
        if found is None:
            raise Conflict("The cart was ordered, but its order was deleted.", code="CartOrdered")
        return found

    async def _numbered(self, cart: ShownCart) -> ShownOrder | None:
        found = await self._commercetools.find_order_by_number(order_number(cart.id))
        ours = found is not None and found.cart is not None and found.cart.id == cart.id
        return found if ours else None

    def _placed(self, order: ShownOrder, *, is_new: bool) -> Placed:
        cart = order.cart.id if order.cart is not None else None
        context.note(order=order.id, orderNumber=order.order_number, cart=cart, new=is_new)
        return Placed(self._shown(order), is_new)

    def _shown(self, order: ShownOrder) -> views.OrderView:
        age = self._clock.now() - datetime.fromisoformat(order.created_at)
        return views.order_view(order, self._locale, personal=age < self._personal_for)


def order_number(cart_id: str) -> str:
    """The number of the order that a cart becomes, such as `5QH2M-ZD7RA-K3XPT`.

    A hash, because a number is printed and read aloud while a cart's id gives access to it.
    """
    digest = hashlib.sha256(f"order of cart {cart_id}".encode()).digest()
    letters = base64.b32encode(digest).decode()[:15]
    return "-".join(letters[start : start + 5] for start in range(0, 15, 5))
