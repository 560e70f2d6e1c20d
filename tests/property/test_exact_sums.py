"""Whatever an order holds, in whatever currency: Stripe's lines add up to its total, or none are.

`EXACT_SUM_EXAMPLES` sets the number of orders.
"""

from __future__ import annotations

import os
from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.orders import Order
from stripe_connector.money import to_stripe
from stripe_connector.storefront.allocation import allocate
from stripe_connector.storefront.line_items import MAX_LINES, checkout_lines
from stripe_connector.storefront.names import MAX_NAME
from tests.unit.test_money import DIGITS, THREE_DECIMALS

Json = dict[str, Any]
EXAMPLES = int(os.environ.get("EXACT_SUM_EXAMPLES", "300"))
exact_sums = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

WHOLE_AT_STRIPE = {
    *"BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(),
    *"ISK UGX".split(),
}
"""Currencies of which Stripe charges whole units only."""
MAX_DIGITS = {"COP": 10, "IDR": 12}

names = st.dictionaries(st.sampled_from(["en", "de", "de-AT", "fr"]), st.text(), max_size=3)
"""Also empty ones, and ones without a letter."""
ODD_CURRENCIES = sorted({*WHOLE_AT_STRIPE, *THREE_DECIMALS, "IQD", "LYD", *MAX_DIGITS})
currencies = st.one_of(st.sampled_from(sorted(DIGITS)), st.sampled_from(ODD_CURRENCIES))
amounts = st.one_of(st.integers(0, 20), st.integers(0, 50_000), st.integers(0, 10**9))


def decimals(currency: str) -> int:
    """Decimals that an amount may really have at Stripe."""
    return 0 if currency in WHOLE_AT_STRIPE else 2


@st.composite
def orders(draw: st.DrawFn) -> Order:
    """An order as commercetools adds it up, or nearly: the total is sometimes off by a little."""
    currency = draw(currencies)
    rate = draw(st.sampled_from([None, 0, 5, 7, 19, 21]))
    included = draw(st.booleans())

    def money(cents: int) -> Json:
        digits = DIGITS[currency]
        return {"currencyCode": currency, "centAmount": cents, "fractionDigits": digits}

    def priced(total: int) -> Json:
        """A price and its taxes, rounded as for one line."""
        if rate is None:
            return {"totalPrice": money(total)}
        net = total * 100 // (100 + rate) if included else total
        gross = total if included else total + round(Fraction(total * rate, 100))
        taxes = {"totalNet": money(net), "totalGross": money(gross)}
        return {"totalPrice": money(total), "taxedPrice": taxes}

    def line() -> Json:
        gift = draw(st.sampled_from([False, False, False, True]))
        price, quantity = draw(amounts), draw(st.integers(1, 12))
        off = draw(st.integers(0, price * quantity))
        return {
            "id": "line",
            "name": draw(names),
            "variant": {"id": 1} | draw(st.sampled_from([{}, {"sku": "A-1"}])),
            "price": {"value": money(price)},
            "quantity": quantity,
            "lineItemMode": "GiftLineItem" if gift else "Standard",
            **priced(0 if gift else price * quantity - draw(st.sampled_from([0, off]))),
        }

    def custom_line() -> Json:
        total = draw(st.one_of(amounts, amounts.map(lambda cents: -cents)))
        return {"id": "custom", "name": draw(names), "quantity": 1, **priced(total)}

    def shipping() -> Json:
        price = draw(amounts)
        reduced = draw(st.none() | st.integers(0, price))
        charged = priced(price if reduced is None else reduced)
        info = {"shippingMethodName": draw(st.text(max_size=8)), "price": money(price)} | charged
        return info | ({} if reduced is None else {"discountedPrice": {"value": money(reduced)}})

    lines = [line() for _ in range(draw(st.integers(0, 5)))]
    lines *= draw(st.sampled_from([1, 1, 1, 20, 50]))
    customs = [custom_line() for _ in range(draw(st.integers(0, 3)))]
    shippings = [shipping() for _ in range(draw(st.integers(0, 3)))]
    parts = [*lines, *customs, *shippings]

    total = sum(part["totalPrice"]["centAmount"] for part in parts)
    off = draw(st.sampled_from([0, draw(st.integers(0, max(0, total)))]))
    stray = draw(st.sampled_from([0, 0, -2, -1, 1, 2, 500]))
    gross = total - off + stray
    if rate is not None:
        gross += sum(
            part["taxedPrice"]["totalGross"]["centAmount"] - part["totalPrice"]["centAmount"]
            for part in parts
        )
    if draw(st.sampled_from([True, True, False])):
        gross -= gross % 10 ** max(0, DIGITS[currency] - decimals(currency))
    order: Json = {
        "id": "order-1",
        "version": 1,
        "createdAt": "2026-01-01T00:00:00.000Z",
        "totalPrice": money(gross if rate is None else total - off),
        "lineItems": lines,
        "customLineItems": customs,
        "shipping": [{"shippingInfo": info} for info in shippings],
    }
    if rate is not None:
        order["taxedPrice"] = {"totalNet": money(total - off), "totalGross": money(gross)}
    if len(shippings) == 1:
        order |= {"shippingInfo": shippings[0], "shipping": []}
    if off:
        order["discountOnTotalPrice"] = {"discountedAmount": money(off)}
    return msgspec.convert(order, Order)


def chargeable(order: Order) -> int | None:
    """What Stripe must charge, in its minor units; None where it has no such amount."""
    due = order.gross_total
    currency = due.currency_code
    units = Fraction(due.cent_amount, 10**due.fraction_digits)
    minor = units * (1 if currency in WHOLE_AT_STRIPE - {"ISK", "UGX"} else 100)
    if (units * 10 ** decimals(currency)).denominator > 1 or units < 0:
        return None
    amount = int(minor) * (10 if currency in THREE_DECIMALS else 1)
    return amount if len(str(amount)) <= MAX_DIGITS.get(currency, 8) else None


@exact_sums
@given(orders(), st.sampled_from([None, "de-AT", "fr"]))
def test_lines_add_up_to_the_total_or_the_order_is_refused(
    order: Order, locale: str | None
) -> None:
    total = chargeable(order)
    if total is None:
        event("refused")
        with pytest.raises(InvalidRequest, match="cannot be charged"):
            checkout_lines(order, number="1001", locale=locale)
        return

    lines = checkout_lines(order, number="1001", locale=locale)
    amounts = [item.price_data.unit_amount for item in lines.line_items]
    quantities = [item.quantity for item in lines.line_items]
    event("as a whole" if len(order.line_items) > len(lines.line_items) else "line by line")

    assert lines.total == total
    assert sum(a * q for a, q in zip(amounts, quantities, strict=True)) == total
    assert len(amounts) <= MAX_LINES
    assert all(quantity >= 1 for quantity in quantities)
    step = {"ISK": 100, "UGX": 100, **dict.fromkeys(THREE_DECIMALS, 10)}
    smallest = step.get(order.total_price.currency_code, 1)
    assert all(amount >= 0 and amount % smallest == 0 for amount in amounts)
    for item in lines.line_items:
        assert item.price_data.currency == order.total_price.currency_code.lower()
        assert 1 <= len(item.price_data.product_data.name) <= MAX_NAME
        assert item.price_data.product_data.name.strip()


@exact_sums
@given(orders())
def test_gifts_are_free_and_lines_of_exact_orders_keep_their_price(order: Order) -> None:
    if chargeable(order) is None:
        return
    lines = checkout_lines(order, number="1001").line_items
    if len(lines) < len(order.line_items):
        return
    gross = [
        *(order.gross(line).cent_amount for line in order.line_items),
        *(order.gross(line).cent_amount for line in order.custom_line_items),
        *(order.gross(shipping).cent_amount for shipping in order.shippings),
    ]
    positive = [cents for cents in gross if cents >= 0]
    charged = [item.price_data.unit_amount * item.quantity for item in lines]
    for line, amount in zip(order.line_items, charged, strict=False):
        assert not line.is_gift or amount == 0
    due = order.gross_total
    if sum(positive) <= due.cent_amount and DIGITS[due.currency_code] == decimals(
        due.currency_code
    ):
        as_charged = [to_stripe(due.with_amount(cents)) for cents in positive]
        assert charged[: len(positive)] == as_charged


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=30))
def test_parts_are_exact_shares_rounded_down_or_up(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    if not any(weights):
        assert parts == [0] * len(weights)
        return
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weights))) < 1
