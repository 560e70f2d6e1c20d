"""Merchant Center users: a JSON web token that its proxy adds to what it forwards."""

from __future__ import annotations

import base64
import binascii
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request

from stripe_connector.clock import Clock
from stripe_connector.errors import Unauthenticated
from stripe_connector.http.auth.bearer import bearer_token
from stripe_connector.http.auth.jwks import Jwks

_LEEWAY_S = 30


class _Header(Struct, frozen=True):
    """What decides which key may have signed a token, and how (RFC 7515, section 4.1)."""

    alg: str
    kid: str | None = None
    crit: UnsetType = UNSET
    """Extensions that must be understood: none is (section 4.1.11)."""
    b64: Literal[True] | UnsetType = UNSET


_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def _header(token: str) -> _Header:
    """The header of a signed token in three parts; raises Unauthenticated."""
    first, *others = token.split(".")
    if len(others) != 2:
        raise _malformed()
    try:
        # Python's decoder drops what is not of the alphabet unless it is told not to.
        padded = first + "=" * (-len(first) % 4)
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
        return msgspec.json.decode(decoded, type=_Header)
    except (binascii.Error, *_UNDECODABLE) as error:
        raise _malformed() from error


def _malformed() -> Unauthenticated:
    return Unauthenticated("The token is malformed.")


class JwtGuard:
    """Lets a request pass whose token the Merchant Center has signed for our project."""

    def __init__(self, jwks: Jwks, clock: Clock, *, issuer: str, project_key: str) -> None:
        self._jwks = jwks
        self._clock = clock
        self._issuer = issuer
        self._project_key = project_key

    async def authenticate(self, request: Request) -> None:
        """Raises Unauthenticated or a BackendError unless the Merchant Center has signed."""
        claims = await self._signed_claims(bearer_token(request))
        self._check_time(claims)
        if claims.get("iss") != self._issuer:
            raise Unauthenticated("Issuer in the token does not match the expected issuer.")
        if claims.get(f"{self._issuer}/claims/project_key") != self._project_key:
            raise Unauthenticated("Project key does not match.")

    async def _signed_claims(self, token: str) -> dict[str, Any]:
        # With cryptography a fifteenth of a cold start, and shoppers do not need it.
        import jwt

        header = _header(token)
        key = await self._jwks.key(header.kid)
        if key is None:
            raise Unauthenticated("The token is signed with an unknown key.")
        if header.alg not in key.algorithms:
            raise Unauthenticated("The token is signed with an algorithm that is not allowed.")
        try:
            # The algorithm must be named beside the key: a PyJWK brings only its type's default.
            signatures = jwt.PyJWS(
                options={"verify_signature": True, "enforce_minimum_key_length": True}
            )
            payload = signatures.decode(token, key.key.key, algorithms=sorted(key.algorithms))
            return msgspec.json.decode(payload, type=dict[str, Any])
        except (jwt.InvalidTokenError, jwt.InvalidKeyError) as error:
            raise Unauthenticated("The token's signature is invalid.") from error
        except _UNDECODABLE as error:
            raise _malformed() from error

    def _check_time(self, claims: dict[str, Any]) -> None:
        now = self._clock.time()
        match claims.get("exp"):
            case int() | float() as expires if not isinstance(expires, bool):
                if now >= expires + _LEEWAY_S:
                    raise Unauthenticated("The token has expired.")
            case _:
                raise Unauthenticated("The token has no expiry.")
        match claims.get("nbf", 0):
            case bool():
                raise Unauthenticated("The token's times are malformed.")
            case int() | float() as begins if now >= begins - _LEEWAY_S:
                return
            case _:
                raise Unauthenticated("The token is not valid yet.")
