"""The fault desk: makes backends slow, broken, forgetful or mute, exactly as often as asked.

Rules are tried in order; the first that matches decides. Faults of the backends "stripe",
"commercetools" and "processor" happen to HTTP calls, those of "webhooks" to the delivery of
events, where the type of the event stands for the path.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias, get_args

import httpx
import msgspec
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Backend: TypeAlias = Literal["stripe", "commercetools", "processor", "webhooks"]
HttpKind: TypeAlias = Literal["delay", "fail_before", "fail_after", "drop_before", "drop_after"]
WebhookKind: TypeAlias = Literal["lose", "repeat", "reorder", "hold"]

SPARED: Mapping[str, str] = {"X-Sandbox-Spared": "1"}
"""With this header nothing happens to a call and no rule counts it: for who only looks on."""

_LONGEST_DELAY = 60.0


class NewFault(Struct, kw_only=True, forbid_unknown_fields=True):
    """A rule as requested.

    - delay: wait `seconds` before the call
    - fail_before: answer `status`, without effect
    - fail_after: answer `status`, although the call had its effect
    - drop_before, drop_after: close the connection without an answer, without or with effect
    - lose: an event is never delivered
    - repeat: an event is delivered twice
    - reorder: an event is delivered after the next one to the same endpoint
    - hold: events are kept until the rule is removed, also when it is used up
    """

    backend: Backend
    kind: HttpKind | WebhookKind
    method: str = "*"
    path: str = "*"
    """A glob over the path of the URL; over the type of the event for webhooks."""
    skip: int = 0
    """How many matching calls pass unharmed first."""
    times: int | None = 1
    """How many calls the fault happens to; None for all until the rule is removed."""
    status: int = 500
    seconds: float = 0.0


class Fault(NewFault, kw_only=True):
    """A rule in force; `skip` and `times` count down."""

    id: str


class FaultDesk:
    """An ordered list of rules."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._numbers = itertools.count(1)

    def __contains__(self, key: str) -> bool:
        return key in self._faults

    def add(self, fault: NewFault) -> Fault:
        """Put a rule at the end; raises ValueError for one that makes no sense."""
        if (fault.backend == "webhooks") != (fault.kind in get_args(WebhookKind)):
            raise ValueError(f"{fault.kind} cannot happen to {fault.backend}")
        if fault.skip < 0 or (fault.times is not None and fault.times < 1):
            raise ValueError("skip must be 0 or more and times 1 or more")
        if not 0 <= fault.seconds <= _LONGEST_DELAY:
            raise ValueError(f"seconds must lie between 0 and {_LONGEST_DELAY:g}")
        added = Fault(id=f"fault_{next(self._numbers)}", **msgspec.structs.asdict(fault))
        self._faults[added.id] = added
        return added

    def remove(self, key: str) -> bool:
        """Take a rule away; False if there was none."""
        return self._faults.pop(key, None) is not None

    def clear(self) -> None:
        self._faults.clear()

    def list(self) -> list[Fault]:
        """The rules in force, in order."""
        return [*self._faults.values()]

    def decide(self, backend: Backend, method: str, path: str) -> Fault | None:
        """What happens to this call; counts it."""
        for fault in self._faults.values():
            if (
                fault.times == 0
                or fault.backend != backend
                or fault.method not in ("*", method)
                or not fnmatchcase(path, fault.path)
            ):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
                # a used-up hold stays: its removal sets free what it holds
                if fault.times == 0 and fault.kind != "hold":
                    del self._faults[fault.id]
            return fault
        return None


ErrorPage: TypeAlias = Callable[[Request, int], Response]
"""What people see of a backend that fails with a status."""


class FaultMiddleware:
    """Lets faults happen to the HTTP calls of a backend; its own /_sandbox routes are spared."""

    def __init__(
        self,
        app: ASGIApp,
        desk: FaultDesk,
        backend: Backend,
        error_page: ErrorPage | None = None,
    ) -> None:
        self._app = app
        self._desk = desk
        self._backend: Backend = backend
        self._error_page = error_page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _spared(scope):
            await self._app(scope, receive, send)
            return
        fault = self._desk.decide(self._backend, scope["method"], scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            await self._app(scope, receive, send)
            return
        if fault.kind in ("fail_after", "drop_after"):
            await self._app(scope, receive, _nowhere)
        if fault.kind in ("fail_before", "fail_after"):
            await self._failure(Request(scope), fault.status)(scope, receive, send)
        else:
            await _drop(send)

    def _failure(self, request: Request, status: int) -> Response:
        if self._error_page and "text/html" in request.headers.get("accept", ""):
            return self._error_page(request, status)
        body = _error_body(self._backend, status)
        return Response(body, status, media_type="application/json")


def _spared(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["path"].startswith("/_sandbox/") or any(each in headers for each in SPARED)


def routes(desk: FaultDesk) -> list[Route]:
    """The desk over HTTP: list and add rules, remove one or all."""

    async def list_faults(_: Request) -> Response:
        return _json({"faults": desk.list()})

    async def add_fault(request: Request) -> Response:
        try:
            asked = msgspec.json.decode(await request.body(), type=NewFault)
            return _json(desk.add(asked), 201)
        except ValueError as error:  # msgspec's own errors are ValueErrors too
            return _json({"message": str(error)}, 400)

    async def remove_fault(request: Request) -> Response:
        return Response(status_code=204 if desk.remove(request.path_params["id"]) else 404)

    async def remove_all(_: Request) -> Response:
        desk.clear()
        return Response(status_code=204)

    endpoints: list[tuple[str, str, Callable[[Request], Awaitable[Response]]]] = [
        ("GET", "/_sandbox/faults", list_faults),
        ("POST", "/_sandbox/faults", add_fault),
        ("DELETE", "/_sandbox/faults", remove_all),
        ("DELETE", "/_sandbox/faults/{id}", remove_fault),
    ]
    return [Route(path, endpoint, methods=[method]) for method, path, endpoint in endpoints]


async def _nowhere(message: Message) -> None:
    """Where an answer goes that no client receives."""


async def _drop(send: Send) -> None:
    """Promise a body and fail before sending it.

    A server closes the connection of an application that fails in mid-answer. A client without
    a connection, within the process, gets the same error as one whose connection breaks.
    """
    headers = [(b"content-type", b"application/json"), (b"content-length", b"1000000")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    raise httpx.RemoteProtocolError("The sandbox's fault desk dropped the connection.")


def _error_body(backend: Backend, status: int) -> bytes:
    """An error in the shape of the backend that fails."""
    message = "The sandbox's fault desk made this call fail."
    if backend == "stripe":
        return msgspec.json.encode({"error": {"type": "api_error", "message": message}})
    return msgspec.json.encode(
        {
            "statusCode": status,
            "message": message,
            "errors": [{"code": "General", "message": message}],
        }
    )


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type="application/json")
