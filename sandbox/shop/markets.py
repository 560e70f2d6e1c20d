"""Where the shop sells: currency, countries and how money and dates are written there."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from sandbox.shop.bff import Money, Region


class Style(Struct, frozen=True):
    """How English as written in a region shows dates.

    All of these locales write money alike, as Unicode's CLDR says and browsers do: what the shop,
    the payment elements and the payment page show side by side is the same text.
    """

    locale: str
    month_first: bool = False


class Market(Struct, frozen=True):
    """One currency and the countries that are served in it; prices may include taxes."""

    key: str
    name: str
    currency: str
    countries: tuple[str, ...]
    style: Style
    taxes_included: bool = True

    @property
    def region(self) -> Region:
        """What the BFF is asked for; the first country stands for all, as long as none is known."""
        return Region(self.currency, self.countries[0])

    def money(self, cents: int, currency: str | None = None) -> str:
        """Minor units as English writes them."""
        code = currency or self.currency
        decimals = digits(code)
        whole, fraction = divmod(abs(cents), 10**decimals)
        number = f"{whole:,}" + (f".{fraction:0{decimals}d}" if decimals else "")
        written = f"{_SIGNS.get(code, code + NO_BREAK)}{number}"
        return f"\N{MINUS SIGN}{written}" if cents < 0 else written

    def price(self, money: Money | None) -> str:
        return "" if money is None else self.money(money.cent_amount, money.currency_code)

    def date(self, timestamp: str) -> str:
        """An ISO timestamp as a date."""
        day = datetime.fromisoformat(timestamp)
        if self.style.month_first:
            return f"{_MONTHS[day.month - 1]} {day.day}, {day.year}"
        return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


NO_BREAK = "\N{NO-BREAK SPACE}"
_DIGITS = {"JPY": 0, "KWD": 3}
_SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
_MONTHS = (
    "January February March April May June July August September October November December".split()
)

MARKETS = {
    market.key: market
    for market in (
        Market(
            "eu",
            "Europe",
            "EUR",
            ("DE", "AT", "BE", "ES", "FR", "IE", "IT", "NL"),
            Style("en-IE"),
        ),
        Market(
            "us",
            "United States",
            "USD",
            ("US",),
            Style("en-US", month_first=True),
            taxes_included=False,
        ),
        Market("gb", "United Kingdom", "GBP", ("GB",), Style("en-GB")),
        Market("jp", "Japan", "JPY", ("JP",), Style("en-JP")),
        Market("kw", "Kuwait", "KWD", ("KW",), Style("en-KW")),
    )
}
DEFAULT = MARKETS["eu"]

COUNTRIES = {
    "AT": "Austria",
    "BE": "Belgium",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IT": "Italy",
    "JP": "Japan",
    "KW": "Kuwait",
    "NL": "Netherlands",
    "US": "United States",
}


def digits(currency: str) -> int:
    """How many digits of an amount in minor units are decimals."""
    return _DIGITS.get(currency, 2)


def of_currency(currency: str) -> Market:
    """The market of a currency, for what was bought elsewhere before the shopper moved."""
    return next((each for each in MARKETS.values() if each.currency == currency), DEFAULT)
