"""What all routes of the storefront contract share: prefix, errors, CORS and the rate limit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.errors import ConnectorError
from stripe_connector.http.auth import Open
from stripe_connector.http.openapi.documentation import Documentation
from stripe_connector.http.rate_limit import TOO_MANY, RateLimit
from stripe_connector.http.responses import Error
from stripe_connector.http.routing import Endpoint, ErrorShape

PREFIX = "/api/v1"

Handler = Callable[[Request], Awaitable[Response]]


class StorefrontError(Error, frozen=True, kw_only=True):
    """An error as storefronts know it, with all that the connector's own shape says."""

    error: str
    """What the status is called, such as `Not Found`."""
    code: str


def route(
    method: str,
    path: str,
    handler: Handler,
    operation: Documentation,
    limit: RateLimit | None = None,
) -> Endpoint[None]:
    """A row of the table that any client may call; `limit` counts the requests of each client."""

    async def answer(request: Request, _principal: None) -> Response:
        if limit is not None:
            limit.admit(request)
        return await handler(request)

    if limit is not None:
        operation = replace(operation, refusals={**operation.refusals, 429: TOO_MANY})
    return Endpoint(
        (method,),
        PREFIX + path,
        Open(),
        answer,
        cors=True,
        errors=ErrorShape(StorefrontError, _body),
        operation=operation,
    )


def _body(error: ConnectorError) -> dict[str, Any]:
    return {
        "statusCode": error.status,
        "error": HTTPStatus(error.status).phrase,
        "message": error.message,
        "code": error.code,
        "errors": error.body()["errors"],
    }
