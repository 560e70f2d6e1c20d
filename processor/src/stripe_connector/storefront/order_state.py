"""Decides what the payments of an order, or of a cart that becomes one, mean for it."""

from __future__ import annotations

from collections.abc import Callable

from stripe_connector.gateways.commercetools.orders import Payable
from stripe_connector.ledger import due, series
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, SUPERSEDED
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import OPEN
from stripe_connector.money import Money
from stripe_connector.payments.limits import kept_amount

_PAYABLE = {None, SUPERSEDED, *OPEN}
"""Status codes of Payments whose intent was neither paid nor cancelled."""


def our_payments(sale: Payable, ours: Ours) -> list[Payment]:
    """The payments that were started here, in the order of their numbers."""
    return [payment for _, payment in series.started_here(sale.payments, ours)]


def latest_payment(sale: Payable, ours: Ours) -> Payment | None:
    """The current payment: that of the last session."""
    made_here = our_payments(sale, ours)
    return made_here[-1] if made_here else None


def is_payable(payment: Payment) -> bool:
    """Whether the shopper can still pay it, as far as is recorded.

    An intent without a recorded status was started, and no shopper has tried to pay it.
    """
    if payment.session_id is not None:
        return True
    return payment.interface_id is not None and payment.payment_status.interface_code in _PAYABLE


def order_amount_due(sale: Payable, ours: Ours, *, without: str | None = None) -> Money:
    """What is left to pay; `without` leaves out one payment: then what that one has to pay."""
    return due.due(sale.gross_total, sale.payments, ours, without=without)


def is_paid(sale: Payable, ours: Ours) -> bool:
    """Whether its payments have brought exactly what it costs.

    Only what was captured counts; a payment whose amount is not the one that was planned bars
    fulfilment.
    """
    return _covers(sale, ours, due.captured)


def is_secured(sale: Payable, ours: Ours) -> bool:
    """Whether its payments hold exactly what it costs, captured or not."""
    return _covers(sale, ours, due.secured_amount)


def _covers(sale: Payable, ours: Ours, part: Callable[[Payment, str], int]) -> bool:
    """Whether payments of the planned amounts cover the total and no more, as `part` counts them.

    More is expected only where operations of ours requested more.
    """
    total = sale.gross_total
    held = beyond = 0
    for payment in filter(ours.counts, sale.payments):
        if payment.payment_status.interface_code == AMOUNT_MISMATCH and kept_amount(payment) > 0:
            return False
        held += part(payment, total.currency_code)
        beyond += due.asked_beyond(payment)
    return total.cent_amount <= held <= total.cent_amount + beyond


def is_processing(sale: Payable) -> bool:
    """Whether a bank is still processing one of its payments."""
    return any(payment.total("Authorization", "Pending") for payment in sale.payments)
