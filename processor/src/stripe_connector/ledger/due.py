"""What a cart or order still costs: the one sum for start, page, confirm, fulfilment, reconcile.

The rule: due is the gross total minus what was captured minus what is openly authorized, over all
Payments on the cart or order that count (`Ours.counts`), whichever connector made them:

- A capture counts with what was captured. What is authorized counts for as long as it is neither
  captured nor cancelled; an attempt that the bank still processes counts too.
- A refund reopens nothing: a customer who gets a part back has still paid. Only a payment that
  was refunded completely no longer counts.
- A lost dispute reopens its amount, at most what the payment brought (`Payment.lost`).
- A transaction in another currency counts for nothing. The transactions decide, not
  `amountPlanned`, which shoppers may change
  (https://docs.commercetools.com/api/projects/me-payments).
- What will be paid elsewhere, such as a planned gift card, is given as `elsewhere`.

Nothing is due below zero. All amounts are in the total's minor units. Refunds and cancellations
count as soon as Stripe has accepted them (Pending): that money is no longer relied on.
"""

from __future__ import annotations

from collections.abc import Iterable

from stripe_connector.ledger.operation import operations
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import (
    Payment,
    Transaction,
    TransactionState,
    TransactionType,
)
from stripe_connector.money import Money, MoneyDraft

_HELD: tuple[TransactionState, ...] = ("Pending", "Success")
_SURE: tuple[TransactionState, ...] = ("Success",)


def due(
    total: Money,
    payments: Iterable[Payment],
    ours: Ours,
    *,
    elsewhere: MoneyDraft | None = None,
    without: str | None = None,
) -> Money:
    """What is left to pay of a gross total; never below zero.

    `without` leaves one payment (by id) out: the result is what that one has to pay.
    """
    left = total.cent_amount - sum(
        covered_amount(payment, total.currency_code)
        for payment in payments
        if payment.id != without and ours.counts(payment)
    )
    if elsewhere is not None and elsewhere.currency_code == total.currency_code:
        left -= elsewhere.cent_amount
    return total.with_amount(max(0, left))


def covered_amount(payment: Payment, currency: str) -> int:
    """What a payment contributes to the amount due: captured, authorized, or being processed."""
    return _kept(payment, currency, _HELD)


def secured_amount(payment: Payment, currency: str) -> int:
    """What a payment holds for certain, captured or authorized: sufficient to place an order."""
    return _kept(payment, currency, _SURE)


def captured(payment: Payment, currency: str) -> int:
    """What a payment has brought: sufficient to mark an order as paid.

    Decided by what was captured, not by today's balance: a refund in part changes nothing.
    """
    brought = _sum(payment, currency, "Charge", *_SURE)
    return _unless_given_back(payment, currency, brought)


def raised_by_us(payment: Payment) -> int:
    """What operations of ours authorized above the planned amount.

    An incremental authorization carries the operation that requested it; the first one of a Payment
    is the planned one.
    """
    return _asked(payment, payment.of_type("Authorization")[1:])


def captured_by_us(payment: Payment) -> int:
    """What operations of ours captured; it may be less or more than what was authorized."""
    return _asked(payment, payment.of_type("Charge"))


def asked_beyond(payment: Payment) -> int:
    """What operations of ours authorized or captured above the amount that was planned."""
    currency = payment.amount_planned.currency_code
    authorized = _sum(payment, currency, "Authorization", *_SURE)
    return raised_by_us(payment) + max(0, captured_by_us(payment) - authorized)


def _asked(payment: Payment, transactions: Iterable[Transaction]) -> int:
    """The sum of those that carry an operation of ours, in the planned currency."""
    currency, ours = payment.amount_planned.currency_code, operations(payment)
    return sum(
        t.amount.cent_amount
        for t in transactions
        if t.state == "Success" and t.amount.currency_code == currency and t.id in ours
    )


def _kept(payment: Payment, currency: str, states: tuple[TransactionState, ...]) -> int:
    authorized = _sum(payment, currency, "Authorization", *states) - _sum(
        payment, currency, "CancelAuthorization", *_HELD
    )
    # A capture is a part of its authorization; one above it, or without one, is more than that.
    return _unless_given_back(
        payment, currency, max(authorized, _sum(payment, currency, "Charge", *states))
    )


def _unless_given_back(payment: Payment, currency: str, amount: int) -> int:
    """The amount without what disputes took; nothing where refunds have given all of it back."""
    amount -= payment.lost(currency)
    refunded = _sum(payment, currency, "Refund", *_HELD)
    return amount if amount > refunded else 0


def _sum(payment: Payment, currency: str, type_: TransactionType, *states: TransactionState) -> int:
    return sum(
        t.amount.cent_amount
        for t in payment.of_type(type_)
        if t.state in states and t.amount.currency_code == currency
    )
