"""Payment in the shop's own page, as its server sees it: no browser is believed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.shop.app import create_app
from sandbox.shop.elements import BUNDLE, Elements
from sandbox.shop.merchant import ApiClient, Merchant
from tests.world import World

Json = dict[str, Any]
SHOP = "http://localhost:3000"
CLIENT = ApiClient("sandbox", "sandbox-storefront", "sandbox-storefront-secret")
ADDRESS = {
    "country": "DE",
    "email": "ada@example.com",
    "firstName": "Ada",
    "lastName": "Byron",
    "streetName": "Lindenstrasse",
    "postalCode": "10969",
    "city": "Berlin",
}
BERLIN = {"country": "DE", "city": "Berlin", "postalCode": "10969"}


@pytest.fixture
def world() -> World:
    return World({"STORED_PAYMENT_METHODS_ENABLED": "true"})


@pytest.fixture
def enabler(tmp_path: Path) -> Path:
    (tmp_path / BUNDLE).write_text("export const Enabler = class {};")
    return tmp_path


@pytest.fixture
def browser(world: World, enabler: Path) -> httpx.AsyncClient:
    """A browser at a shop that takes payments in its own page."""
    return at_shop(world, enabler)


def at_shop(world: World, enabler: Path) -> httpx.AsyncClient:
    transport = world.network.transports["commercetools.test"]
    commercetools = httpx.AsyncClient(transport=transport, base_url="http://commercetools.test")
    app = create_app(
        world.client,
        ["http://stripe.test"],
        Merchant(commercetools, CLIENT),
        Elements("http://processor.test/connector", "http://stripe.test", enabler),
    )
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(app),
        base_url=SHOP,
        headers={"Sec-Fetch-Site": "same-origin"},
        follow_redirects=True,
    )


async def with_basket(browser: httpx.AsyncClient) -> str:
    """A basket with a mug: the cart's id."""
    await browser.post("/basket/lines", data={"sku": "stoneware-mug-1", "quantity": "1"})
    return str(browser.cookies["basket"]).strip('"').partition(".")[0]


async def at_payment(browser: httpx.AsyncClient) -> tuple[str, httpx.Response]:
    """The cart's id, and the page that pays it."""
    cart_id = await with_basket(browser)
    await browser.post("/checkout", data=ADDRESS)
    return cart_id, await browser.get("/checkout/payment")


def session_in(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'data-session="([^"]+)"', page.text)
    assert found is not None, page.text
    return {"x-session-id": found[1]}


async def orders(world: World) -> list[Json]:
    return list((await world.commercetools("GET", "orders"))["results"])


# Before the payment


async def test_the_page_gets_a_session_for_the_visitors_cart_and_nothing_secret(
    world: World, browser: httpx.AsyncClient
) -> None:
    cart_id, page = await at_payment(browser)
    started = await world.start(session_in(page))
    assert started["cartId"] == cart_id
    assert CLIENT.secret not in page.text
    assert cart_id not in page.text


async def test_only_pages_with_elements_admit_what_elements_need(
    browser: httpx.AsyncClient,
) -> None:
    _, page = await at_payment(browser)
    policy = page.headers["content-security-policy"].split("; ")
    assert "script-src 'self' http://stripe.test" in policy
    assert "frame-src http://stripe.test" in policy
    assert "connect-src 'self' http://processor.test http://stripe.test" in policy
    assert "style-src 'self'" in policy
    review = (await browser.get("/checkout/review")).headers["content-security-policy"]
    assert "script-src 'self';" in review
    assert "frame-src" not in review
    assert "processor.test" not in review


async def test_the_bundles_address_changes_with_its_content_so_that_browsers_keep_it(
    browser: httpx.AsyncClient, enabler: Path
) -> None:
    def address(page: httpx.Response) -> str:
        found = re.search(r'data-bundle="([^"]+)"', page.text)
        assert found is not None
        return found[1]

    _, page = await at_payment(browser)
    first = address(page)
    served = await browser.get(first)
    assert "Enabler" in served.text
    assert "immutable" in served.headers["cache-control"]
    (enabler / BUNDLE).write_text("export const Enabler = null;")
    assert address(await browser.get("/checkout/payment")) != first


async def test_scripts_are_served_beside_the_bundle_and_nothing_else_of_its_folder(
    browser: httpx.AsyncClient, enabler: Path
) -> None:
    (enabler / "types").mkdir()
    for name in ("connector-enabler.texts-de.a_-1.js", "types/index.d.ts", "types/a.js", ".env"):
        (enabler / name).write_text("export const texts = {};")
    served = await browser.get("/enabler/connector-enabler.texts-de.a_-1.js")
    assert served.status_code == 200
    assert served.headers["content-type"].startswith("text/javascript")
    for name in ("types/index.d.ts", "types/a.js", ".env", "types", "", "missing.js"):
        assert (await browser.get(f"/enabler/{name}")).status_code == 404, name


async def test_without_the_enabler_the_hosted_way_is_the_only_one(
    world: World, tmp_path: Path
) -> None:
    browser = at_shop(world, tmp_path / "not-built")
    _, page = await at_payment(browser)
    assert page.url.path == "/checkout/review"
    assert "Pay here" not in page.text
    assert "on Stripe" in page.text
    assert (await browser.get("/playground")).status_code == 404
    assert "express" not in (await browser.get("/basket")).text


@pytest.mark.parametrize("path", ["/checkout/payment", "/return", "/checkout/placed"])
async def test_without_a_basket_there_is_nothing_to_pay(
    browser: httpx.AsyncClient, path: str
) -> None:
    method = "POST" if path == "/checkout/placed" else "GET"
    assert (await browser.request(method, path)).url.path == "/basket"


# After the payment


async def test_who_merely_says_that_it_is_paid_gets_no_order(
    world: World, browser: httpx.AsyncClient
) -> None:
    _, page = await at_payment(browser)
    await world.start(session_in(page))
    answer = await browser.post("/checkout/placed")
    assert "Your payment has not arrived" in answer.text
    assert await orders(world) == []


@pytest.mark.parametrize(
    ("method", "heading"),
    [
        ("pm_card_visa", "Thank you. Your order is paid."),
        ("sepa_debit", "Your payment is on its way."),
    ],
)
async def test_what_is_paid_or_on_its_way_is_ordered_once(
    world: World, browser: httpx.AsyncClient, method: str, heading: str
) -> None:
    cart_id, page = await at_payment(browser)
    started = await world.start(session_in(page))
    await world.pay(started["clientSecret"], method)
    await world.deliver_all()
    basket = dict(browser.cookies)
    for _ in range(2):
        browser.cookies.update(basket)  # as another tab sends it
        answer = await browser.post("/checkout/placed")
        assert f">{heading}</h1>" in answer.text
    (order,) = await orders(world)
    assert order["cart"]["id"] == cart_id


async def test_a_cart_that_grew_after_it_was_paid_is_ordered_once_the_rest_is_paid(
    world: World, browser: httpx.AsyncClient
) -> None:
    """The shop's own routes refuse to change what is paid; the merchant may."""
    cart_id, page = await at_payment(browser)
    started = await world.start(session_in(page))
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    refused = await browser.post("/basket/lines", data={"sku": "brass-pen-1", "quantity": "1"})
    assert refused.status_code == 409
    await world.change_cart(cart_id, {"action": "addLineItem", "sku": "brass-pen-1", "quantity": 1})
    page = await browser.post("/checkout/placed")
    assert "Your payment has not arrived, or it is less" in page.text
    assert await orders(world) == []
    rest = await world.start(session_in(page))
    assert (await world.pay(rest["clientSecret"]))["amount"] == 3_999
    await world.deliver_all()
    answer = await browser.post("/checkout/placed")
    assert ">Thank you. Your order is paid.</h1>" in answer.text
    assert len(await orders(world)) == 1


async def test_the_payment_page_of_a_paid_cart_leads_to_its_order(
    world: World, browser: httpx.AsyncClient
) -> None:
    _, page = await at_payment(browser)
    started = await world.start(session_in(page))
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    answer = await browser.get("/checkout/payment")
    assert answer.url.path.startswith("/order/")
    assert len(await orders(world)) == 1


# The wallet


async def test_the_wallet_gets_the_rates_of_its_address_and_the_cart_follows(
    world: World, browser: httpx.AsyncClient
) -> None:
    cart_id = await with_basket(browser)
    assert (await browser.post("/express/address", json={"address": BERLIN})).status_code == 200
    rates = (await browser.post("/express/rates")).json()
    assert [(each["name"], each["amount"]["centAmount"]) for each in rates] == [
        ("Standard", 490),
        ("Express", 1_290),
    ]
    await browser.post("/express/rate", json={"id": rates[1]["id"]})
    chosen = (await browser.post("/express/rates")).json()
    assert [each["isSelected"] for each in chosen] == [False, True]
    whole = {**BERLIN, "firstName": "Ada", "email": "ada@example.com", "nonsense": "x"}
    await browser.post("/express/addresses", json={"shippingAddress": whole})
    cart = await world.commercetools("GET", f"carts/{cart_id}")
    assert cart["totalPrice"]["centAmount"] == 1_490 + 1_290
    assert cart["customerEmail"] == "ada@example.com"
    assert cart["shippingAddress"] == {
        **BERLIN,
        "firstName": "Ada",
        "email": "ada@example.com",
    }


async def test_delivery_that_is_free_above_a_sum_is_offered_as_free(
    browser: httpx.AsyncClient,
) -> None:
    await browser.post("/basket/lines", data={"sku": "task-lamp-1", "quantity": "1"})
    await browser.post("/express/address", json={"address": BERLIN})
    (standard, _) = (await browser.post("/express/rates")).json()
    assert standard["amount"] == {"centAmount": 0, "currencyCode": "EUR", "fractionDigits": 2}


async def test_where_nothing_is_delivered_there_are_no_rates(browser: httpx.AsyncClient) -> None:
    await with_basket(browser)
    london = {"country": "GB", "city": "London"}
    await browser.post("/express/address", json={"address": london})
    assert (await browser.post("/express/rates")).json() == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/express/session", None, 409),
        ("/express/address", b"{", 400),
        ("/express/address", b'{"address":{"city":1}}', 400),
        ("/express/rate", b"x" * 20_000, 413),
    ],
)
async def test_what_no_page_of_the_shop_asks_is_refused(
    browser: httpx.AsyncClient, path: str, body: bytes | None, status: int
) -> None:
    assert (await browser.post(path, content=body)).status_code == status


async def test_another_sites_page_can_ask_nothing(browser: httpx.AsyncClient) -> None:
    await with_basket(browser)
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    for path in ("/express/session", "/checkout/placed", "/account/sign-in", "/playground/carts"):
        assert (await browser.post(path, headers=elsewhere)).status_code == 403


# Customers


async def test_the_cart_of_who_signs_in_is_the_customers_and_of_who_signs_out_a_guests(
    world: World, browser: httpx.AsyncClient
) -> None:
    assert "Hello, Ada" in (await browser.post("/account/sign-in")).text
    cart_id, page = await at_payment(browser)
    customer = await world.commercetools("GET", "customers/key=ada")
    assert (await world.commercetools("GET", f"carts/{cart_id}"))["customerId"] == customer["id"]
    assert "Keep this card" in page.text
    await browser.post("/account/sign-out")
    page = await browser.get("/checkout/payment")
    assert "customerId" not in await world.commercetools("GET", f"carts/{cart_id}")
    assert "Keep this card" not in page.text


@pytest.mark.parametrize("forged", ["ada", "ada.", "ada.0123", "ada.\xe9"])
async def test_nobody_becomes_a_customer_by_a_cookie_of_their_own(
    browser: httpx.AsyncClient, forged: str
) -> None:
    cookie = f"customer={forged}".encode("latin-1")
    answer = await browser.get("/account", headers=[(b"Cookie", cookie)])
    assert "Shop as Ada" in answer.text


async def test_a_customers_address_is_filled_in(browser: httpx.AsyncClient) -> None:
    await browser.post("/account/sign-in")
    await with_basket(browser)
    assert 'value="Lindenstrasse"' in (await browser.get("/checkout")).text


# The playground


async def test_the_playground_has_carts_of_its_own(
    world: World, browser: httpx.AsyncClient
) -> None:
    made = (await browser.post("/playground/carts", json={"country": "JP"})).json()
    assert made["amount"] == {"centAmount": 2_400, "currencyCode": "JPY", "fractionDigits": 0}
    started = await world.start({"x-session-id": made["sessionId"]})
    assert started["cartId"] == made["cartId"]
    more = (await browser.post("/playground/more", json={"cartId": made["cartId"]})).json()
    assert more["amount"]["centAmount"] == 4_800
    assert "basket" not in browser.cookies


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("carts", {"country": "XX"}),
        ("more", {"cartId": "key=cart"}),
        ("more", {"cartId": "../orders/1"}),
    ],
)
async def test_the_playground_takes_nothing_else(
    browser: httpx.AsyncClient, path: str, body: Json
) -> None:
    assert (await browser.post(f"/playground/{path}", json=body)).status_code == 400
