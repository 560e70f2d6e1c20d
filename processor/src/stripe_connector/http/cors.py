"""Cross-origin rules: exactly the configured storefronts, on the routes that say so."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from starlette.responses import Response

from stripe_connector.errors import Forbidden

REQUEST_HEADERS = ", ".join(
    [
        "Content-Type",
        "Authorization",
        "X-Correlation-ID",
        "X-Request-ID",
        "X-Session-ID",
        "x-express-checkout",
        "x-express-customer-session",
    ]
)
RESPONSE_HEADERS = "X-Correlation-ID, Retry-After"
"""What pages may send, and read of an answer."""
_PREFLIGHT_AGE_S = 600


class Cors:
    """Answers a browser that asks whether a page of some origin may call and read."""

    def __init__(self, allowed_origins: Collection[str]) -> None:
        self._allowed = frozenset(allowed_origins)

    def headers(self, origin: str | None) -> dict[str, str]:
        """What to add to an answer. It depends on the origin, so caches must know that."""
        if origin is None or origin not in self._allowed:
            return {"Vary": "Origin"}
        return {
            "Vary": "Origin",
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Expose-Headers": RESPONSE_HEADERS,
        }

    def preflight(self, origin: str | None, methods: Iterable[str]) -> Response:
        """The answer to a preflight; raises Forbidden where the page may not call at all."""
        if origin is None or origin not in self._allowed:
            raise Forbidden("CORS origin not allowed.", code="Forbidden")
        return Response(
            status_code=204,
            headers={
                "Access-Control-Allow-Methods": ", ".join(sorted(methods)),
                "Access-Control-Allow-Headers": REQUEST_HEADERS,
                "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
            },
        )
