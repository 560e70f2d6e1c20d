"""GET /metrics: what has been counted."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.http.auth import MetricsAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.routing import Endpoint

PATH = "/metrics"


class MetricsRoutes:
    """Answers under any load, which is when metrics matter."""

    def __init__(self, render: Callable[[], bytes], media_type: str) -> None:
        self._render = render
        self._media_type = media_type

    def routes(self) -> list[Endpoint[None]]:
        operation = Documentation(
            tag="Operations",
            summary="What has been counted",
            answers={200: Answer("Prometheus' text format.", media_type=self._media_type)},
            asks_backends=False,
        )
        return [
            Endpoint(("GET",), PATH, MetricsAuth(), self.metrics, probe=True, operation=operation)
        ]

    async def metrics(self, _request: Request, _principal: None) -> Response:
        return Response(self._render(), headers={"Content-Type": self._media_type})
