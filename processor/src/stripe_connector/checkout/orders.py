"""What the payments of an order, or of a cart that becomes one, say about it."""

from __future__ import annotations

import re
from typing import Literal

from stripe_connector.gateways.commercetools.orders import Payable
from stripe_connector.ledger.merge import AMOUNT_MISMATCH
from stripe_connector.ledger.payment import Payment
from stripe_connector.money import Money
from stripe_connector.payments.amounts import brought
from stripe_connector.payments.limits import kept


def number(payment: Payment) -> int:
    """The n of the key `{order or cart id}_{n}`; 0 for a payment not made for a session."""
    match = re.search(r"_(\d+)$", payment.key or "")
    return int(match.group(1)) if match else 0


def latest_payment(sale: Payable, payment_interface: str) -> Payment | None:
    """The current payment: that of the last session."""
    ours = [
        payment
        for payment in sale.payments
        if payment.payment_method_info.payment_interface == payment_interface and number(payment)
    ]
    return max(ours, key=number, default=None)


def share(sale: Payable, payment: Payment) -> Money:
    """What one payment has to bring: the total without what the others have brought."""
    total = sale.gross_total
    others = (each for each in sale.payments if each.id != payment.id)
    rest = total.cent_amount - sum(brought(each, total.currency_code) for each in others)
    return total.with_amount(max(0, rest))


def paid(sale: Payable) -> bool:
    """Whether its payments have brought exactly what it costs, and have it still.

    Only what was captured counts, in its own currency; a payment whose amount is not the one that
    was planned bars fulfilment.
    """
    return _brought(sale, "Charge") == sale.gross_total.cent_amount


def secured(sale: Payable) -> bool:
    """Whether its payments hold exactly what it costs, captured or not."""
    return _brought(sale, "Authorization") == sale.gross_total.cent_amount


def _brought(sale: Payable, type_: Literal["Authorization", "Charge"]) -> int | None:
    """What its payments hold; None where one of them has another amount than planned."""
    total = sale.gross_total
    held = 0
    for payment in sale.payments:
        if payment.payment_status.interface_code == AMOUNT_MISMATCH and kept(payment) > 0:
            return None
        if payment.amount_planned.currency_code == total.currency_code:
            held += (
                payment.total(type_, "Success")
                - payment.total("Refund", "Pending", "Success")
                - payment.total("Chargeback", "Success")
            )
            if type_ == "Authorization":
                held -= payment.total("CancelAuthorization", "Pending", "Success")
    return held


def processing(sale: Payable) -> bool:
    """Whether a bank still works on one of its payments."""
    return any(payment.total("Authorization", "Pending") for payment in sale.payments)
