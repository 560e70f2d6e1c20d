"""Carts that are paid first and ordered then: one order each, whoever sees the payment first."""

from __future__ import annotations

import logging

from msgspec import Struct

from stripe_connector import context
from stripe_connector.checkout import shapes
from stripe_connector.checkout.fulfil import Fulfiller, Standing
from stripe_connector.checkout.orders import latest_payment, processing, secured
from stripe_connector.checkout.place_order import Orders
from stripe_connector.errors import VersionConflict
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.ours import Ours
from stripe_connector.payments.own_account import OwnAccount

logger = logging.getLogger(__name__)


class Fulfilled(Struct, frozen=True):
    """What became of a cart; `order` is there once its money is secured."""

    standing: Standing
    order: shapes.Order | None = None


class CartFulfiller:
    """Places the order of a cart when, and only when, Stripe holds exactly what the cart costs."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        orders: Orders,
        fulfiller: Fulfiller,
        account: OwnAccount,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._orders = orders
        self._fulfiller = fulfiller
        self._account = account

    async def look(self, cart_id: str) -> Fulfilled:
        """Ask Stripe what became of the cart's latest payment, record it, and fulfil.

        Raises NotFound, and what commercetools refuses the order with: the money stays recorded
        on the cart, and asking again tries again.
        """
        cart = await self._commercetools.payable_cart(cart_id)
        if not cart.is_ordered:
            latest = latest_payment(cart, await self._account.ours())
            if latest is not None:
                await self._fulfiller.refresh(latest)
        return await self.recorded(cart_id)

    async def recorded(self, cart_id: str) -> Fulfilled:
        """Fulfil what the cart's payments say already; for webhooks, which record first."""
        cart = await self._commercetools.payable_cart(cart_id)
        if not cart.is_ordered:
            if not await self._account.may_sell():
                logger.error("Test keys place no order in a project that takes real payments")
                return Fulfilled("unpaid")
            ours = await self._account.ours()
            if _secured(cart, ours):
                cart = await self._with_email(cart)
            if not cart.is_ordered and not _secured(cart, ours):
                return Fulfilled("processing" if processing(cart) else "unpaid")
        order = (await self._orders.place(cart_id)).order
        context.note(order=order.id)
        return Fulfilled(await self._fulfiller.recorded(order.id), order)

    async def _with_email(self, cart: PayableCart) -> PayableCart:
        """The cart with the address that the shopper told Stripe: an order needs to be answered."""
        latest = latest_payment(cart, await self._account.ours())
        if cart.customer_email or latest is None or latest.interface_id is None:
            return cart
        session = await self._stripe.session_of_intent(latest.interface_id)
        email = session.customer_details.email if session and session.customer_details else None
        if email is None:
            return cart
        action = {"action": "setCustomerEmail", "email": email}
        try:
            await self._commercetools.update_cart(cart.id, cart.version, [action])
        except VersionConflict:
            logger.info("Somebody else completes this cart")
        return await self._commercetools.payable_cart(cart.id)


def _secured(cart: PayableCart, ours: Ours) -> bool:
    """Whether the order may be placed; money that does not fit the cart is for the merchant."""
    if secured(cart, ours):
        return True
    if any(payment.total("Charge", "Success") for payment in cart.payments):
        logger.error(
            "A cart costs another amount than was paid: no order is placed",
            extra={"fields": {"cart": cart.id, "total": str(cart.gross_total)}},
        )
    return False
