"""Payment links for abandoned orders: signed, limited in time, always at the current total.

Stripe could revive an expired session itself, but it would copy the old one: with the old price,
and also for an order that was paid meanwhile. A link of ours opens a session when it is clicked.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from stripe_connector.clock import Clock
from stripe_connector.errors import Gone, NotFound

_ALGORITHM = "HS256"
_AUDIENCE = "payment-link"


class PaymentLink(Struct, frozen=True, rename="camel"):
    """A link to send to the shopper."""

    url: str
    expires_at: str
    """ISO 8601 in UTC."""


class PaymentLinks:
    """Signs links to orders, and reads them back."""

    def __init__(self, secret: str, clock: Clock, *, base_url: str, valid_for: timedelta) -> None:
        self._secret = secret
        self._clock = clock
        self._base_url = base_url
        self._valid_for = valid_for

    def link(self, order_id: str) -> PaymentLink:
        """A link to pay the order, for any holder of the link."""
        import jwt  # not before it is needed: see http/auth/jwt.py

        expires = self._clock.now() + self._valid_for
        claims = {"sub": order_id, "aud": _AUDIENCE, "exp": expires}
        token = jwt.encode(claims, self._secret, algorithm=_ALGORITHM)
        return PaymentLink(
            f"{self._base_url}/api/v1/payment-links/{token}",
            expires.isoformat(timespec="seconds").replace("+00:00", "Z"),
        )

    def order_id(self, token: str) -> str:
        """The order of a link; raises Gone, or NotFound for one that is not ours."""
        import jwt  # not before it is needed: see http/auth/jwt.py

        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                options={"require": ["exp", "sub"], "verify_exp": False},
            )
            expires = datetime.fromtimestamp(claims["exp"], self._clock.now().tzinfo)
        except (
            jwt.InvalidTokenError,
            RecursionError,
            TypeError,
            ValueError,
            OverflowError,
        ) as error:
            raise NotFound("There is no such payment link.") from error
        if expires <= self._clock.now():
            raise Gone("This payment link has expired.", code="LinkExpired")
        return str(claims["sub"])
