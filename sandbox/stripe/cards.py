"""Stripe's test cards and what each of them does (https://docs.stripe.com/testing)."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace


class Decline(Struct, frozen=True):
    """Why a bank says no."""

    code: str
    message: str
    decline_code: str | None = None


class Card(Struct, frozen=True):
    """A test card's brand and behaviour; by default everything succeeds."""

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    challenge: Literal["never", "always", "until_set_up"] = "never"
    """When 3D Secure must be passed; `until_set_up` until saved for use off session."""
    attachable: bool = True
    """Whether it can be saved although its payments are declined."""
    dispute: str | None = None
    """The reason of the dispute that follows each payment."""
    inquiry: bool = False
    """The dispute is an early inquiry: no money is taken."""
    refunds: Literal["at_once", "later", "fail"] = "at_once"
    multicapture: bool = True

    @property
    def last4(self) -> str:
        return self.number[-4:]


GENERIC = Decline("card_declined", "Your card was declined.", "generic_decline")
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "Your card was declined. Your request was in test mode, but used a non test card.",
    "test_mode_live_card",
)
INCORRECT_NUMBER = Decline("incorrect_number", "Your card number is incorrect.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
    "authentication_required",
)
_INSUFFICIENT = Decline("card_declined", "Your card has insufficient funds.", "insufficient_funds")
_LOST = Decline("card_declined", "Your card was declined.", "lost_card")
_STOLEN = Decline("card_declined", "Your card was declined.", "stolen_card")
_EXPIRED = Decline("expired_card", "Your card has expired.")
_CVC = Decline("incorrect_cvc", "Your card's security code is incorrect.")
_PROCESSING = Decline(
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
_VELOCITY = Decline(
    "card_declined",
    "Your card was declined for making repeated attempts too frequently.",
    "card_velocity_exceeded",
)


def _declined(number: str, decline: Decline) -> Card:
    return Card(number, decline=decline, attachable=False)


_CARDS = (
    Card("4242424242424242"),
    Card("4000056655665556", funding="debit"),
    Card("5555555555554444", brand="mastercard"),
    Card("2223003122003222", brand="mastercard"),
    Card("5200828282828210", brand="mastercard", funding="debit"),
    Card("5105105105105100", brand="mastercard", funding="prepaid"),
    Card("378282246310005", brand="amex"),
    Card("371449635398431", brand="amex"),
    Card("6011111111111117", brand="discover"),
    Card("6011000990139424", brand="discover"),
    Card("3056930009020004", brand="diners"),
    Card("36227206271667", brand="diners"),
    Card("3566002020360505", brand="jcb"),
    Card("6200000000000005", brand="unionpay"),
    Card("4000002500001001", country="FR"),
    Card("4000002760000016", country="DE"),
    Card("4000000000000077"),
    Card("4000008400000076", multicapture=False),
    _declined("4000000000000002", GENERIC),
    _declined("4000000000009995", _INSUFFICIENT),
    _declined("4000000000009987", _LOST),
    _declined("4000000000009979", _STOLEN),
    _declined("4000000000000069", _EXPIRED),
    _declined("4000000000000127", _CVC),
    _declined("4000000000000119", _PROCESSING),
    _declined("4000000000006975", _VELOCITY),
    Card("4000000000000341", decline=GENERIC),
    Card("4000002500003155", challenge="until_set_up"),
    Card("4000002760003184", challenge="always"),
    Card("4000000000003220", challenge="always"),
    Card("4000000000003063", challenge="always"),
    Card("4000000000003055"),
    Card("4000008400001629", challenge="always", decline=GENERIC),
    Card("4000008260003178", challenge="always", decline=_INSUFFICIENT),
    Card("4000000000000259", dispute="fraudulent"),
    Card("4000000000002685", dispute="product_not_received"),
    Card("4000000000001976", dispute="fraudulent", inquiry=True),
    Card("4000000000007726", refunds="later"),
    Card("4000000000005126", refunds="fail"),
)
BY_NUMBER = {card.number: card for card in _CARDS}

ALIASES = {
    "pm_card_visa": "4242424242424242",
    "pm_card_visa_debit": "4000056655665556",
    "pm_card_mastercard": "5555555555554444",
    "pm_card_mastercard_debit": "5200828282828210",
    "pm_card_mastercard_prepaid": "5105105105105100",
    "pm_card_amex": "378282246310005",
    "pm_card_discover": "6011111111111117",
    "pm_card_diners": "3056930009020004",
    "pm_card_jcb": "3566002020360505",
    "pm_card_unionpay": "6200000000000005",
    "pm_card_de": "4000002760000016",
    "pm_card_visa_cartesBancaires": "4000002500001001",
    "pm_card_bypassPending": "4000000000000077",
    "pm_card_credit_disableEnterpriseCardFeatures": "4000008400000076",
    "pm_card_visa_chargeDeclined": "4000000000000002",
    "pm_card_chargeDeclined": "4000000000000002",
    "pm_card_visa_chargeDeclinedInsufficientFunds": "4000000000009995",
    "pm_card_visa_chargeDeclinedLostCard": "4000000000009987",
    "pm_card_visa_chargeDeclinedStolenCard": "4000000000009979",
    "pm_card_chargeDeclinedExpiredCard": "4000000000000069",
    "pm_card_chargeDeclinedIncorrectCvc": "4000000000000127",
    "pm_card_chargeDeclinedProcessingError": "4000000000000119",
    "pm_card_chargeCustomerFail": "4000000000000341",
    "pm_card_authenticationRequiredOnSetup": "4000002500003155",
    "pm_card_authenticationRequired": "4000002760003184",
    "pm_card_threeDSecure2Required": "4000000000003220",
    "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds": "4000008260003178",
    "pm_card_createDispute": "4000000000000259",
    "pm_card_createDisputeProductNotReceived": "4000000000002685",
    "pm_card_createDisputeInquiry": "4000000000001976",
    "pm_card_pendingRefund": "4000000000007726",
    "pm_card_refundFail": "4000000000005126",
}
"""Ids that stand for a new payment method of a test card wherever one is taken."""


def by_number(number: str) -> Card:
    """The card of a number; one that is no test card is declined like at Stripe."""
    card = BY_NUMBER.get(number)
    if card is not None:
        return card
    decline = NOT_A_TEST_CARD if _passes_luhn(number) else INCORRECT_NUMBER
    return replace(BY_NUMBER["4242424242424242"], number=number, decline=decline, attachable=False)


def details(card: Card, exp_month: int, exp_year: int) -> dict[str, Any]:
    """The `card` hash of a payment method."""
    return {
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": None,
            "cvc_check": "unchecked",
        },
        "country": card.country,
        "display_brand": "american_express" if card.brand == "amex" else card.brand,
        "exp_month": exp_month,
        "exp_year": exp_year,
        "fingerprint": f"sandbox{card.number[::-1][:9]}",
        "funding": card.funding,
        "generated_from": None,
        "last4": card.last4,
        "networks": {"available": [card.brand], "preferred": None},
        "regulated_status": "unregulated",
        "three_d_secure_usage": {"supported": True},
        "wallet": None,
    }


def _passes_luhn(number: str) -> bool:
    if not (number.isascii() and number.isdigit() and len(number) >= 12):
        return False
    digits = [int(digit) for digit in reversed(number)]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return (sum(digits[::2]) + sum(doubled)) % 10 == 0
