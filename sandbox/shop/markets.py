"""Where the shop sells: currency, countries and how money and dates are written there."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from sandbox.shop.bff import Money, Region
from sandbox.written_money import written


class Style(Struct, frozen=True):
    """How money and dates are written.

    All English locales write money alike, as Unicode's CLDR says and browsers do: what the shop,
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
        """What is requested from the BFF; the first country stands for all while none is known."""
        return Region(self.currency, self.countries[0])

    def spoken(self, language: str) -> Market:
        """The same market for those who read another language."""
        locale = _LOCALES.get(language)
        return self if locale is None else replace(self, style=Style(locale))

    def money(self, cents: int, currency: str | None = None) -> str:
        """Minor units as the language writes them."""
        code = currency or self.currency
        return written(cents, code, digits(code), self.style.locale)

    def price(self, money: Money | None) -> str:
        return "" if money is None else self.money(money.cent_amount, money.currency_code)

    def date(self, timestamp: str) -> str:
        """An ISO timestamp as a date."""
        day = datetime.fromisoformat(timestamp)
        language = self.style.locale.partition("-")[0]
        month = _MONTHS[language].split()[day.month - 1]
        if self.style.month_first:
            return f"{month} {day.day}, {day.year}"
        return _DATES.get(language, "{} {} {}").format(day.day, month, day.year)


_DIGITS = {"JPY": 0, "KWD": 3}
_LOCALES = {"de": "de-DE", "fr": "fr-FR", "es": "es-ES", "it": "it-IT", "nl": "nl-NL"}
"""Languages other than English are written as in their own country, wherever the market is."""
_MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre"
    " diciembre",
    "it": "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre"
    " dicembre",
    "nl": "januari februari maart april mei juni juli augustus september oktober november december",
}
_DATES = {"de": "{}. {} {}", "es": "{} de {} de {}"}

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
