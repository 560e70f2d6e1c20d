"""What a variant's attributes say, in one language: texts, numbers, enums and sets of these."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from stripe_connector.gateways.commercetools.orders import Attribute
from stripe_connector.money import Money
from stripe_connector.storefront.names import localized

SHOWN = {"color": "Color", "size": "Size"}
"""The attributes that shoppers choose by, in lower case, and how pages name them: others, such as
a purchase price, are the merchant's own."""


class AttributeValue(Struct, frozen=True):
    """A key to compare and a label to show."""

    key: str
    label: str


def attribute_value(value: object, locale: str) -> AttributeValue:
    match value:
        case {"key": str(key), "label": label}:
            return AttributeValue(key, _text(label, locale))
        case _:
            text = _text(value, locale)
            return AttributeValue(text, text)


def variant_options(attributes: Iterable[Attribute], locale: str | None) -> str:
    """What tells a variant from the product's others, such as "Slate, 350 ml"; may be empty."""
    labels = (
        attribute_value(each.value, locale or "en").label.strip()
        for each in attributes
        if each.name.lower() in SHOWN
    )
    return ", ".join(label for label in labels if label)


def _text(value: object, locale: str) -> str:
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case {"centAmount": int(amount), "currencyCode": str(currency), "fractionDigits": int(n)}:
            return str(Money(amount, currency, n))
        case dict() if value and all(isinstance(text, str) for text in value.values()):
            return localized(value, locale)
        case list():
            return ", ".join(attribute_value(each, locale).label for each in value)
        case int() | float():
            return str(value)
        case _:
            return ""
