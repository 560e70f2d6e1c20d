"""What the payment page's form says, in six languages: labels, mistakes, refusals, trouble.

What can go wrong says whether money moved and what to do now.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files

import msgspec

FormTexts = Mapping[str, str]

LANGUAGES = ("en", "de", "fr", "es", "it", "nl")


def _read(language: str) -> FormTexts:
    content = (files("sandbox.stripe") / "texts" / f"{language}.json").read_bytes()
    return {"language": language, **msgspec.json.decode(content, type=dict[str, str])}


FORM_TEXTS: Mapping[str, FormTexts] = {language: _read(language) for language in LANGUAGES}


def form_texts(locale: str) -> FormTexts:
    """The texts in the language of a locale, else in English."""
    return FORM_TEXTS.get(locale.partition("-")[0].lower(), FORM_TEXTS["en"])


_REASONS = {
    "authentication_required": "payment_intent_authentication_failure",
    "invalid_cvc": "incorrect_cvc",
    "invalid_expiry_month": "wrong_expiry",
    "invalid_expiry_year": "expired_card",
    **{
        code: code
        for code in (
            "card_declined",
            "card_velocity_exceeded",
            "expired_card",
            "incorrect_cvc",
            "incorrect_number",
            "insufficient_funds",
            "payment_intent_authentication_failure",
            "payment_intent_payment_attempt_expired",
            "processing_error",
            "test_mode_live_card",
        )
    },
}
"""Which text says what a code of Stripe means for the shopper."""


def reason(texts: FormTexts, code: str | None, decline_code: str | None = None) -> str:
    """Why Stripe refused, by its codes: https://docs.stripe.com/error-codes"""
    known = _REASONS.get(decline_code or "") or _REASONS.get(code or "", "failed")
    return texts[known]
