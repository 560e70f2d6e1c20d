"""Fulfils the order or cart of a Payment after a change was recorded.

Webhooks, operations of the back office and reconciliation all use it. The proof that its page
wrote, or its intent's metadata, name the order or cart of a Payment.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from stripe_connector.errors import BackendError, ConnectorError, NotFound
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.ledger.facts import CART_ID, ORDER_ID
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.proof import SaleProof, sale_of
from stripe_connector.payments.modify import AnyCommand, Modifier
from stripe_connector.payments.parts import Outcome
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.fulfil_cart import CartFulfiller
from stripe_connector.storefront.session_params import BUY_NOW, FLOW

logger = logging.getLogger(__name__)


class Sales:
    """Fulfils orders and carts of the storefront routes and the buy-now pages."""

    def __init__(
        self,
        commercetools: Commercetools,
        modifier: Modifier,
        fulfiller: Fulfiller,
        carts: CartFulfiller,
    ) -> None:
        self._commercetools = commercetools
        self._modifier = modifier
        self._fulfiller = fulfiller
        self._carts = carts

    async def modify(self, payment_id: str, command: AnyCommand, key: str | None = None) -> Outcome:
        """Carry out one command on a payment, and fulfil with what it has recorded.

        Raises what `Modifier.modify` does, and NotFound. Money that has moved is not reported as
        failed because an order could not be marked: the next event or reconciliation does that.
        """
        payment = await self._commercetools.get_payment(payment_id)
        try:
            outcome = await self._modifier.modify(payment, command, key)
        except ConnectorError:
            await self._fulfil_later_if_need_be(payment)
            raise
        await self._fulfil_later_if_need_be(payment)
        return outcome

    async def fulfil(self, payment: Payment, metadata: Mapping[str, str]) -> None:
        """Fulfil a Payment's order or cart, which `metadata` of its intent or session may name."""
        sale = sale_named(metadata)
        if sale == SaleProof():
            sale = sale_of(payment)
        with perhaps_gone(sale):
            if sale.order_id is not None:
                await self._fulfiller.fulfil(sale.order_id)
            elif sale.cart_id is not None:
                await self._carts.fulfil(sale.cart_id)

    async def _fulfil_later_if_need_be(self, payment: Payment) -> None:
        try:
            await self.fulfil(payment, {})
        except BackendError:
            logger.exception("A paid order or cart is not fulfilled yet")


def sale_named(metadata: Mapping[str, str]) -> SaleProof:
    """The order, or the cart to be ordered, that metadata at Stripe name."""
    if (order_id := metadata.get(ORDER_ID)) is not None:
        return SaleProof(order_id)
    return SaleProof(cart_id=metadata.get(CART_ID) if metadata.get(FLOW) == BUY_NOW else None)


@contextmanager
def perhaps_gone(sale: SaleProof) -> Iterator[None]:
    """The merchant may have deleted the order or cart: then there is nothing to fulfil."""
    try:
        yield
    except NotFound:
        logger.warning(
            "A paid order or cart was deleted",
            extra={"fields": {"order": sale.order_id, "cart": sale.cart_id}},
        )
