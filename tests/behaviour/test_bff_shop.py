"""The storefront contract up to the order: catalogue, carts and discount codes."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.commercetools.seed import identifier
from tests.behaviour.storefront import ADDRESS, API, Shopper, ordered, ready
from tests.wire import Call, Trouble
from tests.world import World

Json = dict[str, Any]

MUG = "stoneware-mug-2"
CENTS = 1490
KITCHEN = identifier("category", "kitchen")
PRODUCTS = 8


def variant(number: int, colour: str, price: str) -> Json:
    """A stoneware mug as the storefront gets it."""
    return {
        "id": str(number),
        "sku": f"stoneware-mug-{number}",
        "name": "Stoneware mug",
        "slug": "stoneware-mug",
        "images": [],
        "prices": [{"id": price, "value": {"centAmount": CENTS, "currencyCode": "EUR"}}],
        "attributes": [
            {"name": "Color", "value": {"key": colour.lower(), "label": colour}},
            {"name": "Size", "value": {"key": "350-ml", "label": "350 ml"}},
        ],
        "availability": {"isOnStock": True, "availableQty": 100},
    }


SAND = variant(1, "Sand", identifier("price", "stoneware-mug/1/EUR"))
SLATE = variant(2, "Slate", identifier("price", "stoneware-mug/2/EUR"))
IN_KITCHEN: Json = {
    "id": KITCHEN,
    "name": "Kitchen",
    "slug": "kitchen",
    "description": "",
    "ancestors": [],
    "parent": None,
}


async def get(world: World, path: str, **params: str | int) -> Any:
    answer = await world.client.get(API + path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def edit(world: World, type_id: str, key: str, **changes: Any) -> None:
    """Change a resource of the project as a merchant would."""
    stored = world.store.collection(type_id).get(identifier(type_id, key))
    assert stored is not None
    world.store.replace(type_id, {**stored, **changes})


def edit_product(world: World, key: str, **changes: Any) -> None:
    stored = world.store.collection("product").get(identifier("product", key))
    assert stored is not None
    current = {**stored["masterData"]["current"], **changes}
    edit(world, "product", key, masterData={**stored["masterData"], "current": current})


# The whole way


async def test_a_shopper_goes_from_the_first_click_to_the_confirmation() -> None:
    world = World()
    root = next(each for each in await get(world, "/categories") if not each["parent"])
    page = await get(world, "/products", categoryId=root["id"], offset="1", limit=16)
    assert page["total"] == PRODUCTS
    mug = next(each for each in page["results"] if each["slug"] == "stoneware-mug")
    assert (await get(world, f"/products/{mug['variants'][1]['sku']}")) == mug

    shopper = await Shopper.arrives(world)
    cart = await shopper.does("AddLineItem", variantId=MUG, quantity=3)
    line = cart["lineItems"][0]
    await shopper.does("ChangeLineItemQuantity", lineItemId=line["id"], quantity=2)
    await shopper.does("AddLineItem", variantId="brass-pen-1", quantity=1)
    pen = shopper.cart["lineItems"][1]
    await shopper.does("RemoveLineItem", lineItemId=pen["id"], quantity=pen["quantity"])
    assert (await get(world, "/discount-codes", code="SAVE10"))["code"] == "SAVE10"
    cart = await shopper.does("AddDiscountCode", code="SAVE10")
    assert cart["totalPrice"]["centAmount"] == 2682
    await shopper.does("RemoveDiscountCode", **cart["discountCodes"][0]["discountCode"])
    await shopper.does("SetShippingAddress", **ADDRESS)

    placed = await shopper.orders()
    assert placed.status_code == 201, placed.text
    order = await get(world, f"/orders/{placed.json()['id']}")
    assert order == placed.json()
    assert order["totalPrice"] == {"centAmount": 2 * CENTS, "currencyCode": "EUR"}
    stored = await world.commercetools("GET", f"orders/{order['id']}")
    assert (stored["orderState"], stored.get("paymentState")) == ("Open", None)
    assert stored["customerEmail"] == ADDRESS["email"]
    assert stored["shippingAddress"] == ADDRESS


# Shapes


async def test_a_product_has_all_its_variants_with_the_price_that_a_cart_would_take() -> None:
    product = await get(World(), f"/products/{MUG}")
    assert product == {
        "id": identifier("product", "stoneware-mug"),
        "name": "Stoneware mug",
        "description": "Holds 350 ml, glazed inside, raw outside.",
        "slug": "stoneware-mug",
        "categories": [IN_KITCHEN],
        "variants": [SAND, SLATE],
        "masterVariant": SAND,
    }


async def test_a_new_cart_is_empty_and_belongs_to_nobody() -> None:
    world = World()
    answer = await world.client.post(f"{API}/carts")
    assert answer.status_code == 201
    cart = answer.json()
    assert cart == {
        "id": cart["id"],
        "version": 1,
        "customerId": None,
        "lineItems": [],
        "totalPrice": {"centAmount": 0, "currencyCode": "EUR"},
        "totalQuantity": 0,
        "discountCodes": [],
    }


async def test_a_cart_shows_its_lines_discounts_and_total() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    await shopper.does("AddLineItem", variantId=MUG, quantity=2)
    await shopper.does("AddDiscountCode", code="SAVE10")
    cart = await shopper.does("AddDiscountCode", code="FIVEOFF")

    def discounted(amount: int, key: str) -> Json:
        return {
            "discount": {"typeId": "cart-discount", "id": identifier("cart-discount", key)},
            "discountedAmount": {
                "type": "centPrecision",
                "currencyCode": "EUR",
                "centAmount": amount,
                "fractionDigits": 2,
            },
        }

    assert cart == {
        "id": cart["id"],
        "version": 4,
        "customerId": None,
        "lineItems": [
            {
                "id": cart["lineItems"][0]["id"],
                "variant": SLATE,
                "quantity": 2,
                "totalPrice": 2682,
                "currencyCode": "EUR",
                "discountedPricePerQuantity": [
                    {
                        "quantity": 2,
                        "discountedPrice": {
                            "value": {"centAmount": 1341, "currencyCode": "EUR"},
                            "includedDiscounts": [discounted(149, "save10")],
                        },
                    }
                ],
            }
        ],
        "totalPrice": {"centAmount": 2182, "currencyCode": "EUR"},
        "totalQuantity": 2,
        "discountCodes": [
            {
                "discountCode": {"typeId": "discount-code", "id": identifier("discount-code", key)},
                "state": "MatchesCart",
            }
            for key in ("save10", "fiveoff")
        ],
        "discountOnTotalPrice": {
            "discountedAmount": discounted(500, "")["discountedAmount"],
            "includedDiscounts": [discounted(500, "fiveoff")],
        },
    }


async def test_an_order_has_the_shape_that_the_storefront_knows() -> None:
    world = World()
    order = await ordered(world)
    stored = await world.commercetools("GET", f"orders/{order['id']}")
    assert order == {
        "id": stored["id"],
        "version": stored["version"],
        "orderNumber": stored["orderNumber"],
        "customerEmail": ADDRESS["email"],
        "lineItems": [
            {
                "id": stored["lineItems"][0]["id"],
                "variant": SLATE,
                "quantity": 2,
                "totalPrice": 2980,
                "currencyCode": "EUR",
            }
        ],
        "totalPrice": {"centAmount": 2980, "currencyCode": "EUR"},
        "totalQuantity": 2,
        "shippingAddress": ADDRESS,
        "origin": stored["cart"]["id"],
        "orderState": "Open",
        "createdAt": stored["createdAt"],
    }


async def test_the_total_is_what_there_is_to_pay_also_where_taxes_come_on_top() -> None:
    world = World({"STOREFRONT_CURRENCY": "USD", "STOREFRONT_COUNTRY": "US"})
    shopper = await Shopper.arrives(world)
    await shopper.does("AddLineItem", variantId=MUG, quantity=2)
    address = {**ADDRESS, "country": "US", "state": "NY"}
    cart = await shopper.does("SetShippingAddress", **address)
    assert cart["lineItems"][0]["totalPrice"] == 3300
    assert cart["totalPrice"] == {"centAmount": 3593, "currencyCode": "USD"}


async def test_carts_prices_and_names_follow_the_settings() -> None:
    world = World(
        {
            "STOREFRONT_CURRENCY": "JPY",
            "STOREFRONT_COUNTRY": "JP",
            "STOREFRONT_LOCALE": "de-AT",
        }
    )
    edit_product(world, "stoneware-mug", name={"en": "Stoneware mug", "de": "Becher"})
    product = await get(world, f"/products/{MUG}")
    assert product["name"] == product["variants"][0]["name"] == "Becher"
    assert product["slug"] == "stoneware-mug"
    prices = [price["value"] for price in product["masterVariant"]["prices"]]
    assert prices == [{"centAmount": 2400, "currencyCode": "JPY"}]
    shopper = await Shopper.arrives(world)
    cart = await shopper.does("AddLineItem", variantId=MUG, quantity=1)
    assert cart["totalPrice"] == {"centAmount": 2400, "currencyCode": "JPY"}
    assert cart["lineItems"][0]["variant"]["name"] == "Becher"
    stored = await world.commercetools("GET", f"carts/{cart['id']}")
    assert (stored["country"], stored["locale"]) == ("JP", "de-AT")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("matt", {"key": "matt", "label": "matt"}),
        ({"en": "matt", "de": "stumpf"}, {"key": "matt", "label": "matt"}),
        ({"key": "m", "label": {"en": "matt"}}, {"key": "m", "label": "matt"}),
        (7.5, {"key": "7.5", "label": "7.5"}),
        (True, {"key": "true", "label": "true"}),
        (
            {
                "type": "centPrecision",
                "centAmount": 150,
                "currencyCode": "EUR",
                "fractionDigits": 2,
            },
            {"key": "1.50 EUR", "label": "1.50 EUR"},
        ),
        (
            [{"key": "a", "label": "A"}, {"key": "b", "label": "B"}],
            {"key": "A, B", "label": "A, B"},
        ),
        ({"typeId": "product", "nested": {}}, {"key": "", "label": ""}),
    ],
)
async def test_an_attribute_of_any_type_can_be_read(value: object, shown: Json) -> None:
    world = World()
    stored = world.store.collection("product").get(identifier("product", "brass-pen"))
    assert stored is not None
    master = {
        **stored["masterData"]["current"]["masterVariant"],
        "attributes": [{"name": "size", "value": value}],
    }
    edit_product(world, "brass-pen", masterVariant=master)
    product = await get(world, "/products/brass-pen-1")
    assert product["masterVariant"]["attributes"] == [{"name": "Size", "value": shown}]


@pytest.mark.parametrize(
    ("availability", "shown"),
    [
        (None, {"isOnStock": True}),
        ({"isOnStock": False, "availableQuantity": 0}, {"isOnStock": False, "availableQty": 0}),
        (
            {
                "channels": {
                    "north": {"isOnStock": False, "availableQuantity": 0},
                    "south": {"isOnStock": True, "availableQuantity": 3},
                }
            },
            {"isOnStock": True, "availableQty": 3},
        ),
    ],
)
async def test_stock_is_shown_as_far_as_it_is_known(availability: Json | None, shown: Json) -> None:
    world = World()
    stored = world.store.collection("product").get(identifier("product", "brass-pen"))
    assert stored is not None
    master = {
        name: value
        for name, value in stored["masterData"]["current"]["masterVariant"].items()
        if name != "availability"
    }
    if availability is not None:
        master["availability"] = availability
    edit_product(world, "brass-pen", masterVariant=master)
    assert (await get(world, "/products/brass-pen-1"))["masterVariant"]["availability"] == shown


# Categories and pages of products


async def test_several_roots_stand_under_one_because_the_storefront_starts_from_one() -> None:
    categories = await get(World(), "/categories")
    [root] = [each for each in categories if each["parent"] is None]
    assert root == {
        "id": "all",
        "name": "All products",
        "slug": "all",
        "description": "",
        "ancestors": [],
        "parent": None,
    }
    assert [(each["slug"], each["parent"], each["ancestors"]) for each in categories[1:]] == [
        (slug, {"id": "all"}, [{"type": "category", "id": "all"}])
        for slug in ("kitchen", "desk", "outdoors")
    ]


async def test_a_single_root_stays_what_it_is() -> None:
    world = World()
    for key in ("desk", "outdoors"):
        below = {"typeId": "category", "id": KITCHEN}
        edit(world, "category", key, parent=below, ancestors=[below])
    categories = await get(world, "/categories")
    assert [(each["slug"], each["parent"]) for each in categories] == [
        ("kitchen", None),
        ("desk", {"id": KITCHEN}),
        ("outdoors", {"id": KITCHEN}),
    ]
    assert categories[1]["ancestors"] == [{"type": "category", "id": KITCHEN}]


async def test_a_category_has_its_own_products_and_those_of_the_categories_below() -> None:
    world = World()
    assert (await get(world, "/products", categoryId=KITCHEN))["total"] == 3
    below = {"typeId": "category", "id": KITCHEN}
    edit(world, "category", "desk", parent=below, ancestors=[below])
    assert (await get(world, "/products", categoryId=KITCHEN))["total"] == 6
    for unknown in ("kitchen", 'x" or 1=1', identifier("category", "unknown")):
        assert (await get(world, "/products", categoryId=unknown))["results"] == []


@pytest.mark.parametrize("category", ["", "0", "all"])
async def test_no_category_means_all_products(category: str) -> None:
    assert (await get(World(), "/products", categoryId=category))["total"] == PRODUCTS


async def slugs(world: World, **params: str | int) -> list[str]:
    page = await get(world, "/products", **params)
    assert page["limit"] == params.get("limit", 20)
    assert page["offset"] == params.get("offset", 1)
    assert page["total"] == PRODUCTS
    return [each["slug"] for each in page["results"]]


async def test_offset_counts_pages_from_one() -> None:
    world = World()
    everything = await slugs(world)
    assert len(everything) == PRODUCTS
    assert await slugs(world, offset=1, limit=3) == everything[:3]
    assert await slugs(world, offset=2, limit=3) == everything[3:6]
    assert await slugs(world, offset=3, limit=3) == everything[6:]
    assert await slugs(world, offset=0, limit=151) == everything


async def test_an_offset_beyond_the_last_page_is_a_number_of_products() -> None:
    world = World()
    everything = await slugs(world)
    assert await slugs(world, offset=6, limit=3) == everything[6:]
    assert await slugs(world, offset=4, limit=4) == everything[4:]
    assert await slugs(world, offset=9, limit=3) == []
    assert await slugs(world, offset=10_000, limit=500) == []


@pytest.mark.parametrize(
    "params", [{"offset": "-1"}, {"offset": "one"}, {"limit": "0"}, {"limit": "1e3"}]
)
async def test_nonsense_for_a_page_is_refused(params: Json) -> None:
    answer = await World().client.get(f"{API}/products", params=params)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] in params


async def test_a_limit_that_is_too_high_is_cut() -> None:
    assert (await get(World(), "/products", limit=100_000))["limit"] == 500


@pytest.mark.parametrize("sku", ["unknown", 'x" or "a"="a', "..", "%22"])
async def test_an_unknown_product_is_not_found(sku: str) -> None:
    answer = await World().client.get(f"{API}/products/{sku}")
    assert answer.status_code == 404


# Carts


async def test_a_stale_version_is_no_obstacle() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    other_tab = Shopper(world, dict(shopper.cart))
    await shopper.does("AddLineItem", variantId=MUG, quantity=1)
    cart = await other_tab.does("AddLineItem", variantId="brass-pen-1", quantity=1)
    assert [line["variant"]["sku"] for line in cart["lineItems"]] == [MUG, "brass-pen-1"]


async def test_a_version_may_be_missing() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    body = {"action": "AddLineItem", "AddLineItem": {"variantId": MUG}}
    answer = await world.client.put(shopper.path, json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["totalQuantity"] == 1


async def test_a_cart_that_changes_all_the_time_is_given_up() -> None:
    world = World()
    shopper = await Shopper.arrives(world)

    def interfere(call: Call) -> Trouble | None:
        cart = world.store.collection("cart").get(shopper.cart["id"])
        if call.method == "POST" and cart is not None:
            world.store.replace("cart", cart)
        return None

    world.network.trouble = interfere
    answer = await shopper.ask("AddLineItem", variantId=MUG, quantity=1)
    assert answer.status_code == 409
    assert answer.json()["code"] == "ConcurrentModification"
    world.network.trouble = lambda _: None
    assert (await shopper.reloads())["totalQuantity"] == 0


async def test_removing_twice_is_as_good_as_once() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    await shopper.does("AddDiscountCode", code="SAVE10")
    cart = await shopper.does("AddLineItem", variantId=MUG, quantity=2)
    line, code = cart["lineItems"][0], cart["discountCodes"][0]["discountCode"]
    for _ in range(2):
        await shopper.does("RemoveLineItem", lineItemId=line["id"], quantity=2)
        await shopper.does("ChangeLineItemQuantity", lineItemId=line["id"], quantity=0)
        await shopper.does("RemoveDiscountCode", **code)
    assert (shopper.cart["lineItems"], shopper.cart["discountCodes"]) == ([], [])


async def test_part_of_a_line_can_be_removed_and_a_quantity_of_zero_removes_it() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    cart = await shopper.does("AddLineItem", variantId=MUG, quantity=3)
    line = cart["lineItems"][0]["id"]
    cart = await shopper.does("RemoveLineItem", lineItemId=line, quantity=1)
    assert cart["totalQuantity"] == 2
    cart = await shopper.does("ChangeLineItemQuantity", lineItemId=line, quantity=0)
    assert cart["lineItems"] == []


async def test_an_address_is_kept_without_its_empty_fields_and_shown_to_nobody() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    cart = await shopper.does(
        "SetShippingAddress", country="de", firstName=" Ada ", lastName=" ", region="", email=""
    )
    assert "Ada" not in str(cart)
    stored = await world.commercetools("GET", f"carts/{cart['id']}")
    assert stored["shippingAddress"] == {"country": "DE", "firstName": "Ada"}
    assert "customerEmail" not in stored


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "action"),
        ({"action": "Recalculate"}, "action"),
        ({"action": "AddLineItem"}, "AddLineItem"),
        ({"action": "AddLineItem", "AddLineItem": {"variantId": MUG, "quantity": 0}}, "quantity"),
        ({"action": "AddLineItem", "AddLineItem": {"variantId": "", "quantity": 1}}, "variantId"),
        ({"action": "AddLineItem", "AddLineItem": {"variantId": "nothing"}}, "sku"),
        (
            {
                "action": "ChangeLineItemQuantity",
                "ChangeLineItemQuantity": {"lineItemId": "x", "quantity": -1},
            },
            "quantity",
        ),
        ({"action": "SetShippingAddress", "SetShippingAddress": {"city": "Berlin"}}, "country"),
        (
            {"action": "SetShippingAddress", "SetShippingAddress": {"country": "Germany"}},
            "country",
        ),
    ],
)
async def test_a_change_that_makes_no_sense_names_its_field(body: Json, field: str) -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    answer = await world.client.put(shopper.path, json={"version": 1, **body})
    assert answer.status_code == 400, answer.text
    error = answer.json()
    assert (error["statusCode"], error["error"]) == (400, "Bad Request")
    assert error["message"]
    assert error["errors"][0]["field"].endswith(field)
    assert await shopper.reloads() == shopper.cart


async def test_an_ordered_cart_takes_no_change() -> None:
    world = World()
    shopper = await ready(world)
    await shopper.orders()
    before = await shopper.reloads()
    answer = await shopper.ask("AddLineItem", variantId=MUG, quantity=1)
    assert answer.status_code == 400
    assert await shopper.reloads() == before


# Discount codes


@pytest.mark.parametrize("code", ["NOSUCH", "LASTYEAR", 'x" or 1=1 or code="SAVE10', "save 10"])
async def test_a_code_that_does_not_work_is_refused_wherever_it_is_typed(code: str) -> None:
    world = World()
    looked_up = await world.client.get(f"{API}/discount-codes", params={"code": code})
    assert looked_up.status_code == 404
    shopper = await Shopper.arrives(world)
    added = await shopper.ask("AddDiscountCode", code=code)
    assert added.status_code == 400
    assert added.json()["message"] == looked_up.json()["message"]
    assert (await shopper.reloads())["discountCodes"] == []


@pytest.mark.parametrize(
    ("start", "end", "status"),
    [
        ("2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", 200),
        ("2099-01-01T00:00:00.000Z", "2100-01-01T00:00:00.000Z", 404),
        ("2020-01-01T00:00:00.000Z", "2021-01-01T00:00:00.000Z", 404),
    ],
)
async def test_a_code_works_from_its_first_to_its_last_day(
    start: str, end: str, status: int
) -> None:
    world = World()
    edit(world, "discount-code", "save10", validFrom=start, validUntil=end)
    answer = await world.client.get(f"{API}/discount-codes", params={"code": "SAVE10"})
    assert answer.status_code == status


async def test_a_code_must_be_given() -> None:
    answer = await World().client.get(f"{API}/discount-codes")
    assert answer.status_code == 400
    assert answer.json()["message"] == "A value is required for field 'code'."


async def test_a_code_that_does_nothing_for_the_cart_is_taken_off_again() -> None:
    world = World()
    shopper = await ready(world)
    deactivate = iter(["discount-code"])

    def retire(call: Call) -> Trouble | None:
        """The code ends between our look at it and its way into the cart."""
        if call.method == "POST" and next(deactivate, None):
            edit(world, "discount-code", "save10", isActive=False)
        return None

    world.network.trouble = retire
    answer = await shopper.ask("AddDiscountCode", code="SAVE10")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["reason"] == "NotActive"
    assert (await shopper.reloads())["discountCodes"] == []
    assert (await shopper.orders()).status_code == 201
