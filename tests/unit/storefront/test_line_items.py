"""An order on Stripe's page: what the shopper reads, and that it adds up."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.orders import Order
from stripe_connector.storefront.line_items import (
    MAX_LINES,
    CheckoutLines,
    checkout_lines,
)
from stripe_connector.storefront.line_texts import LineTexts
from stripe_connector.storefront.names import MAX_NAME, localized, shortened

Json = dict[str, Any]
TIMES = "\N{MULTIPLICATION SIGN}"
DIGITS = {"JPY": 0, "ISK": 0, "UGX": 0, "KWD": 3}


def money(cents: int, currency: str = "EUR") -> Json:
    return {
        "type": "centPrecision",
        "currencyCode": currency,
        "centAmount": cents,
        "fractionDigits": DIGITS.get(currency, 2),
    }


def taxed(net: int, gross: int) -> Json:
    return {"totalNet": money(net), "totalGross": money(gross), "totalTax": money(gross - net)}


def line(total: int, quantity: int = 1, currency: str = "EUR", **fields: Any) -> Json:
    return {
        "id": "line-1",
        "name": {"en": "Shirt", "de": "Hemd"},
        "variant": {"id": 1, "sku": "SHIRT-M"},
        "price": {"value": money(total // quantity, currency)},
        "quantity": quantity,
        "totalPrice": money(total, currency),
        **fields,
    }


def custom_line(total: int, name: str = "Engraving") -> Json:
    return {"id": "custom-1", "name": {"en": name}, "quantity": 1, "totalPrice": money(total)}


def shipping(price: int, name: str = "Standard", **fields: Any) -> Json:
    return {"shippingMethodName": name, "price": money(price), **fields}


def order(total: int, *lines: Json, currency: str = "EUR", **fields: Any) -> Order:
    """An order as commercetools sends it."""
    return msgspec.convert(
        {
            "id": "order-1",
            "version": 1,
            "createdAt": "2026-01-01T00:00:00.000Z",
            "totalPrice": money(total, currency),
            "lineItems": list(lines),
            **fields,
        },
        Order,
    )


def read(placed: Order, **options: Any) -> list[tuple[str, int, int]]:
    """Name, unit amount and quantity of every line, after checking that they add up."""
    lines = checkout_lines(placed, number="1001", **options)
    assert added_up(lines) == lines.total
    return [
        (item.price_data.product_data.name, item.price_data.unit_amount, item.quantity)
        for item in lines.line_items
    ]


def added_up(lines: CheckoutLines) -> int:
    return sum(item.price_data.unit_amount * item.quantity for item in lines.line_items)


def descriptions(placed: Order, **options: Any) -> list[str | None]:
    lines = checkout_lines(placed, number="1001", **options).line_items
    return [item.price_data.product_data.description for item in lines]


def test_an_order_becomes_stripes_parameter() -> None:
    placed = order(2500, line(2000, 2), shippingInfo=shipping(500))
    lines = checkout_lines(
        placed, number="1001", locale="de-DE", texts=LineTexts(shipping="Versand")
    )
    assert (lines.currency, lines.total) == ("eur", 2500)
    assert lines.params() == [
        {
            "price_data": {
                "currency": "eur",
                "unit_amount": 1000,
                "product_data": {
                    "name": "Hemd",
                    "metadata": {"lineItemId": "line-1", "sku": "SHIRT-M"},
                },
                "tax_behavior": "inclusive",
            },
            "quantity": 2,
        },
        {
            "price_data": {
                "currency": "eur",
                "unit_amount": 500,
                "product_data": {"name": "Versand: Standard"},
                "tax_behavior": "inclusive",
            },
            "quantity": 1,
        },
    ]


def test_a_line_that_its_quantity_does_not_divide_is_sold_as_one() -> None:
    assert read(order(1000, line(1000, 3))) == [(f"Shirt {TIMES} 3", 1000, 1)]


@pytest.mark.parametrize(
    ("currency", "cents", "unit_amount", "quantity"),
    [
        ("JPY", 1000, 500, 2),
        ("ISK", 1000, 50_000, 2),
        ("ISK", 1001, 100_100, 1),  # half of it would be 500.50
        ("KWD", 1020, 510, 2),
        ("KWD", 1010, 1010, 1),  # half of it would be 0.505
    ],
)
def test_a_piece_costs_only_what_stripe_can_charge(
    currency: str, cents: int, unit_amount: int, quantity: int
) -> None:
    [(_, *sold)] = read(order(cents, line(cents, 2, currency), currency=currency))
    assert sold == [unit_amount, quantity]


def test_lines_that_stripe_cannot_charge_alone_are_levelled_out_within_the_total() -> None:
    placed = order(2470, line(1233, currency="KWD"), line(1237, currency="KWD"), currency="KWD")
    assert [amount for _, amount, _ in read(placed)] == [1230, 1240]
    assert descriptions(placed) == [None, None]


def test_taxes_are_part_of_every_price() -> None:
    placed = order(
        1500,
        line(1000, 2, taxedPrice=taxed(1000, 1190)),
        shippingInfo=shipping(500, taxedPrice=taxed(500, 595)),
        taxedPrice=taxed(1500, 1785),
    )
    assert read(placed) == [("Shirt", 595, 2), ("Shipping: Standard", 595, 1)]


def test_taxes_count_only_where_the_whole_order_is_taxed() -> None:
    placed = order(1500, line(1000, taxedPrice=taxed(1000, 1190)), shippingInfo=shipping(500))
    assert read(placed) == [("Shirt", 1000, 1), ("Shipping: Standard", 500, 1)]


def test_a_discount_on_the_total_is_borne_by_all_lines_and_mentioned() -> None:
    placed = order(
        2000,
        line(1000),
        line(1000),
        line(1000),
        shippingInfo=shipping(0),
        discountOnTotalPrice={"discountedAmount": money(1000)},
    )
    assert read(placed) == [
        ("Shirt", 667, 1),
        ("Shirt", 667, 1),
        ("Shirt", 666, 1),
        ("Shipping: Standard", 0, 1),
    ]
    assert descriptions(placed) == ["Discount included"] * 3 + [None]


def test_a_negative_custom_line_is_a_discount() -> None:
    placed = order(700, line(1000), customLineItems=[custom_line(-300, "Voucher")])
    assert read(placed) == [("Shirt", 700, 1)]
    assert descriptions(placed, texts=LineTexts(discounted="inkl. Rabatt")) == ["inkl. Rabatt"]


def test_taxes_rounded_on_the_total_are_levelled_out_without_a_word() -> None:
    placed = order(
        200,
        line(100, taxedPrice=taxed(100, 120)),
        line(100, taxedPrice=taxed(100, 120)),
        taxedPrice=taxed(200, 239),
    )
    assert read(placed) == [("Shirt", 120, 1), ("Shirt", 119, 1)]
    assert descriptions(placed) == [None, None]


def test_what_no_line_explains_has_a_line_of_its_own() -> None:
    placed = order(1001, line(1000, 2))
    assert read(placed) == [("Shirt", 500, 2), ("Surcharges and rounding", 1, 1)]


def test_delivery_costs_what_the_shop_says_as_long_as_the_goods_bear_the_discount() -> None:
    off = {"discountedAmount": money(500)}
    placed = order(1000, line(1000), shippingInfo=shipping(500), discountOnTotalPrice=off)
    assert read(placed) == [("Shirt", 500, 1), ("Shipping: Standard", 500, 1)]
    assert descriptions(placed) == ["Discount included", None]
    more = {"discountedAmount": money(1200)}
    placed = order(300, line(1000), shippingInfo=shipping(500), discountOnTotalPrice=more)
    assert read(placed) == [("Shirt", 200, 1), ("Shipping: Standard", 100, 1)]


def test_a_line_says_which_variant_it_is_and_shows_it() -> None:
    variant = {
        "id": 2,
        "images": [
            {"url": "data:image/png;base64,AA", "dimensions": {"w": 1, "h": 1}},
            {"url": "https://img.example/slate.png", "dimensions": {"w": 1, "h": 1}},
            {"url": "https://img.example/back.png", "dimensions": {"w": 1, "h": 1}},
        ],
        "attributes": [
            {"name": "purchase-price", "value": 3},
            {
                "name": "Color",
                "value": {"key": "slate", "label": {"de": "Schiefer", "en": "Slate"}},
            },
            {"name": "size", "value": "350 ml"},
        ],
    }
    [item] = checkout_lines(
        order(1000, line(1000, variant=variant)), number="1001", locale="de"
    ).line_items
    product = item.price_data.product_data
    assert product.description == "Schiefer, 350 ml"
    assert product.images == ["https://img.example/slate.png"]


def discounted(units: int, *discounts: str) -> Json:
    included = [
        {"discount": {"typeId": "cart-discount", "id": id_}, "discountedAmount": money(1)}
        for id_ in discounts
    ]
    price = {"value": money(units), "includedDiscounts": included}
    return {"discountedPricePerQuantity": [{"quantity": 2, "discountedPrice": price}]}


def entered(code: str, *discounts: str) -> Json:
    brings = [{"typeId": "cart-discount", "id": id_} for id_ in discounts]
    reference = {"typeId": "discount-code", "id": code, "obj": {"code": code}}
    reference["obj"]["cartDiscounts"] = brings  # type: ignore[index]
    return {"discountCode": reference, "state": "MatchesCart"}


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en-GB", "was €24.00, less SAVE10"),
        ("de-AT", "statt 24,00\N{NO-BREAK SPACE}€, abzüglich SAVE10"),
        ("nl", "was €\N{NO-BREAK SPACE}24,00, min SAVE10"),
        ("sv", "was €24.00, less SAVE10"),
    ],
)
def test_a_reduced_line_says_what_it_was_and_by_which_code(locale: str, said: str) -> None:
    reduced = line(2160, 2, price={"value": money(1200)}, **discounted(1080, "ten"))
    codes = [entered("SAVE10", "ten"), entered("OTHER", "other")]
    assert descriptions(order(2160, reduced, discountCodes=codes), locale=locale) == [said]


def test_a_code_that_cannot_be_read_is_not_named() -> None:
    reduced = line(2160, 2, price={"value": money(1200)}, **discounted(1080, "ten"))
    unknown = {"discountCode": {"typeId": "discount-code", "id": "1"}, "state": "MatchesCart"}
    assert descriptions(order(2160, reduced, discountCodes=[unknown])) == ["was €24.00"]


def test_a_price_before_taxes_is_not_compared_with_one_that_contains_them() -> None:
    reduced = line(
        1000, price={"value": money(1200)}, taxedPrice=taxed(1000, 1100), **discounted(1000, "ten")
    )
    placed = order(
        1000, reduced, taxedPrice=taxed(1000, 1100), discountCodes=[entered("SAVE10", "ten")]
    )
    assert descriptions(placed) == ["less SAVE10"]


def test_a_discount_on_the_total_names_its_code() -> None:
    off = {
        "discountedAmount": money(100),
        "includedDiscounts": [
            {"discount": {"typeId": "cart-discount", "id": "five"}, "discountedAmount": money(100)}
        ],
    }
    placed = order(
        900, line(1000), discountOnTotalPrice=off, discountCodes=[entered("FIVEOFF", "five")]
    )
    assert descriptions(placed) == ["Discount included: FIVEOFF"]


def test_a_gift_costs_nothing_and_says_so() -> None:
    gift = line(0, 2, lineItemMode="GiftLineItem")
    placed = order(900, line(1000), gift, discountOnTotalPrice={"discountedAmount": money(100)})
    assert read(placed) == [("Shirt", 900, 1), ("Shirt", 0, 2)]
    assert descriptions(placed) == ["Discount included", "Gift"]


def test_shipping_to_several_addresses_is_several_lines() -> None:
    placed = order(
        1900,
        line(1000),
        shippingMode="Multiple",
        shipping=[
            {"shippingKey": "home", "shippingInfo": shipping(500, "Express")},
            {
                "shippingKey": "work",
                "shippingInfo": shipping(500, " ", discountedPrice={"value": money(400)}),
            },
        ],
    )
    assert read(placed)[1:] == [("Shipping: Express", 500, 1), ("Shipping", 400, 1)]


def test_as_many_lines_as_stripe_takes_are_shown() -> None:
    assert len(read(order(100 * MAX_LINES, *[line(100)] * MAX_LINES))) == MAX_LINES


def test_more_lines_than_stripe_takes_become_the_order_as_a_whole() -> None:
    placed = order(100 * MAX_LINES + 500, *[line(100)] * MAX_LINES, shippingInfo=shipping(500))
    assert read(placed) == [("Order 1001", 10_500, 1)]


def test_nothing_to_pay_is_a_total_of_nothing() -> None:
    placed = order(0, line(500), discountOnTotalPrice={"discountedAmount": money(500)})
    assert read(placed) == [("Shirt", 0, 1)]
    assert read(order(0)) == []


@pytest.mark.parametrize(
    ("cents", "currency", "why"),
    [
        (1234, "KWD", "cannot be charged exactly"),
        (-1, "EUR", "no amount below zero"),
        (100_000_000, "EUR", "no amount with more than 8 digits"),
        (1_000_000, "UGX", "no amount with more than 8 digits"),
        (10_000_000_000, "COP", "no amount with more than 10 digits"),
    ],
)
def test_a_total_that_stripe_cannot_charge_is_refused(cents: int, currency: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refusal:
        checkout_lines(order(cents, currency=currency), number="1001")
    assert refusal.value.fields["amount"] == {"centAmount": cents, "currencyCode": currency}


@pytest.mark.parametrize(
    ("cents", "currency"), [(99_999_999, "EUR"), (9_999_999_999, "COP"), (100_000_000, "IDR")]
)
def test_the_largest_totals_are_taken(cents: int, currency: str) -> None:
    assert read(order(cents, line(cents, currency=currency), currency=currency)) == [
        ("Shirt", cents, 1)
    ]


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        ("de-AT", "Leiberl"),
        ("de", "Hemd"),
        ("de-CH", "Hemd"),
        ("fr", "Chemise"),
        ("it", "Shirt"),
        (None, "Shirt"),
    ],
)
def test_a_name_is_read_in_the_nearest_language(locale: str | None, expected: str) -> None:
    names = {"fr-CA": "Chemise", "de-AT": "Leiberl", "de": "Hemd", "en-GB": "Shirt", "it": " "}
    assert localized(names, locale) == expected


def test_without_english_any_language_will_do() -> None:
    assert localized({"pl": "Koszula"}, "de") == "Koszula"


def test_a_line_without_a_name_is_called_by_its_sku_or_just_an_item() -> None:
    nameless = line(100, name={"en": " "})
    unknown = line(100, name={}, variant={"id": 1})
    custom = custom_line(100, "")
    assert [name for name, *_ in read(order(300, nameless, unknown, customLineItems=[custom]))] == [
        "SHIRT-M",
        "Item",
        "Item",
    ]


def test_a_long_name_is_cut_and_keeps_its_quantity() -> None:
    [(name, *_)] = read(order(100, line(100, 3, name={"en": "Long " * 100})))
    assert len(name) == MAX_NAME
    assert name.endswith(f"… {TIMES} 3")
    assert shortened("x" * MAX_NAME) == "x" * MAX_NAME


def test_a_name_is_one_line() -> None:
    assert shortened(" A\n shirt\t") == "A shirt"


def test_the_payments_of_an_order_are_those_that_were_expanded() -> None:
    payment = {"id": "p-1", "version": 1, "amountPlanned": money(100)}
    references = [{"typeId": "payment", "id": "p-1", "obj": payment}, {"id": "p-2"}]
    placed = order(100, line(100), paymentInfo={"payments": references})
    assert [p.id for p in placed.payments] == ["p-1"]
