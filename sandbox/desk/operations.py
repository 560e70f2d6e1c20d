"""What was asked of a payment, what came of it, and how one tells people."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

import httpx
import msgspec
from msgspec import Struct

from sandbox.desk.wire import Json, message_of


class Action(StrEnum):
    """What the processor's /operations/payment-intents can do."""

    CAPTURE = "capturePayment"
    REFUND = "refundPayment"
    CANCEL = "cancelPayment"
    REVERSE = "reversePayment"


class Outcome(StrEnum):
    """How it went: three that the processor tells, and two for when it tells none."""

    APPROVED = "approved"
    RECEIVED = "received"
    REJECTED = "rejected"
    REFUSED = "refused"
    """The processor did not ask Stripe."""
    UNKNOWN = "unknown"
    """It may have happened or not."""


class Wish(Struct, frozen=True, kw_only=True):
    """One operation on a payment as it was asked for; `key` is its Idempotency-Key."""

    key: str
    payment_id: str
    action: Action
    currency: str
    cents: int | None = None
    """Minor units; None for actions that take all there is."""
    charge: str | None = None
    """The Charge transaction that a refund belongs to."""

    def body(self) -> Json:
        action: Json = {"action": self.action.value}
        if self.cents is not None:
            action["amount"] = {"centAmount": self.cents, "currencyCode": self.currency}
        if self.charge is not None:
            action["transactionId"] = self.charge
        return {"actions": [action]}


class Operation(Struct, frozen=True, kw_only=True):
    """A wish and what came of it."""

    wish: Wish
    outcome: Outcome
    status: int | None = None
    """Of the processor's answer; None where there was none."""
    code: str = ""
    message: str = ""
    correlation_id: str = ""

    @property
    def key(self) -> str:
        return self.wish.key

    @property
    def repeatable(self) -> bool:
        """Whether asking again, under the same key, is what to do next."""
        return self.outcome is Outcome.UNKNOWN or self.status in (
            HTTPStatus.CONFLICT,
            HTTPStatus.TOO_MANY_REQUESTS,
        )


def answered(wish: Wish, answer: httpx.Response) -> Operation:
    """What the processor's answer means."""
    correlation_id = answer.headers.get("x-correlation-id", "")
    try:
        body = msgspec.json.decode(answer.content, type=Json)
    except msgspec.DecodeError:
        body = {}
    status = answer.status_code
    if answer.is_success and body.get("outcome") in ("approved", "received", "rejected"):
        error = body.get("error") or {}
        return Operation(
            wish=wish,
            outcome=Outcome(body["outcome"]),
            status=status,
            code=str(error.get("code", "")),
            message=str(error.get("message", "")),
            correlation_id=correlation_id,
        )
    return Operation(
        wish=wish,
        outcome=Outcome.REFUSED if answer.is_client_error else Outcome.UNKNOWN,
        status=status,
        code=str((body.get("errors") or [{}])[0].get("code", "")),
        message=message_of(body),
        correlation_id=correlation_id,
    )


def unanswered(wish: Wish, problem: str) -> Operation:
    """It is not known whether the processor has done it."""
    return Operation(wish=wish, outcome=Outcome.UNKNOWN, message=problem)


class Told(Struct, frozen=True):
    """An outcome in words; `tone` is good, note or bad."""

    tone: str
    headline: str
    next: str
    reason: str = ""
    """Why it was not done, for people: without the fields and ids of any API."""


DONE = {
    Action.CAPTURE: "Captured",
    Action.REFUND: "Refunded",
    Action.CANCEL: "Cancelled",
    Action.REVERSE: "Reversed",
}
NAMES = {
    Action.CAPTURE: "capture",
    Action.REFUND: "refund",
    Action.CANCEL: "cancellation",
    Action.REVERSE: "reversal",
}


_REASONS = {
    "charge_disputed": "The cardholder's bank disputes the charge, and has the money.",
    "charge_already_refunded": "All of it has been refunded already.",
    "balance_insufficient": "There is not enough money in the Stripe balance.",
    "insufficient_funds": "There is not enough money in the Stripe balance.",
    "charge_expired_for_capture": "The authorization has expired.",
    "payment_intent_unexpected_state": "At Stripe the payment has moved on meanwhile.",
}
"""By the codes of Stripe's errors (https://docs.stripe.com/error-codes)."""


def tell(operation: Operation, amount: str, most: str = "") -> Told:
    """The outcome, why, and what to do next.

    `amount` and `most`, what is possible at most, are written for people, or empty.
    """
    name = NAMES[operation.wish.action]
    of = f" of {amount}" if amount else ""
    match operation.outcome:
        case Outcome.APPROVED:
            done = DONE[operation.wish.action]
            return Told("good", f"{done} {amount}".strip() + ".", "There is nothing left to do.")
        case Outcome.RECEIVED:
            return Told(
                "note",
                f"Stripe is working on the {name}{of}.",
                "There is nothing to do: this page changes once Stripe has decided.",
            )
        case Outcome.REJECTED:
            return Told(
                "bad",
                f"Stripe rejected the {name}{of}.",
                "No money has moved.",
                _REASONS.get(operation.code, operation.message),
            )
        case Outcome.REFUSED:
            reason = _refused_because(operation, most)
            headline = f"The {name}{of} was not carried out."
            return Told("bad", headline, _after_refusal(operation), reason)
        case Outcome.UNKNOWN:
            return Told(
                "bad",
                f"It is not known yet whether the {name}{of} was carried out.",
                "Repeat it: with the same Idempotency-Key money moves once,"
                " whether or not it has moved already.",
            )


def _refused_because(operation: Operation, most: str) -> str:
    """Of what the processor refuses: its own words name fields and minor units."""
    match operation.status:
        case HTTPStatus.BAD_REQUEST if most:
            return f"At most {most} can be {DONE[operation.wish.action].lower()} now."
        case HTTPStatus.BAD_REQUEST:
            return "The payment does not allow it as it is now."
        case HTTPStatus.CONFLICT:
            return "Another operation on this payment is not finished yet."
        case _:
            return ""


def _after_refusal(operation: Operation) -> str:
    match operation.status:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return "No money has moved. Sign out and in again, then try once more."
        case HTTPStatus.NOT_FOUND:
            return "No money has moved. The processor does not know this payment as one of its own."
        case HTTPStatus.CONFLICT | HTTPStatus.TOO_MANY_REQUESTS:
            return "No money has moved. Wait a few seconds, then repeat it."
        case _:
            return "No money has moved. Look at what is possible now, then try again."
