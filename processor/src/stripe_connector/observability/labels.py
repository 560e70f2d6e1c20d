"""Names of backends and of what is asked of them, fit for metrics and traces.

Paths hold what is private, or endless: ids, keys, codes. None of it is left in a template.
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
    " ephemeral_keys events expire payment_intents payment_method_domains payment_methods refunds"
    " search validate webhook_endpoints"
    # Key servers
    " .well-known jwks.json".split()
)
"""The words of paths that the gateways ask. Whatever is missing here is left out, so that no id
is ever taken for a word."""


def backend(call: Called) -> str:
    """commercetools, stripe or key_server."""
    return call.backend.lower().removeprefix("the ").replace(" ", "_")


def operation_label(call: Called) -> str:
    """The call's path, in which all but known words is `{}`: `/{}/payments/{}`."""
    return "/".join(part if part in _WORDS or not part else "{}" for part in call.path.split("/"))
