"""The API versions that Stripe knows since its objects have the shapes of this stand-in."""

from __future__ import annotations

from sandbox.stripe.errors import invalid_request

KNOWN = (
    "2025-03-31.basil",
    "2025-04-30.basil",
    "2025-05-28.basil",
    "2025-06-30.basil",
    "2025-07-30.basil",
    "2025-08-27.basil",
    "2025-09-30.clover",
    "2025-10-29.clover",
    "2025-11-17.clover",
    "2025-12-15.clover",
    "2026-01-28.clover",
    "2026-02-25.clover",
    "2026-03-25.dahlia",
    "2026-04-22.dahlia",
    "2026-05-27.dahlia",
    "2026-06-24.dahlia",
    "2026-07-29.dahlia",
    "2026-08-26.dahlia",
    "2026-09-30.endive",
    "2026-10-28.endive",
)
CURRENT = KNOWN[-1]
WITHOUT_METHOD_TYPES = "2026-09-30.endive"
"""From here on intents take no `payment_method_types`."""


def check(version: str) -> str:
    """The version, if Stripe knows it."""
    if version not in KNOWN:
        raise invalid_request(f"Invalid Stripe API version: {version}")
    return version
