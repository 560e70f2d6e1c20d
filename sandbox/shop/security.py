"""What every page of the shop is protected by: headers, and forms that only the shop may send."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sandbox.shop.bff import SHOPPER

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


Sources = Mapping[str, Iterable[str]]


def content_security_policy(payment_pages: Iterable[str], more: Sources | None = None) -> str:
    """Nothing inline, of elsewhere only pictures; a form may lead on to the payment pages.

    Browsers apply `form-action` to where a form's answer redirects, too. `more` adds sources to
    directives, for pages with payment elements.
    """
    policy: dict[str, tuple[str, ...]] = {
        "default-src": ("'none'",),
        "style-src": ("'self'",),
        "script-src": ("'self'",),
        "img-src": ("'self'", "https:"),
        "connect-src": ("'self'",),
        "form-action": ("'self'", *payment_pages),
        "base-uri": ("'none'",),
        "frame-ancestors": ("'none'",),
    }
    for directive, sources in (more or {}).items():
        policy[directive] = (*policy.get(directive, ()), *sources)
    return "; ".join(" ".join((directive, *sources)) for directive, sources in policy.items())


def admit_elements(request: Request) -> None:
    """The answer to this request is a page with payment elements."""
    request.state.has_elements = True


class Protection:
    """Adds the headers, refuses what another site's page sends, and notes who is served."""

    def __init__(
        self, app: ASGIApp, payment_pages: tuple[str, ...], elements: Sources | None = None
    ) -> None:
        self._app = app
        self._policy = content_security_policy(payment_pages)
        self._elements_policy = content_security_policy(payment_pages, elements)
        self._headers = {
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
                with_elements = scope.get("state", {}).get("has_elements", False)
                headers["Content-Security-Policy"] = (
                    self._elements_policy if with_elements else self._policy
                )
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
