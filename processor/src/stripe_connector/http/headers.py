"""Headers of a request that decide who asks, and for what: each may be there once."""

from __future__ import annotations

from collections.abc import Iterable

from stripe_connector.errors import InvalidRequest

_ONCE = frozenset(
    {
        b"authorization",
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"stripe-signature",
        b"x-correlation-id",
        b"x-session-id",
        b"x-storefront-token",
    }
)
"""Of two, a proxy may have checked one and we would believe the other."""


def require_single(headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raises InvalidRequest where a header that decides something is there twice."""
    seen = [name for name, _ in headers if name in _ONCE]
    if len(seen) != len(set(seen)):
        raise InvalidRequest("A header that may appear once appears twice.", code="RepeatedHeader")
