"""Short-lived things for browsers: confirmation tokens, customer sessions, ephemeral keys."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, refused
from sandbox.stripe.forms import (
    EXPAND,
    RECIPIENT,
    Kind,
    anything,
    array,
    boolean,
    full_recipient,
    integer,
    one_of,
    shape,
    text,
)
from sandbox.stripe.listing import retrieve
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

_TOKEN_SECONDS = 12 * 3600
_SESSION_SECONDS = 30 * 60
_KEY_SECONDS = 3600


def redeem(state: StripeState, key: str, intent: str) -> tuple[JsonObject, JsonObject]:
    """A token and its payment method, for the one intent that it can confirm."""
    token = state.find(state.confirmation_tokens, key, "confirmation_token")
    if token["payment_intent"] not in (None, intent):
        raise refused("This ConfirmationToken has already been used.", param="confirmation_token")
    if token["expires_at"] <= state.now():
        raise refused("This ConfirmationToken has expired.", param="confirmation_token")
    token["payment_intent"] = intent
    method = state.token_methods[key]
    if method["id"] not in state.methods:
        state.methods.add(method)
    return token, method


def _create_token(call: Call) -> JsonObject:
    state, params = call.state, call.params
    if params.get("payment_method") is not None:
        method = methods.use(state, params["payment_method"])
    elif params.get("payment_method_data") is not None:
        method = methods.build(state, params["payment_method_data"])
    else:
        raise invalid_request(
            "Send payment_method or payment_method_data.", code="parameter_missing"
        )
    hidden = ("id", "object", "created", "livemode", "metadata", "radar_options")
    token: JsonObject = {
        "id": state.new_id("ctoken"),
        "object": "confirmation_token",
        "created": state.now(),
        "expires_at": state.now() + _TOKEN_SECONDS,
        "livemode": state.live,
        "mandate_data": None,
        "metadata": {},
        "payment_intent": None,
        "payment_method_options": None,
        "payment_method_preview": {
            field: value for field, value in snapshot(method).items() if field not in hidden
        },
        "return_url": params.get("return_url"),
        "setup_future_usage": params.get("setup_future_usage"),
        "setup_intent": None,
        "shipping": full_recipient(params.get("shipping")),
        "use_stripe_sdk": call.publishable,
    }
    state.token_methods[token["id"]] = method
    return state.confirmation_tokens.add(token)


def _create_session(call: Call) -> JsonObject:
    state, params = call.state, call.params
    customer = state.find(state.customers, params["customer"], "customer")
    components = params["components"]
    if not any((each or {}).get("enabled") for each in components.values()):
        raise invalid_request("Enable at least one component.", param="components")
    session: JsonObject = {
        "object": "customer_session",
        "client_secret": f"cuss_secret_{state.random_text(40)}",
        "components": {
            **{name: {"enabled": False} for name in _COMPONENTS},
            **{name: _component(name, sent) for name, sent in components.items() if sent},
        },
        "created": state.now(),
        "customer": customer["id"],
        "customer_account": None,
        "expires_at": state.now() + _SESSION_SECONDS,
        "livemode": state.live,
    }
    state.customer_sessions[session["client_secret"]] = session
    return session


def _component(name: str, sent: dict[str, Any]) -> JsonObject:
    if name != "payment_element" or not sent["enabled"]:
        return {"enabled": sent["enabled"]}
    return {
        "enabled": True,
        "features": {
            "payment_method_allow_redisplay_filters": ["always"],
            "payment_method_redisplay": "disabled",
            "payment_method_redisplay_limit": 3,
            "payment_method_remove": "disabled",
            "payment_method_save": "disabled",
            "payment_method_save_usage": None,
            **(sent.get("features") or {}),
        },
    }


def _create_key(call: Call) -> JsonObject:
    state = call.state
    if not call.version_sent:
        raise invalid_request(
            "An ephemeral key is made for one API version: send the Stripe-Version header."
        )
    customer = state.find(state.customers, call.params["customer"], "customer")
    return {
        "id": state.new_id("ephkey"),
        "object": "ephemeral_key",
        "associated_objects": [{"id": customer["id"], "type": "customer"}],
        "created": state.now(),
        "expires": state.now() + _KEY_SECONDS,
        "livemode": state.live,
        "secret": f"ek_test_{state.random_text(60)}",
    }


_COMPONENTS = (
    "active_entitlements",
    "buy_button",
    "customer_portal",
    "customer_sheet",
    "mobile_payment_element",
    "payment_element",
    "pricing_table",
)
_ON_OFF = one_of("disabled", "enabled")
_FEATURES = shape(
    {
        "payment_method_allow_redisplay_filters": array(one_of("always", "limited", "unspecified")),
        "payment_method_redisplay": _ON_OFF,
        "payment_method_redisplay_limit": integer,
        "payment_method_remove": _ON_OFF,
        "payment_method_save": _ON_OFF,
        "payment_method_save_usage": one_of("off_session", "on_session"),
    }
)
_SWITCH: dict[str, Kind] = {"enabled": boolean}
_COMPONENT_SHAPES = {
    **dict.fromkeys(_COMPONENTS, shape(_SWITCH, required=("enabled",))),
    **dict.fromkeys(
        ("customer_sheet", "mobile_payment_element"),
        shape({**_SWITCH, "features": anything}, required=("enabled",)),
    ),
    "payment_element": shape({**_SWITCH, "features": _FEATURES}, required=("enabled",)),
}
_TOKEN = shape(
    {
        **EXPAND,
        "payment_method": text,
        "payment_method_data": methods.METHOD_DATA,
        "payment_method_options": anything,
        "return_url": text,
        "setup_future_usage": one_of("off_session", "on_session"),
        "shipping": RECIPIENT,
    }
)

OPERATIONS = (
    Operation("POST", "/v1/confirmation_tokens", _create_token, _TOKEN, browser=True),
    Operation("POST", "/v1/test_helpers/confirmation_tokens", _create_token, _TOKEN),
    Operation(
        "GET",
        "/v1/confirmation_tokens/{id}",
        retrieve("confirmation_tokens"),
        shape(EXPAND),
        browser=True,
    ),
    Operation(
        "POST",
        "/v1/customer_sessions",
        _create_session,
        shape(
            {
                **EXPAND,
                "customer": text,
                "components": shape(_COMPONENT_SHAPES),
            },
            required=("customer", "components"),
        ),
    ),
    Operation(
        "POST",
        "/v1/ephemeral_keys",
        _create_key,
        shape({**EXPAND, "customer": text}, required=("customer",)),
    ),
)
