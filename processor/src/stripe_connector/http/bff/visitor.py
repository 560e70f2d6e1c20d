"""The cookie by which a visitor of the buy-now pages finds their open payment page again."""

from __future__ import annotations

from datetime import timedelta

import jwt
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.checkout.buy_now import Kept
from stripe_connector.clock import Clock

NAME = "buy_now"
_ALGORITHM = "HS256"
_AUDIENCE = "buy-now"
_LIFETIME = timedelta(days=1)
"""As long as Stripe keeps a payment page open."""


class Visitors:
    """Signs and reads the cookie. It names a cart, so nobody may make one up."""

    def __init__(self, secret: str, clock: Clock, *, secure: bool) -> None:
        self._secret = secret
        self._clock = clock
        self._secure = secure

    def kept(self, request: Request) -> Kept | None:
        """What the visitor was about to buy; None where the cookie is missing, old or forged."""
        token = request.cookies.get(NAME)
        if token is None:
            return None
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                # Time is the processor's clock, which PyJWT does not know.
                options={"verify_exp": False, "require": ["exp", "aud"]},
            )
        except jwt.InvalidTokenError:
            return None
        if claims["exp"] <= self._clock.time():
            return None
        return Kept(claims["cart"], claims["product"], claims["variant"])

    def keep(self, response: Response, kept: Kept) -> None:
        """Let the answer carry the cookie."""
        claims = {
            "aud": _AUDIENCE,
            "exp": int(self._clock.time() + _LIFETIME.total_seconds()),
            "cart": kept.cart_id,
            "product": kept.product_id,
            "variant": kept.variant_id,
        }
        response.set_cookie(
            NAME,
            jwt.encode(claims, self._secret, algorithm=_ALGORITHM),
            max_age=int(_LIFETIME.total_seconds()),
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )
