"""Movements of money: as they are asked for, as they are written down, and what became of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Literal

from msgspec import Struct

from stripe_connector.ledger.actions import TransactionDraft
from stripe_connector.ledger.operation import Operation, timestamp
from stripe_connector.ledger.payment import Payment
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


class Outcome(Struct, frozen=True):
    """What became of a movement, as Checkout names it."""

    outcome: Literal["approved", "received", "rejected"]
    code: str | None = None
    message: str | None = None


Plan = Callable[[Payment], Awaitable[Sequence[Part]]]
"""The movements that a request needs on a Payment as it is now; raises where it cannot be."""


def written_ahead(part: Part, request: Request, now: datetime) -> TransactionDraft:
    """The transaction that a movement is written down as, before Stripe is asked."""
    operation = Operation(
        identity=request.identity,
        action=request.action,
        attempt=1,
        attempted_at=now,
        final=part.final,
        refund_of=part.refund_of,
        merchant_reference=request.merchant_reference,
    )
    return TransactionDraft(
        type=part.type,
        amount=part.amount.draft(),
        state="Initial",
        timestamp=timestamp(now),
        custom=operation.custom(),
    )
