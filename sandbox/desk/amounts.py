"""Money as people write it: shown as in the currency's market, and read back the same way."""

from __future__ import annotations

import re

from sandbox.shop.markets import of_currency

_DIGITS = {"JPY": 0, "KWD": 3}
_MOST_CENTS = 10**12


def shown(cents: int, currency: str) -> str:
    """Minor units with the currency's sign."""
    return of_currency(currency).money(cents, currency)


def entered(cents: int, currency: str) -> str:
    """Minor units as one would type them: no sign, no grouping."""
    digits = _DIGITS.get(currency, 2)
    if not digits:
        return str(cents)
    whole, fraction = divmod(cents, 10**digits)
    return f"{whole}{of_currency(currency).style.point}{fraction:0{digits}d}"


def read(text: str, currency: str) -> int:
    """Minor units of what somebody typed; raises ValueError with words for them.

    Groups of three may be set apart as the market does. A point is taken for the market's decimal
    sign where it cannot be anything else.
    """
    style, digits = of_currency(currency).style, _DIGITS.get(currency, 2)
    typed = text.strip().replace("\N{NO-BREAK SPACE}", "")
    fraction = rf"(?:{re.escape(style.point)}(\d{{1,{digits}}}))?" if digits else "()"
    group = re.escape(style.group)
    found = re.fullmatch(rf"(\d{{1,3}}(?:{group}\d{{3}})+|\d+){fraction}", typed, re.ASCII)
    if found is None and 0 < digits < 3:
        found = re.fullmatch(rf"(\d+)\.(\d{{1,{digits}}})", typed, re.ASCII)
    if found is None:
        example = entered(25 * 10**digits // 2, currency)
        raise ValueError(f"Enter an amount such as {example}.")
    whole = int(found[1].replace(style.group, ""))
    cents: int = whole * 10**digits + int((found[2] or "").ljust(digits, "0") or 0)
    if not 0 < cents <= _MOST_CENTS:
        raise ValueError("Enter an amount above zero." if cents == 0 else "This is too much.")
    return cents
