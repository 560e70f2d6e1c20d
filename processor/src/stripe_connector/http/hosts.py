"""Serves only the host names that the merchant lists: no page gets in under a name of its own.

A page whose name was made to point here (DNS rebinding) is of the same origin as what it then
reads, so neither CORS nor cookies would keep it out.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from stripe_connector.errors import Misdirected

_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
_BY_ADDRESS = ("/health/", "/metrics")
"""What a platform asks for by the address of an instance."""


class KnownHosts:
    """Raises Misdirected for requests of any other host name."""

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith(_BY_ADDRESS):
            given = Headers(scope=scope).getlist("host")
            host = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
            if host is None or host["name"] not in self._names:
                raise Misdirected("This host name is not served here.")
        await self._app(scope, receive, send)
