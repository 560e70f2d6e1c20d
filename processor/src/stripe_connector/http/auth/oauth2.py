"""Machines: an access token of the commercetools project, with the scope that the route needs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Protocol

from starlette.requests import Request

from stripe_connector import context
from stripe_connector.cache import Cache
from stripe_connector.clock import Clock
from stripe_connector.errors import Forbidden, Unauthenticated
from stripe_connector.gateways.commercetools.models import Introspection
from stripe_connector.http.auth.bearer import bearer_token
from stripe_connector.http.auth.failures import Failures


class AuthorizationServer(Protocol):
    """Where commercetools' tokens come from."""

    async def introspect_token(self, token: str) -> Introspection:
        """Raises BackendError or BackendUnavailable."""


class OAuth2Guard:
    """Lets a request pass whose token is active and grants one of the scopes for our project.

    Answers are remembered for `keep_s` seconds, never beyond the token's expiry, under the
    token's hash: a memory dump gives no tokens away. A refusal is not remembered, so that a token
    works as soon as it is valid. It saves a call, a tenth of a capture's CPU (docs/performance.md,
    "Paths for speed").
    """

    def __init__(
        self,
        server: AuthorizationServer,
        clock: Clock,
        failures: Failures,
        *,
        project_key: str,
        keep_s: float = 30,
        capacity: int = 1_000,
    ) -> None:
        self._server = server
        self._clock = clock
        self._failures = failures
        self._project_key = project_key
        self._keep_s = keep_s
        self._cache: Cache[bytes, Introspection] = Cache(
            clock, capacity=capacity, keep_for=self._keep_for
        )

    async def authenticate(self, request: Request, any_of: Sequence[str]) -> None:
        """Raises Unauthenticated, Forbidden, TooManyRequests or a BackendError."""
        token = bearer_token(request)
        hashed = hashlib.sha256(token.encode()).digest()
        with self._failures.attempt(request, hashed):
            found = await self._cache.get(hashed, lambda: self._server.introspect_token(token))
            if not found.active:
                raise Unauthenticated("The access token is not active.")
            context.note_id("client", found.client_id or "")
            # A space and nothing else: https://www.rfc-editor.org/rfc/rfc6749#section-3.3
            granted = (found.scope or "").split(" ")
            if not any(f"{scope}:{self._project_key}" in granted for scope in any_of):
                raise Forbidden("Not authorized", fields={"validAuthorities": list(any_of)})

    def _keep_for(self, found: Introspection) -> float:
        if not found.active:
            return 0
        if found.exp is None:
            return self._keep_s
        return min(self._keep_s, found.exp - self._clock.time())
