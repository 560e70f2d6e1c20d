"""The bearer token of a request (RFC 6750)."""

from __future__ import annotations

import re

from starlette.requests import Request

from stripe_connector.errors import Unauthenticated

LONGEST = 8_192
"""Characters of a token: what is longer is no token of ours, and goes to no backend."""
_BEARER = re.compile(r"Bearer ([A-Za-z0-9._~+/-]+=*)")


def bearer_token(request: Request) -> str:
    """The token of `Authorization: Bearer <token>`; raises Unauthenticated.

    Only its length and its alphabet are checked: https://www.rfc-editor.org/rfc/rfc6750#section-2.1
    """
    header = request.headers.get("authorization")
    if header is None:
        raise Unauthenticated(
            "This endpoint requires the Authorization header.", code="access_denied"
        )
    found = _BEARER.fullmatch(header) if len(header) <= len("Bearer ") + LONGEST else None
    if found is None:
        raise Unauthenticated(
            "The Authorization header must have the form 'Bearer <token>'.", code="invalid_request"
        )
    return found[1]
