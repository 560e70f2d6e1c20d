"""commercetools' locales as Stripe's pages know them."""

from __future__ import annotations

_STRIPE = {
    locale.lower(): locale
    for locale in (
        "bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hr hu id it ja ko lt lv ms mt nb nl"
        " pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
    ).split()
}


def stripe_locale(locale: str | None) -> str:
    """The locale, else its language, else what the shopper's browser prefers (`auto`)."""
    wanted = (locale or "").replace("_", "-").lower()
    return _STRIPE.get(wanted) or _STRIPE.get(wanted.partition("-")[0]) or "auto"
