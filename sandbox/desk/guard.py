"""Who may come in: pages need a session, forms also what only the desk's own pages know."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeAlias
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sandbox.desk.sessions import Session, Sessions
from sandbox.shop.forms import submitted

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]
Page: TypeAlias = Callable[[Request, Session], Awaitable[Response]]
Form: TypeAlias = Callable[[Request, Session, dict[str, str]], Awaitable[Response]]

HOME = "/desk/"
SIGN_IN = "/desk/sign-in"
_OURS = re.compile(r"/desk/[\w./?&=%+-]*")


class Guard:
    """Wraps handlers so that they only ever see whom they may serve."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def page(self, handler: Page) -> Endpoint:
        """Sends who is not signed in to where one can, and from there back here."""

        async def endpoint(request: Request) -> Response:
            session = self._sessions.of(request)
            if session is None:
                return _to_sign_in(request)
            return await handler(request, session)

        return endpoint

    def form(self, handler: Form) -> Endpoint:
        """Hands on the fields; 403 for a form that this browser was not given."""

        async def endpoint(request: Request) -> Response:
            session = self._sessions.of(request)
            if session is None:
                return RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
            fields = await submitted(request)
            self._sessions.check(request, fields)
            return await handler(request, session, fields)

        return endpoint


def local(address: str) -> str:
    """An address of the desk; anything else becomes its first page."""
    return address if _OURS.fullmatch(address) and "//" not in address else HOME


def _to_sign_in(request: Request) -> Response:
    query = f"?{request.url.query}" if request.url.query else ""
    came_for = quote(f"{request.url.path}{query}", safe="/")
    return RedirectResponse(f"{SIGN_IN}?next={came_for}", HTTPStatus.SEE_OTHER)
