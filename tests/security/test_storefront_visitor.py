"""A visitor of the shop who holds no credential: guesses ids, injects predicates, picks a market.

Every row is refused in words, changes nothing, and finds nothing: the stand-in of commercetools
really evaluates predicates, so one that got through would find something.
"""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote

import pytest

from sandbox.commercetools.seed import identifier
from tests.behaviour.buy_now import ENABLED
from tests.behaviour.storefront import API, ready
from tests.world import World

Json = dict[str, Any]

MARKETS = "EUR:DE,EUR:AT,USD:US"

REGIONS: list[tuple[Json, tuple[str, str] | None]] = [
    ({}, ("EUR", "DE")),
    ({"currency": "EUR"}, ("EUR", "DE")),
    ({"country": "AT"}, ("EUR", "AT")),
    ({"country": "US"}, ("USD", "US")),
    ({"currency": "USD"}, ("USD", "US")),
    ({"currency": "EUR", "country": "AT"}, ("EUR", "AT")),
    ({"currency": "EUR", "country": "US"}, None),
    ({"currency": "USD", "country": "DE"}, None),
    ({"currency": "JPY", "country": "JP"}, None),
    ({"currency": "GBP"}, None),
    ({"country": "IT"}, None),
    ({"currency": "XXX", "country": "DE"}, None),
    ({"currency": "EUR", "country": "ZZ"}, None),
    ({"currency": "eur", "country": "DE"}, None),
    ({"currency": "EUR\n", "country": "DE"}, None),
    ({"currency": "EUR", "country": "DE\n"}, None),
    ({"currency": "\nEUR", "country": "DE"}, None),
    ({"currency": "EUR\r", "country": "DE"}, None),
    ({"currency": "EUR\u2028", "country": "DE"}, None),
    ({"currency": "EUR ", "country": "DE"}, None),
    ({"currency": "EU\uff32", "country": "DE"}, None),
    ({"currency": "EUR:DE"}, None),
    ({"currency": "EUR,USD"}, None),
    ({"currency": ""}, None),
    ({"currency": ["EUR"]}, None),
    ({"currency": {"EUR": 1}}, None),
    ({"country": 1}, None),
]
"""What a page asks for, and the market that it gets; None where it is refused."""


@pytest.mark.parametrize(("asked", "market"), REGIONS, ids=lambda each: repr(each))
async def test_a_cart_is_opened_in_a_market_of_the_merchants_or_not_at_all(
    asked: Json, market: tuple[str, str] | None
) -> None:
    world = World({"STOREFRONT_MARKETS": MARKETS})
    answer = await world.client.post(f"{API}/carts", json=asked)
    carts = list(world.store.collection("cart"))
    if market is None:
        assert (answer.status_code, carts) == (400, [])
        return
    assert answer.status_code == 201
    [cart] = carts
    assert (cart["totalPrice"]["currencyCode"], cart["country"]) == market


@pytest.mark.parametrize("path", ["/products", "/products/stoneware-mug-1"])
async def test_prices_are_shown_for_the_merchants_markets_alone(path: str) -> None:
    world = World()  # no list: the storefront's own market
    for region, status in (
        ({}, 200),
        ({"currency": "EUR", "country": "DE"}, 200),
        ({"currency": "USD"}, 400),
        ({"country": "IT"}, 400),
        ({"currency": "JPY", "country": "JP"}, 400),
    ):
        answer = await world.client.get(f"{API}{path}", params=region)
        assert answer.status_code == status


UUID = "4b7a3c1e-08f5-4a0e-9f57-6c1d0a3b2e11"
GUESSED_IDS = [
    str(uuid.UUID(int=0)),
    UUID,
    "key=x",
    "customer-id=1",
    "customer-id=" + identifier("customer", "ada"),
    "order-number=1",
    "%2e%2e",
    "..%2f..%2forders",
    "%2e%2e%2fcustomers",
    "x" * 5000,
    "%00",
    "%0a",
    "{id}%0a",
    "%0a{id}",
    "{id}%00",
    "{id}%20",
    "%20{id}",
    "{id}%2f",
    "{id}%3fexpand=x",
    "{id}%23x",
    "{id};x=1",
    "{id},{id}",
    "%7b{id}%7d",
    "{id}%c3%a9",
    "urn:uuid:{id}",
    "{plain}",
]
"""`{id}` is a real cart's: whatever else is in the path makes it another's."""


@pytest.mark.parametrize("guess", GUESSED_IDS, ids=lambda each: each[:40])
async def test_only_the_id_itself_opens_a_cart_or_an_order(guess: str) -> None:
    world = World()
    shopper = await ready(world)
    id_ = shopper.cart["id"]
    path = guess.replace("{id}", id_).replace("{plain}", id_.replace("-", ""))
    before = world.store.summary(), world.store.collection("cart").get(id_)
    for method, route, body in (
        ("GET", f"/carts/{path}", None),
        ("PUT", f"/carts/{path}", {"action": "AddLineItem", "AddLineItem": {"variantId": "a"}}),
        ("POST", f"/carts/{path}/order", None),
        ("GET", f"/orders/{path}", None),
        ("PUT", f"/orders/{path}", {"version": 1, "actions": [PAID]}),
        ("POST", "/payments/sessions", {"id": path}),
    ):
        answer = await world.client.request(method, f"{API}{route}", json=body)
        assert answer.status_code in (400, 404, 405), (method, route, answer.text)
    assert (world.store.summary(), world.store.collection("cart").get(id_)) == before
    assert list(world.stripe.sessions.newest({})) == []


PAID = {"action": "changePaymentState", "paymentState": "Paid"}
INJECTED = [
    '"',
    "'",
    "\\",
    '\\"',
    '" or "1"="1',
    '") or masterVariant(sku="stoneware-mug-1',
    '") or sku in ("stoneware-mug-1',
    '" or sku is defined or sku="',
    '\\") or (1=1',
    '\u0022 or sku in ("a")',
    "\uff02 or 1=1",
    'stoneware-mug-1" and "a"="a',
    "a\nb",
    "a\x00b",
    "a\rb",
    "\x7f",
    ":x",
    "${x}",
    "#{x}",
    "{{x}}",
    "\u2028",
    "\u202e",
    "\ud7ff",
    "💣" * 50,
    "a" * 257,
    "%22",
    "%2522",
    "%",
    "*",
    "(",
    ")",
    "/* */",
    "--",
    "or",
    "not(sku is defined)",
    "true",
]
"""What is put where a SKU, a code or an order's number belongs."""


@pytest.mark.parametrize("injected", INJECTED, ids=lambda each: ascii(each[:24]))
async def test_a_predicate_in_a_value_finds_nothing(injected: str) -> None:
    world = World(ENABLED)
    shopper = await ready(world)
    before = world.store.summary()
    text = quote(injected, safe="")
    cart = shopper.path
    for method, path, body in (
        ("GET", f"{API}/products/{text}", None),
        ("GET", f"{API}/products?limit=1&categoryId={text}", None),
        ("GET", f"{API}/discount-codes?code={text}", None),
        ("POST", f"/create-checkout-session/{text}", None),
        ("PUT", cart, {"action": "AddLineItem", "AddLineItem": {"variantId": injected}}),
        ("PUT", cart, {"action": "AddDiscountCode", "AddDiscountCode": {"code": injected}}),
        ("GET", f"/v1/session-status?order_id={text}&session_id=cs_x", None),
        ("GET", f"/v1/session-status?order_id={UUID}&session_id={text}", None),
        # These two ask for an order of that number.
        ("GET", f"/v1/session-status?order_id={text}&session_id=free_x", None),
        ("POST", "/v1/create-session", {"order_id": injected, "items": [{"amount": 1}]}),
        ("POST", "/v1/create-session", {"order_id": injected}),
    ):
        answer = await world.client.request(method, path, json=body)
        if "categoryId" in path:
            assert (answer.status_code, answer.json()["results"]) == (200, []), path
        else:
            assert 400 <= answer.status_code < 500, (path, answer.text)
    assert world.store.summary() == before
    assert list(world.stripe.sessions.newest({})) == []


QUANTITIES = [0, -1, 1.5, "2", 10**6 + 1, 2**31, 2**63, -(2**63), True, None, [], {}, "1e3"]


@pytest.mark.parametrize("quantity", QUANTITIES, ids=repr)
async def test_an_odd_quantity_adds_nothing(quantity: object) -> None:
    world = World()
    shopper = await ready(world)
    body = {
        "action": "AddLineItem",
        "AddLineItem": {"variantId": "stoneware-mug-1", "quantity": quantity},
    }
    answer = await world.client.put(shopper.path, json=body)
    assert answer.status_code == 400, answer.text
    before = shopper.cart
    assert await shopper.reloads() == before
