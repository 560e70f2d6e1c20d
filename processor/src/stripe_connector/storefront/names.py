"""Names for Stripe's page: in one language, never empty, never too long."""

from __future__ import annotations

from stripe_connector.gateways.commercetools.orders import LocalizedString

MAX_NAME = 250
"""Characters of a product's name at Stripe."""


def localized(text: LocalizedString, locale: str | None) -> str:
    """The text in the locale, else in its language, else in English, else in any language.

    Empty where there is no text at all.
    """
    language = _language(locale or "")

    def distance(tag: str) -> tuple[bool, ...]:
        spoken = _language(tag)
        return tag != locale, tag != language, spoken != language, tag != "en", spoken != "en"

    said = [tag for tag, value in text.items() if value.strip()]
    return text[min(said, key=distance)] if said else ""


def _language(tag: str) -> str:
    return tag.partition("-")[0]


def shortened(name: str, suffix: str = "") -> str:
    """The name on one line, cut so that it fits together with the whole suffix."""
    name = " ".join(name.split())
    room = MAX_NAME - len(suffix)
    return (name if len(name) <= room else name[: room - 1] + "…") + suffix
