"""Movements of money: as they are asked for, as they are written down, and what became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from stripe_connector.ledger.actions import TransactionDraft
from stripe_connector.ledger.operation import Operation, timestamp, with_distinct_time
from stripe_connector.ledger.payment import CustomFields, Payment
from stripe_connector.money import Money


class Part(Struct, frozen=True):
    """One movement to write down. Amounts in the Payment's minor units."""

    type: Literal["Authorization", "Charge", "Refund", "CancelAuthorization"]
    amount: Money
    final: bool = True
    refund_of: str | None = None


class Request(Struct, frozen=True):
    """An operation as it was asked for."""

    identity: str
    action: str
    merchant_reference: str | None = None
    completing: bool = False
    """Whether a repetition asks again for what an earlier one was refused, and for that alone."""


class Outcome(Struct, frozen=True):
    """What became of a movement, as Checkout names it."""

    outcome: Literal["approved", "received", "rejected"]
    code: str | None = None
    message: str | None = None
    type: str | None = None
    """Of the transaction, where there is one."""
    amount: Money | None = None


class WrittenAhead(Struct, frozen=True):
    """A movement as it is written down before Stripe is asked: both parts in one update."""

    transaction: TransactionDraft
    interaction: CustomFields


Plan = Callable[[Payment], Awaitable[Sequence[Part]]]
"""The movements that a request needs on a Payment as it is now; raises where it cannot be."""


def write_ahead(
    part: Part, request: Request, now: datetime, payment: Payment | None = None
) -> WrittenAhead:
    """What a movement is written down as; `payment` is the one that it is added to."""
    operation = Operation(
        identity=request.identity,
        action=request.action,
        attempt=1,
        attempted_at=now,
        final=part.final,
        refund_of=part.refund_of,
        merchant_reference=request.merchant_reference,
    )
    draft = TransactionDraft(
        type=part.type,
        amount=part.amount.draft(),
        state="Initial",
        timestamp=timestamp(now),
        custom=operation.custom(),
    )
    draft, told_by = with_distinct_time(payment, draft)
    return WrittenAhead(draft, replace(operation, added=told_by).interaction())
