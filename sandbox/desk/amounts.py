"""Money as people write it: shown in the desk's language, and read back in theirs."""

from __future__ import annotations

import re

from sandbox.shop.markets import digits as digits_of
from sandbox.shop.markets import of_currency

_MOST_CENTS = 10**12


def shown(cents: int, currency: str) -> str:
    """Minor units with the currency's sign."""
    return of_currency(currency).money(cents, currency)


def entered(cents: int, currency: str) -> str:
    """Minor units as one would type them: no sign, no grouping."""
    digits = digits_of(currency)
    if not digits:
        return str(cents)
    whole, fraction = divmod(cents, 10**digits)
    return f"{whole}.{fraction:0{digits}d}"


def read(text: str, currency: str) -> int:
    """Minor units of a typed amount; raises ValueError with words for them.

    Groups of three may be set apart as the currency's market does. A point is taken for the decimal
    sign where it cannot be anything else.
    """
    group, point = (".", ",") if currency == "EUR" else (",", ".")
    digits = digits_of(currency)
    typed = text.strip().replace("\N{NO-BREAK SPACE}", "")
    fraction = rf"(?:{re.escape(point)}(\d{{1,{digits}}}))?" if digits else "()"
    found = re.fullmatch(
        rf"(\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|\d+){fraction}", typed, re.ASCII
    )
    if found is None and 0 < digits < 3:
        decimals = rf"\.(\d{{1,{digits}}})"
        found = re.fullmatch(rf"(\d{{1,3}}(?:,\d{{3}})+|\d+){decimals}", typed, re.ASCII)
    if found is None:
        example = entered(25 * 10**digits // 2, currency)
        raise ValueError(f"Enter an amount such as {example}.")
    whole = int(re.sub(r"[.,]", "", found[1]))
    cents: int = whole * 10**digits + int((found[2] or "").ljust(digits, "0") or 0)
    if not 0 < cents <= _MOST_CENTS:
        raise ValueError("Enter an amount above zero." if cents == 0 else "This is too much.")
    return cents
