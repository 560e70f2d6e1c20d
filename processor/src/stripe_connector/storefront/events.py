"""Stripe's events, each with its handler: a new type is added here, and nowhere else.

What post-deploy subscribes to, doctor checks, reconcile replays and the metrics count is read from
this file; a test holds docs/operations/events.md against it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from stripe_connector.ledger.stripe_objects import Event
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.payment_events import (
    AUTHORIZED,
    CHARGE,
    DISPUTE,
    EXPIRED,
    INTENT,
    REFUND,
    REFUNDED,
    EventEffect,
    PaymentEvents,
    Recording,
)
from stripe_connector.storefront.page_events import PageEvents

CASH_BALANCE = "customer_cash_balance_transaction.created"

_RECORDED: Mapping[str, Recording] = {
    "payment_intent.amount_capturable_updated": AUTHORIZED,
    "payment_intent.canceled": INTENT,
    "payment_intent.partially_funded": INTENT,
    "payment_intent.processing": INTENT,
    "payment_intent.succeeded": AUTHORIZED,
    "charge.captured": CHARGE,
    "charge.expired": EXPIRED,
    "charge.refunded": REFUNDED,
    "charge.succeeded": CHARGE,
    "charge.updated": CHARGE,
    "charge.dispute.closed": DISPUTE,
    "charge.dispute.created": DISPUTE,
    "charge.dispute.funds_reinstated": DISPUTE,
    "charge.dispute.funds_withdrawn": DISPUTE,
    "charge.dispute.updated": DISPUTE,
    "refund.created": REFUND,
    "refund.failed": REFUND,
    "refund.updated": REFUND,
    "charge.refund.updated": REFUND,
}
_PAYMENTS: Mapping[str, Callable[[PaymentEvents, Event], Awaitable[EventEffect]]] = {
    "payment_intent.requires_action": PaymentEvents.intent_waits,
    "payment_method.detached": PaymentEvents.method_detached,
    "customer.deleted": PaymentEvents.customer_deleted,
    CASH_BALANCE: PaymentEvents.cash_balance,
}
_PAGES: Mapping[str, Callable[[PageEvents, Event], Awaitable[EventEffect]]] = {
    "payment_intent.payment_failed": PageEvents.attempt_failed,
    "checkout.session.async_payment_failed": PageEvents.session_failed,
    "checkout.session.async_payment_succeeded": PageEvents.session_completed,
    "checkout.session.completed": PageEvents.session_completed,
    "checkout.session.expired": PageEvents.session_failed,
}

EFFECTS: Mapping[str, str] = {type_: each.effect for type_, each in _RECORDED.items()} | {
    type_: (handler.__doc__ or "").partition("\n")[0]
    for type_, handler in [*_PAYMENTS.items(), *_PAGES.items()]
}
"""What each type does, for the documentation."""
HANDLED = EFFECTS.keys()
"""The types that a webhook endpoint of ours subscribes to; any other changes nothing."""

REPLAYED = frozenset(
    {
        "payment_method.detached",
        "customer.deleted",
        CASH_BALANCE,
        "checkout.session.async_payment_failed",
        "checkout.session.expired",
    }
)
"""Types with effects beyond a Payment: reconcile handles these events themselves, and of all others
compares the Payment with its intent."""


class Events:
    """Takes each event to its handler."""

    def __init__(self, payments: PaymentEvents, pages: PageEvents, account: OwnAccount) -> None:
        self._payments = payments
        self._pages = pages
        self._account = account

    async def handle(self, event: Event) -> EventEffect:
        """Record an event; its effect is in commercetools when this returns."""
        if event.type not in HANDLED:
            return EventEffect.IGNORED
        if event.livemode not in (None, self._account.live):
            return EventEffect.FOREIGN  # of the other mode: it pays nothing here
        if (recording := _RECORDED.get(event.type)) is not None:
            return await self._payments.record(event, recording)
        if (of_page := _PAGES.get(event.type)) is not None:
            return await of_page(self._pages, event)
        return await _PAYMENTS[event.type](self._payments, event)
