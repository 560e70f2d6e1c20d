"""What every request gets: an id, a deadline, a log line, safe headers, and errors as answers."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from msgspec import Struct
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.errors import ConnectorError
from stripe_connector.http import correlation
from stripe_connector.http.cors import Cors
from stripe_connector.http.health_routes import Readiness
from stripe_connector.http.responses import error_response
from stripe_connector.http.routing import Resource

logger = logging.getLogger(__name__)

_CLIENT_CLOSED_REQUEST = 499
"""The client is gone; the number, common in logs, is never sent."""

_NOTHING_ALLOWED = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_DEFAULT_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _NOTHING_ALLOWED,
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
}


class DeadlineExceeded(ConnectorError):
    """The request took longer than it may. Its effect may or may not have happened."""

    status = 504
    default_code = "DeadlineExceeded"


class Answered(Struct, frozen=True):
    """A request that has been answered, for the metrics."""

    method: str
    route: str
    """The path's template, or "unknown": never what a caller made up."""
    status: int
    seconds: float
    error: str | None = None
    """The code of the error that was answered."""
    probe: bool = False
    """Asked by the platform or by who watches it, often."""


class RequestMiddleware:
    """The outermost layer. Whatever happens inside, it answers in the error shape and logs once."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Clock,
        cors: Cors,
        readiness: Readiness,
        deadline_s: float,
        observe: Callable[[Answered], None] = lambda _: None,
        trace: Callable[[Scope], context.Trace | None] = lambda _: None,
    ) -> None:
        """`observe` is called within the request's context; `trace` when a request begins."""
        self._app = app
        self._clock = clock
        self._cors = cors
        self._readiness = readiness
        self._deadline_s = deadline_s
        self._observe = observe
        self._trace = trace

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = self._clock.monotonic()
        request = context.RequestContext(
            correlation_id=_correlation_id(scope),
            deadline=began + self._deadline_s,
            trace=self._trace(scope),
        )
        token = context.current.set(request)
        waiting: list[str] = []
        waiting_token = context.waiting.set(waiting)
        status: int | None = None

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(scope=message), scope, request)
            await send(message)

        try:
            failure = await self._run(scope, receive, send_on)
            if failure is not None and status is None:
                if isinstance(failure, ClientDisconnect):
                    status = _CLIENT_CLOSED_REQUEST
                else:
                    resource = _resource(scope)
                    respond = resource.refusal if resource else error_response
                    await respond(_as_answer(failure))(scope, receive, send_on)
            seconds = self._clock.monotonic() - began
            if isinstance(failure, DeadlineExceeded):
                context.note(waitedFor=sorted(set(waiting)))
            self._log(scope, request, status or 500, seconds, failure)
        finally:
            context.waiting.reset(waiting_token)
            context.current.reset(token)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> Exception | None:
        """Run the application; its failure is returned rather than raised."""
        timer = asyncio.timeout(self._deadline_s)
        try:
            async with timer:
                await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001  the edge: every failure is answered and logged
            if timer.expired():
                return DeadlineExceeded("The request took too long.", retry_after=1)
            return _decisive(error)
        return None

    def _add_headers(
        self, headers: MutableHeaders, scope: Scope, request: context.RequestContext
    ) -> None:
        headers[correlation.HEADER] = request.correlation_id
        for name, value in _DEFAULT_HEADERS.items():
            headers.setdefault(name, value)
        resource = _resource(scope)
        # Of a path that is not served, too: a page with a wrong address can read why it failed.
        if resource is None or resource.shares_with_browsers(scope["method"]):
            cors = self._cors.headers(_header(scope, b"origin"))
            headers.add_vary_header(cors.pop("Vary"))
            headers.update(cors)
        if self._readiness.stopping:
            # The next request on this connection would race with its end.
            headers["Connection"] = "close"

    def _log(
        self,
        scope: Scope,
        request: context.RequestContext,
        status: int,
        seconds: float,
        failure: Exception | None,
    ) -> None:
        resource = _resource(scope)
        endpoint = resource.endpoint(scope["method"]) if resource else None
        route = resource.path if resource else "unknown"
        probe = endpoint is not None and endpoint.probe
        error = None if failure is None else _as_answer(failure).code
        self._observe(Answered(scope["method"], route, status, seconds, error, probe))
        fields: dict[str, Any] = {
            "method": scope["method"],
            "route": route,
            "status": status,
            "outcome": _outcome(status),
            "durationMs": round(seconds * 1000, 1),
            **request.log,
        }
        if isinstance(failure, ConnectorError):
            fields["error"] = _described(failure)
        unexpected = failure is not None and not isinstance(
            failure, ConnectorError | ClientDisconnect
        )
        logger.log(
            _level(status, probe=probe, unexpected=unexpected),
            "%s %s %d",
            scope["method"],
            route,
            status,
            exc_info=failure if unexpected else None,
            extra={"fields": fields},
        )


def _correlation_id(scope: Scope) -> str:
    theirs = _header(scope, b"x-correlation-id")
    return theirs if theirs is not None and correlation.well_formed(theirs) else str(uuid.uuid4())


def _header(scope: Scope, name: bytes) -> str | None:
    value: bytes | None = next((v for n, v in scope["headers"] if n == name), None)
    return None if value is None else value.decode("latin-1")


def _resource(scope: Scope) -> Resource | None:
    """The resource that the router found, if it did."""
    endpoint = scope.get("endpoint")
    return endpoint if isinstance(endpoint, Resource) else None


def _as_answer(failure: Exception) -> ConnectorError:
    """The error that the caller sees: nothing of an unexpected one."""
    return (
        failure if isinstance(failure, ConnectorError) else ConnectorError("Internal server error.")
    )


def _decisive(error: Exception) -> Exception:
    """The error to answer with, where calls made in parallel have failed together.

    An unexpected error goes before those that are understood, then the gravest status counts.
    """
    if not isinstance(error, ExceptionGroup):
        return error
    return max(_leaves(error), key=lambda e: e.status if isinstance(e, ConnectorError) else 1000)


def _leaves(group: ExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, ExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def _described(error: ConnectorError) -> dict[str, Any]:
    """An error for the log: with its detail and cause, without what the caller had typed."""
    described: dict[str, Any] = {"type": type(error).__name__, "code": error.code}
    if "invalidValue" in error.fields:
        described["field"] = error.fields["field"]
    else:
        described["message"] = error.message
    if error.detail is not None:
        described["detail"] = error.detail
    if error.__cause__ is not None and error.status >= 500:
        described["cause"] = f"{type(error.__cause__).__name__}: {error.__cause__}"
    return described


def _outcome(status: int) -> str:
    if status < 400:
        return "success"
    return "refused" if status < 500 else "failed"


def _level(status: int, *, probe: bool, unexpected: bool) -> int:
    if unexpected or status in {500, 502}:
        return logging.ERROR
    if probe:
        return logging.DEBUG
    return logging.WARNING if status >= 500 else logging.INFO
