"""Where the desk's backends are, and as whom it asks them."""

from __future__ import annotations

from msgspec import Struct

from sandbox.demo.people import ISSUER, PROJECT, SECRET_KEY


class Places(Struct, frozen=True, kw_only=True):
    """Base addresses without a slash at the end, and the names of one merchant's project."""

    processor: str
    commercetools: str
    stripe: str
    jwt: str
    project: str = PROJECT
    issuer: str = ISSUER
    """Who the Merchant Center's tokens say that they are from."""
    reader: str = "sandbox-admin"
    """The API client that the desk reads commercetools with."""
    checkout: str = "sandbox-checkout"
    """The API client of Checkout's backend, which alone may move money."""
    stripe_key: str = SECRET_KEY
