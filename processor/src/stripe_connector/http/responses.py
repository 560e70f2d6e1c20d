"""Values and errors as HTTP responses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.responses import Response

from stripe_connector.errors import ConnectorError

_ENCODER = msgspec.json.Encoder()


class ErrorDetail(Struct, frozen=True):
    """One error; by its code it may have further fields, such as `field` and `invalidValue`."""

    code: str
    message: str


class Error(Struct, frozen=True, kw_only=True):
    """What `ConnectorError.body` makes, the shape of commercetools' own errors."""

    message: str
    status_code: int = msgspec.field(name="statusCode")
    errors: list[ErrorDetail]
    error: str | UnsetType = UNSET
    """OAuth's code, like the description where authentication fails."""
    error_description: str | UnsetType = UNSET


def json_response(
    value: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`value` (anything that msgspec encodes) as a JSON answer."""
    return Response(_ENCODER.encode(value), status, headers, media_type="application/json")


def error_response(
    error: ConnectorError,
    headers: Mapping[str, str] | None = None,
    *,
    body: Mapping[str, Any] | None = None,
) -> Response:
    """An error in its own shape, or in `body`'s, with Retry-After where it knows when to ask."""
    all_headers = dict(headers or {})
    if error.retry_after is not None:
        all_headers["Retry-After"] = str(error.retry_after)
    return json_response(body or error.body(), error.status, all_headers)
