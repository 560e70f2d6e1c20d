"""Shoppers: a Checkout session, named by a header or by a redirect's query."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Protocol

from msgspec import Struct
from starlette.requests import Request

from stripe_connector import context
from stripe_connector.cache import Cache
from stripe_connector.clock import Clock
from stripe_connector.errors import Conflict, NotFound, Unauthenticated
from stripe_connector.gateways.commercetools.models import Session
from stripe_connector.http import correlation
from stripe_connector.http.auth.failures import Failures

HEADER = "x-session-id"
_SESSION_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")


class SessionService(Protocol):
    """The session service."""

    async def get_session(self, session_id: str) -> Session:
        """Raises NotFound, BackendError or BackendUnavailable."""


class SessionPrincipal(Struct, frozen=True):
    """Who asks: the session and its cart. Nothing here may decide about money."""

    session_id: str
    cart_id: str
    fresh: Session | None = None
    """The session itself, if this very request has read it."""


class _Known(Struct, frozen=True):
    """What may be remembered of a session."""

    cart_id: str
    correlation_id: str | None
    expires: float | None
    """Unix seconds."""


class SessionGuard:
    """Lets a request pass whose session the session service calls active.

    What it says is remembered for `keep_s` seconds, never longer than the session lives, and only
    as far as identity goes. Routes that compute money take the session from `fresh`. It saves a
    call, half of the CPU of a request for configuration (docs/performance.md, "Paths for speed").
    """

    def __init__(
        self,
        sessions: SessionService,
        clock: Clock,
        failures: Failures,
        *,
        keep_s: float = 10,
        capacity: int = 10_000,
    ) -> None:
        self._sessions = sessions
        self._failures = failures
        self._cache: Cache[str, _Known] = Cache(
            clock,
            capacity=capacity,
            keep_for=lambda known: (
                keep_s if known.expires is None else min(keep_s, known.expires - clock.time())
            ),
        )

    async def authenticate(self, request: Request) -> SessionPrincipal:
        """The session of the request.

        Raises Unauthenticated, TooManyRequests or what the session service raises.
        """
        session_id = request.headers.get(HEADER)
        if session_id is None:
            raise Unauthenticated(
                f"This endpoint requires the {HEADER} header.", code="access_denied"
            )
        if not _SESSION_ID.fullmatch(session_id):
            raise _not_active()

        read: Session | None = None

        async def load() -> _Known:
            nonlocal read
            read, known = await self._active(session_id)
            return known

        with self._failures.attempt(request, session_id):
            known = await self._cache.get(session_id, load)
        self._take_over_correlation_id(known)
        return SessionPrincipal(session_id, known.cart_id, read)

    async def fresh(self, principal: SessionPrincipal) -> Session:
        """The session as it is now, read during this request, for what concerns money.

        Raises Conflict if the session has moved to another cart since it was remembered: what the
        caller has read of the old cart is void, and repeating the request works.
        """
        if principal.fresh is not None:
            return principal.fresh
        try:
            session, known = await self._active(principal.session_id)
        except Unauthenticated:
            self._cache.drop(principal.session_id)
            raise
        self._cache.put(principal.session_id, known)
        if known.cart_id != principal.cart_id:
            raise Conflict("The session has another cart by now. Repeat the request.")
        return session

    async def _active(self, session_id: str) -> tuple[Session, _Known]:
        try:
            session = await self._sessions.get_session(session_id)
        except NotFound as error:
            raise _not_active() from error
        cart_id = session.cart_id
        if session.state.upper() != "ACTIVE" or cart_id is None:
            raise _not_active()
        theirs = session.metadata.correlation_id
        return session, _Known(
            cart_id=cart_id,
            correlation_id=theirs if correlation.well_formed(theirs) else None,
            expires=_expiry(session.expiry_at),
        )

    def _take_over_correlation_id(self, known: _Known) -> None:
        request = context.current.get()
        if request is not None and known.correlation_id is not None:
            request.correlation_id = known.correlation_id


def _expiry(expiry_at: str | None) -> float | None:
    """Unix seconds; a time that cannot be read is past, so that nothing is remembered."""
    if expiry_at is None:
        return None
    try:
        return datetime.fromisoformat(expiry_at).timestamp()
    except ValueError:
        return 0.0


def _not_active() -> Unauthenticated:
    return Unauthenticated("Session is not active")
