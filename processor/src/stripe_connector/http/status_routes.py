"""GET /operations/status, for the Merchant Center and for people on call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.health import HealthReport
from stripe_connector.http.auth import JwtAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint


class StatusRoutes:
    """Answers 200 or 503 by the result, so that a monitor need not read the body."""

    def __init__(self, report: Callable[[], Awaitable[HealthReport]]) -> None:
        self._report = report

    def routes(self) -> list[Endpoint[None]]:
        return [
            Endpoint(("GET",), "/operations/status", JwtAuth(), self.status, operation=self.STATUS)
        ]

    STATUS = Documentation(
        tag="Operations",
        summary="Whether the backends work for the connector",
        answers={
            200: Answer("At least one of the checks is up.", HealthReport),
            503: Answer("None is.", HealthReport),
        },
    )

    async def status(self, _request: Request, _principal: None) -> Response:
        result = await self._report()
        return json_response(result, result.http_status)
