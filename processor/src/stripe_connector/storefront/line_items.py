"""Line items of Stripe Checkout that add up exactly to what an order costs.

Stripe gets the total and its parts, and calculates nothing itself. The total, in the
smallest amounts that Stripe can charge, is divided over the order's parts in proportion to their
gross prices. Where the parts add up to the total, each keeps its price; where a discount on the
total, a negative custom line or the rounding of taxes makes the total smaller, the goods bear it,
so that delivery costs what the shop says, or all parts where the goods cost too little for that;
where the total is larger, a line of its own closes the gap.

Shipping is a line like any other. Stripe's shipping options are alternatives of which the shopper
chooses one, so they cannot say that an order is shipped in several ways, and a discount on the
total larger than the goods could not reach them.

https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.orders import Image, OrderLine, Priced
from stripe_connector.money import Money, stripe_step, to_stripe
from stripe_connector.storefront.allocation import allocate
from stripe_connector.storefront.attributes import variant_options
from stripe_connector.storefront.line_texts import LineTexts, line_texts, shown_amount
from stripe_connector.storefront.names import localized, shortened

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import LineItemParams

MAX_LINES = 100
"""Line items of one Checkout Session in payment mode."""

_MAX_DIGITS = {"COP": 10, "IDR": 12}
_DEFAULT_MAX_DIGITS = 8
"""Digits of an amount that every payment method accepts (https://docs.stripe.com/currencies)."""
_MAX_ADDRESS = 2_000
"""Characters of a picture's address; Stripe documents no limit."""


class ProductData(Struct, frozen=True, omit_defaults=True):
    name: str
    description: str | None = None
    images: list[str] = []
    metadata: dict[str, str] = {}


class PriceData(Struct, frozen=True):
    currency: str
    unit_amount: int
    """In Stripe's minor units, taxes included."""
    product_data: ProductData
    tax_behavior: Literal["inclusive"] = "inclusive"


class StripeLineItem(Struct, frozen=True):
    price_data: PriceData
    quantity: int = 1


class CheckoutLines(Struct, frozen=True):
    """Line items and their sum: what a session's `amount_total` must be."""

    currency: str
    """In lower case, as Stripe writes it."""
    total: int
    """In Stripe's minor units; 0 where there is nothing to pay and so no session is needed."""
    line_items: list[StripeLineItem]

    def params(self) -> list[LineItemParams]:
        """The line items as Stripe's `line_items` parameter."""
        params: list[LineItemParams] = msgspec.to_builtins(self.line_items)
        return params


class _PricedPart(Struct, frozen=True):
    """Something that costs `gross` minor units of commercetools."""

    name: str
    gross: int
    quantity: int = 1
    notes: tuple[str, ...] = ()
    images: tuple[str, ...] = ()
    metadata: dict[str, str] = {}
    delivers: bool = False


def checkout_lines(
    sale: Priced,
    *,
    number: str,
    due: Money | None = None,
    locale: str | None = None,
    texts: LineTexts | None = None,
) -> CheckoutLines:
    """The line items of an order or cart.

    `number` is the one that the shopper knows: the name where there are too many lines to show.
    `due` is the amount to pay, by default the total; a rest is one line.
    Raises InvalidRequest where Stripe cannot charge exactly that: below zero, too large, or not a
    multiple of the currency's smallest amount.
    """
    due = due or sale.gross_total
    texts = texts or line_texts(locale)
    total = _chargeable(due)
    if due != sale.gross_total:
        parts = [_PricedPart(f"{texts.rest} {number}", due.cent_amount)]
    else:
        parts = list(_priced_parts(sale, locale, texts))
    reduced = sale.discount_on_total_price is not None or any(part.gross < 0 for part in parts)
    parts = [part for part in parts if part.gross >= 0]
    missing = due.cent_amount - sum(part.gross for part in parts)
    if missing > 0:
        parts.append(_PricedPart(texts.adjustment, missing))
    if len(parts) > MAX_LINES:
        parts = [_PricedPart(f"{texts.order} {number}", due.cent_amount)]
    note = _total_note(sale, texts) if reduced and missing < 0 else None
    step = stripe_step(due.currency_code)
    shares = _shares(total // step, parts, due)
    currency = due.currency_code.lower()
    return CheckoutLines(
        currency,
        total,
        [
            _line_item(part, share, step, currency, note if part.gross else None)
            for part, share in zip(parts, shares, strict=True)
        ],
    )


def _chargeable(due: Money) -> int:
    """The total in Stripe's minor units, which no line can exceed."""
    total = to_stripe(due)
    digits = _MAX_DIGITS.get(due.currency_code, _DEFAULT_MAX_DIGITS)
    if not 0 <= total < 10**digits:
        problem = "below zero" if total < 0 else f"with more than {digits} digits"
        raise InvalidRequest(
            f"{due} cannot be charged: Stripe accepts no amount {problem}.",
            fields={"amount": {"centAmount": due.cent_amount, "currencyCode": due.currency_code}},
        )
    return total


def _shares(total: int, parts: list[_PricedPart], due: Money) -> list[int]:
    """The total in proportion to the parts' prices, but delivery at the price that the shop names.

    Where the goods cannot bear the whole difference, or Stripe cannot charge delivery's exact
    price, all parts bear it.
    """
    goods = [0 if part.delivers else part.gross for part in parts]
    try:
        delivery = [
            to_stripe(due.with_amount(part.gross)) // stripe_step(due.currency_code)
            if part.delivers
            else 0
            for part in parts
        ]
    except InvalidRequest:
        return allocate(total, [part.gross for part in parts])
    rest = total - sum(delivery)
    if rest < 0 or (rest > 0 and not any(goods)):
        return allocate(total, [part.gross for part in parts])
    return [sum(each) for each in zip(delivery, allocate(rest, goods), strict=True)]


def _priced_parts(sale: Priced, locale: str | None, texts: LineTexts) -> Iterator[_PricedPart]:
    for line in sale.line_items:
        sku = line.variant.sku
        yield _PricedPart(
            localized(line.name, locale) or sku or texts.item,
            sale.gross(line).cent_amount,
            line.quantity,
            tuple(_line_notes(sale, line, locale, texts)),
            _pictures(line.variant.images),
            {"lineItemId": line.id} | ({"sku": sku} if sku else {}),
        )
    for custom in sale.custom_line_items:
        yield _PricedPart(
            localized(custom.name, locale) or texts.item,
            sale.gross(custom).cent_amount,
            custom.quantity,
            metadata={"lineItemId": custom.id},
        )
    for shipping in sale.shippings:
        method = shipping.shipping_method_name.strip()
        yield _PricedPart(
            f"{texts.shipping}: {method}" if method else texts.shipping,
            sale.gross(shipping).cent_amount,
            delivers=True,
        )


def _line_notes(
    sale: Priced, line: OrderLine, locale: str | None, texts: LineTexts
) -> Iterator[str]:
    """Which variant it is, and how its price changed: "Slate", "was €12.00, less SAVE10"."""
    if chosen := variant_options(line.variant.attributes, locale):
        yield shortened(chosen)
    if line.is_gift:
        yield texts.gift
        return
    before = line.price.value.cent_amount * line.quantity
    if before <= line.total_price.cent_amount:
        return
    # Where prices are without taxes, the price before would not compare with the line's.
    if sale.gross(line) == line.total_price:
        yield texts.was.format(price=shown_amount(line.price.value.with_amount(before), texts))
    if codes := sale.codes_of(line.discounts):
        yield texts.less.format(codes=", ".join(codes))


def _total_note(sale: Priced, texts: LineTexts) -> str:
    """What is said of each part that bears a discount on the total."""
    off = sale.discount_on_total_price
    codes = sale.codes_of(each.discount.id for each in off.included_discounts) if off else []
    return f"{texts.discounted}: {', '.join(codes)}" if codes else texts.discounted


def _pictures(images: list[Image]) -> tuple[str, ...]:
    """The first picture that a browser on another site can load."""
    found = (each.url for each in images if each.url.startswith(("https://", "http://")))
    return tuple(url for url in found if len(url) <= _MAX_ADDRESS)[:1]


def _line_item(
    part: _PricedPart, share: int, step: int, currency: str, note: str | None
) -> StripeLineItem:
    """A line of `share` times `step`: in pieces if all cost the same, else as one."""
    quantity = part.quantity
    in_pieces = share % quantity == 0
    notes = [*part.notes, note] if note and not part.delivers else part.notes
    product = ProductData(
        shortened(part.name, "" if in_pieces else f" \N{MULTIPLICATION SIGN} {quantity}"),
        ", ".join(notes) or None,
        list(part.images),
        part.metadata,
    )
    unit_amount = (share // quantity if in_pieces else share) * step
    return StripeLineItem(PriceData(currency, unit_amount, product), quantity if in_pieces else 1)
