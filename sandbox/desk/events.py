"""The event log: what Stripe told the processor, how that went, and telling it again."""

from __future__ import annotations

import re
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.desk.backends import Backends
from sandbox.desk.guard import HOME, Guard, local
from sandbox.desk.payments import page_of
from sandbox.desk.rendering import Pages
from sandbox.desk.sessions import Session

_SIZE = 50
_MOST = 50
_LONGEST_SEARCH = 100
_EVENT = re.compile(r"evt_\w{1,64}")
_STEPS = {"60": "1 minute", "3600": "1 hour", "86400": "1 day", "604800": "7 days"}


class Events:
    """Events and their deliveries; also the stand-in's clock, which makes retries due."""

    def __init__(self, guard: Guard, pages: Pages, backends: Backends) -> None:
        self._guard = guard
        self._pages = pages
        self._stripe = backends.stripe

    def routes(self) -> list[Route]:
        return [
            Route("/events", self._guard.page(self.listing)),
            Route("/events/order", self._guard.page(self.order)),
            Route("/events/redeliver", self._guard.form(self.redeliver), methods=["POST"]),
            Route("/clock", self._guard.form(self.advance), methods=["POST"]),
        ]

    async def listing(self, request: Request, session: Session) -> Response:
        search = request.query_params.get("q", "").strip()[:_LONGEST_SEARCH]
        page = page_of(request)
        found = await self._stripe.events([search], page, _SIZE)
        return self._pages.render(
            request,
            "events.html",
            session,
            events=found["events"],
            total=found["total"],
            search=search,
            page=page,
            last_page=max(-(-found["total"] // _SIZE), 1),
            now=await self._stripe.clock(),
            steps=_STEPS,
        )

    async def order(self, request: Request, session: Session) -> Response:
        """Put the chosen events into the order in which they are to be sent."""
        chosen = _events(request.query_params.getlist("event"))
        if not chosen:
            return RedirectResponse("/desk/events", HTTPStatus.SEE_OTHER)
        moved = request.query_params.get("up", "")
        if moved in chosen[1:]:
            at = chosen.index(moved)
            chosen[at - 1], chosen[at] = chosen[at], chosen[at - 1]
        elif request.query_params.get("turn"):
            chosen.reverse()
        known = {each["id"]: each for each in (await self._stripe.events(chosen))["events"]}
        events = [known[each] for each in chosen if each in known]
        return self._pages.render(request, "order.html", session, events=events, moved=moved)

    async def redeliver(self, _: Request, session: Session, fields: dict[str, str]) -> Response:
        """Send events again, in the order given; each `times` times."""
        chosen = _events(fields.get("events", "").split(","))
        times = 2 if fields.get("times") == "2" else 1
        if not chosen:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "Choose at least one event.")
        if session.first_time(fields.get("key", "")):
            for each in chosen:
                await self._stripe.redeliver(each, times)
        return RedirectResponse(local(fields.get("back", HOME)), HTTPStatus.SEE_OTHER)

    async def advance(self, _: Request, session: Session, fields: dict[str, str]) -> Response:
        """Let time pass at Stripe: what is due happens."""
        seconds = fields.get("seconds", "")
        if seconds not in _STEPS:
            raise HTTPException(HTTPStatus.BAD_REQUEST, "Choose one of the steps.")
        if session.first_time(fields.get("key", "")):
            await self._stripe.advance(int(seconds))
        return RedirectResponse("/desk/events", HTTPStatus.SEE_OTHER)


def _events(given: list[str]) -> list[str]:
    """Ids of events, each once."""
    return [each for each in dict.fromkeys(given) if _EVENT.fullmatch(each)][:_MOST]
