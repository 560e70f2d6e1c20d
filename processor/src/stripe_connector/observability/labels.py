"""Names of backends and of their operations, as labels of metrics and traces.

Paths hold private or unbounded values (ids, keys, codes), which templates leave out.
"""

from __future__ import annotations

from stripe_connector.gateways.outgoing import Called

_WORDS = frozenset(
    # commercetools
    "carts categories custom-objects customers discount-codes introspect oauth orders"
    " payment-methods payments product-projections recurring-orders"
    " recurring-payment-jobs sessions token types"
    # Stripe
    " v1 account cancel capture checkout confirm customer_sessions customers detach disputes"
    " ephemeral_keys events expire payment_intents"
    " payment_method_configurations payment_method_domains payment_methods refunds"
    " search validate webhook_endpoints"
    # Key servers
    " .well-known jwks.json".split()
)
"""The fixed segments of paths that the gateways call. Every other segment is replaced, so that no
id becomes a label."""


def backend(call: Called) -> str:
    """commercetools, stripe or key_server."""
    return call.backend.lower().removeprefix("the ").replace(" ", "_")


def operation_label(call: Called) -> str:
    """The call's path, in which all but known words is `{}`: `/{}/payments/{}`."""
    return "/".join(part if part in _WORDS or not part else "{}" for part in call.path.split("/"))
