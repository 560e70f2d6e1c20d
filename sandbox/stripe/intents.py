"""Payment intents: what they are made of, and what may be chosen before they are paid."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.stripe import configurations, currencies, methods
from sandbox.stripe.errors import refused
from sandbox.stripe.forms import full_shipping
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

CONFIRMABLE = frozenset(("requires_payment_method", "requires_confirmation", "requires_action"))
"""The states in which an intent is not paid and may still change."""


def draft(state: StripeState, params: Mapping[str, Any]) -> JsonObject:
    """A new intent from checked parameters, without a payment method and not yet kept."""
    key = state.new_id("pi")
    named = params.get("allowed_payment_method_types") is not None
    automatic = params.get("automatic_payment_methods") or {"enabled": True}
    configuration = params.get("payment_method_configuration") or configurations.DEFAULT
    intent: JsonObject = {
        "id": key,
        "object": "payment_intent",
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount": params["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None
        if named
        else {
            "allow_redirects": automatic.get("allow_redirects") or "always",
            "enabled": automatic["enabled"],
        },
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": params.get("capture_method") or "automatic_async",
        "client_secret": f"{key}_secret_{state.random_text(25)}",
        "confirmation_method": params.get("confirmation_method") or "automatic",
        "created": state.now(),
        "currency": params["currency"],
        "customer": params.get("customer"),
        "customer_account": None,
        "description": params.get("description"),
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "hooks": params.get("hooks"),
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": state.live,
        "managed_payments": None,
        "metadata": dict(params.get("metadata") or {}),
        "next_action": None,
        "on_behalf_of": None,
        "payment_details": None,
        "payment_method": None,
        "payment_method_configuration_details": None
        if named
        else {"id": configuration, "parent": None},
        "payment_method_options": None,
        "payment_method_types": [],
        "presentment_details": None,
        "processing": None,
        "receipt_email": params.get("receipt_email"),
        "review": None,
        "setup_future_usage": params.get("setup_future_usage"),
        "shipping": full_shipping(params.get("shipping")),
        "source": None,
        "statement_descriptor": params.get("statement_descriptor"),
        "statement_descriptor_suffix": params.get("statement_descriptor_suffix"),
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": params.get("transfer_group"),
    }
    offer_methods(state, intent)
    if not intent["payment_method_types"]:
        # The words are unconfirmed; that such an intent is refused follows from the object, whose
        # payment_method_types are never empty.
        raise refused(
            "No valid payment method types for this Payment Intent: none of those that are allowed"
            " fits its currency, amount and capture method.",
            param="allowed_payment_method_types",
        )
    set_method_options(intent, params.get("payment_method_options"))
    return intent


def keep(state: StripeState, intent: JsonObject) -> None:
    """The draft passed all checks: from now on the intent exists."""
    state.intents.add(intent)
    state.emit("payment_intent.created", intent)


def offer_methods(state: StripeState, intent: JsonObject) -> None:
    """The payment method types that fit the currency, the capture method and what was chosen.

    Types that are named are not held against a configuration: the two exclude each other
    (https://docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter).
    """
    allowed: Collection[str] | None = intent["allowed_payment_method_types"]
    if allowed is None:
        details = intent.get("payment_method_configuration_details") or {}
        allowed = configurations.offered(state, details.get("id"))
    excluded: Collection[str] = intent["excluded_payment_method_types"] or ()
    intent["payment_method_types"] = [
        kind
        for kind, currencies_taken in methods.CURRENCIES.items()
        if (currencies_taken is None or intent["currency"] in currencies_taken)
        and (kind == "card" or intent["capture_method"] != "manual")
        and kind in allowed
        and kind not in excluded
        # a transfer goes to an account of the customer
        and (kind != "customer_balance" or intent.get("customer") is not None)
    ]


def set_method_options(intent: JsonObject, options: Mapping[str, Any] | None) -> None:
    """Merge `payment_method_options` into what the intent has."""
    card = {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
        **((intent["payment_method_options"] or {}).get("card") or {}),
        **((options or {}).get("card") or {}),
    }
    others = {kind: value for kind, value in (options or {}).items() if kind != "card"}
    intent["payment_method_options"] = {
        **(intent["payment_method_options"] or {}),
        **others,
        "card": card,
    }


def unset_method(intent: JsonObject) -> None:
    """Choose anew what to pay with."""
    intent.update(payment_method=None, next_action=None, status="requires_payment_method")


def set_method(state: StripeState, intent: JsonObject, method: JsonObject) -> None:
    """Choose what to pay with; it must fit the intent and belong to its customer."""
    kind = method["type"]
    if kind not in intent["payment_method_types"]:
        raise refused(
            f"The PaymentMethod provided ({kind}) is not allowed for this PaymentIntent.",
            code="payment_intent_incompatible_payment_method",
            param="payment_method",
        )
    if method["id"] in state.spent_methods:
        raise methods.already_used()
    if method["customer"] not in (None, intent["customer"]):
        raise refused(
            f"The PaymentMethod belongs to the Customer {method['customer']}: include that"
            " customer on the PaymentIntent.",
            param="payment_method",
        )
    currencies.check_digits(
        intent["amount"], intent["currency"], kind, (method.get("card") or {}).get("brand")
    )
    intent["payment_method"] = method["id"]
    intent["next_action"] = None
    intent["status"] = "requires_confirmation"
