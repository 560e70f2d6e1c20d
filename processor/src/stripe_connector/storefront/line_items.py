"""Line items of Stripe Checkout that add up exactly to what an order costs.

Stripe gets the total and its parts, and calculates nothing itself. The total, in the
smallest amounts that Stripe can charge, is divided over the order's parts in proportion to their
gross prices. Where the parts add up to the total, each keeps its price; where a discount on the
total, a negative custom line or the rounding of taxes makes the total smaller, all parts bear it;
where the total is larger, a line of its own closes the gap.

Shipping is a line like any other. Stripe's shipping options are alternatives of which the shopper
chooses one, so they cannot say that an order is shipped in several ways, and a discount on the
total could not reach them.

https://docs.stripe.com/api/checkout/sessions/create#create_checkout_session-line_items
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from msgspec import Struct

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.orders import Priced
from stripe_connector.money import Money, stripe_step, to_stripe
from stripe_connector.storefront.allocation import allocate
from stripe_connector.storefront.names import localized, shortened

MAX_LINES = 100
"""Line items of one Checkout Session in payment mode."""

_MAX_DIGITS = {"COP": 10, "IDR": 12}
_DEFAULT_MAX_DIGITS = 8
"""Digits of an amount that every payment method accepts (https://docs.stripe.com/currencies)."""


class ProductData(Struct, frozen=True, omit_defaults=True):
    name: str
    description: str | None = None
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

    def params(self) -> list[dict[str, Any]]:
        """The line items as Stripe's `line_items` parameter."""
        params: list[dict[str, Any]] = msgspec.to_builtins(self.line_items)
        return params


class LineTexts(Struct, frozen=True):
    """Texts for the shopper beside the order's own names; none may be empty."""

    item: str = "Item"
    shipping: str = "Shipping"
    order: str = "Order"
    rest: str = "Still to pay for order"
    gift: str = "Gift"
    adjustment: str = "Surcharges and rounding"
    discounted: str = "Discount included"


ENGLISH = LineTexts()


class _PricedPart(Struct, frozen=True):
    """Something that costs `gross` minor units of commercetools."""

    name: str
    gross: int
    quantity: int = 1
    description: str | None = None
    metadata: dict[str, str] = {}


def checkout_lines(
    sale: Priced,
    *,
    number: str,
    due: Money | None = None,
    locale: str | None = None,
    texts: LineTexts = ENGLISH,
) -> CheckoutLines:
    """The line items of an order or cart.

    `number` is the one that the shopper knows: the name where there are too many lines to show.
    `due` is the amount to pay, by default the total; a rest is one line.
    Raises InvalidRequest where Stripe cannot charge exactly that: below zero, too large, or not a
    multiple of the currency's smallest amount.
    """
    due = due or sale.gross_total
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
    note = texts.discounted if reduced and missing < 0 else None
    step = stripe_step(due.currency_code)
    shares = allocate(total // step, [part.gross for part in parts])
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


def _priced_parts(sale: Priced, locale: str | None, texts: LineTexts) -> Iterator[_PricedPart]:
    for line in sale.line_items:
        sku = line.variant.sku
        yield _PricedPart(
            localized(line.name, locale) or sku or texts.item,
            sale.gross(line).cent_amount,
            line.quantity,
            texts.gift if line.is_gift else None,
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
        )


def _line_item(
    part: _PricedPart, share: int, step: int, currency: str, note: str | None
) -> StripeLineItem:
    """A line of `share` times `step`: in pieces if all cost the same, else as one."""
    quantity = part.quantity
    in_pieces = share % quantity == 0
    product = ProductData(
        shortened(part.name, "" if in_pieces else f" \N{MULTIPLICATION SIGN} {quantity}"),
        part.description or note,
        part.metadata,
    )
    unit_amount = (share // quantity if in_pieces else share) * step
    return StripeLineItem(PriceData(currency, unit_amount, product), quantity if in_pieces else 1)
