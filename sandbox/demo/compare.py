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
    """The refund's or the dispute's id; other facts there is one of."""


class Row(Struct, frozen=True):
    """One fact with its amount on both sides, in minor units; None where a side lacks it."""

    fact: Fact
    recorded: int | None
    at_stripe: int | None
    said: str
    """What Stripe calls it."""
    refused: bool = False
    """Recorded as asked for and refused: Stripe has nothing of it, as it should be."""

    @property
    def agrees(self) -> bool:
        return self.recorded == self.at_stripe or (self.refused and self.at_stripe is None)

    @property
    def waiting(self) -> bool:
        """Written down before Stripe was asked, or while it makes up its mind."""
        return self.at_stripe is None and self.fact.state in ("Initial", "Pending")


class Comparison(Struct, frozen=True):
    """Both sides of one payment at one time."""

    payment: Json
    intent: Json
    rows: list[Row]

    @property
    def agrees(self) -> bool:
        return all(row.agrees for row in self.rows)

    @property
    def settling(self) -> bool:
        """Whether all that does not agree is still under way."""
        return all(row.agrees or row.waiting for row in self.rows)

    @property
    def recorded(self) -> list[tuple[str, int, str]]:
        """Type, amount and state of the payment's transactions, in order."""
        return [
            (each["type"], each["amount"]["centAmount"], each["state"])
            for each in self.payment["transactions"]
        ]


def compare(
    payment: Json, intent: Json, refunds: Iterable[Json], disputes: Iterable[Json] = ()
) -> Comparison:
    """`intent` with its latest charge expanded; amounts are those of two-decimal currencies."""
    recorded = _recorded(payment)
    at_stripe = {**_at_stripe(intent, refunds), **_disputed(disputes)}
    refused = _refused(payment)
    rows = []
    for fact in dict.fromkeys([*recorded, *at_stripe]):
        amount, said = at_stripe.get(fact, (None, "-"))
        rows.append(Row(fact, recorded.get(fact), amount, said, fact in refused))
    return Comparison(payment, intent, rows)


def _recorded(payment: Json) -> Counter[Fact]:
    """Sums of the transactions: a charge made in several captures is one at Stripe."""
    sums: Counter[Fact] = Counter()
    for each in payment["transactions"]:
        sums[_fact(each)] += each["amount"]["centAmount"]
    return sums


def _refused(payment: Json) -> set[Fact]:
    """What the payment says was requested from Stripe without effect."""
    return {
        _fact(each)
        for each in payment["transactions"]
        if each["state"] == "Failure" and _ERROR in each.get("custom", {}).get("fields", {})
    }


def _fact(transaction: Json) -> Fact:
    kind = transaction["type"]
    reference = transaction.get("interactionId") if kind in _EACH_BY_ITSELF else None
    return Fact(kind, transaction["state"], reference)


def _disputed(disputes: Iterable[Json]) -> dict[Fact, tuple[int, str]]:
    """Inquiries move no money and leave no transaction."""
    return {
        Fact("Chargeback", _DISPUTE_STATES.get(each["status"], "Pending"), each["id"]): (
            each["amount"],
            f"dispute {each['status']}",
        )
        for each in disputes
        if not each["status"].startswith("warning_")
    }


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


_EACH_BY_ITSELF = ("Refund", "Chargeback")
_ERROR = "stripeConnector_error"
_DISPUTE_STATES = {"won": "Failure", "prevented": "Failure", "lost": "Success"}
_REFUND_STATES = {
    "pending": "Pending",
    "requires_action": "Pending",
    "succeeded": "Success",
    "failed": "Failure",
    "canceled": "Failure",
}
