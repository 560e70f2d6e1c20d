"""Refunds: each an object of its own, without the metadata of what it refunds."""

from __future__ import annotations

from sandbox.stripe import balance, cards, charges, disputes
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, refused
from sandbox.stripe.forms import (
    EXPAND,
    boolean,
    integer,
    merge_metadata,
    metadata,
    one_of,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING, list_of, retrieve
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

STATUSES = ("pending", "requires_action", "succeeded", "failed", "canceled")
_RETURNED = frozenset(("failed", "canceled"))
"""With these the money is back on the charge."""


def create(
    state: StripeState,
    charge: JsonObject,
    *,
    amount: int | None,
    reason: str | None,
    metadata: dict[str, str],
) -> JsonObject:
    """Give back `amount` of a charge, or all that is left of it."""
    _check(state, charge, amount)
    given = charges.refundable(charge) if amount is None else amount
    behaviour = _behaviour(state, charge)
    refund = {
        **_draft(state, charge, given, reason),
        "metadata": metadata,
        "pending_reason": "processing" if behaviour == "later" else None,
        "status": "pending" if behaviour == "later" else "succeeded",
    }
    refund["balance_transaction"] = balance.record(
        state, "refund", refund["id"], -given, charge["currency"]
    )
    state.refunds.add(refund)
    before = snapshot(charge)
    charge["amount_refunded"] += given
    # a charge that can still be captured is not refunded as a whole
    charge["refunded"] = charge["captured"] and charges.refundable(charge) == 0
    state.emit("refund.created", refund)
    state.emit("charge.refunded", charge, before)
    if behaviour != "at_once":
        outcome = "succeeded" if behaviour == "later" else "failed"
        state.schedule(state.refund_seconds, lambda: _outcome(state, refund, outcome))
    return refund


def release(state: StripeState, charge: JsonObject, amount: int, reason: str | None = None) -> None:
    """What was only authorized is free again; older accounts have a Refund object of that."""
    if not state.behaviour.releases_make_refunds:
        return
    refund = {
        **_draft(state, charge, amount, reason),
        "balance_transaction": None,
        "metadata": {},
        "pending_reason": None,
        "status": "succeeded",
    }
    state.refunds.add(refund)
    state.emit("refund.created", refund)
    state.emit("charge.refunded", charge)


def move(
    state: StripeState, refund: JsonObject, status: str, failure_reason: str | None = None
) -> None:
    """The bank changes a refund's state; it may still fail after it has succeeded."""
    if status not in STATUSES:
        raise invalid_request(f"Invalid status: must be one of {', '.join(STATUSES)}")
    if refund["status"] in _RETURNED:
        raise refused(f"This refund is {refund['status']}: that is final.")
    before = snapshot(refund)
    refund["status"] = status
    refund["pending_reason"] = "processing" if status == "pending" else None
    if status == "failed":
        refund["failure_reason"] = failure_reason or "unknown"
    if status in _RETURNED:
        _return_money(state, refund)
    if status == "failed":
        state.emit("refund.failed", refund, before)
    state.emit("refund.updated", refund, before)
    state.emit("charge.refund.updated", refund, before)


def _draft(state: StripeState, charge: JsonObject, amount: int, reason: str | None) -> JsonObject:
    """A refund of a charge, without what depends on how it goes."""
    return {
        "id": state.new_id("re" if charge["id"].startswith("ch") else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": state.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "description": None,
        "destination_details": _destination(charge),
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": None,
        "next_action": None,
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "presentment_details": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "transfer_reversal": None,
    }


def _outcome(state: StripeState, refund: JsonObject, status: str) -> None:
    """What an asynchronous test card's refund comes to, unless that was decided by hand."""
    expected = "pending" if status == "succeeded" else "succeeded"
    if refund["status"] == expected:
        move(state, refund, status, "expired_or_canceled_card" if status == "failed" else None)


def _return_money(state: StripeState, refund: JsonObject) -> None:
    refund["failure_balance_transaction"] = balance.record(
        state, "refund_failure", refund["id"], refund["amount"], refund["currency"]
    )
    charge = state.charges[refund["charge"]]
    charge["amount_refunded"] -= refund["amount"]
    charge["refunded"] = False


def _check(state: StripeState, charge: JsonObject, amount: int | None) -> None:
    if charge["status"] != "succeeded":
        raise refused(
            f"Charge {charge['id']} is {charge['status']}: there is nothing to refund.",
            code="charge_not_refundable",
        )
    if charge["amount_captured"] == 0:
        raise refused(
            f"Charge {charge['id']} has not been captured: cancel its PaymentIntent instead.",
            code="charge_not_refundable",
        )
    if disputes.forbids_refund(state, charge):
        raise refused(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )
    left = charges.refundable(charge)
    if left == 0:
        raise refused(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is not None and amount > left:
        raise refused(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left}).",
            code="amount_too_large",
            param="amount",
        )


def _behaviour(state: StripeState, charge: JsonObject) -> str:
    number = state.card_numbers.get(charge["payment_method"])
    return "later" if number is None else cards.by_number(number).refunds


def _destination(charge: JsonObject) -> JsonObject:
    kind = charge["payment_method_details"]["type"]
    if kind != "card":
        return {"type": kind}
    return {
        "type": "card",
        "card": {
            "reference": None,
            "reference_status": "pending",
            "reference_type": "acquirer_reference_number",
            "type": "refund",
        },
    }


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    if params.get("charge") is not None:
        charge = state.find(state.charges, params["charge"], "charge")
        if params.get("payment_intent") not in (None, charge["payment_intent"]):
            raise invalid_request("The charge is not of this payment_intent.", param="charge")
    elif params.get("payment_intent") is not None:
        intent = state.find(state.intents, params["payment_intent"], "payment_intent")
        found = state.charges.get(intent["latest_charge"] or "")
        if found is None or found["status"] == "failed":
            raise refused(
                f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        charge = found
    else:
        raise invalid_request(
            "One of the following params should be provided for this request: payment_intent or"
            " charge.",
            code="parameter_missing",
        )
    amount = params.get("amount")
    if amount is not None and amount < 1:
        raise invalid_request(
            "Invalid positive integer", code="parameter_invalid_integer", param="amount"
        )
    return create(
        state,
        charge,
        amount=amount,
        reason=params.get("reason"),
        metadata=dict(params.get("metadata") or {}),
    )


def _update(call: Call) -> JsonObject:
    refund = call.named(call.state.refunds)
    before = snapshot(refund)
    merge_metadata(refund["metadata"], call.params)
    call.state.emit("refund.updated", refund, before)
    call.state.emit("charge.refund.updated", refund, before)
    return refund


def _cancel(call: Call) -> JsonObject:
    refund = call.named(call.state.refunds)
    if refund["status"] != "requires_action":
        raise refused("You can only cancel a refund whose status is requires_action.")
    move(call.state, refund, "canceled")
    return refund


OPERATIONS = (
    Operation(
        "POST",
        "/v1/refunds",
        _create,
        shape(
            {
                **EXPAND,
                "amount": integer,
                "charge": text,
                "instructions_email": text,
                "metadata": metadata,
                "payment_intent": text,
                "reason": one_of("duplicate", "fraudulent", "requested_by_customer"),
                "refund_application_fee": boolean,
                "reverse_transfer": boolean,
            }
        ),
    ),
    Operation("GET", "/v1/refunds/{id}", retrieve("refunds"), shape(EXPAND)),
    Operation("POST", "/v1/refunds/{id}", _update, shape({**EXPAND, "metadata": metadata})),
    Operation("POST", "/v1/refunds/{id}/cancel", _cancel, shape(EXPAND)),
    Operation(
        "GET",
        "/v1/refunds",
        list_of("/v1/refunds", "refunds", "charge", "payment_intent"),
        shape({**LISTING, "charge": text, "payment_intent": text}),
    ),
)
