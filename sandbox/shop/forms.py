"""What a page sends: mostly forms, as URL-encoded fields, the last of each name."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

_MOST_BYTES = 16_384
_MOST_FIELDS = 40


async def submitted(request: Request) -> dict[str, str]:
    """The fields; raises HTTPException 413 or 400 for what no form of the shop sends."""
    body = await body_of(request)
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise HTTPException(HTTPStatus.BAD_REQUEST, "This form cannot be read.") from error


async def body_of(request: Request) -> bytes:
    """The body; raises HTTPException 413 for what is longer than a page of the shop sends."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is too much.")
    return bytes(body)
