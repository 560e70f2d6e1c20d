"""The blocking HTTP client of the demo, of the soak and of the tests."""

from __future__ import annotations

import httpx

_CLOSED = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


def open_client(timeout_s: float = 30.0) -> httpx.Client:
    """A client that never takes the way through a proxy."""
    return httpx.Client(transport=_Repeating(), timeout=timeout_s, trust_env=False)


class _Repeating(httpx.HTTPTransport):
    """Reads again what met a connection that the server was just closing for being idle
    (https://www.rfc-editor.org/rfc/rfc9112#section-9.3.1). What may have an effect is not repeated.
    """

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        try:
            return super().handle_request(request)
        except _CLOSED:
            if request.method not in ("GET", "HEAD"):
                raise
            return super().handle_request(request)
