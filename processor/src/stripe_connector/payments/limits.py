"""What can still be captured, refunded or cancelled on a Payment, in minor units.

Everything that is written down counts, also what is not finished: two requests at once can never
move more than there is.
"""

from __future__ import annotations

from stripe_connector.ledger.operation import operation_of
from stripe_connector.ledger.payment import Payment, Transaction


def capturable(payment: Payment) -> int:
    """What is authorized and neither captured nor cancelled."""
    return (
        payment.total("Authorization", "Success")
        - payment.total("Charge", "Initial", "Pending", "Success")
        - payment.total("CancelAuthorization", "Initial", "Pending", "Success")
    )


def refundable(payment: Payment) -> int:
    """What was captured and neither refunded nor lost in a dispute."""
    return max(
        0,
        payment.total("Charge", "Success")
        - payment.total("Refund", "Initial", "Pending", "Success")
        - payment.lost(),
    )


def refundable_of(payment: Payment, charge: Transaction) -> int:
    """What is left of one charge after the refunds that named it."""
    refunded = sum(
        t.amount.cent_amount
        for t in payment.of_type("Refund")
        if t.state != "Failure" and (op := operation_of(t)) and op.refund_of == charge.id
    )
    return charge.amount.cent_amount - refunded


def kept(payment: Payment) -> int:
    """What stays with the merchant once everything that is written down is carried out."""
    held = payment.total("Authorization", "Success") - payment.total(
        "CancelAuthorization", "Initial", "Pending", "Success"
    )
    returned = payment.total("Refund", "Initial", "Pending", "Success")
    lost = payment.lost()
    return max(held, payment.total("Charge", "Success")) - returned - lost


def processing(payment: Payment) -> int:
    """What an attempt that Stripe still processes would bring."""
    return payment.total("Authorization", "Pending") - payment.total(
        "CancelAuthorization", "Initial", "Pending"
    )
