"""Stripe's minor units as shoppers read them: the currency's own digits, the language's marks."""

from __future__ import annotations

_NO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
_WHOLE_UNITS = frozenset(("isk", "ugx"))
"""Stripe counts them in hundredths, which nobody writes."""
_SYMBOLS = {
    "aud": "A$",
    "brl": "R$",
    "cad": "CA$",
    "eur": "€",
    "gbp": "£",
    "ils": "₪",
    "inr": "₹",
    "jpy": "¥",
    "krw": "₩",
    "mxn": "MX$",
    "nzd": "NZ$",
    "usd": "$",
    "vnd": "₫",
}
_NO_BREAK = "\N{NO-BREAK SPACE}"
_COMMA_AND_POINT = frozenset("da de el es hr id it nl pt ro sl tr vi".split())
"""Languages that write 1.234,50; English and Asian ones write 1,234.50."""
_COMMA_AND_SPACE = frozenset("bg cs et fi fr hu lt lv nb pl ru sk sv".split())
"""Languages that write 1 234,50."""
_SYMBOL_FIRST = frozenset(("nl", "pt-BR", "tr"))


def written(amount: int, currency: str, locale: str | None = None) -> str:
    """An amount in Stripe's minor units, such as €12.50 or 12,50 €."""
    language = (locale or "en").partition("-")[0]
    if currency in _NO_DECIMALS:
        digits = 0
    elif currency in _THREE_DECIMALS:
        digits = 3
    else:
        digits = 2
    whole, fraction = divmod(abs(amount), 10**digits)
    shown_digits = 0 if currency in _WHOLE_UNITS else digits
    number = f"{whole:,}" + (f".{fraction:0{digits}}" if shown_digits else "")
    comma_language = language in _COMMA_AND_POINT | _COMMA_AND_SPACE
    if comma_language:
        thousands = "." if language in _COMMA_AND_POINT else _NO_BREAK
        number = number.translate({ord(","): thousands, ord("."): ","})
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency, currency.upper())
    if comma_language and locale not in _SYMBOL_FIRST:
        return f"{sign}{number}{_NO_BREAK}{symbol}"
    gap = _NO_BREAK if symbol[-1].isalpha() or comma_language else ""
    return f"{sign}{symbol}{gap}{number}"
