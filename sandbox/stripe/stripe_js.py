"""Serves the stand-in of Stripe.js, the frames that it opens and the calls that only it makes.

The scripts are plain JavaScript in `sandbox/stripe/js`. Stripe.js has to define `Stripe` while it
is being read, so it cannot import: each script is several files, joined within one function.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shown_cards import SHOWN_CARDS
from sandbox.stripe import attempts, currencies, intents, methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, refused, unauthorized, unexpected_state
from sandbox.stripe.forms import anything, array, integer, one_of, shape, text
from sandbox.stripe.intent_routes import check_secret, find_by_secret, shown_to_browsers
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

_PARTS = {
    "stripe": (
        "messages",
        "errors",
        "api",
        "emitter",
        "frame",
        "dialog",
        "challenge",
        "payment_element",
        "wallet_sheet",
        "express_element",
        "elements",
        "confirmation",
        "embedded_checkout",
        "stripe",
    ),
    "payment": ("api", "port", "messages", "cards", "payment_fields", "payment_frame"),
    "express": ("port", "messages", "express_frame"),
    "wallet": ("port", "messages", "wallet_frame"),
}
"""What each script is made of, in this order."""

_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors *"
)
_OFFERED = (
    "card",
    "klarna",
    "paypal",
    "ideal",
    "bancontact",
    "blik",
    "twint",
    "eps",
    "p24",
    "sepa_debit",
    "link",
)
"""The types that the Payment Element has a form for, in the order in which it shows them."""


def routes() -> list[Route]:
    """Stripe.js under the addresses of its releases, and what its frames consist of."""
    return [
        Route("/v3", _stripe_js, methods=["GET"]),
        Route("/v3/", _stripe_js, methods=["GET"]),
        Route("/{release}/stripe.js", _stripe_js, methods=["GET"]),
        Route("/elements/{name}", _frame_file, methods=["GET"]),
    ]


async def _stripe_js(request: Request) -> Response:
    release = request.path_params.get("release", "v3")
    if release != "v3" and not (release.isascii() and release.isalpha() and release.islower()):
        return Response(status_code=404)
    return _script("stripe")


async def _frame_file(request: Request) -> Response:
    stem, _, kind = request.path_params["name"].rpartition(".")
    match kind:
        case "js" if stem in _PARTS and stem != "stripe":
            return _script(stem)
        case "html" if stem in _PARTS and stem != "stripe":
            headers = {
                "content-security-policy": _PAGE_POLICY,
                "referrer-policy": "same-origin",
            }
            return _file(_read(f"{stem}.html"), "text/html", headers)
        case "css" if stem == "elements":
            return _file(_read("elements.css"), "text/css")
        case _:
            return Response(status_code=404)


def _script(name: str) -> Response:
    parts = "\n".join(_read(f"{part}.js") for part in _PARTS[name])
    if name == "payment":
        cards = [[each.number, each.outcome] for each in SHOWN_CARDS]
        parts = f"const TEST_CARDS = {json.dumps(cards)};\n{parts}"
    # Without `crossorigin` scripts need no permission; shops that use the attribute do.
    headers = {"access-control-allow-origin": "*"}
    return _file(f'(() => {{\n"use strict";\n{parts}}})();\n', "text/javascript", headers)


def _read(name: str) -> str:
    return resources.files("sandbox.stripe").joinpath("js", name).read_text("utf-8")


def _file(content: str, kind: str, headers: Mapping[str, str] | None = None) -> Response:
    common = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}
    return Response(content, headers={**common, **(headers or {})}, media_type=kind)


def _session(call: Call) -> JsonObject:
    """What elements have to know before they can be shown."""
    state, params = call.state, call.params
    if params.get("client_secret") is not None:
        intent = find_by_secret(state, params["client_secret"])
        kinds = intent["payment_method_types"]
    else:
        intent = None
        kinds = _deferred_kinds(state, params.get("deferred_intent") or {})
    return {
        "object": "elements_session",
        "id": state.new_id("elements_session"),
        "customer": _customer(state, params.get("customer_session_client_secret"), kinds),
        "payment_intent": None if intent is None else shown_to_browsers(intent),
        "payment_method_types": [each for each in _OFFERED if each in kinds],
    }


def _deferred_kinds(state: StripeState, deferred: Mapping[str, Any]) -> list[str]:
    """The types of payment method that an intent of these parameters would offer."""
    if deferred.get("currency") is None:
        raise invalid_request("Missing required param: deferred_intent[currency].")
    currency = currencies.check_currency(deferred["currency"])
    if deferred.get("amount") is not None:
        currencies.check_amount(deferred["amount"], currency)
    probe: JsonObject = {
        "allowed_payment_method_types": deferred.get("allowed_payment_method_types"),
        "capture_method": deferred.get("capture_method"),
        "currency": currency,
        "excluded_payment_method_types": deferred.get("excluded_payment_method_types"),
        "payment_method_configuration_details": {
            "id": deferred.get("payment_method_configuration")
        },
    }
    intents.offer_methods(state, probe)
    kinds: list[str] = probe["payment_method_types"]
    return kinds


def _customer(state: StripeState, secret: str | None, kinds: list[str]) -> JsonObject | None:
    """What a customer session lets the element show and do."""
    if secret is None:
        return None
    session = _customer_session(state, secret)
    component = session["components"]["payment_element"]
    features = component.get("features") or {}
    saved: list[JsonObject] = []
    if features.get("payment_method_redisplay") == "enabled":
        shown = features["payment_method_allow_redisplay_filters"]
        saved = [
            snapshot(each)
            for each in state.methods.newest({"customer": session["customer"], "type": "card"})
            if each["allow_redisplay"] in shown and "card" in kinds
        ][: features["payment_method_redisplay_limit"]]
    return {"id": session["customer"], "features": features, "payment_methods": saved}


def _customer_session(state: StripeState, secret: str) -> JsonObject:
    session = state.customer_sessions.get(secret)
    if session is None or session["expires_at"] <= state.now():
        raise unauthorized("The customer session does not exist or has expired.")
    return session


def _remove(call: Call) -> JsonObject:
    """The shopper removes a saved method, where the customer session lets them."""
    session = _customer_session(call.state, call.params["customer_session_client_secret"])
    method = call.named(call.state.methods)
    if method["customer"] != session["customer"]:
        raise invalid_request(
            f"No such PaymentMethod: '{method['id']}'", code="resource_missing", status=404
        )
    features = session["components"]["payment_element"].get("features") or {}
    if features.get("payment_method_remove") != "enabled":
        raise refused("This customer session may not remove payment methods.")
    methods.detach(call.state, method)
    return method


def _abandon(call: Call) -> JsonObject:
    """The shopper closes the challenge: it counts as failed."""
    intent = call.named(call.state.intents)
    check_secret(intent, call.params["client_secret"])
    if intent["status"] != "requires_action":
        raise unexpected_state("This PaymentIntent waits for no action.", snapshot(intent))
    attempts.finish_action(call.state, intent, succeed=False)
    return shown_to_browsers(intent)


_DEFERRED = shape(
    {
        "allowed_payment_method_types": array(text),
        "amount": integer,
        "capture_method": one_of("automatic", "automatic_async", "manual"),
        "currency": text,
        "excluded_payment_method_types": array(text),
        "mode": one_of("payment"),
        "payment_method_configuration": text,
        "setup_future_usage": one_of("off_session", "on_session"),
    }
)
OPERATIONS = (
    Operation(
        "GET",
        "/v1/elements/sessions",
        _session,
        shape(
            {
                "client_secret": text,
                "customer_session_client_secret": text,
                "deferred_intent": _DEFERRED,
                "locale": anything,
            }
        ),
        browser=True,
    ),
    Operation(
        "POST",
        "/v1/elements/payment_methods/{id}/detach",
        _remove,
        shape(
            {"customer_session_client_secret": text},
            required=("customer_session_client_secret",),
        ),
        browser=True,
    ),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/source_cancel",
        _abandon,
        shape({"client_secret": text}, required=("client_secret",)),
        browser=True,
    ),
)
"""Calls that Stripe's SDKs do not know: Stripe.js alone makes them."""
