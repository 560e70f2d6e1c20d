"""What a payment's transactions come to: where it stands, and what is possible now."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from sandbox.desk.operations import Action
from sandbox.desk.wire import Json

_REFUND_OF = "stripeConnector_refundOf"
_UNFINISHED = ("Initial", "Pending")
_BEGUN = (*_UNFINISHED, "Success")
MISMATCH = "amount_mismatch"
ORDER_FAILED = "order_failed"
"""Paid, and commercetools takes no order of the cart."""
SUPERSEDED = "superseded"
"""Its payment page was replaced by another."""


class Charge(Struct, frozen=True):
    """A successful capture, and how much of it can be refunded, in minor units."""

    id: str
    cents: int
    left: int


class Standing(Struct, frozen=True, kw_only=True):
    """A payment in one word and in a few sums; amounts in minor units."""

    label: str
    tone: str
    """good, note, bad or plain."""
    currency: str
    planned: int
    authorized: int
    captured: int
    refunded: int
    disputed: int
    lost: int
    """What disputes have taken for good."""
    capturable: int
    refundable: int
    charges: tuple[Charge, ...]
    capturing: bool
    """A capture is under way: nothing else is captured, released or reversed before its end."""
    contested: bool
    """A dispute has the money or has taken it: Stripe refunds nothing of the charge."""
    cancellable: bool
    reversible: bool

    @property
    def kept(self) -> int:
        """What the merchant has of it now."""
        return max(self.captured - self.refunded - self.disputed, 0)

    @property
    def movable(self) -> bool:
        """Whether there is anything that one can ask for."""
        return bool(self.can_capture or self.refundable or self.cancellable or self.reversible)

    @property
    def can_capture(self) -> bool:
        return self.capturable > 0 and not self.capturing

    def most(self, action: Action, charge: str | None = None) -> int:
        """What an action can move at most now; a refund may be of one charge."""
        if action is Action.CAPTURE:
            return self.capturable if self.can_capture else 0
        of = [each.left for each in self.charges if each.id == charge]
        return min(self.refundable, *of) if of else self.refundable

    def after(self, action: Action, cents: int | None) -> Standing:
        """Where it stands once the action has been carried out."""
        match action:
            case Action.CAPTURE:
                captured = self.captured + (cents or 0)
                return structs.replace(self, captured=captured, capturable=0)
            case Action.REFUND:
                return structs.replace(self, refunded=self.refunded + (cents or 0))
            case Action.CANCEL:
                return structs.replace(self, capturable=0)
            case Action.REVERSE:
                refunded = self.refunded + self.refundable
                return structs.replace(self, refunded=refunded, capturable=0)


def standing(payment: Json, disputes: Iterable[Json] = ()) -> Standing:
    """Where a Payment of commercetools stands; what is begun counts as if it were done.

    `disputes` are Stripe's, of which the Payment may not know yet.
    """

    def total(kind: str, *states: str) -> int:
        return sum(
            each["amount"]["centAmount"]
            for each in payment["transactions"]
            if each["type"] == kind
            and each["state"] in states
            and each["amount"]["currencyCode"] == payment["amountPlanned"]["currencyCode"]
        )

    authorized, captured = total("Authorization", "Success"), total("Charge", "Success")
    capturable = authorized - total("Charge", *_BEGUN) - total("CancelAuthorization", *_BEGUN)
    lost, held_back = total("Chargeback", "Success"), total("Chargeback", "Pending")
    # https://docs.stripe.com/api/disputes/object#dispute_object-is_charge_refundable
    contested = _has(payment, "Chargeback", "Pending", "Success") or not all(
        each["is_charge_refundable"] for each in disputes
    )
    refundable = 0 if contested else captured - total("Refund", *_BEGUN)
    capturing = _has(payment, "Charge", *_UNFINISHED)
    arriving = _has(payment, "Authorization", "Pending") and not authorized
    label, tone = _word(payment, authorized, captured, capturable)
    open_to_pay = (
        _is_started(payment)
        and not authorized
        and not arriving
        and label not in ("Cancelled", "Replaced")
    )
    return Standing(
        label=label,
        tone=tone,
        currency=payment["amountPlanned"]["currencyCode"],
        planned=payment["amountPlanned"]["centAmount"],
        authorized=authorized,
        captured=captured,
        refunded=total("Refund", "Success"),
        disputed=lost + held_back,
        lost=lost,
        capturable=max(capturable, 0),
        refundable=max(refundable, 0),
        charges=_charges(payment),
        capturing=capturing,
        contested=contested,
        cancellable=(capturable > 0 or open_to_pay) and not capturing,
        reversible=(refundable > 0 or arriving) and not capturing,
    )


def happened(kind: str, state: str) -> tuple[str, str]:
    """What a transaction says of the money, in words, and the tone of that."""
    return _WORDS[kind, "Pending" if state == "Initial" else state]


_WORDS = {
    ("Authorization", "Pending"): ("Being authorized", "note"),
    ("Authorization", "Success"): ("Authorized", "note"),
    ("Authorization", "Failure"): ("Not authorized", "bad"),
    ("CancelAuthorization", "Pending"): ("Being released", "note"),
    ("CancelAuthorization", "Success"): ("Released", "plain"),
    ("CancelAuthorization", "Failure"): ("Not released", "bad"),
    ("Charge", "Pending"): ("Being captured", "note"),
    ("Charge", "Success"): ("Captured", "good"),
    ("Charge", "Failure"): ("Not captured", "bad"),
    ("Refund", "Pending"): ("Being refunded", "note"),
    ("Refund", "Success"): ("Refunded", "plain"),
    ("Refund", "Failure"): ("Not refunded", "bad"),
    ("Chargeback", "Pending"): ("Money withheld", "bad"),
    ("Chargeback", "Success"): ("Money lost", "bad"),
    ("Chargeback", "Failure"): ("Money kept", "good"),
}


def _has(payment: Json, kind: str, *states: str) -> bool:
    return any(t["type"] == kind and t["state"] in states for t in payment["transactions"])


def _is_started(payment: Json) -> bool:
    """Whether Stripe knows of it: there is an intent, or a payment page that stands for one."""
    return "interfaceId" in payment or any(
        each.get("interactionId", "").startswith("cs_") for each in payment["transactions"]
    )


def _word(payment: Json, authorized: int, captured: int, capturable: int) -> tuple[str, str]:
    def has(kind: str, *states: str) -> bool:
        return _has(payment, kind, *states)

    refunded = sum(
        t["amount"]["centAmount"]
        for t in payment["transactions"]
        if t["type"] == "Refund" and t["state"] == "Success"
    )
    if payment["paymentStatus"].get("interfaceCode") == MISMATCH:
        return "Amount differs", "bad"
    if payment["paymentStatus"].get("interfaceCode") == ORDER_FAILED and refunded < captured:
        return "Paid, no order", "bad"
    if has("Chargeback", "Pending"):
        return "Disputed", "bad"
    if has("Chargeback", "Success"):
        return "Dispute lost", "bad"
    if captured:
        if refunded >= captured:
            return "Refunded", "plain"
        if refunded:
            return "Partly refunded", "note"
        return ("Partly captured", "note") if capturable > 0 else ("Paid", "good")
    if authorized:
        return ("Authorized", "note") if capturable > 0 else ("Cancelled", "plain")
    if has("Authorization", "Pending"):
        return "Processing", "note"
    if payment["paymentStatus"].get("interfaceCode") == SUPERSEDED:
        return "Replaced", "plain"
    if payment["paymentStatus"].get("interfaceCode") == "canceled":
        return "Cancelled", "plain"
    if has("Authorization", "Failure"):
        return "Failed", "bad"
    return "Started", "plain"


def _charges(payment: Json) -> tuple[Charge, ...]:
    refunds = [
        (each.get("custom", {}).get("fields", {}).get(_REFUND_OF), each["amount"]["centAmount"])
        for each in payment["transactions"]
        if each["type"] == "Refund" and each["state"] in _BEGUN
    ]
    return tuple(
        Charge(
            each["id"],
            each["amount"]["centAmount"],
            each["amount"]["centAmount"] - sum(cents for of, cents in refunds if of == each["id"]),
        )
        for each in payment["transactions"]
        if each["type"] == "Charge" and each["state"] == "Success"
    )
