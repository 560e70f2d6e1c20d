"""The account itself: whether it may take payments, and whether Stripe pays out."""

from __future__ import annotations

from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request
from sandbox.stripe.forms import EXPAND, shape
from sandbox.stripe.objects import JsonObject


def _retrieve(call: Call) -> JsonObject:
    state = call.state
    if not state.account_readable:
        # Stripe's answer to a restricted key: https://docs.stripe.com/error-handling#permission-errors
        raise invalid_request(
            "The provided key does not have the required permissions for this endpoint.", status=403
        )
    return {
        "id": state.account,
        "object": "account",
        "business_type": None,
        "charges_enabled": state.charges_enabled,
        "country": "DE",
        "default_currency": "eur",
        "details_submitted": True,
        "email": None,
        "payouts_enabled": state.payouts_enabled,
        "type": "standard",
    }


OPERATIONS = (Operation("GET", "/v1/account", _retrieve, shape(EXPAND)),)
