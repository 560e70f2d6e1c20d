"""The table of endpoints, and how it becomes a router: who may call what, in one place."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stripe_connector.errors import ConnectorError, MethodNotAllowed, NotFound
from stripe_connector.http.auth import Auth, Guards
from stripe_connector.http.body import limited
from stripe_connector.http.cors import Cors
from stripe_connector.http.headers import require_single
from stripe_connector.http.openapi.documentation import Documentation
from stripe_connector.http.responses import Error, error_response

P = TypeVar("P")

_BROWSERS_METHODS = ("DELETE", "GET", "POST", "PUT")


class ErrorShape(Struct, frozen=True):
    """The shape in which some callers know errors."""

    type: type[Error]
    body: Callable[[ConnectorError], dict[str, Any]]
    """Makes what `type` describes."""


_COMMERCETOOLS_ERRORS = ErrorShape(Error, lambda error: error.body())


@dataclass(frozen=True)
class Endpoint(Generic[P]):
    """One row of the table: `handler` answers those whom `auth` lets pass."""

    methods: tuple[str, ...]
    path: str
    auth: Auth[P]
    handler: Callable[[Request, P], Awaitable[Response]]
    cors: bool = False
    """Called by pages of a storefront."""
    body_limit: int | None = None
    """Bytes; the processor's own limit unless given."""
    probe: bool = False
    """Asked by the platform, often: never refused for load, not traced, and logged only when
    debugging."""
    errors: ErrorShape = _COMMERCETOOLS_ERRORS
    operation: Documentation | None = None
    """What its callers are told about it; only a table without one cannot be described."""


AnyEndpoint = Endpoint[Any]
"""A table holds endpoints of different principals; each row is checked where it is written."""


class Overloaded(ConnectorError):
    """More requests at once than the processor takes; another instance may have room."""

    status = 503
    default_code = "Overloaded"


def _overloaded() -> Overloaded:
    return Overloaded("Too many requests at once. Try again shortly.", retry_after=1)


class Admission:
    """Bounds the requests in progress: past the bound a quick refusal beats a slow failure."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.running = 0
        """Requests in progress now, probes and those whose body we wait for not counted."""

    def __enter__(self) -> None:
        if self.running >= self._limit:
            raise _overloaded()
        self.running += 1

    def __exit__(self, *_: object) -> None:
        self.running -= 1

    def apart(self, receive: Receive) -> Receive:
        """`receive`, during which a request does not count: it is its client who takes the time."""

        async def receive_apart() -> Message:
            self.running -= 1
            try:
                message = await receive()
            finally:
                self.running += 1
            if self.running > self._limit:
                raise _overloaded()
            return message

        return receive_apart


class Refused(Struct, frozen=True):
    """A request that its endpoint's authentication did not let pass, for the metrics."""

    kind: str
    """What the endpoint asks for: session, oauth2, jwt, stripe, origin or metrics."""
    status: int
    code: str
    """Of the error, which tells credentials that are missing or malformed from wrong ones."""


@dataclass(frozen=True)
class Services:
    """What every route needs beside its own row."""

    guards: Guards
    cors: Cors
    admission: Admission
    body_limit: int
    """Bytes."""
    observe_refusal: Callable[[Refused], None] = lambda _: None


class Resource:
    """All endpoints of one path, as an ASGI application."""

    def __init__(self, path: str, endpoints: Iterable[AnyEndpoint], services: Services) -> None:
        self.path = path
        self._services = services
        self._endpoints: dict[str, AnyEndpoint] = {}
        for endpoint in endpoints:
            for method in endpoint.methods:
                if method in self._endpoints:
                    raise ValueError(f"{method} {path} is in the table twice")
                self._endpoints[method] = endpoint
        self._errors = next(iter(self._endpoints.values())).errors
        self._cors_methods = [m for m, endpoint in self._endpoints.items() if endpoint.cors]

    def endpoint(self, method: str) -> AnyEndpoint | None:
        """The endpoint that answers `method`; GET answers HEAD too."""
        if method == "HEAD" and "HEAD" not in self._endpoints:
            method = "GET"
        return self._endpoints.get(method)

    def shares_with_browsers(self, method: str) -> bool:
        """Whether an answer, or refusal, to `method` needs CORS headers."""
        endpoint = self.endpoint(method)
        return endpoint.cors if endpoint else method == "OPTIONS" and bool(self._cors_methods)

    def refusal(self, error: ConnectorError, headers: Mapping[str, str] | None = None) -> Response:
        """An error in the shape that callers of this path know."""
        return error_response(error, headers, body=self._errors.body(error))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"]
        require_single(scope["headers"])
        endpoint = self.endpoint(method)
        if endpoint is not None:
            response = await self._answer(endpoint, scope, receive)
        elif method == "OPTIONS" and self._cors_methods:
            origin = Request(scope).headers.get("origin")
            response = self._services.cors.preflight(origin, self._cors_methods)
        else:
            response = self.refusal(
                MethodNotAllowed(f"{method} is not allowed here."),
                {"Allow": ", ".join(self._allowed_methods())},
            )
        await response(scope, receive, send)

    async def _answer(self, endpoint: AnyEndpoint, scope: Scope, receive: Receive) -> Response:
        limit = endpoint.body_limit or self._services.body_limit
        receive = limited(scope, receive, limit)
        if endpoint.probe:
            return await self._admitted(endpoint, Request(scope, receive))
        admission = self._services.admission
        with admission:
            return await self._admitted(endpoint, Request(scope, admission.apart(receive)))

    async def _admitted(self, endpoint: AnyEndpoint, request: Request) -> Response:
        try:
            principal = await endpoint.auth.principal(request, self._services.guards)
        except ConnectorError as error:
            # Where the backend that decides did not answer, no caller was refused.
            if error.status < 500:
                kind = type(endpoint.auth).__name__.removesuffix("Auth").lower()
                self._services.observe_refusal(Refused(kind, error.status, error.code))
            raise
        return await endpoint.handler(request, principal)

    def _allowed_methods(self) -> list[str]:
        allowed = set(self._endpoints)
        if "GET" in allowed:
            allowed.add("HEAD")
        if self._cors_methods:
            allowed.add("OPTIONS")
        return sorted(allowed)


def routes(endpoints: Iterable[AnyEndpoint], services: Services) -> list[BaseRoute]:
    """One Starlette route per path, in the order of the table."""
    by_path: dict[str, list[AnyEndpoint]] = {}
    for endpoint in endpoints:
        by_path.setdefault(endpoint.path, []).append(endpoint)
    return [
        Route(path, Resource(path, rows, services), name=path) for path, rows in by_path.items()
    ]


def unserved(cors: Cors) -> ASGIApp:
    """The router's answer to paths that are not in the table.

    A preflight of a known page is answered as elsewhere, or its page could not read the 404.
    """

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        headers = Request(scope).headers
        if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            preflight = cors.preflight(headers.get("origin"), _BROWSERS_METHODS)
            await preflight(scope, receive, send)
            return
        raise NotFound("There is nothing at this path.")

    return answer
