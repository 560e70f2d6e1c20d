"""Amounts as people read them: the currency's digits and sign, the language's marks."""

from __future__ import annotations

NO_BREAK = "\N{NO-BREAK SPACE}"
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
_COMMA_AND_POINT = frozenset("da de el es hr id it nl pt ro sl tr vi".split())
"""Languages that write 1.234,50; English and Asian ones write 1,234.50."""
_COMMA_AND_SPACE = frozenset("bg cs et fi fr hu lt lv nb pl ru sk sv".split())
"""Languages that write 1 234,50."""
_SYMBOL_FIRST = frozenset(("nl", "pt-BR", "tr"))


def written(
    amount: int, currency: str, digits: int, locale: str | None = None, *, whole: bool = False
) -> str:
    """An amount in units of which `digits` are decimals, such as €12.50 or 12,50 €.

    `whole` leaves the decimals out, for currencies in which nobody writes them.
    """
    language = (locale or "en").partition("-")[0]
    units, fraction = divmod(abs(amount), 10**digits)
    number = f"{units:,}" + (f".{fraction:0{digits}}" if digits and not whole else "")
    comma_language = language in _COMMA_AND_POINT | _COMMA_AND_SPACE
    if comma_language:
        thousands = "." if language in _COMMA_AND_POINT else NO_BREAK
        number = number.translate({ord(","): thousands, ord("."): ","})
    sign = "\N{MINUS SIGN}" if amount < 0 else ""
    symbol = _SYMBOLS.get(currency.lower(), currency.upper())
    if comma_language and not {locale, language} & _SYMBOL_FIRST:
        return f"{sign}{number}{NO_BREAK}{symbol}"
    gap = NO_BREAK if symbol[-1].isalpha() or comma_language else ""
    return f"{sign}{symbol}{gap}{number}"
