"""The bearer token of a request (RFC 6750)."""

from __future__ import annotations

from starlette.requests import Request

from stripe_connector.errors import Unauthenticated


def bearer_token(request: Request) -> str:
    """The token of `Authorization: Bearer <token>`; raises Unauthenticated."""
    header = request.headers.get("authorization")
    if header is None:
        raise Unauthenticated(
            "This endpoint requires the Authorization header.", code="access_denied"
        )
    match header.split(" "):
        case ["Bearer", token] if token:
            return token
    raise Unauthenticated(
        "The Authorization header must have the form 'Bearer <token>'.", code="invalid_request"
    )
