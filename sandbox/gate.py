"""Keeps web pages out: the sandbox is on loopback, and so is every page that a developer visits.

A page can make its own name point to 127.0.0.1 (DNS rebinding): only known names in the Host header
are served. A page can post forms to any address without asking: what a browser says was sent by
another origin changes nothing here. And what moves the sandbox itself takes JSON or a header of its
own, neither of which a page may post unasked (https://fetch.spec.whatwg.org/#simple-header).
Programs such as curl, SDKs and Stripe's CLI send neither Origin nor Sec-Fetch-Site, and pass.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

CONTROL_HEADER = "x-sandbox"
"""Takes the place of a JSON body where a route of the sandbox's own has none."""

_LOOPBACK = frozenset(("localhost", "127.0.0.1", "[::1]"))
_HOST = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?")
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))


def hosts(environment: Mapping[str, str]) -> frozenset[str]:
    """The names to which the sandbox answers: loopback's, and those of SANDBOX_ALLOWED_HOSTS."""
    return _LOOPBACK | set(_listed(environment, "SANDBOX_ALLOWED_HOSTS"))


def origins(environment: Mapping[str, str]) -> frozenset[str]:
    """Pages elsewhere that may do what the sandbox's own may: SANDBOX_MORE_ORIGINS."""
    return frozenset(_listed(environment, "SANDBOX_MORE_ORIGINS"))


def _listed(environment: Mapping[str, str], name: str) -> list[str]:
    given = environment.get(name, "").split(",")
    return [entry for each in given if (entry := each.strip().lower())]


class Gate:
    """In front of everything that listens on one port."""

    def __init__(
        self, app: ASGIApp, hosts: Collection[str] = _LOOPBACK, origins: Collection[str] = ()
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._origins = origins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], scope["path"], headers)
        if refusal is None:
            await self._app(scope, receive, send)
            return
        status, message = refusal
        body = {"statusCode": status, "message": message}
        await JSONResponse(body, status)(scope, receive, send)

    def _refusal(self, method: str, path: str, headers: Headers) -> tuple[int, str] | None:
        given = headers.getlist("host")
        host = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
        if host is None or host["name"] not in self._hosts:
            return 421, "The sandbox has no such name; SANDBOX_ALLOWED_HOSTS may list it."
        if method in _SAFE:
            return None
        if not self._is_welcome(headers, given[0]):
            return 403, "A page of another origin changes nothing here (SANDBOX_MORE_ORIGINS)."
        if method == "POST" and _moves_the_sandbox(path) and not _is_deliberate(headers):
            return 415, f"Send JSON as application/json, or the header {CONTROL_HEADER}."
        return None

    def _is_welcome(self, headers: Headers, host: str) -> bool:
        """Whether no browser says that another origin's page sent this.

        No page sends a bearer token by itself: the stand-ins' CORS decides about those.
        """
        authorization = headers.getlist("authorization")
        if len(authorization) == 1 and authorization[0].lower().startswith("bearer "):
            return True
        origins = headers.getlist("origin")
        if any(each.lower() in self._origins for each in origins):
            return len(origins) == 1
        site = headers.get("sec-fetch-site")
        if site is not None:  # a page without referrers has the origin "null", also for its own
            return site in ("none", "same-origin")
        return not origins or origins in ([f"http://{host}"], [f"https://{host}"])


def _moves_the_sandbox(path: str) -> bool:
    return path.startswith("/_sandbox/") or path == "/jwt/rotate"


def _is_deliberate(headers: Headers) -> bool:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or CONTROL_HEADER in headers
