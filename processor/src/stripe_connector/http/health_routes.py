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
    """Shared by the server, which stops, and by those who must know that it does."""

    def __init__(self) -> None:
        self.stopping = False

    def stop(self) -> None:
        """From now on the instance is not ready; it never becomes so again."""
        self.stopping = True


def endpoints(readiness: Readiness) -> list[Endpoint[None]]:
    """GET /health/live and /health/ready."""

    async def live(_request: Request, _principal: None) -> Response:
        return json_response(Health())

    async def ready(_request: Request, _principal: None) -> Response:
        if readiness.stopping:
            raise Stopping("This instance is stopping.")
        return json_response(Health())

    return [
        Endpoint(("GET",), "/health/live", Open(), live, probe=True, operation=_LIVE),
        Endpoint(("GET",), "/health/ready", Open(), ready, probe=True, operation=_READY),
    ]


_LIVE = Documentation(
    tag="Operations",
    summary="Whether this instance lives",
    answers={200: Answer("It does.", Health)},
    asks_backends=False,
)
_READY = Documentation(
    tag="Operations",
    summary="Whether this instance takes requests",
    answers={200: Answer("It does.", Health)},
    refusals={503: "It is stopping."},
    asks_backends=False,
)
