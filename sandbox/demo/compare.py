"""A payment's transactions beside Stripe's objects: what each side says, and do they agree?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, TypeAlias

from msgspec import Struct

Json: TypeAlias = dict[str, Any]


class Fact(Struct, frozen=True):
    """Money that moved, is held, was released or refused."""

    kind: str
    """A commercetools transaction type."""
    state: str
    reference: str | None = None
    """The refund's id; other facts there is one of."""


class Row(Struct, frozen=True):
    """One fact with its amount on both sides, in minor units; None where a side lacks it."""

    fact: Fact
    recorded: int | None
    at_stripe: int | None
    said: str
    """What Stripe calls it."""

    @property
    def agrees(self) -> bool:
        return self.recorded == self.at_stripe


class Comparison(Struct, frozen=True):
    """Both sides of one payment at one time."""

    payment: Json
    intent: Json
    rows: list[Row]

    @property
    def agrees(self) -> bool:
        return all(row.agrees for row in self.rows)

    @property
    def recorded(self) -> list[tuple[str, int, str]]:
        """Type, amount and state of the payment's transactions, in order."""
        return [
            (each["type"], each["amount"]["centAmount"], each["state"])
            for each in self.payment["transactions"]
        ]


def compare(payment: Json, intent: Json, refunds: Iterable[Json]) -> Comparison:
    """`intent` with its latest charge expanded; amounts are those of two-decimal currencies."""
    recorded = _recorded(payment)
    at_stripe = _at_stripe(intent, refunds)
    rows = [
        Row(fact, recorded.get(fact), *at_stripe.get(fact, (None, "-")))
        for fact in dict.fromkeys([*recorded, *at_stripe])
    ]
    return Comparison(payment, intent, rows)


def _recorded(payment: Json) -> Counter[Fact]:
    """Sums of the transactions: a charge made in several captures is one at Stripe."""
    sums: Counter[Fact] = Counter()
    for each in payment["transactions"]:
        reference = each.get("interactionId") if each["type"] == "Refund" else None
        sums[Fact(each["type"], each["state"], reference)] += each["amount"]["centAmount"]
    return sums


def _at_stripe(intent: Json, refunds: Iterable[Json]) -> dict[Fact, tuple[int, str]]:
    """What Stripe's objects mean in the terms of commercetools, and how Stripe says it."""
    amount, status = intent["amount"], intent["status"]
    taken = intent["amount_received"]
    charge = intent["latest_charge"]
    held = charge is not None and charge["status"] == "succeeded"
    facts: dict[Fact, tuple[int, str]] = {}
    if status == "requires_payment_method" and intent["last_payment_error"]:
        code = intent["last_payment_error"].get("decline_code")
        facts[Fact("Authorization", "Failure")] = (amount, f"declined: {code}")
    elif status == "processing":
        facts[Fact("Authorization", "Pending")] = (amount, "intent processing")
    elif held:
        facts[Fact("Authorization", "Success")] = (amount, "charge authorized")
    elif status == "canceled":
        facts[Fact("Authorization", "Failure")] = (amount, "intent canceled")
    if taken:
        facts[Fact("Charge", "Success")] = (taken, "charge captured")
    if held and status in ("succeeded", "canceled") and taken < amount:
        facts[Fact("CancelAuthorization", "Success")] = (amount - taken, "charge rest released")
    for refund in refunds:
        facts[Fact("Refund", _REFUND_STATES[refund["status"]], refund["id"])] = (
            refund["amount"],
            f"refund {refund['status']}",
        )
    return facts


_REFUND_STATES = {
    "pending": "Pending",
    "requires_action": "Pending",
    "succeeded": "Success",
    "failed": "Failure",
    "canceled": "Failure",
}
