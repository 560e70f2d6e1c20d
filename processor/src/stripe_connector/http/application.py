"""The whole HTTP side as one ASGI application, from a table of endpoints."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from starlette.routing import Router
from starlette.types import ASGIApp, Lifespan, Scope

from stripe_connector.clock import Clock
from stripe_connector.context import Trace
from stripe_connector.http.auth import Guards, ProvenClients, ProxyGuard
from stripe_connector.http.cors import Cors
from stripe_connector.http.health_routes import Readiness
from stripe_connector.http.hosts import KnownHosts
from stripe_connector.http.middleware import Answered, RequestMiddleware
from stripe_connector.http.routing import (
    Admission,
    AnyEndpoint,
    Refused,
    Services,
    routes,
    unserved,
)


def application(
    endpoints: Iterable[AnyEndpoint],
    guards: Guards,
    *,
    clock: Clock,
    readiness: Readiness,
    allowed_origins: Collection[str],
    deadline_s: float,
    max_body_bytes: int,
    admission: Admission,
    observe: Callable[[Answered], None] = lambda _: None,
    observe_refusal: Callable[[Refused], None] = lambda _: None,
    trace: Callable[[Scope], Trace | None] = lambda _: None,
    lifespan: Lifespan[None] | None = None,
    allowed_hosts: Collection[str] = (),
    proxy: ProxyGuard | None = None,
) -> ASGIApp:
    """Serve `endpoints`, and `lifespan` around them.

    A path is served exactly as written in the table: one slash too many is a 404, because
    redirecting a POST makes clients repeat it as GET. `proxy` proves the clients that our proxy
    on Connect names; without it, the header in which it does is ignored.
    """
    cors = Cors(allowed_origins)
    services = Services(guards, cors, admission, max_body_bytes, observe_refusal)
    router = Router(
        routes(endpoints, services),
        redirect_slashes=False,
        default=unserved(cors),
        lifespan=lifespan,
    )
    inner: ASGIApp = ProvenClients(router, proxy) if proxy else router
    return RequestMiddleware(
        KnownHosts(inner, allowed_hosts) if allowed_hosts else inner,
        clock=clock,
        cors=cors,
        readiness=readiness,
        deadline_s=deadline_s,
        observe=observe,
        trace=trace,
    )
