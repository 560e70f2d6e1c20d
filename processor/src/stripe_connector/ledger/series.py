"""The Payments that shoppers started for one cart or order, one after the other.

Each is created under the key `{cart or order id}_{n}`, so that of several callers one wins. The
merchant may change the key later (setKey): a Payment that was started here is then recognised by
its proof, and its number follows from its position.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from stripe_connector.ledger.operation import operations
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.proof import SaleProof, account_of, sale_of

_NUMBER = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}_(\d+)")


def started_here(payments: Iterable[Payment], ours: Ours) -> list[tuple[int, Payment]]:
    """All Payments that shoppers started here with their numbers, in the order of the numbers.

    `payments` are those of the cart or order, in the order in which they were put on it.
    """
    found: list[tuple[int, Payment]] = []
    highest = 0
    for payment in payments:
        number = _number(payment)
        mine = ours.includes(payment)
        if mine and number == 0 and _was_renamed(payment):
            number = highest + 1
        highest = max(highest, number)
        if mine and number > 0:
            found.append((number, payment))
    return sorted(found, key=lambda each: each[0])


def next_number(payments: Iterable[Payment], ours: Ours) -> int:
    """The number of the next one; other accounts' numbers are taken, as keys are the project's."""
    payments = list(payments)
    taken = [number for number, _ in started_here(payments, ours)]
    return max([*taken, *map(_number, payments)], default=0) + 1


def is_page_of(sale_id: str, payment: Payment) -> bool:
    """Whether it was created for a page of this order or cart, not for the order's cart."""
    made_for = sale_of(payment)
    if made_for == SaleProof():  # version 0.1.0 wrote no proof
        return (payment.key or "").startswith(f"{sale_id}_")
    return sale_id in (made_for.order_id, made_for.cart_id)


def _number(payment: Payment) -> int:
    """The n of its key; 0 for a payment that no shopper started here, or that has another key."""
    match = _NUMBER.fullmatch(payment.key or "")
    return int(match.group(1)) if match else 0


def _was_renamed(payment: Payment) -> bool:
    """Whether a Payment without our key was nevertheless started by a shopper.

    A charge of a stored method is written ahead as an Authorization, and never has a number.
    """
    if account_of(payment) is None:
        return False
    ours = operations(payment)
    return not any(each.id in ours for each in payment.of_type("Authorization"))
