"""Placing an order and reading it: one order per cart, whatever happens on the way."""

from __future__ import annotations

import asyncio
import itertools
import re
from typing import Any, get_args

import httpx
import pytest

from tests.behaviour.steps import Once, no_trouble
from tests.behaviour.storefront import ADDRESS, API, Shopper, ordered, ready
from tests.property.schedule import interleaved
from tests.wire import Call, Crash, Trouble
from tests.world import World

Json = dict[str, Any]

TROUBLES: tuple[Trouble, ...] = get_args(Trouble)
CALLS = 3
"""Calls of a placement at most while all goes well: token, cart, order."""


def orders(world: World) -> list[Json]:
    return list(world.store.collection("order"))


class Refusing(httpx.AsyncBaseTransport):
    """commercetools, which refuses the next orders with an error."""

    def __init__(self, world: World, code: str, **fields: Any) -> None:
        self._inner = world.network.transports["commercetools.test"]
        self._error = {"code": code, "message": f"Refused: {code}.", **fields}
        self.refusing = True
        # The transport of a real connection has the one method that the network calls.
        world.network.transports["commercetools.test"] = self  # type: ignore[assignment]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refusing and request.method == "POST" and request.url.path.endswith("/orders"):
            body = {"statusCode": 400, "message": "Refused.", "errors": [self._error]}
            return httpx.Response(400, json=body, request=request)
        return await self._inner.handle_async_request(request)


# Once per cart


async def test_an_order_starts_open_without_a_payment_state() -> None:
    world = World()
    order = await ordered(world)
    [stored] = orders(world)
    assert stored["orderState"] == order["orderState"] == "Open"
    assert "paymentState" not in stored
    assert "paymentState" not in order
    assert "paymentInfo" not in stored


async def test_the_order_number_can_be_read_aloud_and_gives_the_cart_away_to_nobody() -> None:
    world = World()
    shopper = await ready(world)
    number = (await shopper.orders()).json()["orderNumber"]
    assert re.fullmatch(r"[A-Z2-7]{5}(-[A-Z2-7]{5}){2}", number)
    assert number != (await ordered(world))["orderNumber"]


@pytest.mark.parametrize(
    "request_",
    [
        {},
        {"json": {}},
        {"content": b"{}"},
        {"content": b"{}", "headers": {"Content-Type": "text/plain"}},
        {"content": b"", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ],
)
async def test_carts_and_orders_are_made_of_any_empty_body(request_: Json) -> None:
    world = World()
    made = await world.client.post(f"{API}/carts", **request_)
    assert made.status_code == 201
    shopper = await Shopper(world, made.json()).fills()
    answer = await world.client.post(f"{shopper.path}/order", **request_)
    assert answer.status_code == 201
    assert answer.json()["origin"] == shopper.cart["id"]


async def test_placing_an_order_again_gives_the_same_order() -> None:
    world = World()
    shopper = await ready(world)
    first = await shopper.orders()
    again = await shopper.orders(world.start_processor())
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert len(orders(world)) == 1


@pytest.mark.parametrize("order", list(itertools.product([0, 1], repeat=4)))
async def test_two_instances_at_once_place_one_order(order: tuple[int, ...]) -> None:
    world = World()
    shopper = await ready(world)
    turns = iter(order)

    async def choose(waiting: int) -> int:
        return next(turns, 0) % waiting

    answers = await interleaved(
        world.network,
        [shopper.orders(), shopper.orders(world.start_processor())],
        choose,
    )
    assert sorted(answer.status_code for answer in answers) == [200, 201]
    assert answers[0].json() == answers[1].json()
    assert len(orders(world)) == 1


async def test_many_clicks_place_one_order() -> None:
    world = World()
    shopper = await ready(world)
    answers = await asyncio.gather(*(shopper.orders() for _ in range(10)))
    assert {answer.json()["id"] for answer in answers} == {orders(world)[0]["id"]}
    assert len(orders(world)) == 1


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("index", range(CALLS))
async def test_whatever_breaks_a_repetition_finds_or_places_the_one_order(
    index: int, trouble: Trouble
) -> None:
    world = World()
    shopper = await ready(world)
    fresh = world.start_processor()  # without a token yet
    happening = Once(index, trouble)
    world.network.trouble = happening
    crashed = False
    try:
        first = await shopper.orders(fresh)
    except Crash:
        crashed = True
    assert happening.happened
    world.network.trouble = no_trouble
    if not crashed:
        assert first.status_code in (200, 201, 503), first.text
        assert (first.status_code < 300) <= (len(orders(world)) == 1)
    again = await shopper.orders(world.start_processor())
    assert again.status_code in (200, 201), again.text
    [stored] = orders(world)
    assert again.json()["id"] == stored["id"]
    if not crashed and first.status_code != 503:
        assert first.json() == again.json()


async def test_an_order_whose_answer_was_lost_is_found_at_once() -> None:
    world = World()
    shopper = await ready(world)

    def lose(call: Call) -> Trouble | None:
        return "lost" if call.method == "POST" and call.path.endswith("/orders") else None

    world.network.trouble = lose
    answer = await shopper.orders()
    assert answer.status_code == 201
    assert answer.json()["id"] == orders(world)[0]["id"]


async def test_an_order_is_found_by_its_number_while_its_cart_does_not_show_it_yet() -> None:
    world = World()
    shopper = await ready(world)
    placed = (await shopper.orders()).json()
    cart = world.store.collection("cart").get(shopper.cart["id"])
    assert cart is not None
    world.store.replace("cart", {**cart, "cartState": "Active"})
    answer = await shopper.orders()
    assert (answer.status_code, answer.json()) == (200, placed)
    assert len(orders(world)) == 1


async def test_a_cart_that_changes_meanwhile_is_ordered_as_it_is_then() -> None:
    world = World()
    shopper = await ready(world)
    other_tab = iter(["changes"])

    def interfere(call: Call) -> Trouble | None:
        cart = world.store.collection("cart").get(shopper.cart["id"])
        if call.path.endswith("/orders") and cart and next(other_tab, None):
            world.store.replace("cart", cart)
        return None

    world.network.trouble = interfere
    assert (await shopper.orders()).status_code == 201
    assert len(orders(world)) == 1


async def test_an_order_that_somebody_else_placed_from_the_cart_is_the_order() -> None:
    world = World()
    shopper = await ready(world)
    cart = {"typeId": "cart", "id": shopper.cart["id"]}
    placed = await world.commercetools(
        "POST", "orders", {"cart": cart, "version": shopper.cart["version"]}
    )
    answer = await shopper.orders()
    assert answer.status_code == 200
    assert answer.json()["id"] == placed["id"]


async def test_nobody_gets_the_order_of_another_cart_that_has_taken_the_number() -> None:
    world = World()
    shopper = await ready(world)
    mine = (await shopper.orders()).json()
    await world.commercetools("DELETE", f"orders/{mine['id']}?version={mine['version']}")
    other = await ready(world)
    cart = {"typeId": "cart", "id": other.cart["id"]}
    draft = {
        "cart": cart,
        "version": other.cart["version"],
        "orderNumber": mine["orderNumber"],
    }
    await world.commercetools("POST", "orders", draft)
    answer = await shopper.orders()
    assert answer.status_code == 409
    assert answer.json()["code"] == "CartOrdered"


# What cannot be ordered


async def test_a_cart_without_lines_or_address_says_what_is_missing() -> None:
    world = World()
    shopper = await Shopper.arrives(world)
    empty = await shopper.orders()
    assert (empty.status_code, empty.json()["code"]) == (400, "EmptyCart")
    await shopper.does("AddLineItem", variantId="brass-pen-1", quantity=1)
    lost = await shopper.orders()
    assert (lost.status_code, lost.json()["code"]) == (400, "MissingShippingAddress")
    assert lost.json()["message"] == "The cart has no shipping address."
    await shopper.does("SetShippingAddress", **ADDRESS)
    assert (await shopper.orders()).status_code == 201


@pytest.mark.parametrize(
    "code",
    [
        "OutOfStock",
        "DiscountCodeNonApplicable",
        "ShippingMethodDoesNotMatchCart",
        "MatchingPriceNotFound",
        "MissingTaxRateForCountry",
        "InvalidOperation",
    ],
)
async def test_a_refusal_of_commercetools_is_the_shoppers_to_mend(code: str) -> None:
    world = World()
    shopper = await ready(world)
    backend = Refusing(world, code, skus=["stoneware-mug-2"])
    answer = await shopper.orders()
    assert answer.status_code == 400
    error = answer.json()
    assert (error["code"], error["message"]) == (code, f"Refused: {code}.")
    assert error["errors"][0]["skus"] == ["stoneware-mug-2"]
    backend.refusing = False
    assert (await shopper.orders()).status_code == 201


async def test_prices_that_have_changed_are_taken_over_and_must_be_seen_first() -> None:
    world = World()
    shopper = await ready(world)
    for product in list(world.store.collection("product")):
        current = product["masterData"]["current"]
        raised = [
            {
                **v,
                "prices": [{**p, "value": {**p["value"], "centAmount": 9900}} for p in v["prices"]],
            }
            for v in current["variants"]
        ]
        data = {**product["masterData"], "current": {**current, "variants": raised}}
        world.store.replace("product", {**product, "masterData": data})
    backend = Refusing(world, "PriceChanged")
    answer = await shopper.orders()
    assert (answer.status_code, answer.json()["code"]) == (409, "PriceChanged")
    assert orders(world) == []
    assert (await shopper.reloads())["totalPrice"]["centAmount"] == 2 * 9900
    backend.refusing = False
    placed = await shopper.orders()
    assert placed.json()["totalPrice"]["centAmount"] == 2 * 9900


# Reading


async def test_personal_data_is_shown_only_for_a_while() -> None:
    world = World({"BFF_ORDER_PII_MINUTES": "30"})
    shopper = await ready(world)
    order = (await shopper.orders()).json()
    personal = {"customerEmail", "shippingAddress"}
    world.clock.advance(30 * 60 - 1)
    assert (await world.client.get(f"{API}/orders/{order['id']}")).json() == order
    world.clock.advance(1)
    later = (await world.client.get(f"{API}/orders/{order['id']}")).json()
    assert later == {name: value for name, value in order.items() if name not in personal}
    assert (await shopper.orders()).json() == later


async def test_personal_data_can_be_hidden_altogether() -> None:
    order = await ordered(World({"BFF_ORDER_PII_MINUTES": "0"}))
    assert order.keys() & {"customerId", "customerEmail", "shippingAddress", "billingAddress"} == (
        set()
    )


@pytest.mark.parametrize("resource", ["orders", "carts"])
async def test_what_cannot_be_seen_looks_all_the_same(resource: str) -> None:
    world = World()
    order = await ordered(world)
    cart = await world.commercetools("GET", f"carts/{order['origin']}")
    await world.cart(key="known-key")
    answers = [
        await world.client.get(f"{API}/{resource}/{wrong}")
        for wrong in (
            "b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01",
            order["orderNumber"],
            f"order-number={order['orderNumber']}",
            f"order-number%3D{order['orderNumber']}",
            "key=known-key",
            "1",
            "a" * 300,
            order["id"] if resource == "carts" else cart["id"],
        )
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}


async def test_nobody_keeps_a_copy_of_an_order() -> None:
    world = World()
    order = await ordered(world)
    answer = await world.client.get(f"{API}/orders/{order['id']}")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("cart", ["b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01", "key=a", "1"])
async def test_an_unknown_cart_cannot_be_used(cart: str) -> None:
    world = World()
    change = {"version": 1, "action": "AddLineItem", "AddLineItem": {"variantId": "brass-pen-1"}}
    answers = [
        await world.client.get(f"{API}/carts/{cart}"),
        await world.client.put(f"{API}/carts/{cart}", json=change),
        await world.client.post(f"{API}/carts/{cart}/order"),
    ]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({answer.text for answer in answers}) == 1
