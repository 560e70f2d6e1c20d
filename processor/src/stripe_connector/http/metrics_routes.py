"""GET /metrics: what has been counted, for those who watch."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.http.auth import MetricsAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.routing import Endpoint

PATH = "/metrics"


def endpoint(render: Callable[[], bytes], media_type: str) -> Endpoint[None]:
    """The row of the table; it is answered under any load, which is when it matters."""

    async def metrics(_request: Request, _principal: None) -> Response:
        return Response(render(), headers={"Content-Type": media_type})

    operation = Documentation(
        tag="Operations",
        summary="What has been counted",
        answers={200: Answer("Prometheus' text format.", media_type=media_type)},
        asks_backends=False,
    )
    return Endpoint(("GET",), PATH, MetricsAuth(), metrics, probe=True, operation=operation)
