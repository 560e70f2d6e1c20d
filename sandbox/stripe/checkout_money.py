"""Stripe's minor units as shoppers read them."""

from __future__ import annotations

from sandbox import written_money

_NO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
_WHOLE_UNITS = frozenset(("isk", "ugx"))
"""Stripe counts them in hundredths, which are never written."""


def written(amount: int, currency: str, locale: str | None = None) -> str:
    """An amount in Stripe's minor units, such as €12.50 or 12,50 €."""
    if currency in _NO_DECIMALS:
        digits = 0
    elif currency in _THREE_DECIMALS:
        digits = 3
    else:
        digits = 2
    return written_money.written(amount, currency, digits, locale, whole=currency in _WHOLE_UNITS)
