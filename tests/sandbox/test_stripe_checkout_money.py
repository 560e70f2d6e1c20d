"""Amounts on the payment page have the digits of their currency."""

from __future__ import annotations

import pytest

from sandbox.stripe.checkout_money import written


@pytest.mark.parametrize(
    ("amount", "currency", "locale", "expected"),
    [
        (1250, "eur", None, "€12.50"),
        (1250, "eur", "de", "12,50\xa0€"),
        (123456789, "usd", "en-GB", "$1,234,567.89"),
        (123456789, "eur", "fr-CA", "1\xa0234\xa0567,89\xa0€"),
        (1250, "jpy", None, "¥1,250"),
        (1250, "mga", None, "MGA\xa01,250"),
        (125000, "isk", None, "ISK\xa01,250"),
        (12500, "kwd", None, "KWD\xa012.500"),
        (5, "huf", None, "HUF\xa00.05"),
        (-90, "gbp", None, "\N{MINUS SIGN}£0.90"),
    ],
)
def test_an_amount_is_written_as_its_currency_and_language_want_it(
    amount: int, currency: str, locale: str | None, expected: str
) -> None:
    assert written(amount, currency, locale) == expected
