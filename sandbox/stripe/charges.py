"""Charges: one per attempt to pay, cumulative over its captures and refunds."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import balance, methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.cards import Card, Decline
from sandbox.stripe.forms import (
    EXPAND,
    SHIPPING,
    anything,
    full_shipping,
    merge_metadata,
    metadata,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING, list_of, retrieve
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

_BANK_DECLINE = Decline("payment_method_provider_decline", "The bank declined the payment.")


def create(
    state: StripeState,
    intent: JsonObject,
    method: JsonObject,
    card: Card | None,
    *,
    pending: bool = False,
    decline: Decline | None = None,
) -> JsonObject:
    """The charge of one attempt: authorized, or pending, or declined; nothing is captured.

    The intent's metadata are copied now and never again.
    """
    charge: JsonObject = {
        "id": state.new_id("ch" if card else "py"),
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "authorization_code": None,
        "balance_transaction": None,
        "billing_details": snapshot(method["billing_details"]),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "created": state.now(),
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": state.live,
        "metadata": dict(intent["metadata"]),
        "on_behalf_of": None,
        "outcome": _approved(),
        "paid": not pending,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": _method_details(state, intent, method, card),
        "presentment_details": None,
        "radar_options": {},
        "receipt_email": intent["receipt_email"],
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": intent["shipping"],
        "source": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
        "status": "pending" if pending else "succeeded",
        "transfer_data": None,
        "transfer_group": None,
    }
    if pending:
        charge.update(captured=True, amount_captured=intent["amount"], outcome=_pending())
    if decline is not None:
        _mark_failed(charge, decline)
    return state.charges.add(charge)


def fail(charge: JsonObject) -> Decline:
    """A pending charge comes back unpaid."""
    _mark_failed(charge, _BANK_DECLINE)
    return _BANK_DECLINE


def settle(state: StripeState, charge: JsonObject) -> None:
    """A pending charge is paid."""
    charge.update(status="succeeded", paid=True, outcome=_approved())
    book(state, charge, charge["amount"])


def book(state: StripeState, charge: JsonObject, amount: int) -> None:
    """Record the money of a capture; the charge shows the first capture's transaction."""
    transaction = balance.record(
        state,
        "charge",
        charge["id"],
        amount,
        charge["currency"],
        fee=balance.charge_fee(amount),
    )
    if charge["balance_transaction"] is None:
        charge["balance_transaction"] = transaction


def refundable(charge: JsonObject) -> int:
    """What was captured and not given back yet."""
    return int(charge["amount_captured"]) - int(charge["amount_refunded"])


def has_multicapture(charge: JsonObject) -> bool:
    """Whether the charge may be captured in several parts."""
    details = charge["payment_method_details"].get("card")
    return details is not None and details["multicapture"]["status"] == "available"


def most_capturable(charge: JsonObject) -> int:
    """What may be captured at most, where that is more than was authorized."""
    card = charge["payment_method_details"].get("card")
    if card is None or card["overcapture"]["status"] != "available":
        return 0
    return int(card["overcapture"]["maximum_amount_capturable"])


def set_capture_deadline(charge: JsonObject, deadline: int) -> None:
    """Until when (Unix seconds) the authorization of a card can be captured."""
    charge["payment_method_details"]["card"]["capture_before"] = deadline


def _mark_failed(charge: JsonObject, decline: Decline) -> None:
    charge.update(
        status="failed",
        paid=False,
        captured=False,
        amount_captured=0,
        failure_code=decline.code,
        failure_message=decline.message,
        outcome={
            **_approved(),
            "network_status": "declined_by_network",
            "reason": decline.decline_code or decline.code,
            "seller_message": "The bank declined the payment.",
            "type": "issuer_declined",
        },
    )


def _approved() -> dict[str, Any]:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "approved_by_network",
        "reason": None,
        "risk_level": "normal",
        "risk_score": 20,
        "seller_message": "Payment complete.",
        "type": "authorized",
    }


def _pending() -> dict[str, Any]:
    return {**_approved(), "network_status": "not_sent_to_network", "seller_message": None}


def _method_details(
    state: StripeState, intent: JsonObject, method: JsonObject, card: Card | None
) -> dict[str, Any]:
    kind: str = method["type"]
    shown: dict[str, Any] = method[kind]
    if card is None:
        return {"type": kind, kind: _bank_details(kind, shown)}
    options = (intent["payment_method_options"] or {}).get("card") or {}
    wanted = options.get("request_multicapture") == "if_available"
    multicapture = "available" if wanted and card.multicapture else "unavailable"
    over = options.get("request_overcapture") == "if_available"
    incremental = options.get("request_incremental_authorization") == "if_available"
    return {
        "type": "card",
        "card": {
            "amount_authorized": intent["amount"],
            "authorization_code": "123456",
            "brand": shown["brand"],
            "capture_before": None,
            "checks": shown["checks"],
            "country": shown["country"],
            "exp_month": shown["exp_month"],
            "exp_year": shown["exp_year"],
            "extended_authorization": {"status": "disabled"},
            "fingerprint": shown["fingerprint"],
            "funding": shown["funding"],
            "incremental_authorization": {"status": "available" if incremental else "unavailable"},
            "installments": None,
            "last4": shown["last4"],
            "mandate": None,
            "multicapture": {"status": multicapture},
            "network": shown["brand"],
            "network_token": {"used": False},
            "network_transaction_id": state.random_text(15),
            "overcapture": {
                "maximum_amount_capturable": intent["amount"] * (120 if over else 100) // 100,
                "status": "available" if over else "unavailable",
            },
            "regulated_status": shown["regulated_status"],
            "three_d_secure": None,
            "wallet": None,
        },
    }


_UNKNOWN_DETAILS = {
    "bancontact": (
        "bank_code",
        "bank_name",
        "bic",
        "generated_sepa_debit",
        "generated_sepa_debit_mandate",
        "iban_last4",
        "preferred_language",
        "verified_name",
    ),
    "blik": ("buyer_id",),
    "eps": ("bank", "verified_name"),
    "ideal": (
        "bank",
        "bic",
        "generated_sepa_debit",
        "generated_sepa_debit_mandate",
        "iban_last4",
        "verified_name",
    ),
    "klarna": ("payer_details", "payment_method_category", "preferred_locale"),
    "link": ("country",),
    "p24": ("bank", "reference", "verified_name"),
    "paypal": (
        "country",
        "payer_email",
        "payer_id",
        "payer_name",
        "seller_protection",
        "transaction_id",
    ),
    "twint": ("mandate",),
}
"""What a charge tells of methods with a page of their own, all of which may be null
(https://docs.stripe.com/api/charges/object#charge_object-payment_method_details)."""


def _bank_details(kind: str, shown: dict[str, Any]) -> dict[str, Any]:
    match kind:
        case "sepa_debit":
            kept = ("bank_code", "branch_code", "country", "fingerprint", "last4")
            return {**{key: shown[key] for key in kept}, "mandate": None}
        case "us_bank_account":
            fields = (
                "account_holder_type",
                "account_type",
                "bank_name",
                "fingerprint",
                "last4",
                "routing_number",
            )
            return {
                **{key: shown[key] for key in fields},
                "mandate": None,
                "payment_reference": None,
            }
        case _ if kind in methods.OUTSIDE:
            return dict(shown)
        case _:
            return {**dict.fromkeys(_UNKNOWN_DETAILS[kind]), **shown}


def _update(call: Call) -> JsonObject:
    charge = call.named(call.state.charges)
    before = snapshot(charge)
    merge_metadata(charge["metadata"], call.params)
    for field in ("description", "receipt_email"):
        if field in call.params:
            charge[field] = call.params[field]
    if "shipping" in call.params:
        charge["shipping"] = full_shipping(call.params["shipping"])
    call.state.emit("charge.updated", charge, before)
    return charge


OPERATIONS = (
    Operation("GET", "/v1/charges/{id}", retrieve("charges"), shape(EXPAND)),
    Operation(
        "POST",
        "/v1/charges/{id}",
        _update,
        shape(
            {
                **EXPAND,
                "description": text,
                "fraud_details": anything,
                "metadata": metadata,
                "receipt_email": text,
                "shipping": SHIPPING,
            }
        ),
    ),
    Operation(
        "GET",
        "/v1/charges",
        list_of("/v1/charges", "charges", "payment_intent", "customer"),
        shape({**LISTING, "customer": text, "payment_intent": text}),
    ),
    Operation(
        "GET",
        "/v1/balance_transactions/{id}",
        retrieve("balance_transactions"),
        shape(EXPAND),
    ),
    Operation(
        "GET",
        "/v1/balance_transactions",
        list_of("/v1/balance_transactions", "balance_transactions", "source", "type", "currency"),
        shape({**LISTING, "source": text, "type": text, "currency": text}),
    ),
)
