"""Stands in for the Merchant Center's token issuer: publishes keys, signs whatever it is asked to.

`POST /jwt/token` signs the claims of its body, `GET /jwt/.well-known/jwks.json` publishes the keys
and `POST /jwt/rotate` makes a new one; the one before stays published, as real issuers do.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from sandbox.clock import SandboxClock

_LIFETIME = 3600
_PUBLISHED_KEYS = 2


class KeyRing:
    """The signing keys, newest last; tokens are signed with the newest."""

    def __init__(self) -> None:
        self._keys: list[tuple[str, rsa.RSAPrivateKey]] = []
        self.rotate()

    def rotate(self) -> str:
        """Make a new key, drop what is older than the one before; returns the new key's id."""
        kid = str(uuid.uuid4())
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self._keys = [*self._keys, (kid, key)][-_PUBLISHED_KEYS:]
        return kid

    def jwks(self) -> dict[str, Any]:
        """The public keys (RFC 7517)."""
        return {
            "keys": [
                {
                    **RSAAlgorithm.to_jwk(key.public_key(), as_dict=True),
                    "kid": kid,
                    "use": "sig",
                    "alg": "RS256",
                }
                for kid, key in self._keys
            ]
        }

    def sign(self, claims: dict[str, Any]) -> str:
        """A token with these claims; raises TypeError where one cannot be a claim."""
        kid, key = self._keys[-1]
        return jwt.encode(claims, key, algorithm="RS256", headers={"kid": kid})


def create_app(clock: SandboxClock | None = None, keys: KeyRing | None = None) -> Starlette:
    """The issuer, with a key of its own unless there are `keys`."""
    keys = keys or KeyRing()
    clock = clock or SandboxClock()

    async def jwks(_: Request) -> JSONResponse:
        return JSONResponse(keys.jwks())

    async def token(request: Request) -> JSONResponse:
        try:
            claims = json.loads(await request.body())
        except ValueError:
            return _refused("The body is not JSON.")
        if not isinstance(claims, dict):
            return _refused("The body is not a JSON object.")
        lifetime = claims.pop("expiresIn", _LIFETIME)
        if not isinstance(lifetime, int) or isinstance(lifetime, bool):
            return _refused("expiresIn is not a number of seconds.")
        now = int(clock.outside())  # the verifier has a clock that was not moved
        try:
            signed = keys.sign({"iat": now, "exp": now + lifetime, **claims})
        except TypeError as error:
            return _refused(str(error))
        return JSONResponse({"token": signed})

    async def rotate(_: Request) -> JSONResponse:
        return JSONResponse({"kid": keys.rotate()})

    return Starlette(
        routes=[
            Route("/jwt/.well-known/jwks.json", jwks, methods=["GET"]),
            Route("/jwt/token", token, methods=["POST"]),
            Route("/jwt/rotate", rotate, methods=["POST"]),
        ]
    )


def _refused(message: str) -> JSONResponse:
    return JSONResponse({"message": message, "statusCode": 400}, 400)
