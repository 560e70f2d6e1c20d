"""What the connector itself says on Stripe's page, in the languages of the enabler."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.money import Money


class LineTexts(Struct, frozen=True):
    """Texts for the shopper beside the order's own names; none may be empty."""

    item: str = "Item"
    shipping: str = "Shipping"
    order: str = "Order"
    rest: str = "Still to pay for order"
    gift: str = "Gift"
    adjustment: str = "Surcharges and rounding"
    discounted: str = "Discount included"
    was: str = "was {price}"
    less: str = "less {codes}"
    taxes: str = "Prices include {tax} of taxes."
    marks: tuple[str, str] = (",", ".")
    """The marks between thousands and before decimals."""
    symbol_last: bool = False


ENGLISH = LineTexts()
_COMMA = (".", ",")
_BY_LANGUAGE = {
    "en": ENGLISH,
    "de": LineTexts(
        "Artikel",
        "Versand",
        "Bestellung",
        "Noch zu zahlen für Bestellung",
        "Geschenk",
        "Zuschläge und Rundung",
        "Rabatt enthalten",
        "statt {price}",
        "abzüglich {codes}",
        "Die Preise enthalten {tax} Steuern.",
        _COMMA,
        symbol_last=True,
    ),
    "fr": LineTexts(
        "Article",
        "Livraison",
        "Commande",
        "Reste à payer pour la commande",
        "Cadeau",
        "Suppléments et arrondi",
        "Remise comprise",
        "au lieu de {price}",
        "remise {codes} déduite",
        "Les prix comprennent {tax} de taxes.",
        ("\N{NARROW NO-BREAK SPACE}", ","),
        symbol_last=True,
    ),
    "es": LineTexts(
        "Artículo",
        "Envío",
        "Pedido",
        "Pendiente de pago del pedido",
        "Regalo",
        "Recargos y redondeo",
        "Descuento incluido",
        "antes {price}",
        "menos {codes}",
        "Los precios incluyen {tax} de impuestos.",
        _COMMA,
        symbol_last=True,
    ),
    "it": LineTexts(
        "Articolo",
        "Spedizione",
        "Ordine",
        "Da pagare ancora per l'ordine",
        "Omaggio",
        "Supplementi e arrotondamento",
        "Sconto incluso",
        "prima {price}",
        "meno {codes}",
        "I prezzi includono {tax} di imposte.",
        _COMMA,
        symbol_last=True,
    ),
    "nl": LineTexts(
        "Artikel",
        "Verzending",
        "Bestelling",
        "Nog te betalen voor bestelling",
        "Cadeau",
        "Toeslagen en afronding",
        "Korting inbegrepen",
        "was {price}",
        "min {codes}",
        "De prijzen zijn inclusief {tax} belasting.",
        _COMMA,
    ),
}
_SYMBOLS = {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$"}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def line_texts(locale: str | None) -> LineTexts:
    """The texts in the language of a locale, else in English."""
    return _BY_LANGUAGE.get((locale or "").replace("_", "-").partition("-")[0].lower(), ENGLISH)


def shown_amount(money: Money, texts: LineTexts) -> str:
    """An amount of 0 or more as the language of the texts writes it, such as €14.90 or 14,90 €."""
    whole, fraction = divmod(money.cent_amount, 10**money.fraction_digits)
    thousands, decimal = texts.marks
    number = f"{whole:,}".replace(",", thousands)
    if money.fraction_digits:
        number += f"{decimal}{fraction:0{money.fraction_digits}}"
    symbol = _SYMBOLS.get(money.currency_code, money.currency_code)
    if texts.symbol_last:
        return f"{number}{_NO_BREAK}{symbol}"
    gap = _NO_BREAK if symbol.isalpha() or texts.marks == _COMMA else ""
    return f"{symbol}{gap}{number}"
