"""Amounts: minor units of an ISO 4217 currency, and the rounding that taxes need."""

from __future__ import annotations

from decimal import ROUND_HALF_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from sandbox.commercetools import fields
from sandbox.commercetools.errors import invalid_field, invalid_json
from sandbox.commercetools.paths import Document

_TWO_DIGITS = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD
CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA
MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR
RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD
TZS UAH USD USN UYU UZS VED VES WST XCD YER ZAR ZMW ZWG
"""
_DIGITS: dict[str, int] = {
    **dict.fromkeys(_TWO_DIGITS.split(), 2),
    **dict.fromkeys(
        "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
    ),
    **dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3),
    **dict.fromkeys("CLF UYW".split(), 4),
}
"""Digits of the minor unit of every currency of ISO 4217."""

ROUNDING = {
    "HalfEven": ROUND_HALF_EVEN,
    "HalfUp": ROUND_HALF_UP,
    "HalfDown": ROUND_HALF_DOWN,
}


def cents(amount: int, currency: str) -> Document:
    """Money as commercetools answers it; `amount` counts minor units."""
    return {
        "type": "centPrecision",
        "currencyCode": currency,
        "centAmount": amount,
        "fractionDigits": _DIGITS[currency],
    }


def currency_code(body: Document, field: str) -> str:
    """An ISO 4217 code that must be there."""
    code = fields.need_text(body, field)
    if code not in _DIGITS:
        raise invalid_field(field, code)
    return code


def read_money(body: Document, field: str) -> Document:
    """Money of a draft or action, which must be there and be of whole minor units."""
    draft = fields.need_obj(body, field)
    if draft.get("type", "centPrecision") != "centPrecision":
        raise invalid_field(f"{field}.type", draft["type"], ["centPrecision"])
    amount = draft.get("centAmount")
    if not isinstance(amount, int) or isinstance(amount, bool):
        raise invalid_json(f"{field} -> centAmount: JSON Number expected")
    currency = currency_code(draft, "currencyCode")
    digits = draft.get("fractionDigits")
    if digits is not None and digits != _DIGITS[currency]:
        raise invalid_field(f"{field}.fractionDigits", digits, [str(_DIGITS[currency])])
    return cents(amount, currency)


def rounded(amount: Decimal, mode: str = "HalfEven") -> int:
    """The nearest minor unit."""
    return int(amount.to_integral_value(ROUNDING[mode]))


def allocate(amount: int, weights: list[int]) -> list[int]:
    """Split `amount` in proportion to the weights so that the parts add up to it exactly."""
    total = sum(weights)
    if total == 0:
        return [0] * len(weights)
    parts = [amount * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % total))
    for i in by_remainder[: amount - sum(parts)]:
        parts[i] += 1
    return parts
