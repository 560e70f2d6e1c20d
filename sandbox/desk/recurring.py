"""Recurring orders at the desk: the next charge, the last error, and what Checkout's jobs say."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.desk.backends import Backends
from sandbox.desk.guard import Guard
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Session


class Recurring:
    """One page; the clock on the page of events makes orders due."""

    def __init__(self, guard: Guard, pages: Pages, backends: Backends) -> None:
        self._guard = guard
        self._pages = pages
        self._commercetools = backends.commercetools

    def routes(self) -> list[Route]:
        return [Route("/recurring", self._guard.page(self.listing))]

    async def listing(self, request: Request, session: Session) -> Response:
        found = await self._commercetools.recurring()
        return self._pages.render(
            request, "recurring.html", session, orders=found["orders"], jobs=found["jobs"]
        )
