"""Places the orders of carts that are paid before they are ordered: one order per cart."""

from __future__ import annotations

import logging
from collections.abc import Callable

from msgspec import Struct

from stripe_connector import context
from stripe_connector.errors import Conflict, InvalidRequest, VersionConflict
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.gateways.commercetools.update_actions import SetCartEmail
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.merge import ORDER_FAILED
from stripe_connector.ledger.ours import Ours
from stripe_connector.payments.limits import kept_amount
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.storefront import views
from stripe_connector.storefront.fulfil import Fulfiller, Standing
from stripe_connector.storefront.order_state import (
    is_processing,
    is_secured,
    latest_payment,
    our_payments,
)
from stripe_connector.storefront.place_order import Orders

logger = logging.getLogger(__name__)


class Fulfilled(Struct, frozen=True):
    """The state of a cart; `order` is set once its money is secured."""

    standing: Standing
    order: views.OrderView | None = None


class CartFulfiller:
    """Places the order of a cart when, and only when, Stripe holds exactly what the cart costs."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        orders: Orders,
        fulfiller: Fulfiller,
        recorder: Recorder,
        modifier: Modifier,
        account: OwnAccount,
        *,
        observe_failed: Callable[[], None] = lambda: None,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._orders = orders
        self._fulfiller = fulfiller
        self._recorder = recorder
        self._modifier = modifier
        self._observe_failed = observe_failed
        self._account = account

    async def refresh_and_fulfil(self, cart_id: str) -> Fulfilled:
        """Read the cart's latest payment from Stripe, record it, and fulfil.

        Raises NotFound.
        """
        cart = await self._commercetools.get_payable_cart(cart_id)
        if not cart.is_ordered:
            latest = latest_payment(cart, await self._account.ours())
            if latest is not None:
                await self._fulfiller.sync_payment(latest)
        return await self.fulfil(cart_id)

    async def fulfil(self, cart_id: str) -> Fulfilled:
        """Fulfil what the cart's payments say already; for webhooks, which record first.

        A paid cart whose order commercetools refuses permanently is marked, for a person or our
        rules. Raises BackendUnavailable and VersionConflict, where a repetition may help.
        """
        cart = await self._commercetools.get_payable_cart(cart_id)
        if not cart.is_ordered:
            if not await self._account.may_sell():
                logger.error("Test keys place no order in a project that takes real payments")
                return Fulfilled("unpaid")
            ours = await self._account.ours()
            if is_secured(cart, ours):
                cart = await self._with_email(cart)
            if not cart.is_ordered and not is_secured(cart, ours):
                if is_processing(cart):
                    return Fulfilled("processing")
                return await self._failed(cart, ours, f"The cart costs {cart.gross_total} by now.")
        try:
            order = (await self._orders.place(cart_id, paid=True)).order
        except VersionConflict:
            raise
        except (Conflict, InvalidRequest) as error:
            return await self._failed(cart, await self._account.ours(), error.message)
        context.note(order=order.id)
        for payment in cart.payments:
            await self._recorder.clear_order_failed(payment)
        return Fulfilled(await self._fulfiller.fulfil(order.id), order)

    async def _failed(self, cart: PayableCart, ours: Ours, reason: str) -> Fulfilled:
        """Mark money for which no order can be placed; without money, the cart is unpaid."""
        held = [each for each in our_payments(cart, ours) if kept_amount(each) > 0]
        for payment in held:
            marked = await self._recorder.mark_order_failed(
                payment, f"No order was placed: {reason}"
            )
            if payment.payment_status.interface_code != ORDER_FAILED:
                self._observe_failed()
                logger.error(
                    "A paid cart cannot be ordered",
                    extra={"fields": {"cart": cart.id, "payment": payment.id, "reason": reason}},
                )
            await self._modifier.after_record(marked)
        return Fulfilled("processing" if held else "unpaid")

    async def _with_email(self, cart: PayableCart) -> PayableCart:
        """The cart with the e-mail address that the shopper gave Stripe, which the order needs."""
        latest = latest_payment(cart, await self._account.ours())
        if cart.customer_email or latest is None or latest.interface_id is None:
            return cart
        session = await self._stripe.find_checkout_session_of_intent(latest.interface_id)
        email = session.customer_details.email if session and session.customer_details else None
        if email is None:
            return cart
        try:
            await self._commercetools.update_cart(cart.id, cart.version, [SetCartEmail(email)])
        except VersionConflict:
            logger.info("Another request completes this cart")
        return await self._commercetools.get_payable_cart(cart.id)
