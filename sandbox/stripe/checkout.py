"""Checkout sessions: what they are made of, and how they follow the payment of their intent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import checkout_coupons as coupons
from sandbox.stripe import checkout_items, currencies, intents
from sandbox.stripe.checkout_params import CUSTOM_TEXTS
from sandbox.stripe.errors import invalid_request, missing_parameter
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import SessionContents, StripeState

_SHORTEST, _LONGEST = 30 * 60, 24 * 3600
"""Seconds for which a session can be open."""
_MAX_CUSTOM_TEXT = 1_200
_PLACEHOLDER = "{CHECKOUT_SESSION_ID}"


def draft(state: StripeState, params: Mapping[str, Any]) -> tuple[JsonObject, SessionContents]:
    """A new session from checked parameters, not yet kept."""
    ui_mode = params.get("ui_mode") or "hosted_page"
    _check_addresses(params, ui_mode)
    _check_combinations(params, ui_mode)
    setup = params["mode"] == "setup"
    items = [] if setup else _items(state, params)
    currency = items[0]["currency"] if items else params.get("currency") or "eur"
    contents = SessionContents(dict(params), items)
    for each in params.get("discounts") or ():
        contents.coupon = coupons.redeemable(state, each["coupon"], currency)
    key = state.new_id("cs_live" if state.live else "cs_test", 58)
    hosted = ui_mode == "hosted_page"
    intent_data = params.get("payment_intent_data") or {}
    session: JsonObject = {
        "id": key,
        "object": "checkout.session",
        "adaptive_pricing": {
            "enabled": bool((params.get("adaptive_pricing") or {}).get("enabled"))
        },
        "after_expiration": _after_expiration(params),
        "allow_promotion_codes": params.get("allow_promotion_codes"),
        "allowed_payment_method_types": params.get("allowed_payment_method_types"),
        "amount_subtotal": 0,
        "amount_total": 0,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "billing_address_collection": params.get("billing_address_collection"),
        "branding_settings": None,
        "cancel_url": params.get("cancel_url"),
        "client_reference_id": params.get("client_reference_id"),
        "client_secret": None if hosted else f"{key}_secret_{state.random_text(50)}",
        "collected_information": None,
        "consent": None,
        "consent_collection": None,
        "created": state.now(),
        "currency": currency,
        "currency_conversion": None,
        "custom_fields": [],
        "custom_text": _custom_text(params, ui_mode),
        "customer": params.get("customer"),
        "customer_account": None,
        "customer_creation": params.get("customer_creation")
        or (None if params.get("customer") else "if_required"),
        "customer_details": None,
        "customer_email": params.get("customer_email"),
        "discounts": [
            {"coupon": each["coupon"], "promotion_code": None}
            for each in params.get("discounts") or ()
        ],
        "excluded_payment_method_types": params.get("excluded_payment_method_types"),
        "expires_at": _expiry(state, params),
        "integration_identifier": params.get("integration_identifier"),
        "invoice": None,
        "invoice_creation": None,
        "livemode": state.live,
        "locale": params.get("locale"),
        "managed_payments": None,
        "metadata": dict(params.get("metadata") or {}),
        "mode": params["mode"],
        "name_collection": None,
        "optional_items": None,
        "origin_context": None,
        "payment_intent": None,
        "payment_link": None,
        "payment_method_collection": "if_required",
        "payment_method_configuration_details": {"id": "pmc_sandbox", "parent": None},
        "payment_method_options": _method_options(params),
        "payment_method_types": [],
        "payment_status": "unpaid",
        "permissions": None,
        "phone_number_collection": {"enabled": False},
        "presentment_details": None,
        "recovered_from": None,
        "redirect_on_completion": None
        if ui_mode != "embedded_page"
        else params.get("redirect_on_completion") or "always",
        "return_url": params.get("return_url"),
        "saved_payment_method_options": None,
        "setup_intent": None,
        "shipping_address_collection": None,
        "shipping_cost": None,
        "shipping_options": checkout_items.build_shipping(
            state, params.get("shipping_options") or (), currency
        ),
        "status": "open",
        "submit_type": params.get("submit_type"),
        "subscription": None,
        "success_url": params.get("success_url"),
        "tax_id_collection": None,
        "total_details": None,
        "ui_mode": ui_mode,
        "url": page_url(state, key) if hosted else None,
        "wallet_options": None,
    }
    if setup:
        # A session that only saves a payment method has no amounts: the SDK types them as
        # Optional, and https://docs.stripe.com/api/checkout/sessions/object says for which modes.
        session.update(
            amount_subtotal=None,
            amount_total=None,
            currency=params.get("currency"),
            payment_status="no_payment_required",
        )
        return session, contents
    checkout_items.choose_shipping(session, None)
    checkout_items.price(session, contents)
    _offer_methods(state, session, intent_data.get("capture_method"))
    email = fixed_email(state, session)
    if email is not None:
        set_details(session, email, None)
    return session, contents


def _items(state: StripeState, params: Mapping[str, Any]) -> list[JsonObject]:
    """The line items of a session that takes a payment, all in one currency."""
    if params.get("line_items") is None:
        raise missing_parameter("line_items")
    items = checkout_items.build_items(state, params["line_items"])
    currency = items[0]["currency"]
    if currencies.check_currency(params.get("currency") or currency) != currency:
        raise invalid_request(f"The line items are in {currency}.", param="currency")
    return items


def fixed_email(state: StripeState, session: JsonObject) -> str | None:
    """The e-mail address that the merchant knows; the shopper cannot change it."""
    customer = state.customers.get(session["customer"] or "") or {}
    known: str | None = session["customer_email"] or customer.get("email")
    return known


def set_details(session: JsonObject, email: str | None, name: str | None) -> None:
    """Who pays, as far as that is known."""
    session["customer_details"] = {
        "address": None,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": None,
    }


def page_url(state: StripeState, session: str) -> str:
    """Where a session is paid."""
    return f"{state.public_url}/c/pay/{session}"


def after_payment(session: JsonObject) -> str | None:
    """Where the shopper goes from a completed session; None to stay."""
    if session["redirect_on_completion"] == "never":
        return None
    address = session["success_url"] or session["return_url"]
    return None if address is None else str(address).replace(_PLACEHOLDER, session["id"])


def follow(state: StripeState, intent: JsonObject) -> None:
    """What the payment or the failure of an intent means for its session, if it has one."""
    session = state.sessions_by_intent.get(intent["id"])
    if session is None:
        return
    succeeded = intent["status"] == "succeeded"
    if session["status"] == "open":
        complete(state, session, paid=succeeded)
    elif intent["status"] == "requires_payment_method":
        state.emit("checkout.session.async_payment_failed", session)
    elif succeeded:
        session["payment_status"] = "paid"
        if intent["capture_method"] != "manual":
            state.emit("checkout.session.async_payment_succeeded", session)


def complete(state: StripeState, session: JsonObject, *, paid: bool) -> None:
    """The shopper is done; the money of a delayed method or an authorization may follow."""
    if paid:
        session["payment_status"] = "paid"
    session.update(status="complete", url=None)
    coupon = state.session_contents[session["id"]].coupon
    if coupon is not None:
        coupons.redeem(state, coupon)
    state.emit("checkout.session.completed", session)


def _check_addresses(params: Mapping[str, Any], ui_mode: str) -> None:
    """Hosted pages lead to a success and a cancel address, the others to a return address."""
    if ui_mode == "hosted_page":
        if params.get("success_url") is None:
            raise missing_parameter("success_url")
        unwanted = ("return_url", "redirect_on_completion")
    else:
        if params.get("return_url") is None and params.get("redirect_on_completion") != "never":
            raise missing_parameter("return_url")
        unwanted = ("success_url", "cancel_url")
    for name in unwanted:
        if params.get(name) is not None:
            raise invalid_request(f"{name} is not allowed if ui_mode is {ui_mode}.", param=name)


def _check_combinations(params: Mapping[str, Any], ui_mode: str) -> None:
    for one, other in (("customer", "customer_email"), ("allow_promotion_codes", "discounts")):
        if params.get(one) and params.get(other):
            raise invalid_request(
                f"You may only specify one of these parameters: {one}, {other}.", param=one
            )
    if len(params.get("discounts") or ()) > 1:
        raise invalid_request("A session can have one discount.", param="discounts")
    if ui_mode == "elements":
        for name in ("after_expiration", "submit_type"):
            if params.get(name) is not None:
                raise invalid_request(f"{name} is not allowed if ui_mode is elements.", param=name)
    if (params.get("automatic_tax") or {}).get("enabled"):
        raise invalid_request(
            "Stripe Tax is not set up for this account: it needs a valid origin address.",
            param="automatic_tax[enabled]",
        )


def _expiry(state: StripeState, params: Mapping[str, Any]) -> int:
    expires_at: int | None = params.get("expires_at")
    if expires_at is None:
        return state.now() + _LONGEST
    if not state.now() + _SHORTEST <= expires_at <= state.now() + _LONGEST:
        raise invalid_request(
            "expires_at must be at least 30 minutes and at most 24 hours from now.",
            param="expires_at",
        )
    return expires_at


def _custom_text(params: Mapping[str, Any], ui_mode: str) -> JsonObject:
    """Texts of the merchant: of at most 1,200 characters each, and none in a shop's own form.

    https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-custom_text
    """
    sent = params.get("custom_text") or {}
    if sent and ui_mode == "elements":
        raise invalid_request(
            "You can't set `custom_text` if `ui_mode` is `elements`.", param="custom_text"
        )
    for name, text in sent.items():
        if len(text["message"]) > _MAX_CUSTOM_TEXT:
            raise invalid_request(
                f"A custom text has at most {_MAX_CUSTOM_TEXT} characters.",
                param=f"custom_text[{name}][message]",
            )
    return {name: sent.get(name) for name in CUSTOM_TEXTS}


def _after_expiration(params: Mapping[str, Any]) -> JsonObject | None:
    recovery = (params.get("after_expiration") or {}).get("recovery")
    if recovery is None:
        return None
    return {
        "recovery": {
            "allow_promotion_codes": bool(recovery.get("allow_promotion_codes")),
            "enabled": recovery["enabled"],
            "expires_at": None,
            "url": None,
        }
    }


def _method_options(params: Mapping[str, Any]) -> JsonObject:
    sent = (params.get("payment_method_options") or {}).get("card") or {}
    return {"card": {"request_three_d_secure": "automatic", **sent}}


def _offer_methods(state: StripeState, session: JsonObject, capture_method: str | None) -> None:
    """The session offers what its intent will."""
    choice = {
        **{
            name: session[name]
            for name in (
                "allowed_payment_method_types",
                "currency",
                "excluded_payment_method_types",
            )
        },
        "capture_method": capture_method or "automatic_async",
    }
    intents.offer_methods(state, choice)
    session["payment_method_types"] = choice["payment_method_types"]
