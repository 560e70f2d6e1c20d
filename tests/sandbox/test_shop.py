"""The shop on the processor's BFF, without a browser: what it answers and what it keeps."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from sandbox.shop.address import mistakes
from sandbox.shop.app import create_app
from sandbox.shop.languages import Texts
from sandbox.shop.markets import MARKETS
from sandbox.shop.vouching import signed
from tests.world import World

SHOP = "http://shop.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
ADDRESS = {
    "country": "DE",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Byron",
    "streetName": "Lindenstrasse",
    "postalCode": "10969",
    "city": "Berlin",
}
ORDER_ID = "11111111-1111-4111-8111-111111111111"
ORDER = {
    "id": ORDER_ID,
    "version": 1,
    "orderState": "Open",
    "createdAt": "2026-11-21T00:00:00.000Z",
    "totalPrice": {"currencyCode": "EUR", "centAmount": 1490},
    "lineItems": [],
}


def visitor(bff: httpx.AsyncClient) -> httpx.AsyncClient:
    """A browser at a shop on that BFF; its forms are the shop's own."""
    app = create_app(bff, ["http://stripe.test"])
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url=SHOP, headers=OWN, follow_redirects=True
    )


@pytest.fixture
def world() -> World:
    return World({"STOREFRONT_MARKETS": "EUR:DE,JPY:JP"})


@pytest.fixture
def browser(world: World) -> httpx.AsyncClient:
    return visitor(world.client)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    """A browser at a shop whose BFF answers like this."""
    transport = httpx.MockTransport(answer)
    return visitor(httpx.AsyncClient(transport=transport, base_url="http://processor.test"))


def order_bff(confirmed: httpx.Response, **fields: Any) -> httpx.AsyncClient:
    """A browser at a shop with one order, and what becomes of confirming it."""

    def answer(request: httpx.Request) -> httpx.Response:
        return (
            confirmed if request.method == "PUT" else httpx.Response(200, json={**ORDER, **fields})
        )

    return answering(answer)


async def with_mug(browser: httpx.AsyncClient) -> httpx.Response:
    return await browser.post("/basket/lines", data={"sku": "stoneware-mug-1", "quantity": "2"})


def heading(answer: httpx.Response) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text)
    assert found is not None, answer.text
    return found[1]


# Money, dates, addresses


@pytest.mark.parametrize(
    ("market", "cents", "written"),
    [
        ("eu", 123_456, "€1,234.56"),
        ("eu", -490, "\N{MINUS SIGN}€4.90"),
        ("us", 123_456, "$1,234.56"),
        ("gb", 5, "£0.05"),
        ("jp", 123_456, "¥123,456"),
        ("kw", 1_234_567, "KWD 1,234.567"),
    ],
)
def test_money_is_written_as_in_its_market(market: str, cents: int, written: str) -> None:
    assert MARKETS[market].money(cents).replace("\xa0", " ") == written


def test_dates_are_written_as_in_their_market() -> None:
    assert MARKETS["us"].date("2026-11-21T10:00:00.000Z") == "November 21, 2026"
    assert MARKETS["gb"].date("2026-11-21T10:00:00.000Z") == "21 November 2026"


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"firstName": ""}, "firstName"),
        ({"email": "ada@example"}, "email"),
        ({"postalCode": "1234"}, "postalCode"),
        ({"country": "US"}, "country"),
        ({"city": "B" * 101}, "city"),
    ],
)
def test_an_address_is_refused_at_the_field_that_is_wrong(
    changed: Mapping[str, str], field: str
) -> None:
    values = {"streetNumber": "", **ADDRESS}
    assert mistakes(values, MARKETS["eu"], Texts("en")) == {}
    assert field in mistakes({**values, **changed}, MARKETS["eu"], Texts("en"))


# Baskets


async def test_the_basket_is_kept_in_a_cookie_that_scripts_and_other_sites_do_not_get(
    browser: httpx.AsyncClient,
) -> None:
    answer = await with_mug(browser)
    (kept,) = [
        value
        for each in answer.history
        for value in each.headers.get_list("set-cookie")
        if value.startswith("basket=")
    ]
    assert "HttpOnly" in kept
    assert "SameSite=lax" in kept
    assert "€29.80" in answer.text


@pytest.mark.parametrize("kept", ["", "x", "../carts.1", "00000000-0000-4000-8000-999999999999.1"])
async def test_a_basket_that_is_not_there_is_empty(browser: httpx.AsyncClient, kept: str) -> None:
    answer = await browser.get("/basket", headers={"Cookie": f"basket={kept}"})
    assert answer.status_code == 200
    assert "Your basket is empty" in answer.text


async def test_a_quantity_of_none_removes_the_line(browser: httpx.AsyncClient) -> None:
    page = await with_mug(browser)
    found = re.search(r'action="(/basket/lines/[^"]+)"', page.text)
    assert found is not None
    answer = await browser.post(found[1], data={"quantity": "0"})
    assert "Your basket is empty" in answer.text


async def test_nonsense_for_a_quantity_changes_nothing(browser: httpx.AsyncClient) -> None:
    page = await with_mug(browser)
    found = re.search(r'action="(/basket/lines/[^"]+)"', page.text)
    assert found is not None
    answer = await browser.post(found[1], data={"quantity": "many"})
    assert 'value="2"' in answer.text


async def test_moving_to_another_country_takes_the_basket_along(browser: httpx.AsyncClient) -> None:
    await with_mug(browser)
    answer = await browser.post("/market", data={"market": "jp", "back": "/basket"})
    assert "¥4,800" in answer.text
    assert 'lang="en-JP"' in answer.text


@pytest.mark.parametrize("back", ["//evil.test/", "https://evil.test/", "/\\evil.test", ""])
async def test_changing_the_country_leads_nowhere_else(
    browser: httpx.AsyncClient, back: str
) -> None:
    answer = await browser.post(
        "/market", data={"market": "gb", "back": back}, follow_redirects=False
    )
    assert answer.headers["location"] == "/"


async def test_a_discount_code_that_does_not_work_is_told_at_its_field(
    browser: httpx.AsyncClient,
) -> None:
    await with_mug(browser)
    answer = await browser.post("/basket/code", data={"code": "LASTYEAR"})
    assert answer.status_code == 422
    assert 'aria-describedby="code-mistake"' in answer.text
    assert 'value="LASTYEAR"' in answer.text


# Checkout and orders


async def test_checking_out_leads_to_the_payment_page_of_the_order(
    browser: httpx.AsyncClient,
) -> None:
    await with_mug(browser)
    review = await browser.post("/checkout", data=ADDRESS)
    assert "Lindenstrasse" in review.text
    answer = await browser.post("/checkout/pay", follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("http")
    assert "basket" not in browser.cookies
    again = await browser.post("/checkout/pay")
    assert heading(again) == "Your order is not paid yet."


async def test_an_address_with_mistakes_is_shown_again_as_it_was_typed(
    browser: httpx.AsyncClient,
) -> None:
    await with_mug(browser)
    answer = await browser.post("/checkout", data={**ADDRESS, "postalCode": "1"})
    assert answer.status_code == 422
    assert "Enter a postal code of Germany, such as 10969." in answer.text
    assert 'value="Lindenstrasse"' in answer.text


@pytest.mark.parametrize("path", ["/checkout", "/checkout/review"])
async def test_without_a_basket_there_is_nothing_to_check_out(
    browser: httpx.AsyncClient, path: str
) -> None:
    answer = await browser.get(path)
    assert answer.url.path == "/basket"


async def test_without_an_address_there_is_nothing_to_review(browser: httpx.AsyncClient) -> None:
    await with_mug(browser)
    answer = await browser.get("/checkout/review")
    assert answer.url.path == "/checkout"


async def test_a_payment_page_that_cannot_be_had_leaves_the_order_to_be_paid_later() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("payments/sessions"):
            return httpx.Response(503, json={"message": "later"})
        if request.method == "PUT":
            return httpx.Response(409, json={"message": "not paid", "code": "NotPaid"})
        return httpx.Response(200, json=ORDER)

    async with answering(answer) as browser:
        browser.cookies.set("basket", signed("22222222-2222-4222-8222-222222222222.1"))
        page = await browser.post("/checkout/pay")
    assert page.url.path == f"/order/{ORDER_ID}"
    assert "We could not reach the payment page." in page.text
    assert f'action="/order/{ORDER_ID}/pay"' in page.text


@pytest.mark.parametrize(
    ("status", "fields", "told"),
    [
        (200, {}, "Thank you. Your order is paid."),
        (202, {}, "Your payment is on its way."),
        (409, {}, "Your order is not paid yet."),
        (409, {"paymentState": "Failed"}, "The payment did not go through."),
        (409, {"orderState": "Cancelled"}, "This order was cancelled."),
        (409, {"paymentState": "Paid"}, "Thank you. Your order is paid."),
    ],
)
async def test_the_page_after_payment_tells_what_the_bff_says(
    status: int, fields: Mapping[str, str], told: str
) -> None:
    confirmed = httpx.Response(status, json={**ORDER, "message": ""})
    async with order_bff(confirmed, **fields) as browser:
        page = await browser.get("/order/success", params={"orderId": ORDER_ID})
    assert heading(page) == told
    assert ("data-refresh" in page.text) == (status == 202)
    assert (f"/order/{ORDER_ID}/pay" in page.text) == (told.endswith("yet.") or "not go" in told)


@pytest.mark.parametrize("path", ["/order/success", "/order/canceled", "/order/x", "/nowhere"])
async def test_what_is_not_there_is_not_found(browser: httpx.AsyncClient, path: str) -> None:
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert heading(answer) == "We cannot find that"


# When things go wrong


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody listens", request=request)


@pytest.mark.parametrize(
    "bff",
    [
        broken,
        lambda _: httpx.Response(500, json={}),
        lambda _: httpx.Response(429, json={"message": "slow down"}),
        lambda _: httpx.Response(200, text="<html>"),
    ],
)
async def test_a_bff_in_trouble_gives_a_friendly_page_with_a_way_to_try_again(
    bff: Callable[[httpx.Request], httpx.Response],
) -> None:
    async with answering(bff) as browser:
        answer = await browser.get("/categories/desk?page=2")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert heading(answer) == "Back in a moment"
    assert 'href="http://shop.test/categories/desk?page=2"' in answer.text


# Safety


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {},
    ],
)
async def test_a_form_of_another_site_is_refused(world: World, headers: dict[str, str]) -> None:
    async with visitor(world.client) as browser:
        browser.headers.pop("Sec-Fetch-Site")
        answer = await browser.post("/basket/lines", data={"sku": "brass-pen-1"}, headers=headers)
    assert answer.status_code == 403
    assert "basket" not in browser.cookies


async def test_a_form_of_the_shop_is_known_by_its_origin_too(world: World) -> None:
    async with visitor(world.client) as browser:
        browser.headers.pop("Sec-Fetch-Site")
        answer = await browser.post(
            "/basket/lines", data={"sku": "brass-pen-1"}, headers={"Origin": SHOP}
        )
    assert "€39.99" in answer.text


async def test_pages_allow_nothing_inline_and_payment_only_where_it_belongs(
    browser: httpx.AsyncClient,
) -> None:
    for path in ("/", "/products/linen-apron-1", "/basket", "/nowhere"):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert "form-action 'self' http://stripe.test;" in policy
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", answer.text)
        assert answer.headers["cache-control"] == "no-store"


async def test_what_others_have_written_is_shown_as_text() -> None:
    name = "<script>alert(1)</script>"
    variant = {"sku": "a&b", "name": name}

    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"id": "1", "name": name, "masterVariant": variant, "results": []}
        )

    async with answering(answer) as browser:
        page = await browser.get("/products/a")
    assert name not in page.text
    assert "&lt;script&gt;" in page.text


async def test_the_bff_is_told_whom_the_shop_serves() -> None:
    told: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        told.append(request.headers.get("x-forwarded-for"))
        return httpx.Response(200, content=json.dumps([]))

    async with answering(answer) as browser:
        await browser.get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert set(told) == {"127.0.0.1"}


@pytest.mark.parametrize("field", ["x" * 20_000, "&".join(f"f{n}=1" for n in range(60))])
async def test_a_form_that_is_too_big_is_refused(browser: httpx.AsyncClient, field: str) -> None:
    answer = await browser.post("/basket/lines", content=f"sku={field}")
    assert answer.status_code in (400, 413)


async def test_static_files_are_kept_and_pictures_are_drawn(browser: httpx.AsyncClient) -> None:
    home = await browser.get("/")
    found = re.search(r'href="(/static/shop.css\?v=\w+)"', home.text)
    assert found is not None
    assert "immutable" in (await browser.get(found[1])).headers["cache-control"]
    drawing = await browser.get("/pictures/stoneware-mug/slate.svg")
    assert drawing.headers["content-type"] == "image/svg+xml"
    assert (await browser.get("/pictures/unicorn/pink.svg")).status_code == 404
