"""Buying one product: whose payment page it is, and what the pages around it say."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import jwt
import pytest

from tests.behaviour.buy_now import (
    COOKIE_SECRET,
    CREATE,
    ENABLED,
    PRICE,
    carts,
    create,
    forget,
    land,
    orders,
    pay,
)
from tests.wire import Crash
from tests.world import Json, World


@pytest.fixture
def world() -> World:
    return World(ENABLED)


# Whose session


async def test_a_visitor_keeps_an_open_session(world: World) -> None:
    first = await create(world)
    assert (await create(world))["id"] == first["id"]
    assert (await create(world, "/create-checkout-session/stoneware-mug-2"))["id"] == first["id"]
    assert len(carts(world)) == 1


async def test_other_visitors_and_other_products_have_sessions_of_their_own(world: World) -> None:
    first = await create(world)
    other_product = await create(world, "/create-checkout-session/pour-over-kettle")
    forget(world)
    other_visitor = await create(world)
    assert len({first["id"], other_product["id"], other_visitor["id"]}) == 3


async def test_whoever_has_paid_can_buy_again(world: World) -> None:
    first = await create(world)
    await pay(world, first["id"])
    again = await create(world)
    assert again["id"] != first["id"]
    await world.deliver_all()
    await pay(world, again["id"])
    await world.deliver_all()
    assert len(orders(world)) == 2


async def test_a_kept_session_never_has_an_old_price(world: World) -> None:
    first = await create(world)
    [cart] = carts(world)
    line = cart["lineItems"][0]["id"]
    await world.change_cart(
        cart["id"], {"action": "changeLineItemQuantity", "lineItemId": line, "quantity": 2}
    )
    second = await create(world)
    assert world.stripe.sessions[first["id"]]["status"] == "expired"
    assert world.stripe.sessions[second["id"]]["amount_total"] == 2 * PRICE


@pytest.mark.parametrize("change", [{"exp": 1}, {"aud": "other"}, {"exp": None}])
async def test_a_cookie_that_is_old_or_for_something_else_is_ignored(
    world: World, change: Json
) -> None:
    first = await create(world)
    [cart] = carts(world)
    line = cart["lineItems"][0]
    claims = {
        "aud": "buy-now",
        "exp": int(world.clock.time()) + 60,
        "cart": cart["id"],
        "product": line["productId"],
        "variant": line["variant"]["id"],
    }

    async def with_cookie(claims: Json, secret: str = COOKIE_SECRET) -> Json:
        forget(world)
        kept = {name: value for name, value in claims.items() if value is not None}
        return await create(world, Cookie=f"buy_now={jwt.encode(kept, secret, 'HS256')}")

    assert (await with_cookie(claims))["id"] == first["id"]
    assert (await with_cookie(claims, "x" * 32))["id"] != first["id"]
    assert (await with_cookie({**claims, **change}))["id"] != first["id"]


async def test_the_cookie_is_for_our_pages_alone() -> None:
    world = World({**ENABLED, "BUY_NOW_URL": "https://pay.shop.test"})
    answer = await world.client.get(CREATE)
    cookie = answer.headers["set-cookie"].lower()
    for attribute in ("httponly", "samesite=lax", "secure", "path=/"):
        assert attribute in cookie


async def test_a_client_opens_only_so_many_sessions_a_minute() -> None:
    world = World({**ENABLED, "BUY_NOW_SESSIONS_PER_MINUTE": "2"})
    statuses = []
    for _ in range(3):
        statuses.append((await world.client.get(CREATE)).status_code)
        forget(world)
    assert statuses == [200, 200, 429]
    assert len(carts(world)) == 2


async def test_asking_for_headers_alone_opens_nothing(world: World) -> None:
    assert (await world.client.head(CREATE)).status_code == 200
    assert carts(world) == []


# Pages


@pytest.mark.parametrize("path", ["/", "/success", "/success/", "/canceled", "/cancel", "/cancel/"])
@pytest.mark.parametrize(
    ("wanted", "language"),
    [("", "en"), ("de-AT,en;q=0.5", "de"), ("it, fr;q=0.9, en;q=0.8", "fr"), ("xx;q=, ;,", "en")],
)
async def test_a_page_can_be_read_by_everybody(
    world: World, path: str, wanted: str, language: str
) -> None:
    page = await land(world, path, **{"Accept-Language": wanted})
    assert f'<html lang="{language}">' in page.text
    [title] = re.findall(r"<title>(.+)</title>", page.text)
    [heading] = re.findall(r"<h1>(.+)</h1>", page.text)
    assert title == heading
    assert "Accept-Language" in page.headers["Vary"]
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    assert "<script" not in page.text
    assert "style=" not in page.text
    [style] = re.findall(r'<link rel="stylesheet" href="([^"]+)">', page.text)
    sheet = await land(world, style)
    assert sheet.headers["content-type"].startswith("text/css")
    assert "prefers-color-scheme: dark" in sheet.text


async def test_an_address_without_a_payment_of_ours_says_so(world: World) -> None:
    foreign = await world.ask_stripe(
        "POST",
        "/v1/checkout/sessions",
        **{
            "mode": "payment",
            "success_url": "https://other.test",
            "line_items[0][price_data][currency]": "eur",
            "line_items[0][price_data][unit_amount]": "100",
            "line_items[0][price_data][product_data][name]": "Thing",
            "line_items[0][quantity]": "1",
        },
    )
    for id_ in ("", "pi_1", "cs_test_unknown", "<script>", foreign["id"]):
        page = await world.client.get("/success", params={"session_id": id_})
        assert page.status_code == 404
        assert "<script>" not in page.text


# Off


OFF = [
    ("GET", "/create-checkout-session/stoneware-mug-2"),
    ("POST", "/create-checkout-session"),
    ("POST", "/v1/create-session"),
    ("GET", "/v1/session-status"),
    ("GET", "/config"),
    ("GET", "/"),
    ("GET", "/success"),
    ("GET", "/canceled/"),
    ("POST", "/webhook"),
]


@pytest.mark.parametrize(("method", "path"), OFF)
async def test_nothing_of_this_is_served_unless_it_is_enabled(method: str, path: str) -> None:
    answer = await World().client.request(method, path)
    assert answer.status_code == 404


async def test_without_a_configured_product_only_named_ones_are_sold() -> None:
    world = World({**ENABLED, "BUY_NOW_PRODUCT": ""})
    assert (await world.client.get(CREATE)).status_code == 404
    assert (await world.client.get("/")).status_code == 404
    assert (await world.client.get("/create-checkout-session/stoneware-mug-2")).status_code == 200


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_a_visitors_changed_cart_has_one_page_wherever_its_replacement_is_cut_off(
    trouble: Any,
) -> None:
    index = 0
    while True:
        world = World(ENABLED)
        await create(world)
        [cart] = carts(world)
        line = cart["lineItems"][0]["id"]
        more = {"action": "changeLineItemQuantity", "lineItemId": line, "quantity": 2}
        await world.change_cart(cart["id"], more)
        cookies, left = world.client.cookies, index

        def meet(_: object) -> Any:
            nonlocal left
            assert len([s for s in world.stripe.sessions if s["status"] == "open"]) <= 1  # noqa: B023
            left -= 1
            return trouble if left == -1 else None

        world.network.trouble = meet
        with contextlib.suppress(Crash):
            await world.client.get(CREATE)
        if left >= 0:
            break
        world.network.trouble = lambda _: None
        world.processor = world.start_processor()
        world.client.cookies = cookies
        await world.deliver_all()
        page = await create(world)
        opened = [s["id"] for s in world.stripe.sessions if s["status"] == "open"]
        assert opened == [page["id"]]
        assert world.stripe.sessions[page["id"]]["amount_total"] == 2 * PRICE
        await pay(world, page["id"])
        await world.deliver_all()
        assert [order["paymentState"] for order in orders(world)] == ["Paid"]
        index += 1
    assert index > 8
