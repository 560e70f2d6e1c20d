"""The test cards that shop, payment elements, payment page and demo name: one list for all."""

from __future__ import annotations

from msgspec import Struct


class ShownCard(Struct, frozen=True):
    """A test card, and by which name the texts of each place say what it does."""

    number: str
    outcome: str
    says: str
    """What it does, in English, to complete "The card ..."."""


SHOWN_CARDS = (
    ShownCard("4242 4242 4242 4242", "paid", "is paid"),
    ShownCard("4000 0000 0000 3220", "asks", "asks for 3-D Secure"),
    ShownCard("4000 0000 0000 0002", "declined", "is declined"),
    ShownCard("4000 0000 0000 9995", "poor", "is declined: insufficient funds"),
    ShownCard("4000 0000 0000 0259", "disputed", "is paid, then disputed"),
)
"""A choice of https://docs.stripe.com/testing, of what people ask for first."""
