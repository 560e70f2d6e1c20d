"""Disputes: a cardholder asks the bank to take a payment back, and how that ends."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import balance, cards
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, refused
from sandbox.stripe.forms import (
    EXPAND,
    anything,
    boolean,
    merge_metadata,
    metadata,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING, list_of, retrieve
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

STATUSES = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "appeal_needs_response",
    "appeal_under_review",
    "won",
    "lost",
    "prevented",
)
_CLOSED = frozenset(("warning_closed", "won", "lost", "prevented"))
_INQUIRY = frozenset(("warning_needs_response", "warning_under_review", "warning_closed"))
_MONEY_KEPT = _INQUIRY | {"won", "prevented"}
"""With these the merchant has the money."""
_REFUNDABLE = _INQUIRY | {"won"}
_EVIDENCE_DAYS = 7 * 86_400
_FEE = 1500


def create(
    state: StripeState,
    charge: JsonObject,
    *,
    amount: int | None = None,
    status: str = "needs_response",
    reason: str = "fraudulent",
    currency: str | None = None,
) -> JsonObject:
    """The bank disputes `amount` (all that is left when None) of a charge.

    The amount may differ from the charge's, and even exceed it, as rates and fees change
    (`Dispute.amount` in Stripe's SDK); so may the currency.
    """
    _check_status(status)
    most = charge["amount_captured"] - charge["amount_refunded"]
    disputed = most if amount is None else amount
    if disputed <= 0 or not charge["amount_captured"]:
        raise refused("Only what was captured can be disputed.", param="amount")
    card = charge["payment_method_details"].get("card")
    dispute: JsonObject = {
        "id": state.new_id("dp"),
        "object": "dispute",
        "amount": disputed,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": state.now(),
        "currency": currency or charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _no_evidence(),
        "evidence_details": {
            "due_by": state.now() + _EVIDENCE_DAYS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "intended_submission_method": None,
        "is_charge_refundable": status in _REFUNDABLE,
        "livemode": state.live,
        "metadata": {},
        "network_reason_code": "10.4",
        "payment_intent": charge["payment_intent"],
        "payment_method_details": card
        and {
            "type": "card",
            "card": {
                "brand": card["brand"],
                "case_type": "inquiry" if status in _INQUIRY else "chargeback",
                "network": card["network"],
                "network_reason_code": "10.4",
            },
        },
        "reason": reason,
        "status": status,
    }
    state.disputes.add(dispute)
    charge["disputed"] = True
    if status not in _MONEY_KEPT:
        _move_money(state, dispute, -disputed)
    state.emit("charge.dispute.created", dispute)
    if status not in _MONEY_KEPT:
        state.emit("charge.dispute.funds_withdrawn", dispute)
    if status in _CLOSED:
        state.emit("charge.dispute.closed", dispute)
    return dispute


def move(
    state: StripeState, dispute: JsonObject, status: str, *, reinstated: bool | None = None
) -> None:
    """The bank or the network changes the dispute's state; an appeal may reopen a closed one.

    `reinstated` says whether the merchant has the money then, where it does not follow from the
    status: a lost dispute whose money Stripe gives back all the same
    (https://docs.stripe.com/disputes/chargeback-protection), or a won one whose money is on hold.
    """
    _check_status(status)
    before = snapshot(dispute)
    had_money = sum(each["amount"] for each in dispute["balance_transactions"]) >= 0
    has_money = status in _MONEY_KEPT if reinstated is None else reinstated
    dispute["status"] = status
    dispute["is_charge_refundable"] = status in _REFUNDABLE
    if status not in _INQUIRY and dispute["payment_method_details"]:
        dispute["payment_method_details"]["card"]["case_type"] = "chargeback"
    if had_money != has_money:
        _move_money(state, dispute, dispute["amount"] if has_money else -dispute["amount"])
    state.emit(
        "charge.dispute.closed" if status in _CLOSED else "charge.dispute.updated",
        dispute,
        before,
    )
    if had_money != has_money:
        kind = "funds_reinstated" if has_money else "funds_withdrawn"
        state.emit(f"charge.dispute.{kind}", dispute, before)


def follow(state: StripeState, charge: JsonObject) -> None:
    """Open the dispute that some test cards bring once they have paid."""
    number = state.card_numbers.get(charge["payment_method"])
    card = None if number is None else cards.by_number(number)
    if card is not None and card.dispute is not None and charge["amount_captured"]:
        status = "warning_needs_response" if card.inquiry else "needs_response"
        create(state, charge, status=status, reason=card.dispute)


def forbids_refund(state: StripeState, charge: JsonObject) -> bool:
    """Whether a dispute of the charge has, or may take, the money that a refund would."""
    return any(
        not dispute["is_charge_refundable"]
        for dispute in state.disputes.newest({"charge": charge["id"]})
    )


def _move_money(state: StripeState, dispute: JsonObject, amount: int) -> None:
    key = balance.record(
        state,
        "adjustment",
        dispute["id"],
        amount,
        dispute["currency"],
        fee=_FEE if amount < 0 else 0,
    )
    dispute["balance_transactions"].append(state.balance_transactions[key])


def _check_status(status: str) -> None:
    if status not in STATUSES:
        raise invalid_request(f"Invalid status: must be one of {', '.join(STATUSES)}")


def _no_evidence() -> dict[str, Any]:
    fields = (
        "access_activity_log billing_address cancellation_policy"
        " cancellation_policy_disclosure cancellation_rebuttal customer_communication"
        " customer_email_address customer_name customer_purchase_ip customer_signature"
        " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id"
        " product_description receipt refund_policy refund_policy_disclosure"
        " refund_refusal_explanation service_date service_documentation shipping_address"
        " shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
        " uncategorized_file uncategorized_text"
    )
    return {**dict.fromkeys(fields.split()), "enhanced_evidence": {}}


def _update(call: Call) -> JsonObject:
    state, params = call.state, call.params
    dispute = call.named(state.disputes)
    before = snapshot(dispute)
    merge_metadata(dispute["metadata"], params)
    if params.get("evidence"):
        dispute["evidence"].update(params["evidence"])
        dispute["evidence_details"]["has_evidence"] = True
        if params.get("submit") is not False:
            dispute["evidence_details"]["submission_count"] += 1
            dispute["evidence_details"]["submission_method"] = "manual"
            dispute["status"] = dispute["status"].replace("needs_response", "under_review")
    state.emit("charge.dispute.updated", dispute, before)
    return dispute


def _close(call: Call) -> JsonObject:
    """The merchant accepts the dispute: it is lost (https://docs.stripe.com/api/disputes/close)."""
    dispute = call.named(call.state.disputes)
    if dispute["status"] in _CLOSED:
        raise refused("This dispute is already closed.")
    inquiry = dispute["status"] in _INQUIRY
    move(call.state, dispute, "warning_closed" if inquiry else "lost")
    return dispute


_EVIDENCE = shape({name: text for name in _no_evidence() if name != "enhanced_evidence"})

OPERATIONS = (
    Operation("GET", "/v1/disputes/{id}", retrieve("disputes"), shape(EXPAND)),
    Operation(
        "POST",
        "/v1/disputes/{id}",
        _update,
        shape(
            {
                **EXPAND,
                "evidence": _EVIDENCE,
                "intended_submission_method": anything,
                "metadata": metadata,
                "submit": boolean,
            }
        ),
    ),
    Operation("POST", "/v1/disputes/{id}/close", _close, shape(EXPAND)),
    Operation(
        "GET",
        "/v1/disputes",
        list_of("/v1/disputes", "disputes", "charge", "payment_intent"),
        shape({**LISTING, "charge": text, "payment_intent": text}),
    ),
)
