"""Balance transactions: the account's money in and out, in the presentment currency."""

from __future__ import annotations

from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

_PERCENT, _FIXED = 29, 30
_PAYOUT_DELAY = 2 * 86_400


def record(
    state: StripeState, kind: str, source: str, amount: int, currency: str, *, fee: int = 0
) -> str:
    """Book `amount` (negative: money leaves) and return the transaction's id."""
    details = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Stripe processing fees",
        "type": "stripe_fee",
    }
    transaction: JsonObject = {
        "id": state.new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": state.now() + _PAYOUT_DELAY,
        "balance_type": "payments",
        "created": state.now(),
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [details] if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if kind == "adjustment" else kind,
        "source": source,
        "status": "pending",
        "type": kind,
    }
    state.balance_transactions.add(transaction)
    return str(transaction["id"])


def charge_fee(amount: int) -> int:
    """What Stripe keeps of a charge: 2.9 % and 30 minor units."""
    return min(amount, amount * _PERCENT // 1000 + _FIXED)
