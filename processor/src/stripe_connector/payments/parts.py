"""Movements of money: as requested, as recorded, and their outcome."""

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
    """One movement to record. Amounts in the Payment's minor units."""

    type: Literal["Authorization", "Charge", "Refund", "CancelAuthorization"]
    amount: Money
    final: bool = True
    refund_of: str | None = None


class Request(Struct, frozen=True):
    """A requested operation."""

    identity: str
    action: str
    merchant_reference: str | None = None
    completing: bool = False
    """Whether a repetition retries only the parts that were refused earlier."""


class Outcome(Struct, frozen=True):
    """The outcome of a movement, as Checkout names it."""

    outcome: Literal["approved", "received", "rejected"]
    code: str | None = None
    message: str | None = None
    type: str | None = None
    """Of the transaction, where there is one."""
    amount: Money | None = None


class WrittenAhead(Struct, frozen=True):
    """A movement as it is recorded before Stripe is called: both parts in one update."""

    transaction: TransactionDraft
    interaction: CustomFields


Plan = Callable[[Payment], Awaitable[Sequence[Part]]]
"""Returns the movements that a request needs on the current Payment; raises if impossible."""


def write_ahead(
    part: Part, request: Request, now: datetime, payment: Payment | None = None
) -> WrittenAhead:
    """Returns the record of a movement; `payment` is the one to which it is added."""
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
