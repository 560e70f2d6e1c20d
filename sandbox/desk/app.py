"""The merchant desk as an application: routes, static files, pages for what goes wrong."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route

from sandbox.desk.asking import Processor
from sandbox.desk.backends import Backends
from sandbox.desk.changes import Changes
from sandbox.desk.door import Door
from sandbox.desk.events import Events
from sandbox.desk.guard import Guard
from sandbox.desk.live import Live, TooMany
from sandbox.desk.payments import Payments
from sandbox.desk.places import Places
from sandbox.desk.recurring import Recurring
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Sessions
from sandbox.desk.troubles import Troubles
from sandbox.desk.wire import Refused, Unreachable
from sandbox.shop.security import Protection
from sandbox.shop.static_files import VersionedFiles

_STATIC = Path(__file__).parent / "static"


class Desk:
    """One merchant's desk, to be mounted at /desk beside the shop, whose style sheet it uses.

    The client carries every call to `places`; its maker closes it.
    """

    def __init__(self, client: httpx.AsyncClient, places: Places) -> None:
        backends = Backends(client, places)
        self.live = Live(backends.look)
        self._sessions = Sessions()
        self._pages = pages = Pages(self._sessions)
        guard = Guard(self._sessions)
        asking = Processor(backends.processor)
        payments = Payments(guard, pages, backends)
        self.app = Starlette(
            routes=[
                *Door(self._sessions, guard, pages, backends, asking).routes(),
                *payments.routes(),
                *Changes(guard, payments, backends, asking).routes(),
                *Events(guard, pages, backends).routes(),
                *Recurring(guard, pages, backends).routes(),
                *Troubles(guard, pages, backends).routes(),
                Route("/live", self._watch),
                Mount("/static", VersionedFiles(directory=_STATIC)),
            ],
            middleware=[Middleware(Protection, payment_pages=())],
            exception_handlers={
                Unreachable: self._unreachable,
                Refused: self._refused,
                HTTPException: self._failed,
            },
        )

    async def _watch(self, request: Request) -> Response:
        """Server-sent events; 204 tells a browser that is not signed in not to come back."""
        if self._sessions.of(request) is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        try:
            return StreamingResponse(self.live.watch(), media_type="text/event-stream")
        except TooMany:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _unreachable(self, request: Request, error: Exception) -> Response:
        return self._trouble(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "This cannot be shown right now",
            f"{error}. Nothing was lost; try again in a moment.",
        )

    async def _refused(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - how handlers are typed
        return self._trouble(
            request,
            HTTPStatus.BAD_GATEWAY,
            "That did not work",
            f"{error.backend} refused it: {error.message}",
        )

    async def _failed(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how handlers are typed
        if error.status_code == HTTPStatus.NOT_FOUND and error.detail == "Not Found":
            return self._trouble(
                request,
                HTTPStatus.NOT_FOUND,
                "We cannot find that",
                "There is no such page or payment at this desk.",
            )
        return self._trouble(request, error.status_code, "That did not work", error.detail)

    def _trouble(self, request: Request, status: int, heading: str, message: str) -> Response:
        session = self._sessions.of(request)
        return self._pages.render(
            request,
            "trouble.html",
            session,
            status,
            heading=heading,
            message=message,
            again=request.method == "GET" and status != HTTPStatus.NOT_FOUND,
        )
