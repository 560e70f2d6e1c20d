"""What the shop's server signs: cookies that name a cart, and its word for who may use one.

A cart's id gives access to the cart. So the browser gets it in a cookie that only this server can
have written, and the processor gets a token that names the cart and soon expires.
"""

from __future__ import annotations

import hashlib
import hmac
import time

import jwt

TOKEN_HEADER = "X-Storefront-Token"
SECRET = "the-sandbox-shop-vouches-with-this-secret"
"""The `STOREFRONT_SECRET` of the sandbox."""

_LIFETIME_S = 300


def token(cart_id: str) -> str:
    """The server's proof that the visitor it serves may change and order a cart."""
    claims = {"aud": "storefront", "sub": cart_id, "exp": int(time.time()) + _LIFETIME_S}
    return jwt.encode(claims, SECRET, algorithm="HS256")


def signed(value: str) -> str:
    """A cookie's value with a signature that `read` checks."""
    return f"{value}.{_signature(value)}"


def read(cookie: str) -> str:
    """The value of a cookie that this server has signed; nothing for any other."""
    value, _, signature = cookie.rpartition(".")
    genuine = hmac.compare_digest(signature.encode(), _signature(value).encode())
    return value if genuine else ""


def _signature(value: str) -> str:
    return hmac.new(SECRET.encode(), f"basket {value}".encode(), hashlib.sha256).hexdigest()
