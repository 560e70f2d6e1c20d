"""What the record must say, worked out from Stripe's objects alone, to the cent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Any

from sandbox.stripe import attempts
from sandbox.stripe.state import StripeState
from tests.world import PROJECT, World

Json = dict[str, Any]

PAYABLE = ("requires_payment_method", "requires_confirmation", "requires_action")
NEW_STATUS = "on_hold"
NEW_ACTION = "telepathy"
"""Words that Stripe may add one day: nobody is asked twice, and nothing is taken for paid."""

_REFUND_STATES = {
    "pending": "Pending",
    "requires_action": "Pending",
    "succeeded": "Success",
    "failed": "Failure",
    "canceled": "Failure",
    NEW_STATUS: "Pending",
}


def check(world: World, stripe: StripeState | None = None, surplus: Collection[str] = ()) -> None:
    """Every Payment agrees with Stripe's objects; raises AssertionError where one does not.

    `stripe` is another account, or the other mode, beside the world's. `surplus` are Payments that
    are known to tell more authorizations than there are.
    """
    stripe = stripe or world.stripe
    payments = list(world.store.collection("payment"))
    by_intent = {
        p["interfaceId"]: p for p in payments if p.get("interfaceId", "") in stripe.intents
    }
    for intent in stripe.intents:
        if intent["metadata"].get("ct_project_key") != PROJECT:
            continue
        payment = by_intent.get(intent["id"])
        if payment is None:
            # Its start was cut off, and nobody ever held its secret.
            assert intent["latest_charge"] is None, f"money on an unknown intent {intent['id']}"
            continue
        assert payment["id"] == intent["metadata"]["ct_payment_id"]
        _check_payment(stripe, payment, intent, authorized=payment["id"] not in surplus)
    _check_one_open_intent_per_cart(world, stripe, list(by_intent.values()))


def _check_payment(
    stripe: StripeState, payment: Json, intent: Json, *, authorized: bool = True
) -> None:
    record = {
        "payment": payment["id"],
        "intent": intent["status"],
        "transactions": [
            (t["type"], t["amount"]["centAmount"], t["state"], t.get("interactionId"))
            for t in payment["transactions"]
        ],
    }
    assert _total(payment, "Charge", "Success") == intent["amount_received"], record
    if authorized:
        _check_authorization(stripe, payment, intent, record)
    _check_refunds(stripe, payment, intent, record)
    _check_disputes(stripe, payment, intent, record)
    _check_transfer(payment, intent, record)
    named = Counter(
        (t["type"], t["interactionId"])
        for t in payment["transactions"]
        if t.get("interactionId") and t["type"] in ("Charge", "Refund", "Chargeback")
    )
    assert all(count == 1 for count in named.values()), record


def _check_authorization(stripe: StripeState, payment: Json, intent: Json, record: Json) -> None:
    charge = stripe.charges.get(intent["latest_charge"] or "")
    authorized = charge is not None and charge["status"] == "succeeded"
    wanted = approved(intent, charge) if authorized and charge is not None else 0
    assert _total(payment, "Authorization", "Success") == wanted, record
    states = [t["state"] for t in payment["transactions"] if t["type"] == "Authorization"]
    match intent["status"]:
        case "processing":
            assert "Pending" in states, record
        case "requires_action":
            assert ("Pending" in states) is is_pending(intent), record
        case "requires_payment_method" if intent["last_payment_error"]:
            assert states, record
            assert set(states) == {"Failure"}, record
        case "canceled" if not authorized:
            assert states, record
            assert set(states) == {"Failure"}, record
    released = 0
    if authorized and intent["status"] in ("succeeded", "canceled"):
        released = max(0, wanted - intent["amount_received"])
    assert _total(payment, "CancelAuthorization", "Success") == released, record


def approved(intent: Json, charge: Json) -> int:
    """What the bank has approved: an overcapture takes more."""
    card = charge["payment_method_details"].get("card") or {}
    return int(min(intent["amount"], card.get("amount_authorized", intent["amount"])))


def _gave_nothing_back(refund: Json) -> bool:
    """A Refund object of what was only authorized: no money of the account has moved."""
    return refund["balance_transaction"] is None


def _check_refunds(stripe: StripeState, payment: Json, intent: Json, record: Json) -> None:
    recorded = {
        t["interactionId"]: (t["amount"]["centAmount"], t["state"])
        for t in payment["transactions"]
        if t["type"] == "Refund" and t.get("interactionId")
    }
    at_stripe = {
        r["id"]: (r["amount"], _REFUND_STATES[r["status"]])
        for r in stripe.refunds
        if r["payment_intent"] == intent["id"] and not _gave_nothing_back(r)
    }
    assert recorded == at_stripe, (record, at_stripe)
    asked = Counter(
        r["metadata"]["ct_transaction_id"]
        for r in stripe.refunds
        if r["payment_intent"] == intent["id"] and "ct_transaction_id" in r["metadata"]
    )
    assert all(count == 1 for count in asked.values()), f"refunded twice: {asked}"


def _dispute_state(dispute: Json) -> str:
    if dispute["status"] not in ("lost", "won", "prevented"):
        return "Pending"
    moved = sum(each["amount"] for each in dispute["balance_transactions"])
    return "Success" if moved < 0 else "Failure"


def _check_disputes(stripe: StripeState, payment: Json, intent: Json, record: Json) -> None:
    at_stripe = {
        d["id"]: (d["amount"], _dispute_state(d))
        for d in stripe.disputes
        if d["payment_intent"] == intent["id"] and not d["status"].startswith("warning_")
    }
    recorded = {
        t["interactionId"]: (t["amount"]["centAmount"], t["state"])
        for t in payment["transactions"]
        if t["type"] == "Chargeback"
    }
    assert recorded == at_stripe, (record, at_stripe)


def _check_transfer(payment: Json, intent: Json, record: Json) -> None:
    """What has come of a bank transfer in parts is shown, and is no Charge."""
    transfer = (intent["next_action"] or {}).get("display_bank_transfer_instructions")
    if transfer is None or transfer["amount_remaining"] == intent["amount"]:
        return
    remaining = [
        t["custom"]["fields"]["stripeConnector_remaining"]["centAmount"]
        for t in payment["transactions"]
        if t["type"] == "Authorization" and t["state"] == "Pending"
    ]
    assert remaining == [transfer["amount_remaining"]], record


def _check_one_open_intent_per_cart(
    world: World, stripe: StripeState, payments: list[Json]
) -> None:
    for cart in world.store.collection("cart"):
        ids = {p["id"] for p in cart.get("paymentInfo", {}).get("payments", [])}
        open_intents = [
            p["interfaceId"]
            for p in payments
            if p["id"] in ids and can_be_paid(world, stripe, stripe.intents[p["interfaceId"]])
        ]
        assert len(open_intents) <= 1, f"two open intents on one cart: {open_intents}"


def can_be_paid(world: World, stripe: StripeState, intent: Json) -> bool:
    """Whether a shopper has where to pay an intent that waits for one.

    On a page, for as long as that is open: an attempt that fails after its page is complete leaves
    an intent to which no page leads any more. Without a page, only with the client secret: nobody
    holds it of an intent whose start was cut off before its answer, or of a charge on file that a
    bank refused later (Stripe asks for it at each confirmation in a browser).
    """
    if intent["status"] not in PAYABLE:
        return False
    page = stripe.sessions_by_intent.get(intent["id"])
    return intent["id"] in world.given_out if page is None else page["status"] == "open"


def _total(payment: Json, type_: str, state: str) -> int:
    return sum(
        t["amount"]["centAmount"]
        for t in payment["transactions"]
        if t["type"] == type_ and t["state"] == state
    )


def held(stripe: StripeState, intent: Json) -> int:
    """What an intent takes off what its cart costs, as Stripe has it: authorized or captured, and
    neither lost nor wholly given back."""
    kept = secured(stripe, intent)
    received = int(intent["amount_received"])
    refunded = sum(
        r["amount"]
        for r in stripe.refunds
        if r["payment_intent"] == intent["id"]
        and _REFUND_STATES[r["status"]] != "Failure"
        and not _gave_nothing_back(r)
    )
    gone = sum(
        d["amount"]
        for d in stripe.disputes
        if d["payment_intent"] == intent["id"] and _dispute_state(d) == "Success"
    )
    kept -= min(gone, max(0, received - refunded))
    return kept if kept > refunded else 0


def secured(stripe: StripeState, intent: Json) -> int:
    """What an intent has authorized or captured and not released, as Stripe has it."""
    charge = stripe.charges.get(intent["latest_charge"] or "")
    if charge is None or charge["status"] != "succeeded" or intent["status"] == "canceled":
        return 0
    received = int(intent["amount_received"])
    if intent["status"] == "succeeded":
        return received
    return max(received, approved(intent, charge))


def is_pending(intent: Json) -> bool:
    """Whether a bank or a shopper outside of the page may still bring its money."""
    new = (intent["next_action"] or {}).get("type") == NEW_ACTION
    return intent["status"] == "processing" or attempts.is_outside(intent) or new
