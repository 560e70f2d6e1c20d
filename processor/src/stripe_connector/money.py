"""Money in commercetools' minor units, and its exact conversion to and from Stripe's.

commercetools says with every amount how many digits its minor unit has; Stripe's rules are a
table (https://docs.stripe.com/currencies): fifteen currencies without minor unit, five with
three decimals of which the last must be 0, and ISK and UGX, which are written with two decimals
that must both be 0. An amount that one side cannot represent is refused: rounding
would make the charge differ from the order.
"""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.errors import BackendError, InvalidRequest

_ZERO_DECIMAL = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE_DECIMAL = frozenset("BHD JOD KWD OMR TND".split())
_TWO_DECIMAL_WHOLE_UNITS = frozenset("ISK UGX".split())
_STRIPE_MINIMUM = {
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
"""In Stripe's minor units (https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts)."""

_ISO_ZERO_DECIMAL = (_ZERO_DECIMAL - {"MGA"}) | _TWO_DECIMAL_WHOLE_UNITS
_ISO_THREE_DECIMAL = _THREE_DECIMAL | {"IQD", "LYD"}


class Money(Struct, frozen=True, rename="camel"):
    """An amount of one currency.

    `cent_amount` counts minor units of `fraction_digits` digits: 12.34 EUR is (1234, "EUR", 2),
    1234 JPY is (1234, "JPY", 0).
    """

    cent_amount: int
    currency_code: str
    fraction_digits: int

    def with_amount(self, cent_amount: int) -> Money:
        """The same currency, another amount."""
        return Money(cent_amount, self.currency_code, self.fraction_digits)

    def draft(self) -> MoneyDraft:
        """As commercetools takes it in drafts and actions."""
        return MoneyDraft(self.cent_amount, self.currency_code)

    def __str__(self) -> str:
        major = self.cent_amount / 10**self.fraction_digits
        return f"{major:.{self.fraction_digits}f} {self.currency_code}"


class MoneyDraft(Struct, frozen=True, rename="camel"):
    """An amount as commercetools takes it: the currency decides the digits."""

    cent_amount: int
    currency_code: str


def stripe_digits(currency: str) -> int:
    """Digits of Stripe's minor unit of a currency (ISO 4217 code, any case)."""
    code = currency.upper()
    if code in _ZERO_DECIMAL:
        return 0
    return 3 if code in _THREE_DECIMAL else 2


def stripe_step(currency: str) -> int:
    """The smallest amount, in Stripe's minor units, of which every amount must be a multiple."""
    code = currency.upper()
    if code in _TWO_DECIMAL_WHOLE_UNITS:
        return 100
    return 10 if code in _THREE_DECIMAL else 1


def to_stripe(money: Money) -> int:
    """The amount in Stripe's minor units; raises InvalidRequest where it cannot be exact."""
    amount = _rescale(money.cent_amount, money.fraction_digits, stripe_digits(money.currency_code))
    if amount is None or amount % stripe_step(money.currency_code):
        raise InvalidRequest(
            f"{money} cannot be charged exactly: Stripe has no such amount in this currency.",
            fields={
                "amount": {"centAmount": money.cent_amount, "currencyCode": money.currency_code}
            },
        )
    return amount


def chargeable(money: Money) -> int:
    """An amount that a charge can begin with, in Stripe's minor units.

    Raises InvalidRequest where it cannot be exact, or is less than Stripe charges. Other currencies
    than those of Stripe's table have a minimum, too (0.50 USD in the account's currency): of these
    Stripe itself refuses what is too small.
    """
    amount = to_stripe(money)
    minimum = _STRIPE_MINIMUM.get(money.currency_code.upper(), 0)
    if amount < minimum:
        least = from_stripe(minimum, money.currency_code, money.fraction_digits)
        raise InvalidRequest(
            f"{money} is left to pay, but Stripe's minimum is {least}.",
            code="amount_too_small",
            fields={
                "amount": {"centAmount": money.cent_amount, "currencyCode": money.currency_code},
                "minimum": {"centAmount": least.cent_amount, "currencyCode": money.currency_code},
            },
        )
    return amount


def from_stripe(amount: int, currency: str, fraction_digits: int) -> Money:
    """Stripe's amount as commercetools money of `fraction_digits`.

    Raises BackendError where commercetools cannot hold the amount exactly.
    """
    code = currency.upper()
    cents = _rescale(amount, stripe_digits(code), fraction_digits)
    if cents is None:
        raise BackendError(
            f"Stripe's amount {amount} {code} has no exact commercetools amount"
            f" of {fraction_digits} digits."
        )
    return Money(cents, code, fraction_digits)


def _rescale(amount: int, digits: int, wanted: int) -> int | None:
    """`amount` with `wanted` instead of `digits` decimals, or None where digits would be lost."""
    if wanted >= digits:
        return amount * int(10 ** (wanted - digits))
    quotient, lost = divmod(amount, int(10 ** (digits - wanted)))
    return None if lost else quotient


def iso_digits(currency: str) -> int:
    """Digits of a currency's minor unit after ISO 4217, which commercetools follows.

    For amounts that do not come from commercetools, whose amounts include their digits.
    """
    code = currency.upper()
    if code in _ISO_ZERO_DECIMAL:
        return 0
    return 3 if code in _ISO_THREE_DECIMAL else 2
