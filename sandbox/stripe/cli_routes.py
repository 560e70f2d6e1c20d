"""What only Stripe's CLI calls, for `stripe trigger`.

Payment pages are not documented; both are seen from the fixtures that the CLI (npm package
`@stripe/cli` 1.52) carries.
"""

from __future__ import annotations

from sandbox.stripe import checkout_payment, methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.forms import anything, boolean, shape, text
from sandbox.stripe.objects import JsonObject


def _show(call: Call) -> JsonObject:
    return call.named(call.state.sessions)


def _confirm(call: Call) -> JsonObject:
    """The shopper pays."""
    session = call.named(call.state.sessions)
    method = methods.use(call.state, call.params["payment_method"])
    details = method["billing_details"]
    shopper = checkout_payment.Shopper(details["email"], details["name"])
    checkout_payment.pay(call.state, session, method, shopper)
    return session


def _set_up(call: Call) -> JsonObject:
    """A SetupIntent, confirmed at once: its method is saved for the customer
    (https://docs.stripe.com/api/setup_intents/create)."""
    state, params = call.state, call.params
    customer = state.find(state.customers, params["customer"], "customer")
    method = methods.use(state, params["payment_method"])
    methods.attach(state, method, customer["id"])
    id_ = state.new_id("seti")
    intent: JsonObject = {
        "id": id_,
        "object": "setup_intent",
        "application": None,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "cancellation_reason": None,
        "client_secret": f"{id_}_secret_{state.random_text(25)}",
        "created": state.now(),
        "customer": customer["id"],
        "description": params.get("description"),
        "excluded_payment_method_types": None,
        "flow_directions": None,
        "last_setup_error": None,
        "latest_attempt": None,
        "livemode": state.live,
        "mandate": None,
        "metadata": {},
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"],
        "payment_method_configuration_details": None,
        "payment_method_options": {},
        "payment_method_types": [method["type"]],
        "single_use_mandate": None,
        "status": "succeeded",
        "usage": "off_session",
    }
    state.emit("setup_intent.created", {**intent, "status": "requires_confirmation"})
    state.emit("setup_intent.succeeded", intent)
    return intent


OPERATIONS = (
    Operation("GET", "/v1/payment_pages/{id}", _show, shape({})),
    Operation(
        "POST",
        "/v1/payment_pages/{id}/confirm",
        _confirm,
        shape(
            {"expected_amount": anything, "payment_method": anything},
            required=("payment_method",),
        ),
    ),
    Operation(
        "POST",
        "/v1/setup_intents",
        _set_up,
        shape(
            {"confirm": boolean, "customer": text, "description": text, "payment_method": text},
            required=("confirm", "customer", "payment_method"),
        ),
    ),
)
