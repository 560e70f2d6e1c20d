"""GET /operations/proxy, for the post-deploy script of our proxy on commercetools Connect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.health import HealthReport
from stripe_connector.http.auth import ProxyAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint


class Behind(Struct, frozen=True, rename="camel"):
    """What the proxy compares with its own settings."""

    status: HealthReport
    request_deadline_s: int = 0
    allowed_origins: tuple[str, ...] = ()
    service_url: str | None = None


class ProxyRoutes:
    """Served only where the proxy's secret is set."""

    def __init__(
        self,
        report: Callable[[], Awaitable[HealthReport]],
        *,
        deadline_s: int,
        allowed_origins: tuple[str, ...],
        service_url: str | None,
    ) -> None:
        self._report = report
        self._deadline_s = deadline_s
        self._allowed_origins = allowed_origins
        self._service_url = service_url

    def routes(self) -> list[Endpoint[None]]:
        return [
            Endpoint(("GET",), "/operations/proxy", ProxyAuth(), self.behind, operation=self.BEHIND)
        ]

    BEHIND = Documentation(
        tag="Operations",
        summary="What the proxy on Connect has to agree with",
        answers={200: Answer("Status and settings.", Behind)},
    )

    async def behind(self, _request: Request, _principal: None) -> Response:
        status = await self._report()
        return json_response(
            Behind(status, self._deadline_s, self._allowed_origins, self._service_url)
        )
