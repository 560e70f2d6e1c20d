"""Who watches the processor: a token that only its operators know."""

from __future__ import annotations

import hmac

from starlette.requests import Request

from stripe_connector.errors import Unauthenticated
from stripe_connector.http.auth.bearer import bearer_token


class MetricsGuard:
    """Lets a request pass that bears one of the tokens; with none, no request passes."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = [token.encode() for token in tokens]

    async def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated."""
        given = bearer_token(request).encode()
        if not any(hmac.compare_digest(given, token) for token in self._tokens):
            raise Unauthenticated("The token is not valid.")
