"""Stripe's objects -> facts: what an object says about money, whatever event delivered it.

Events overlap, and arrive late, repeatedly and in any order. So nothing here depends on an event's
type: an object yields facts, and merging a fact twice, or after a newer one, changes nothing. That
holds for three reasons:

* An intent that has `succeeded` or been `canceled` never changes again, an authorization once given
  stays given, and the captured amount only grows: such facts are true whenever they are read.
* A refund moves one way only: pending, succeeded, failed.
* Everything else (a failed or a processing attempt, a dispute) may already be outdated in an event.
  It is a fact only if the object was read *after* the version of the Payment that is written:
  `IntentFact.settled` and the callers of `dispute_fact` take care of that.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from stripe_connector.ledger.payment import TransactionState
from stripe_connector.ledger.stripe_objects import (
    INTENT_STATUSES,
    OUTSIDE,
    REFUND_STATUSES,
    Charge,
    Dispute,
    PaymentIntent,
    Refund,
)

PAYMENT_ID = "ct_payment_id"
PROJECT_KEY = "ct_project_key"
TRANSACTION_ID = "ct_transaction_id"
OPERATION = "ct_operation"
CUSTOMER_ID = "ct_customer_id"
CART_ID = "cart_id"
ORDER_ID = "ct_order_id"
"""Metadata that link our objects at Stripe to commercetools."""


class IntentFact(Struct, frozen=True):
    """What is authorized, captured and released of an intent. Amounts in Stripe's minor units."""

    intent_id: str
    amount: int
    """The intent's, which grows with an incremental authorization and with an overcapture."""
    currency: str
    authorization: Literal["Pending", "Success", "Failure"] | None
    """None where the shopper has not tried to pay yet, or is authenticating."""
    captured: int
    """All that was captured so far."""
    authorized: int
    """All that the bank has approved so far: an overcapture takes more."""
    released: bool
    """Nothing more can be captured: what was authorized beyond `captured` is free again."""
    settled: bool
    """Whether it stays true; if not, it is true only if read after the Payment's version."""
    charge_id: str | None = None
    method: str | None = None
    status: str | None = None
    """Stripe's status of the intent; None where the fact comes from a charge."""
    text: str = ""
    funded: int = 0
    """What was received of a bank transfer in parts: no Charge before it is complete."""
    unknown: str | None = None
    """A value of Stripe's that this version of the connector does not know, for the log."""


class RefundFact(Struct, frozen=True):
    refund_id: str
    amount: int
    currency: str
    state: Literal["Pending", "Success", "Failure"]
    transaction_id: str | None
    """The Refund transaction that we wrote ahead, where the refund is ours."""
    failure: str | None = None
    """Stripe's reason for the failure."""
    unknown: str | None = None
    """A value of Stripe's that this version of the connector does not know, for the log."""


class ReleaseFact(Struct, frozen=True):
    """A Refund object that returned no money: it stands for a released authorization.

    Accounts whose default API version is older than 2025-03-31.basil have them:
    https://docs.stripe.com/changelog/basil/2025-03-31/remove-refund-from-partial-capture-and-payment-cancellation-flow
    """

    refund_id: str
    certain: bool
    """Whether that is certain; if not, the refund is only not recorded."""


class DisputeFact(Struct, frozen=True):
    dispute_id: str
    amount: int
    currency: str
    state: Literal["Pending", "Success", "Failure"]
    unknown: str | None = None
    """A value of Stripe's that this version of the connector does not know, for the log."""


class ExpiredSessionFact(Struct, frozen=True):
    """A Checkout Session that can no longer be paid."""

    session_id: str


Fact = IntentFact | RefundFact | ReleaseFact | DisputeFact | ExpiredSessionFact


def intent_fact(intent: PaymentIntent) -> IntentFact:
    """What an intent says, from an event's snapshot or read from Stripe."""
    charge = intent.charge
    # What was received of a bank transfer in parts is not charged, and stays the customer's.
    taken = intent.amount_received > 0 and intent.latest_charge is not None
    authorized = taken or (charge is not None and _authorized(charge))
    approved = intent.amount
    if charge is not None and _authorized(charge) and intent.amount_received > charge.authorized:
        approved = charge.authorized  # an overcapture: no bank has approved the rest
    authorization: Literal["Pending", "Success", "Failure"] | None
    settled = False
    unknown = _unknown_word(intent)
    match intent.status:
        case "succeeded" | "requires_capture":
            # After an overcapture, only the charge shows what was authorized.
            told = charge is not None or not intent.may_be_overcaptured
            authorization, settled = "Success", told or intent.amount_received == 0
        case "canceled":
            authorization = "Success" if authorized else "Failure"
            # Only the charge shows whether it was authorized before it was canceled.
            settled = authorized or intent.latest_charge is None or charge is not None
        case "requires_action" if intent.waits_for is not None:
            authorization = "Pending"
        case "processing":
            authorization = "Pending"
        case "requires_payment_method" if intent.last_payment_error is not None:
            authorization = "Failure"
        case _ if unknown is not None:
            authorization = "Pending"  # neither due again nor paid
        case _:
            authorization = None
    return IntentFact(
        intent_id=intent.id,
        amount=intent.amount,
        currency=intent.currency.upper(),
        authorization=authorization,
        captured=intent.amount_received,
        authorized=approved,
        released=intent.status in ("succeeded", "canceled"),
        settled=settled,
        charge_id=intent.charge_id,
        method=_method(charge) if charge is not None and charge.status != "failed" else None,
        status=intent.status,
        text=_text(intent),
        funded=intent.funded,
        unknown=unknown,
    )


def charge_fact(charge: Charge) -> IntentFact | None:
    """What a charge says about its intent; None for a failed, pending or foreign one.

    A charge shows that money was authorized and how much of it was captured. Only the intent shows
    that nothing more will be captured.
    """
    if charge.payment_intent is None or not _authorized(charge):
        return None
    return IntentFact(
        intent_id=charge.payment_intent,
        amount=charge.amount,
        currency=charge.currency.upper(),
        authorization="Success",
        captured=charge.amount_captured,
        authorized=charge.authorized,
        released=False,
        settled=True,
        charge_id=charge.id,
        method=_method(charge),
    )


def refund_fact(refund: Refund) -> RefundFact:
    """What a refund says; its metadata name the transaction that requested it."""
    return RefundFact(
        refund_id=refund.id,
        amount=refund.amount,
        currency=refund.currency.upper(),
        state=_refund_state(refund.status),
        transaction_id=refund.metadata.get(TRANSACTION_ID),
        failure=refund.failure_reason,
        unknown=refund.status if refund.status not in (*REFUND_STATUSES, None) else None,
    )


def refund_facts(
    refunds: Iterable[Refund], charge: Charge | None
) -> list[RefundFact | ReleaseFact]:
    """What all refunds of a charge say, read together with the charge in the pinned version.

    A refund is one only up to what was captured, and only if the charge counts it. A charge is
    released once at most, by its cancellation, its expiry or its last capture, so that the amount
    shows which refund stands for that.
    """
    refunds = list(refunds)
    if charge is None:
        return [refund_fact(refund) for refund in refunds]
    released = charge.amount - charge.amount_captured
    surplus = sum(r.amount for r in refunds if _counts(r)) - charge.amount_refunded
    none: dict[str, bool] = {}
    """The refunds, by id, that returned no money, and whether that is certain."""
    for refund in sorted(refunds, key=_moved_money):
        if refund.charge not in (None, charge.id) or not may_be_release(refund):
            continue
        named = refund.reason == "expired_uncaptured_charge"
        if named or charge.amount_captured == 0:
            none[refund.id] = True
        elif surplus > 0 and refund.amount in (released, surplus):
            none[refund.id] = False
        if refund.id in none and _counts(refund):
            surplus -= refund.amount
    return [
        ReleaseFact(refund.id, none[refund.id]) if refund.id in none else refund_fact(refund)
        for refund in refunds
    ]


def may_be_release(refund: Refund) -> bool:
    """Whether a refund may have returned no money, which only its charge shows.

    Never one that we requested: Stripe refunds what was captured, or refuses.
    """
    return TRANSACTION_ID not in refund.metadata


def _moved_money(refund: Refund) -> tuple[bool, bool]:
    """Of refunds of equal amount, one that changed no balance, or has no reason given by a person,
    is likelier to stand for a release."""
    return refund.balance_transaction is not None, refund.reason is not None


def _counts(refund: Refund) -> bool:
    """Whether a charge counts a refund among `amount_refunded`."""
    return refund.status in ("succeeded", "pending")


def dispute_fact(dispute: Dispute) -> DisputeFact | None:
    """What a dispute says *now*; None for an inquiry, which moves no money."""
    if dispute.status.startswith("warning_"):
        return None
    state: Literal["Pending", "Success", "Failure"]
    match dispute.status:
        case "lost" | "won" | "prevented":
            state = "Success" if dispute.money_is_gone else "Failure"
        case _:  # needs_response, under_review and the states of an appeal
            state = "Pending"
    unknown = None if dispute.status in _DISPUTE_STATUSES else dispute.status
    return DisputeFact(dispute.id, dispute.amount, dispute.currency.upper(), state, unknown)


def _authorized(charge: Charge) -> bool:
    """A succeeded charge is an authorization, captured or not."""
    return charge.status == "succeeded"


def _method(charge: Charge) -> str | None:
    return charge.payment_method_details.type if charge.payment_method_details else None


def _refund_state(status: str | None) -> Literal["Pending", "Success", "Failure"]:
    match status:
        case "succeeded":
            return "Success"
        case "failed" | "canceled":
            return "Failure"
        case _:
            return "Pending"


def _unknown_word(intent: PaymentIntent) -> str | None:
    if intent.status not in INTENT_STATUSES:
        return intent.status
    return intent.waits_for if intent.waits_for not in (*OUTSIDE, None) else None


def _text(intent: PaymentIntent) -> str:
    """The status in words, for the people who look at the Payment."""
    error = intent.last_payment_error
    if intent.status == "requires_payment_method" and error is not None:
        reason = error.decline_code or error.code or "declined"
        return f"{error.message or 'The payment attempt failed.'} ({reason})"
    if intent.waits_for is not None:
        return f"Waiting for the shopper to pay outside of the page ({intent.waits_for})."
    return _STATUS_TEXT.get(
        intent.status, f"Stripe reports a status that the connector does not know: {intent.status}"
    )


_STATUS_TEXT = {
    "requires_payment_method": "Waiting for a payment method.",
    "requires_confirmation": "Waiting for confirmation.",
    "requires_action": "Waiting for the shopper.",
    "processing": "The payment is being processed.",
    "requires_capture": "Authorized, waiting for capture.",
    "canceled": "Canceled.",
    "succeeded": "Paid.",
}

_DISPUTE_STATUSES = frozenset(
    {
        "needs_response",
        "under_review",
        "appeal_needs_response",
        "appeal_under_review",
        "won",
        "lost",
        "prevented",
    }
)

REFUND_ORDER: dict[TransactionState, int] = {"Initial": 0, "Pending": 1, "Success": 2, "Failure": 3}
"""The order of a refund's states: even a succeeded one may still fail, never the reverse."""
