"""What can still be captured, refunded or cancelled on a Payment, in minor units.

Every recorded transaction counts, also an unfinished one: two concurrent requests can never move
more than there is. An Initial one counts only where we wrote it ahead: shoppers may add Initial
transactions (https://docs.commercetools.com/api/projects/me-payments).
"""

from __future__ import annotations

from stripe_connector.ledger.operation import operations
from stripe_connector.ledger.payment import Payment, Transaction, TransactionType


def capturable(payment: Payment) -> int:
    """What is authorized and neither captured nor cancelled."""
    return (
        payment.total("Authorization", "Success")
        - _taken(payment, "Charge")
        - _taken(payment, "CancelAuthorization")
    )


def refundable(payment: Payment) -> int:
    """What was captured and neither refunded nor lost in a dispute."""
    return max(
        0,
        payment.total("Charge", "Success") - _taken(payment, "Refund") - payment.lost(),
    )


def refundable_of(payment: Payment, charge: Transaction) -> int:
    """What is left of one charge after the refunds that named it."""
    ours = operations(payment)
    refunded = sum(
        t.amount.cent_amount
        for t in payment.of_type("Refund")
        if t.state != "Failure" and t.id in ours and ours[t.id].refund_of == charge.id
    )
    return charge.amount.cent_amount - refunded


def kept_amount(payment: Payment) -> int:
    """What stays with the merchant once every recorded transaction is carried out."""
    held = payment.total("Authorization", "Success") - _taken(payment, "CancelAuthorization")
    returned = _taken(payment, "Refund")
    lost = payment.lost()
    return max(held, payment.total("Charge", "Success")) - returned - lost


def processing_amount(payment: Payment) -> int:
    """What an attempt that Stripe still processes would bring.

    Nothing where none is processed, although a cancellation of what is held may be written down.
    """
    return max(
        0,
        payment.total("Authorization", "Pending")
        - payment.total("CancelAuthorization", "Pending")
        - unanswered_amount(payment, "CancelAuthorization"),
    )


def unanswered_amount(payment: Payment, type_: TransactionType) -> int:
    """The amount of operations of a type whose answer from Stripe is not recorded yet."""
    return sum(t.amount.cent_amount for t in unanswered(payment, type_))


def unanswered(payment: Payment, *types: TransactionType) -> list[Transaction]:
    """The operations whose answer from Stripe is not recorded yet, oldest first."""
    initial = [t for t in payment.transactions if t.state == "Initial" and t.type in types]
    if not initial:
        return []
    ours = operations(payment)
    return [t for t in initial if t.id in ours]


def _taken(payment: Payment, type_: TransactionType) -> int:
    return payment.total(type_, "Pending", "Success") + unanswered_amount(payment, type_)
