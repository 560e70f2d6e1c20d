"""Money: exact in both directions for every currency, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_connector.errors import BackendError, InvalidRequest
from stripe_connector.money import (
    Money,
    chargeable,
    from_stripe,
    iso_digits,
    stripe_digits,
    stripe_step,
    to_stripe,
)

WITHOUT_MINOR_UNIT = "BIF CLP DJF GNF JPY KMF KRW PYG RWF VND VUV XAF XOF XPF".split()
"""Both sides agree that these have none."""
THREE_DECIMALS = "BHD JOD KWD OMR TND".split()
TWO_DECIMALS = (
    "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD"
    " CAD CDF CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD"
    " GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD"
    " MDL MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR"
    " PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT"
    " TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW ZWG"
).split()
ODD = {"ISK": 0, "UGX": 0, "MGA": 2, "IQD": 3, "LYD": 3}
"""Digits at commercetools of those about which Stripe has a rule of its own, or none."""

DIGITS = {
    **dict.fromkeys(WITHOUT_MINOR_UNIT, 0),
    **dict.fromkeys(TWO_DECIMALS, 2),
    **dict.fromkeys(THREE_DECIMALS, 3),
    **ODD,
}
"""Digits of the minor unit of every circulating ISO 4217 currency."""

currencies = st.sampled_from(sorted(DIGITS))
amounts = st.integers(1, 10**12)


@pytest.mark.parametrize("currency", sorted(DIGITS))
def test_digits_follow_iso_4217(currency: str) -> None:
    assert iso_digits(currency) == iso_digits(currency.lower()) == DIGITS[currency]


@pytest.mark.parametrize(
    ("cents", "currency", "digits", "at_stripe"),
    [
        (1234, "EUR", 2, 1234),
        (1, "USD", 2, 1),
        (1234, "JPY", 0, 1234),
        (50_000, "KRW", 0, 50_000),
        (1230, "KWD", 3, 1230),
        (5, "ISK", 0, 500),
        (1234, "ISK", 0, 123_400),
        (5000, "UGX", 0, 500_000),
        (12_300, "MGA", 2, 123),
        (17_500, "HUF", 2, 17_500),
        (17_512, "HUF", 2, 17_512),
        (80_045, "TWD", 2, 80_045),
        (1230, "TND", 3, 1230),
        (123_400, "EUR", 4, 1234),
        (1500, "ISK", 2, 1500),
        (0, "EUR", 2, 0),
    ],
)
def test_amounts_at_stripe(cents: int, currency: str, digits: int, at_stripe: int) -> None:
    money = Money(cents, currency, digits)
    assert to_stripe(money) == at_stripe
    assert from_stripe(at_stripe, currency.lower(), digits) == money


@pytest.mark.parametrize(
    ("cents", "currency", "digits"),
    [
        (1234, "KWD", 3),  # the third decimal must be 0
        (1, "BHD", 3),
        (150, "ISK", 2),  # no decimals at all
        (150, "UGX", 2),
        (12_345, "MGA", 2),  # no minor unit at Stripe
        (123_456, "EUR", 4),  # a high precision that Stripe does not have
        (1, "JPY", 2),
    ],
)
def test_what_stripe_cannot_charge_exactly_is_refused(
    cents: int, currency: str, digits: int
) -> None:
    with pytest.raises(InvalidRequest, match="cannot be charged exactly") as refusal:
        to_stripe(Money(cents, currency, digits))
    assert refusal.value.fields == {"amount": {"centAmount": cents, "currencyCode": currency}}


@pytest.mark.parametrize(
    ("amount", "currency", "digits"), [(150, "ISK", 0), (5, "UGX", 0), (1, "EUR", 0)]
)
def test_what_commercetools_cannot_hold_exactly_is_refused(
    amount: int, currency: str, digits: int
) -> None:
    with pytest.raises(BackendError, match="no exact commercetools amount"):
        from_stripe(amount, currency, digits)


@given(currencies, amounts)
def test_there_and_back_nothing_is_lost(currency: str, cents: int) -> None:
    money = Money(cents, currency, DIGITS[currency])
    try:
        amount = to_stripe(money)
    except InvalidRequest:
        return
    assert from_stripe(amount, currency, DIGITS[currency]) == money


@given(currencies, amounts)
def test_what_stripe_takes_arrives_unchanged(currency: str, amount: int) -> None:
    amount -= amount % stripe_step(currency)
    money = from_stripe(amount, currency, DIGITS[currency])
    assert to_stripe(money) == amount
    if DIGITS[currency] == stripe_digits(currency):
        assert money.cent_amount == amount


@given(currencies, amounts)
def test_every_amount_for_stripe_is_a_multiple_of_its_smallest(currency: str, cents: int) -> None:
    try:
        amount = to_stripe(Money(cents, currency, DIGITS[currency]))
    except InvalidRequest:
        assert currency in {*THREE_DECIMALS, "MGA", "IQD", "LYD"}
    else:
        assert amount % stripe_step(currency) == 0


@pytest.mark.parametrize(
    ("money", "text"),
    [
        (Money(1234, "EUR", 2), "12.34 EUR"),
        (Money(1234, "JPY", 0), "1234 JPY"),
        (Money(5, "KWD", 3), "0.005 KWD"),
    ],
)
def test_money_reads_as_people_write_it(money: Money, text: str) -> None:
    assert str(money) == text


def test_a_draft_leaves_the_digits_to_commercetools() -> None:
    draft = Money(1234, "KWD", 3).with_amount(20).draft()
    assert (draft.cent_amount, draft.currency_code) == (20, "KWD")


MINIMUM = {
    **dict.fromkeys("AUD BRL CAD CHF EUR INR NZD SGD USD".split(), 50),
    **dict.fromkeys("AED MYR PLN RON".split(), 200),
    **dict.fromkeys("NOK SEK".split(), 300),
    **dict.fromkeys("MXN THB".split(), 1000),
    **dict.fromkeys("JPY KRW".split(), 50),
    "CZK": 1500,
    "DKK": 250,
    "GBP": 30,
    "HKD": 400,
    "HUF": 17_500,
}
"""https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, in its minor units."""


@pytest.mark.parametrize("currency", MINIMUM)
def test_stripes_minimum_can_be_charged_and_a_cent_less_cannot(currency: str) -> None:
    least = Money(MINIMUM[currency], currency, DIGITS[currency])
    assert chargeable(least) == MINIMUM[currency]
    assert chargeable(least.with_amount(MINIMUM[currency] + 1)) == MINIMUM[currency] + 1
    with pytest.raises(InvalidRequest) as refused:
        chargeable(least.with_amount(MINIMUM[currency] - 1))
    assert refused.value.code == "amount_too_small"
    assert str(least) in str(refused.value)
    assert refused.value.fields == {
        "amount": {"centAmount": MINIMUM[currency] - 1, "currencyCode": currency},
        "minimum": {"centAmount": MINIMUM[currency], "currencyCode": currency},
    }


@pytest.mark.parametrize("currency", ["ISK", "ZAR", "KWD"])
def test_of_other_currencies_stripe_itself_refuses_what_is_too_small(currency: str) -> None:
    least = Money(10, currency, DIGITS[currency])
    assert chargeable(least) == to_stripe(least)


def test_an_amount_of_more_digits_is_compared_in_stripes_minor_units() -> None:
    assert chargeable(Money(5000, "EUR", 4)) == 50
    with pytest.raises(InvalidRequest, match=r"0\.4900 EUR .* minimum is 0\.5000 EUR"):
        chargeable(Money(4900, "EUR", 4))
