"""The proxy on commercetools Connect: what it says counts if it proves that it knows the secret.

The secret itself is never sent. The proxy drops the header that names a client where one comes from
outside, so that a proven one was always written by it (`connect-proxy/`).
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from stripe_connector.errors import Forbidden, Unauthenticated
from stripe_connector.http.auth.bearer import bearer_token
from stripe_connector.http.rate_limit import PROVEN_CLIENT

HEADER = b"x-proxy-client"
"""`<address> <proof>`: a proof is the HMAC-SHA256 of the secret over `client <address>`, as hex."""
_LONGEST = 128
_POST_DEPLOY = b"post-deploy"


class ProxyGuard:
    """Lets the proxy's post-deploy pass; without a secret, no request."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._secrets = [secret.encode() for secret in secrets]

    async def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated."""
        if not self._proves(_POST_DEPLOY, bearer_token(request).encode()):
            raise Unauthenticated("The token is not valid.")

    def client(self, claim: bytes) -> str:
        """The address in a header's value; raises Forbidden unless it is proven."""
        address, _, proof = claim.partition(b" ")
        if len(claim) > _LONGEST or not self._proves(b"client " + address, proof):
            raise Forbidden("The client's address is not proven.", code="ProxyNotAuthenticated")
        return address.decode("latin-1")

    def _proves(self, text: bytes, proof: bytes) -> bool:
        """In constant time, whichever secret it is."""
        found = False
        for secret in self._secrets:
            expected = hmac.digest(secret, text, "sha256").hex().encode()
            found |= hmac.compare_digest(expected, proof)
        return found


class ProvenClients:
    """Remembers the client that the proxy names; a name without proof is refused, not ignored.

    Ignored, one wrong secret would have all shoppers share the proxy's limits.
    """

    def __init__(self, app: ASGIApp, guard: ProxyGuard) -> None:
        self._app = app
        self._guard = guard

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            claims = [value for name, value in scope["headers"] if name == HEADER]
            if len(claims) > 1:
                raise Forbidden("Two clients are named.", code="ProxyNotAuthenticated")
            if claims:
                scope[PROVEN_CLIENT] = self._guard.client(claims[0])
        await self._app(scope, receive, send)
