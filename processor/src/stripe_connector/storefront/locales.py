"""Translates commercetools' locales into those of Stripe's pages."""

from __future__ import annotations

_STRIPE = {
    locale.lower(): locale
    for locale in (
        "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl"
        " pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
    ).split()
} | {
    # Other names of the same locale: Norwegian in its two written forms, Chinese by its script.
    "nn": "nb",
    "no": "nb",
    "zh-hant": "zh-TW",
    "zh-hant-hk": "zh-HK",
    "zh-hant-mo": "zh-HK",
    "zh-mo": "zh-HK",
}


def stripe_locale(locale: str | None) -> str:
    """The locale, else the nearest more general one, else the browser's (`auto`)."""
    wanted = (locale or "").replace("_", "-").lower()
    while wanted:
        if wanted in _STRIPE:
            return _STRIPE[wanted]
        wanted = wanted.rpartition("-")[0]
    return "auto"
