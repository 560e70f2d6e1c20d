"""Captures and cancellations: what becomes of an authorization."""

from __future__ import annotations

from sandbox.stripe import charges, checkout, currencies, disputes, refunds
from sandbox.stripe.errors import refused, unexpected_state
from sandbox.stripe.intents import CONFIRMABLE
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

_CANCELABLE = CONFIRMABLE | {"requires_capture"}
_MAX_CAPTURES = 50


def capture(
    state: StripeState, intent: JsonObject, amount: int | None, *, final: bool = True
) -> None:
    """Take `amount` (all that is left when None) of what was authorized.

    A final capture releases the rest; another needs a charge with multicapture. Capturing 0
    finally releases what is left after earlier captures.
    """
    if intent["status"] != "requires_capture":
        raise unexpected_state(
            "This PaymentIntent could not be captured because it has a status of"
            f" {intent['status']}. Only a PaymentIntent with one of the following statuses may"
            " be captured: requires_capture.",
            snapshot(intent),
        )
    charge = state.charges[intent["latest_charge"]]
    capturable: int = intent["amount_capturable"]
    taken = capturable if amount is None else amount
    _check_capture(state, intent, charge, taken, final=final)
    charge_before, intent_before = snapshot(charge), snapshot(intent)
    charge["amount_captured"] += taken
    if taken:
        charges.book(state, charge, taken)
    intent["amount_received"] += taken
    intent["amount_capturable"] = 0 if final else capturable - taken
    if taken > capturable:
        # An overcapture raises the amounts, not what the bank has approved:
        # https://docs.stripe.com/payments/overcapture
        intent["amount"] += taken - capturable
        charge["amount"] = intent["amount"]
    charge["captured"] = final
    if charges.has_multicapture(charge):
        state.emit("charge.updated", charge, charge_before)
    if final:
        charge["refunded"] = charges.refundable(charge) == 0
        intent["status"] = "succeeded"
        state.emit("charge.captured", charge, charge_before)
    if charges.has_multicapture(charge):
        state.emit("payment_intent.amount_capturable_updated", intent, intent_before)
    if final:
        state.emit("payment_intent.succeeded", intent)
        if capturable > taken:
            refunds.release(state, charge, capturable - taken)
        disputes.follow(state, charge)
        checkout.follow(state, intent)


def increment(state: StripeState, intent: JsonObject, amount: int) -> None:
    """The bank approves a higher amount, the new total, of what is not captured at all yet.

    https://docs.stripe.com/payments/incremental-authorization
    """
    charge = state.charges.get(intent["latest_charge"] or "")
    card = charge["payment_method_details"].get("card") if charge else None
    if intent["status"] != "requires_capture" or intent["amount_received"]:
        raise unexpected_state(
            "Only a PaymentIntent that waits for its first capture can be incremented; this one"
            f" has a status of {intent['status']}.",
            snapshot(intent),
        )
    if card is None or card["incremental_authorization"]["status"] != "available":
        raise refused("This PaymentIntent cannot be incremented: it was not asked for.")
    if amount <= intent["amount"]:
        raise refused("The new amount must be higher than the authorized one.", param="amount")
    before, charge_before = snapshot(intent), snapshot(charge or {})
    intent.update(amount=amount, amount_capturable=amount)
    card["amount_authorized"] = amount
    if charge is not None:
        charge["amount"] = amount
        state.emit("charge.updated", charge, charge_before)
    state.emit("payment_intent.amount_capturable_updated", intent, before)


def cancel(state: StripeState, intent: JsonObject, reason: str | None) -> None:
    """Give up an intent; an authorization is released, without a refund."""
    authorized = intent["status"] == "requires_capture"
    captured = authorized and intent["amount_received"] > 0
    if intent["status"] not in _CANCELABLE or captured:
        state_of = "been captured in part" if captured else f"a status of {intent['status']}"
        raise unexpected_state(
            f"You cannot cancel this PaymentIntent because it has {state_of}. Only a"
            " PaymentIntent with one of the following statuses may be canceled: "
            f"{', '.join(sorted(_CANCELABLE))}.",
            snapshot(intent),
        )
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=state.now(),
        cancellation_reason=reason,
        next_action=None,
    )
    state.emit("payment_intent.canceled", intent)
    if authorized:
        charge = state.charges[intent["latest_charge"]]
        refunds.release(
            state,
            charge,
            charge["amount"],
            "expired_uncaptured_charge" if reason == "expired" else None,
        )


def expire(state: StripeState, intent: JsonObject) -> None:
    """The authorization ends: what was captured stays, the rest is released."""
    if intent["status"] != "requires_capture":
        return
    charge = state.charges[intent["latest_charge"]]
    if intent["amount_received"]:
        capture(state, intent, 0)
    else:
        state.emit("charge.expired", charge)
        cancel(state, intent, "expired")


def _check_capture(
    state: StripeState, intent: JsonObject, charge: JsonObject, amount: int, *, final: bool
) -> None:
    if amount > intent["amount_capturable"] and amount > charges.most_capturable(charge):
        raise refused(
            f"Amount to capture ({amount}) is more than can still be captured"
            f" ({intent['amount_capturable']}).",
            code="amount_too_large",
            param="amount_to_capture",
        )
    multicapture = charges.has_multicapture(charge)
    if not final and not multicapture:
        raise refused(
            "final_capture=false needs multicapture, which is not available for this"
            " PaymentIntent.",
            param="final_capture",
        )
    if amount < 0 or (amount == 0 and not (final and intent["amount_received"])):
        raise refused(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount_to_capture",
        )
    currencies.check_step(amount, intent["currency"], "amount_to_capture")
    booked = state.balance_transactions.newest({"source": charge["id"]})
    if amount and not final and sum(1 for _ in booked) >= _MAX_CAPTURES:
        raise refused(f"A PaymentIntent can be captured up to {_MAX_CAPTURES} times.")
