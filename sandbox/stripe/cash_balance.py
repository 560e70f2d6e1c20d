"""Money that customers transfer without an intent that waits for it: their cash balance.

https://docs.stripe.com/api/cash_balance_transactions/fund_cash_balance
"""

from __future__ import annotations

from sandbox.stripe import attempts, currencies
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.forms import EXPAND, integer, shape, text
from sandbox.stripe.objects import JsonObject


def _fund(call: Call) -> JsonObject:
    """A transfer comes in: for the intent of the customer that waits for one, or for none."""
    state, params = call.state, call.params
    customer = call.named(state.customers)
    currency = currencies.check_currency(params["currency"])
    for intent in state.intents.newest({"customer": customer["id"]}):
        waits = (intent["next_action"] or {}).get("display_bank_transfer_instructions")
        if waits and intent["currency"] == currency:
            return attempts.fund(state, intent, params["amount"])
    return attempts.fund_customer(state, customer["id"], currency, params["amount"])


OPERATIONS = (
    Operation(
        "POST",
        "/v1/test_helpers/customers/{id}/fund_cash_balance",
        _fund,
        shape(
            {**EXPAND, "amount": integer, "currency": text, "reference": text},
            required=("amount", "currency"),
        ),
    ),
)
