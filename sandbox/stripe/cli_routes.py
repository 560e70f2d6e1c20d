"""What Stripe's CLI calls for `stripe trigger checkout.session.*`, in place of a shopper's browser.

Not documented; seen from the fixtures that the CLI (npm package `@stripe/cli` 1.52) carries.
"""

from __future__ import annotations

from sandbox.stripe import checkout_payment, methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.forms import anything, shape
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
)
