"""`X-Storefront-Token`: the shop's server vouches that a caller may use a cart.

A JWT that the server signs with `STOREFRONT_SECRET` (HS256): `aud` is `storefront`, `sub` is the
cart's id, `exp` at most an hour ahead. Browsers never get the secret.
"""

from __future__ import annotations

from starlette.requests import Request

from stripe_connector.clock import Clock
from stripe_connector.errors import Forbidden

HEADER = "X-Storefront-Token"
_ALGORITHM = "HS256"
_AUDIENCE = "storefront"
_LONGEST_S = 3600
_MAX_CHARACTERS = 2048


class StorefrontTokens:
    """Verifies the header; without a secret there are no such tokens."""

    def __init__(self, secret: str | None, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def vouched(self, request: Request, cart_id: str) -> bool:
        """Whether the shop's server vouches; raises Forbidden for a token that is not for this."""
        token = request.headers.get(HEADER)
        if token is None or self._secret is None:
            return False
        if len(token) > _MAX_CHARACTERS or not self._is_for(token, self._secret, cart_id):
            raise Forbidden(f"{HEADER} is not valid for this cart.", code="StorefrontTokenInvalid")
        return True

    def _is_for(self, token: str, secret: str, cart_id: str) -> bool:
        import jwt  # not before it is needed: see http/auth/jwt.py

        try:
            claims = jwt.decode(
                token,
                secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # Time is the processor's clock, which PyJWT does not know.
                options={
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "require": ["exp", "sub", "aud"],
                },
            )
        except (jwt.InvalidTokenError, RecursionError):  # the latter of older PyJWTs
            return False
        expires = claims["exp"]
        if isinstance(expires, bool) or not isinstance(expires, int | float):
            return False
        return bool(claims["sub"] == cart_id and 0 < expires - self._clock.time() <= _LONGEST_S)
