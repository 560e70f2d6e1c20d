"""GET /operations/status, for the Merchant Center and for whoever is on call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.health import HealthReport
from stripe_connector.http.auth import JwtAuth, JwtPrincipal
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint


def endpoint(report: Callable[[], Awaitable[HealthReport]]) -> Endpoint[JwtPrincipal]:
    """Answers 200 or 503 by the result, so that a monitor need not read the body."""

    async def status(_request: Request, _principal: JwtPrincipal) -> Response:
        result = await report()
        return json_response(result, result.http_status)

    return Endpoint(("GET",), "/operations/status", JwtAuth(), status, operation=_STATUS)


_STATUS = Documentation(
    tag="Operations",
    summary="Whether the backends work for the connector",
    answers={
        200: Answer("At least one of the checks is up.", HealthReport),
        503: Answer("None is.", HealthReport),
    },
)
