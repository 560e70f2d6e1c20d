"""Which amounts Stripe takes in which currency (https://docs.stripe.com/currencies)."""

from __future__ import annotations

from sandbox.stripe.errors import invalid_request, refused

_SUPPORTED = frozenset(
    "aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn"
    " bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd"
    " gnf gtq gyd hkd hnl htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak"
    " lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd"
    " omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std"
    " szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer zar"
    " zmw".split()
)
_WHOLE_UNITS = frozenset(("isk", "ugx"))
_THREE_DECIMALS = frozenset(("bhd", "jod", "kwd", "omr", "tnd"))
_MINIMUM = {
    **dict.fromkeys(("usd", "eur", "aud", "cad", "chf", "brl", "sgd", "nzd", "inr"), 50),
    **dict.fromkeys(("aed", "myr", "pln", "ron"), 200),
    **dict.fromkeys(("nok", "sek"), 300),
    **dict.fromkeys(("mxn", "thb"), 1000),
    **dict.fromkeys(("jpy", "krw"), 50),
    "gbp": 30,
    "dkk": 250,
    "hkd": 400,
    "czk": 1500,
    "huf": 17500,
}
_CARD_DIGITS, _AMEX_DIGITS, _OTHER_DIGITS = 12, 9, 8
_MORE_DIGITS = {"cop": 10, "idr": 12}


def check_currency(code: str) -> str:
    """The currency in lower case, as all answers have it; refuses unknown ones."""
    currency = code.lower()
    if currency not in _SUPPORTED:
        raise invalid_request(f"Invalid currency: {code}.", param="currency")
    return currency


def check_step(amount: int, currency: str, param: str = "amount") -> None:
    """Refuses decimals that the currency does not have."""
    step = 100 if currency in _WHOLE_UNITS else 10 if currency in _THREE_DECIMALS else 1
    if amount % step:
        raise invalid_request(
            f"Invalid amount: in {currency.upper()} an amount must be a multiple of {step}.",
            code="parameter_invalid_integer",
            param=param,
        )


def check_amount(amount: int, currency: str) -> None:
    """Refuses what can never be charged: too little, too much, or impossible decimals."""
    if amount < 1:
        raise invalid_request(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    check_step(amount, currency)
    minimum = _MINIMUM.get(currency, 1)
    if amount < minimum:
        raise invalid_request(
            f"Amount must be at least {minimum} {currency}.",
            code="amount_too_small",
            param="amount",
        )
    if len(str(amount)) > _CARD_DIGITS:
        raise invalid_request(
            _too_large(_CARD_DIGITS, currency), code="amount_too_large", param="amount"
        )


def check_digits(amount: int, currency: str, method_type: str, brand: str | None) -> None:
    """Refuses amounts beyond what a kind of payment method takes."""
    if method_type == "card":
        limit = _AMEX_DIGITS if brand == "amex" else _CARD_DIGITS
    else:
        limit = _MORE_DIGITS.get(currency, _OTHER_DIGITS)
    if len(str(amount)) > limit:
        raise refused(_too_large(limit, currency), code="amount_too_large", param="amount")


def _too_large(digits: int, currency: str) -> str:
    return f"Amount must be no more than {'9' * digits} {currency}."
