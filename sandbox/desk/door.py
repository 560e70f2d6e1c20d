"""Signing in and out, and what the two identities that one gets can see of the connector."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.desk.asking import Processor
from sandbox.desk.backends import Backends
from sandbox.desk.guard import HOME, SIGN_IN, Guard, local
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Session, Sessions
from sandbox.desk.wire import Refused, Unreachable
from sandbox.shop.forms import submitted

_NAME = re.compile(r"[\w .@'-]{1,60}")


class Door:
    """A name is enough in the sandbox; the tokens behind it are as real as elsewhere."""

    def __init__(
        self, sessions: Sessions, guard: Guard, pages: Pages, backends: Backends, asking: Processor
    ) -> None:
        self._sessions = sessions
        self._guard = guard
        self._pages = pages
        self._backends = backends
        self._asking = asking

    def routes(self) -> list[Route]:
        return [
            Route("/sign-in", self.form),
            Route("/sign-in", self.sign_in, methods=["POST"]),
            Route("/sign-out", self._guard.form(self.sign_out), methods=["POST"]),
            Route("/connector", self._guard.page(self.connector)),
        ]

    async def form(self, request: Request) -> Response:
        return self._form(request)

    async def sign_in(self, request: Request) -> Response:
        fields = await submitted(request)
        self._sessions.check(request, fields)
        name = " ".join(fields.get("name", "").split())
        if not _NAME.fullmatch(name):
            problem = "Enter a name of up to 60 letters."
            return self._form(request, problem, HTTPStatus.UNPROCESSABLE_ENTITY)
        merchant_center = self._backends.merchant_center(name)
        checkout = self._backends.checkout()
        try:
            await asyncio.gather(merchant_center.prove(), checkout.prove())
        except (Unreachable, Refused) as error:
            problem = f"There is no token to be had: {error}. Try again in a moment."
            return self._form(request, problem, HTTPStatus.SERVICE_UNAVAILABLE)
        response = RedirectResponse(local(fields.get("next", HOME)), HTTPStatus.SEE_OTHER)
        self._sessions.open(response, merchant_center, checkout, secure=_secure(request))
        return response

    async def sign_out(self, request: Request, _: Session, __: dict[str, str]) -> Response:
        response = RedirectResponse(SIGN_IN, HTTPStatus.SEE_OTHER)
        self._sessions.close(request, response)
        return response

    async def connector(self, request: Request, session: Session) -> Response:
        """What the processor tells the Merchant Center, and who asked it what."""
        status, components = await asyncio.gather(
            self._asking.report(session, "/operations/status"),
            self._asking.report(session, "/operations/payment-components"),
        )
        return self._pages.render(
            request,
            "connector.html",
            session,
            report=status,
            components=components,
            places=self._backends.places,
            calls=list(reversed(session.calls)),
        )

    def _form(self, request: Request, problem: str = "", status: int = 200) -> Response:
        key = self._sessions.visitor(request)
        response = self._pages.render(
            request,
            "sign_in.html",
            None,
            status,
            token=self._sessions.token(key),
            next=local(request.query_params.get("next", HOME)),
            problem=problem,
        )
        self._sessions.greet(response, key, secure=_secure(request))
        return response


def _secure(request: Request) -> bool:
    return request.url.scheme == "https"
