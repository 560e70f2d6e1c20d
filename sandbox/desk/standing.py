"""What a payment's transactions come to: where it stands, and what is possible now."""

from __future__ import annotations

from msgspec import Struct

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
    capturable: int
    refundable: int
    charges: tuple[Charge, ...]
    cancellable: bool
    reversible: bool


def standing(payment: Json) -> Standing:
    """Where a Payment of commercetools stands; what is begun counts as if it were done."""

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
    lost = total("Chargeback", "Success")
    refundable = captured - total("Refund", *_BEGUN) - lost
    label, tone = _word(payment, authorized, captured, capturable)
    open_to_pay = not authorized and label not in ("Cancelled", "Replaced")
    return Standing(
        label=label,
        tone=tone,
        currency=payment["amountPlanned"]["currencyCode"],
        planned=payment["amountPlanned"]["centAmount"],
        authorized=authorized,
        captured=captured,
        refunded=total("Refund", "Success"),
        disputed=total("Chargeback", "Pending", "Success"),
        capturable=max(capturable, 0),
        refundable=max(refundable, 0),
        charges=_charges(payment),
        cancellable=capturable > 0 or open_to_pay,
        reversible=capturable > 0 or refundable > 0 or open_to_pay,
    )


def _word(payment: Json, authorized: int, captured: int, capturable: int) -> tuple[str, str]:
    def has(kind: str, *states: str) -> bool:
        return any(t["type"] == kind and t["state"] in states for t in payment["transactions"])

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
