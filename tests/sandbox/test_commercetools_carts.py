"""Carts and orders of the commercetools stand-in: totals, taxes, discounts, payments, ordering."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.commercetools.money import allocate
from sandbox.commercetools.seed import identifier
from tests.sandbox.commercetools_world import BERLIN, World, refusal

_NEW_YORK = {"country": "US", "state": "NY"}


@pytest.fixture
def world() -> World:
    return World()


def _taxed(cart: dict[str, Any]) -> tuple[int, int, int]:
    taxed = cart["taxedPrice"]
    return tuple(taxed[part]["centAmount"] for part in ("totalNet", "totalTax", "totalGross"))


def _reference(payment: dict[str, Any]) -> dict[str, Any]:
    return {"action": "addPayment", "payment": {"typeId": "payment", "id": payment["id"]}}


@pytest.mark.parametrize(
    ("currency", "address", "total", "digits", "taxed"),
    [
        # One mug at the standard rate, one notebook at the reduced one.
        ("EUR", BERLIN, 1490 + 1195, 2, (1252 + 1117, 238 + 78, 2685)),
        ("USD", _NEW_YORK, 1650 + 1295, 2, (2945, 146 + 52, 2945 + 146 + 52)),
        ("JPY", {"country": "JP"}, 2400 + 1900, 0, (2182 + 1759, 218 + 141, 4300)),
        ("KWD", {"country": "KW"}, 5100 + 3950, 3, (9050, 0, 9050)),
    ],
)
async def test_totals_and_taxes_are_those_of_the_address(
    world: World,
    currency: str,
    address: dict[str, str],
    total: int,
    digits: int,
    taxed: tuple[int, int, int],
) -> None:
    cart = await world.cart(
        "stoneware-mug-1", "field-notebook-1", currency=currency, shippingAddress=address
    )
    assert cart["totalPrice"] == {
        "type": "centPrecision",
        "centAmount": total,
        "currencyCode": currency,
        "fractionDigits": digits,
    }
    assert _taxed(cart) == taxed


async def test_a_cart_without_address_has_no_taxes(world: World) -> None:
    cart = await world.cart("stoneware-mug-1")
    assert "taxedPrice" not in cart
    taxed = await world.change("carts", cart, {"action": "setShippingAddress", "address": BERLIN})
    assert _taxed(taxed) == (1252, 238, 1490)
    bare = await world.change("carts", taxed, {"action": "setShippingAddress"})
    assert "taxedPrice" not in bare


async def test_unit_price_tax_is_rounded_before_it_is_multiplied(world: World) -> None:
    draft = {"currency": "EUR", "shippingAddress": BERLIN}
    lines = [{"sku": "field-notebook-1", "quantity": 7}]
    by_line = await world.create("carts", {**draft, "lineItems": lines})
    by_unit = await world.create(
        "carts", {**draft, "lineItems": lines, "taxCalculationMode": "UnitPriceLevel"}
    )
    assert _taxed(by_line)[0] == 7818
    assert _taxed(by_unit)[0] == 1117 * 7


async def test_shipping_is_taxed_and_free_above_its_limit(world: World) -> None:
    method = {"typeId": "shipping-method", "key": "standard"}
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN, shippingMethod=method)
    assert cart["totalPrice"]["centAmount"] == 1490 + 490
    assert cart["taxedShippingPrice"]["totalGross"]["centAmount"] == 490
    line = cart["lineItems"][0]["id"]
    change = {"action": "changeLineItemQuantity", "lineItemId": line, "quantity": 7}
    full = await world.change("carts", cart, change)
    assert full["totalPrice"]["centAmount"] == 1490 * 7
    assert full["totalLineItemQuantity"] == 7
    moved = {"action": "setShippingAddress", "address": {"country": "GB"}}
    stranded = await world.change("carts", cart | {"version": full["version"]}, moved)
    assert stranded["shippingInfo"]["shippingMethodState"] == "DoesNotMatchCart"
    refused = await _order(world, stranded)
    assert refusal(refused) == (400, "ShippingMethodDoesNotMatchCart")


async def test_lines_are_added_merged_and_removed(world: World) -> None:
    add = {"action": "addLineItem", "sku": "brass-pen-1", "quantity": 2}
    cart = await world.change("carts", await world.cart("brass-pen-1"), add)
    (line,) = cart["lineItems"]
    assert (line["quantity"], line["totalPrice"]["centAmount"]) == (3, 3 * 3999)
    less = {"action": "removeLineItem", "lineItemId": line["id"], "quantity": 1}
    cart = await world.change("carts", cart, less)
    assert cart["totalPrice"]["centAmount"] == 2 * 3999
    cart = await world.change("carts", cart, {"action": "removeLineItem", "lineItemId": line["id"]})
    assert (cart["lineItems"], cart["totalPrice"]["centAmount"]) == ([], 0)


async def test_custom_lines_count(world: World) -> None:
    line = {
        "action": "addCustomLineItem",
        "name": {"en": "Engraving"},
        "slug": "engraving",
        "money": {"centAmount": 1001, "currencyCode": "EUR"},
        "quantity": 2,
        "taxCategory": {"typeId": "tax-category", "key": "standard"},
    }
    cart = await world.change("carts", await world.cart(shippingAddress=BERLIN), line)
    assert _taxed(cart) == (1682, 320, 2002)


@pytest.mark.parametrize(
    ("code", "total", "net"),
    [
        ("SAVE10", 1341 + 490, 1127 + 412),
        ("FIVEOFF", 1490 + 490 - 500, 1252 + 412 - 420),
        ("FREESHIP", 1490, 1252),
    ],
)
async def test_discounts_lower_total_and_taxes(
    world: World, code: str, total: int, net: int
) -> None:
    method = {"typeId": "shipping-method", "key": "standard"}
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN, shippingMethod=method)
    lower = await world.change("carts", cart, {"action": "addDiscountCode", "code": code})
    assert lower["totalPrice"]["centAmount"] == total
    assert _taxed(lower) == (net, total - net, total)
    reference = lower["discountCodes"][0]["discountCode"]
    remove = {"action": "removeDiscountCode", "discountCode": reference}
    assert (await world.change("carts", lower, remove))["totalPrice"] == cart["totalPrice"]


@pytest.mark.parametrize(
    ("action", "code"),
    [
        ({"action": "addLineItem", "sku": "none"}, "InvalidField"),
        ({"action": "addDiscountCode", "code": "NONE"}, "DiscountCodeNonApplicable"),
        (
            {"action": "setShippingAddress", "address": {"country": "NO"}},
            "MissingTaxRateForCountry",
        ),
        ({"action": "setShippingMethod", "shippingMethod": {"key": "express"}}, "InvalidOperation"),
        ({"action": "setCustomerId", "customerId": "none"}, "ReferencedResourceNotFound"),
        ({"action": "unfreezeCart"}, "InvalidOperation"),
        ({"action": "recalculatee"}, "InvalidJsonInput"),
    ],
)
async def test_impossible_actions_are_refused(
    world: World, action: dict[str, Any], code: str
) -> None:
    cart = await world.cart("stoneware-mug-1")
    assert refusal(await world.act("carts", cart, action)) == (400, code)
    assert (await world.get(f"carts/{cart['id']}")).json() == cart


async def test_a_currency_without_price_is_refused(world: World) -> None:
    draft = {"currency": "CHF", "lineItems": [{"sku": "stoneware-mug-1"}]}
    assert refusal(await world.post("carts", draft)) == (400, "MatchingPriceNotFound")


async def test_a_frozen_cart_takes_payments_but_no_lines(world: World) -> None:
    cart = await world.cart("stoneware-mug-1")
    frozen = await world.change("carts", cart, {"action": "freezeCart"})
    assert (frozen["cartState"], frozen["freezeStrategy"]) == ("Frozen", "SoftFreeze")
    line = {"action": "addLineItem", "sku": "brass-pen-1"}
    assert refusal(await world.act("carts", frozen, line)) == (400, "InvalidOperation")
    paid = await world.change("carts", frozen, _reference(await world.payment()))
    thawed = await world.change("carts", paid, {"action": "unfreezeCart"}, line)
    assert thawed["cartState"] == "Active"
    empty = await world.act("carts", await world.cart(), {"action": "freezeCart"})
    assert refusal(empty) == (400, "InvalidOperation")


async def test_a_payment_is_on_one_active_cart_or_order_only(world: World) -> None:
    payment = await world.payment()
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    paid = await world.change("carts", cart, _reference(payment))
    assert await world.change("carts", paid, _reference(payment)) == paid
    other = await world.cart("stoneware-mug-1")
    refused = await world.act("carts", other, _reference(payment))
    assert refusal(refused) == (400, "InvalidOperation")
    order = (await _order(world, paid)).json()
    assert order["paymentInfo"] == paid["paymentInfo"]
    refused = await world.act("carts", other, _reference(payment))
    assert refusal(refused) == (400, "InvalidOperation")
    where = f'paymentInfo(payments(id="{payment["id"]}"))'
    assert (await world.get("orders", where=where)).json()["results"] == [order]
    (ordered,) = (await world.get("carts", where=where)).json()["results"]
    assert (ordered["id"], ordered["cartState"]) == (cart["id"], "Ordered")
    free = {**_reference(payment), "action": "removePayment"}
    assert "paymentInfo" not in await world.change("orders", order, free)
    await world.change("carts", other, _reference(payment))


async def test_expanded_payments_are_whole_but_their_token_is_masked(world: World) -> None:
    payment = await world.payment(paymentMethodInfo={"token": {"value": "pm_secret"}})
    cart = await world.change("carts", await world.cart(), _reference(payment))
    response = await world.get(f"carts/{cart['id']}", expand="paymentInfo.payments[*]")
    (reference,) = response.json()["paymentInfo"]["payments"]
    assert reference["obj"]["amountPlanned"] == payment["amountPlanned"]
    assert reference["obj"]["paymentMethodInfo"]["token"]["value"] != "pm_secret"
    page = (await world.get("carts", expand="paymentInfo.payments[*]")).json()
    assert page["results"] == [response.json()]
    plain = (await world.get(f"payments/{payment['id']}")).json()
    assert plain["paymentMethodInfo"]["token"]["value"] == "pm_secret"


async def test_carts_are_found_by_customer_id_and_key(world: World) -> None:
    customer = identifier("customer", "grace")
    cart = await world.cart(key="basket", customerId=customer)
    await world.cart()
    for where in (f'customerId="{customer}"', f'id="{cart["id"]}"', 'key="basket"'):
        assert (await world.get("carts", where=where)).json()["results"] == [cart]
    assert (await world.get("carts/key=basket")).json() == cart


async def _order(world: World, cart: dict[str, Any], **draft: Any) -> Any:
    reference = {"typeId": "cart", "id": cart["id"]}
    return await world.post("orders", {"cart": reference, "version": cart["version"], **draft})


async def test_an_order_is_the_cart_and_closes_it(world: World) -> None:
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    response = await _order(world, cart, orderNumber="A-1")
    order = response.json()
    assert response.status_code == 201
    assert (order["orderState"], order["orderNumber"]) == ("Open", "A-1")
    assert "paymentState" not in order
    assert order["cart"] == {"typeId": "cart", "id": cart["id"]}
    assert order["taxedPrice"] == cart["taxedPrice"]
    assert (await world.get("orders/order-number=A-1")).json() == order
    closed = (await world.get(f"carts/{cart['id']}")).json()
    assert (closed["cartState"], closed["version"]) == ("Ordered", cart["version"] + 1)
    assert refusal(await _order(world, closed)) == (400, "InvalidOperation")
    key = {"action": "setKey", "key": "late"}
    assert refusal(await world.act("carts", closed, key)) == (400, "InvalidOperation")


async def test_an_order_number_is_unique_and_a_refused_order_leaves_the_cart(world: World) -> None:
    first = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    second = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    await _order(world, first, orderNumber="A-1")
    refused = await _order(world, second, orderNumber="A-1")
    assert refusal(refused) == (400, "DuplicateField")
    assert refused.json()["errors"][0]["field"] == "orderNumber"
    assert (await world.get(f"carts/{second['id']}")).json() == second


async def test_a_cart_that_is_not_ready_cannot_be_ordered(world: World) -> None:
    assert refusal(await _order(world, await world.cart()))[0] == 400
    homeless = await world.cart("stoneware-mug-1")
    assert refusal(await _order(world, homeless)) == (400, "InvalidOperation")
    stale = {**homeless, "version": 9}
    assert refusal(await _order(world, stale)) == (409, "ConcurrentModification")
    dead_code = await world.cart(
        "stoneware-mug-1", shippingAddress=BERLIN, discountCodes=["LASTYEAR"]
    )
    assert refusal(await _order(world, dead_code)) == (400, "DiscountCodeNonApplicable")


async def test_order_states_change_within_their_sets(world: World) -> None:
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    order = (await _order(world, cart)).json()
    changed = await world.change(
        "orders",
        order,
        {"action": "changePaymentState", "paymentState": "Paid"},
        {"action": "changeOrderState", "orderState": "Confirmed"},
    )
    assert (changed["paymentState"], changed["orderState"]) == ("Paid", "Confirmed")
    wrong = {"action": "changeOrderState", "orderState": "Paid"}
    assert refusal(await world.act("orders", changed, wrong)) == (400, "InvalidField")


@pytest.mark.parametrize(
    ("amount", "weights", "parts"),
    [(10, [1, 1, 1], [4, 3, 3]), (5, [0, 0], [0, 0]), (7, [3, 0, 1], [5, 0, 2])],
)
def test_allocation_adds_up(amount: int, weights: list[int], parts: list[int]) -> None:
    assert allocate(amount, weights) == parts


@pytest.mark.parametrize(
    ("action", "field", "value"),
    [
        ({"action": "setKey", "key": "basket"}, "key", "basket"),
        ({"action": "setLocale", "locale": "de-DE"}, "locale", "de-DE"),
        ({"action": "setCountry", "country": "FR"}, "country", "FR"),
        (
            {"action": "setCustomerEmail", "email": "a@example.com"},
            "customerEmail",
            "a@example.com",
        ),
        ({"action": "setAnonymousId", "anonymousId": "x"}, "anonymousId", "x"),
        (
            {"action": "setCustomerId", "customerId": identifier("customer", "ada")},
            "customerId",
            identifier("customer", "ada"),
        ),
        ({"action": "setBillingAddress", "address": BERLIN}, "billingAddress", BERLIN),
    ],
)
async def test_a_cart_takes_what_the_shopper_says(
    world: World, action: dict[str, Any], field: str, value: object
) -> None:
    cart = await world.change("carts", await world.cart("brass-pen-1"), action)
    assert cart[field] == value
    assert await world.change("carts", cart, {"action": "recalculate"}) == cart


async def test_lines_recur_and_have_custom_fields(world: World) -> None:
    await world.create(
        "types",
        {
            "key": "line",
            "name": {"en": "Line"},
            "resourceTypeIds": ["line-item"],
            "fieldDefinitions": [{"name": "note", "label": {}, "type": {"name": "String"}}],
        },
    )
    recurrence = {
        "recurrencePolicy": {"typeId": "recurrence-policy", "id": "monthly"},
        "priceSelectionMode": "Fixed",
    }
    cart = await world.cart("brass-pen-1")
    line_id = cart["lineItems"][0]["id"]
    named = {"lineItemId": line_id}
    cart = await world.change(
        "carts",
        cart,
        {"action": "setLineItemRecurrenceInfo", **named, "recurrenceInfo": recurrence},
        {"action": "setLineItemCustomType", **named, "type": {"key": "line"}},
        {"action": "setLineItemCustomField", **named, "name": "note", "value": "gift"},
    )
    (line,) = cart["lineItems"]
    assert line["recurrenceInfo"] == recurrence
    assert line["custom"]["fields"] == {"note": "gift"}
    cart = await world.change("carts", cart, {"action": "addLineItem", "sku": "brass-pen-1"})
    assert [other["quantity"] for other in cart["lineItems"]] == [1, 1]


async def test_shipping_methods_that_match_a_cart_are_marked(world: World) -> None:
    cart = await world.cart("brass-pen-1", shippingAddress={"country": "JP"}, currency="JPY")
    page = (await world.get("shipping-methods/matching-cart", cartId=cart["id"])).json()
    matching = [
        rate["price"]["centAmount"]
        for method in page["results"]
        for zone in method["zoneRates"]
        for rate in zone["shippingRates"]
        if rate["isMatching"]
    ]
    assert matching == [800, 2000]


async def test_an_order_keeps_its_number_and_takes_late_changes(world: World) -> None:
    cart = await world.cart("stoneware-mug-1", shippingAddress=BERLIN)
    order = (await _order(world, cart)).json()
    changed = await world.change(
        "orders",
        order,
        {"action": "setOrderNumber", "orderNumber": "A-2"},
        {"action": "setCustomerEmail", "email": "late@example.com"},
        {"action": "setBillingAddress", "address": BERLIN},
        {"action": "changeShipmentState", "shipmentState": "Shipped"},
        _reference(await world.payment()),
    )
    assert (changed["orderNumber"], changed["shipmentState"]) == ("A-2", "Shipped")
    assert len(changed["paymentInfo"]["payments"]) == 1
    renumber = {"action": "setOrderNumber", "orderNumber": "A-3"}
    assert refusal(await world.act("orders", changed, renumber)) == (400, "InvalidOperation")
    expanded = (await world.get(f"orders/{order['id']}", expand="cart")).json()
    assert expanded["cart"]["obj"]["cartState"] == "Ordered"


async def test_a_promotion_shows_in_a_cart_at_its_next_update_and_in_no_read(world: World) -> None:
    cart = await world.cart("stoneware-mug-1")
    begun = await world.http.post(
        "/_sandbox/commercetools/discounts/save10", json={"requiresDiscountCode": False}
    )
    assert begun.json()["requiresDiscountCode"] is False
    read = (await world.get(f"carts/{cart['id']}")).json()
    assert read["totalPrice"] == cart["totalPrice"]
    payment = await world.create(
        "payments", {"amountPlanned": {"centAmount": 1, "currencyCode": "EUR"}}
    )
    updated = await world.change("carts", read, _reference(payment))
    assert updated["totalPrice"]["centAmount"] < cart["totalPrice"]["centAmount"]
