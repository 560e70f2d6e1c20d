"""Fulfils an order: it becomes Paid when, and only when, Stripe says so.

The webhook, the landing page and the storefront all use it, in any order and number.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Literal

from stripe_connector.clock import Clock
from stripe_connector.concurrency import Tries
from stripe_connector.errors import Conflict, VersionConflict
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.orders import Order
from stripe_connector.gateways.commercetools.update_actions import (
    ActionOnOrder,
    ChangeOrderPaymentState,
    ChangeOrderState,
)
from stripe_connector.ledger.merge import AMOUNT_MISMATCH
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.series import is_page_of
from stripe_connector.payments.limits import kept_amount
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.storefront.order_state import (
    is_paid,
    is_payable,
    is_processing,
    latest_payment,
    order_amount_due,
    our_payments,
)

logger = logging.getLogger(__name__)

Compute = Callable[[Order], Sequence[ActionOnOrder]]
Standing = Literal["paid", "processing", "unpaid"]


class Fulfiller:
    """Moves orders to Paid and Confirmed, or to Failed."""

    def __init__(
        self,
        commercetools: Commercetools,
        recorder: Recorder,
        modifier: Modifier,
        mover: Mover,
        account: OwnAccount,
        clock: Clock,
        *,
        cancel_unpaid: bool,
    ) -> None:
        self._commercetools = commercetools
        self._recorder = recorder
        self._modifier = modifier
        self._mover = mover
        self._clock = clock
        self._account = account
        self._cancel_unpaid = cancel_unpaid

    async def refresh_and_fulfil(self, order_id: str) -> Standing:
        """Read the order's payments that may be paid from Stripe, record them, and fulfil.

        Raises NotFound.
        """
        order = await self._commercetools.get_order(order_id)
        if order.payment_state == "Paid":
            return "paid"
        changed = False
        for payment in our_payments(order, await self._account.ours()):
            if is_payable(payment) or payment.total("Authorization", "Pending", "Success"):
                changed |= (await self.sync_payment(payment)).version != payment.version
        if changed:
            order = await self._commercetools.get_order(order_id)
        return await self._fulfil_order(order)

    async def fulfil(self, order_id: str) -> Standing:
        """Fulfil what the order's payments say already; for webhooks, which record first."""
        return await self._fulfil_order(await self._commercetools.get_order(order_id))

    async def sync_payment(self, payment: Payment) -> Payment:
        """Read a payment's state from Stripe, record it, and apply our rules."""
        recorded = await self._synced(payment)
        if recorded.version != payment.version:
            await self._modifier.after_record(recorded)
        return recorded

    async def fail_order(self, order_id: str, payment: Payment) -> None:
        """Record that a payment of the order can no longer succeed.

        The order fails only if that was its current one and nothing else has brought money.
        """

        if not await self._account.may_sell():
            return
        ours = await self._account.ours()

        def failed(order: Order) -> Sequence[ActionOnOrder]:
            latest = latest_payment(order, ours)
            current = latest is not None and latest.id == payment.id
            brought = any(kept_amount(each) > 0 for each in our_payments(order, ours))
            done = is_paid(order, ours) or order.payment_state in ("Paid", "Failed")
            if not current or brought or done:
                return []
            actions: list[ActionOnOrder] = [ChangeOrderPaymentState("Failed")]
            if self._cancel_unpaid and order.order_state == "Open":
                actions.append(ChangeOrderState("Cancelled"))
            return actions

        await self._update(await self._commercetools.get_order(order_id), failed)

    async def cancel_if_not_needed(self, payment_id: str) -> None:
        """Cancel a payment that can be paid again although its order needs no payment any more.

        For example after a voucher has expired: the intent stays open, whatever the order's state.
        """
        order = await self._commercetools.find_order_of_payment(payment_id)
        if order is None:
            return
        payment = await self._commercetools.get_payment(payment_id)
        over = order.order_state in ("Cancelled", "Complete")
        if is_payable(payment) and (over or is_paid(order, await self._account.ours())):
            await self._mover.cancel_open(payment)

    async def _synced(self, payment: Payment) -> Payment:
        """The payment, brought up to date from Stripe."""
        if payment.interface_id is not None:
            return await self._recorder.sync_intent(payment, payment.interface_id)
        if payment.session_id is not None:
            return await self._recorder.sync_checkout_session(payment, payment.session_id)
        return payment

    async def _fulfil_order(self, order: Order) -> Standing:
        ours, may_sell = await self._account.ours(), await self._account.may_sell()

        def actions(current: Order) -> Sequence[ActionOnOrder]:
            if not may_sell or not is_paid(current, ours) or current.order_state == "Cancelled":
                return []
            needed: list[ActionOnOrder] = []
            if current.payment_state != "Paid":
                needed.append(ChangeOrderPaymentState("Paid"))
            if current.order_state == "Open":
                needed.append(ChangeOrderState("Confirmed"))
            return needed

        async def marked(current: Order) -> Order:
            unmarked = may_sell and is_paid(current, ours) and current.payment_state != "Paid"
            if unmarked and await self._closed_page(current, ours):
                current = await self._commercetools.get_order(current.id)
            return await self._update(current, actions)

        order = await marked(order)
        if order.payment_state == "Paid":
            return "paid"
        if not may_sell:
            logger.error("Test keys mark no order of a project that takes real payments")
            return "unpaid"
        if await self._hold(order, ours):
            order = await marked(await self._commercetools.get_order(order.id))
            if order.payment_state == "Paid":
                return "paid"
        return "processing" if is_processing(order) else "unpaid"

    async def _closed_page(self, order: Order, ours: Ours) -> bool:
        """Whether a page was closed on which an order could be paid that is already covered.

        Such an order costs nothing any more, or other payments cover it.
        """
        found = [payment for payment in our_payments(order, ours) if is_payable(payment)]
        for payment in found:
            if is_payable(refreshed := await self.sync_payment(payment)):
                try:
                    await self._mover.cancel_open(refreshed)
                except Conflict:
                    await self.sync_payment(refreshed)  # paid just now
        return bool(found)

    async def _hold(self, order: Order, ours: Ours) -> bool:
        """Plan what the order costs now, and mark money that was taken at another amount.

        The mark is the Payment's status, for the merchant, and our rules may reverse it. Returns
        whether anything changed: a Payment may fit the order where it did not fit an old plan.
        """
        changed = False
        for payment in our_payments(order, ours):
            if (
                payment.interface_id is None
                or kept_amount(payment) <= 0
                or not is_page_of(order.id, payment)
            ):
                continue  # only Checkout knows what other payments will pay for a cart
            due = order_amount_due(order, ours, without=payment.id)
            if payment.amount_planned != due:
                held = await self._recorder.sync_intent(payment, payment.interface_id, planned=due)
                if held.payment_status.interface_code == AMOUNT_MISMATCH:
                    logger.error(
                        "Paid at another amount than the order's",
                        extra={"fields": {"order": order.id, "payment": payment.id}},
                    )
                await self._modifier.after_record(held)
                changed = True
        return changed

    async def _update(self, order: Order, compute: Compute) -> Order:
        """Apply the actions of `compute` to the newest version; compute again after a conflict."""
        tries = Tries("The order", self._clock)
        while actions := compute(order):
            try:
                return await self._commercetools.update_order(order, actions)
            except VersionConflict:
                await tries.again()
            order = await self._commercetools.get_order(order.id)
        return order
