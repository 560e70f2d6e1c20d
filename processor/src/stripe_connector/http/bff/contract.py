"""What all routes of the storefront contract share: prefix, errors, CORS and the rate limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.errors import ConnectorError
from stripe_connector.http.auth import Open
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.routing import Endpoint

PREFIX = "/api/v1"

Handler = Callable[[Request], Awaitable[Response]]


def route(
    method: str, path: str, handler: Handler, limit: RateLimit | None = None
) -> Endpoint[None]:
    """A row of the table for anybody; `limit` counts the requests of each client."""

    async def answer(request: Request, _principal: None) -> Response:
        if limit is not None:
            limit.admit(request)
        return await handler(request)

    return Endpoint(
        (method,), PREFIX + path, Open(), answer, cors=True, error_body=storefront_error
    )


def storefront_error(error: ConnectorError) -> dict[str, Any]:
    """An error as storefronts know it, with all that the connector's own shape says."""
    return {
        "statusCode": error.status,
        "error": HTTPStatus(error.status).phrase,
        "message": error.message,
        "code": error.code,
        "errors": error.body()["errors"],
    }
