"""Liveness and readiness: whether to restart this instance, whether to send it requests."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.errors import ConnectorError
from stripe_connector.http.auth import Open
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint


class Stopping(ConnectorError):
    """This instance finishes what it has begun and takes nothing new."""

    status = 503
    default_code = "Stopping"


class Health(Struct, frozen=True):
    status: Literal["UP"] = "UP"


class Readiness:
    """Whether the instance takes requests: the server sets it, routes and middleware read it."""

    def __init__(self) -> None:
        self.stopping = False

    def stop(self) -> None:
        """From now on the instance is not ready; it never becomes so again."""
        self.stopping = True


class HealthRoutes:
    """GET /health/live and /health/ready."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness

    def routes(self) -> list[Endpoint[None]]:
        return [
            Endpoint(("GET",), "/health/live", Open(), self.live, probe=True, operation=self.LIVE),
            Endpoint(
                ("GET",), "/health/ready", Open(), self.ready, probe=True, operation=self.READY
            ),
        ]

    LIVE = Documentation(
        tag="Operations",
        summary="Whether this instance lives",
        answers={200: Answer("It does.", Health)},
        asks_backends=False,
    )

    async def live(self, _request: Request, _principal: None) -> Response:
        return json_response(Health())

    READY = Documentation(
        tag="Operations",
        summary="Whether this instance takes requests",
        answers={200: Answer("It does.", Health)},
        refusals={503: "It is stopping."},
        asks_backends=False,
    )

    async def ready(self, _request: Request, _principal: None) -> Response:
        if self._readiness.stopping:
            raise Stopping("This instance is stopping.")
        return json_response(Health())
