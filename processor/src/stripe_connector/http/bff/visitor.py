"""The cookie by which a visitor of the buy-now pages finds their open payment page again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.clock import Clock
from stripe_connector.storefront.purchases import OpenPurchase

NAME = "buy_now"
_ALGORITHM = "HS256"
_AUDIENCE = "buy-now"
_LIFETIME = timedelta(days=1)
"""As long as Stripe keeps a payment page open."""


class _Claims(Struct, frozen=True):
    """What a cookie says, typed before it is used."""

    exp: int
    """Unix seconds."""
    cart: str
    product: str
    variant: int


class Visitors:
    """Signs and reads the cookie. It names a cart, so it must not be forged."""

    def __init__(self, secret: str, clock: Clock, *, secure: bool) -> None:
        self._secret = secret
        self._clock = clock
        self._secure = secure

    def kept(self, request: Request) -> OpenPurchase | None:
        """What the visitor was about to buy; None where the cookie is missing, old or forged."""
        import jwt  # not before it is needed: see http/auth/jwt.py

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
            found = msgspec.convert(claims, _Claims)
        except (jwt.InvalidTokenError, RecursionError, msgspec.ValidationError):
            return None
        if found.exp <= self._clock.time():
            return None
        return OpenPurchase(found.cart, found.product, found.variant)

    def keep(self, response: Response, kept: OpenPurchase) -> None:
        """Let the answer carry the cookie."""
        import jwt  # not before it is needed: see http/auth/jwt.py

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
