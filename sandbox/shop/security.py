"""What every page of the shop is protected by: headers, and forms that only the shop may send."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.shop.bff import SHOPPER

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def content_security_policy(payment_pages: Iterable[str]) -> str:
    """Nothing inline, of elsewhere only pictures; a form may lead on to the payment pages.

    Browsers apply `form-action` to where a form's answer redirects, too.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "style-src 'self'",
            "script-src 'self'",
            "img-src 'self' https:",
            "connect-src 'self'",
            f"form-action 'self' {' '.join(payment_pages)}".rstrip(),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


class Protection:
    """Adds the headers, refuses what another site's page sends, and notes who is served."""

    def __init__(self, app: ASGIApp, payment_pages: Iterable[str]) -> None:
        self._app = app
        self._headers = {
            "Content-Security-Policy": content_security_policy(payment_pages),
            "Referrer-Policy": "same-origin",
            "X-Content-Type-Options": "nosniff",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(self._headers)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        client = scope.get("client")
        SHOPPER.set(client[0] if client else None)
        if scope["method"] in _SAFE or _same_origin(scope["scheme"], Headers(scope=scope)):
            await self._app(scope, receive, protected)
        else:
            refusal = PlainTextResponse("This form was not sent by a page of the shop.", 403)
            await refusal(scope, receive, protected)


def _same_origin(scheme: str, headers: Headers) -> bool:
    """Whether a browser says that the shop's own page sent this."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return headers.get("origin") == f"{scheme}://{headers.get('host')}"
