"""Storefront pages without a session yet: known by the origin that their browser states."""

from __future__ import annotations

from collections.abc import Collection

from starlette.requests import Request

from stripe_connector.errors import Forbidden


class OriginGuard:
    """Lets a request pass whose Origin is exactly one of those allowed.

    A browser cannot lie about it; other clients can.
    """

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(allowed)

    async def authenticate(self, request: Request) -> None:
        """Raises Forbidden for any other origin, and for none."""
        origin = request.headers.get("origin")
        if origin is None or origin not in self._allowed:
            raise Forbidden("CORS origin not allowed.", code="Forbidden")
