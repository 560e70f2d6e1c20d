"""Stripe's published enabler, pointed here unchanged: its calls, and the fields that it reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.world import ORIGIN, World

Json = dict[str, Any]

ENABLER_CALLS = [
    ("GET", "/config-element/payment", "x-session-id"),
    ("GET", "/operations/config", "x-session-id"),
    ("GET", "/customer/session", "x-session-id"),
    (
        "GET",
        "/payments",
        "content-type,x-express-checkout,x-express-customer-session,x-session-id",
    ),
    ("POST", "/payments", "content-type,x-session-id"),
    ("POST", "/confirmPayments/b5f5a0d2", "content-type,x-session-id"),
    ("POST", "/express-config", "content-type"),
    ("GET", "/express-payment-data", "x-session-id"),
]
"""Method, path and the request headers that a browser asks about first."""


class Page:
    """A storefront's page in which the enabler runs."""

    def __init__(self, world: World, session: Mapping[str, str]) -> None:
        self._world = world
        self._headers = {"Origin": ORIGIN, "Content-Type": "application/json", **session}

    async def call(self, method: str, path: str, **request: Any) -> httpx.Response:
        """As fetch() does: it hides answers that another origin may not read."""
        headers = {**self._headers, **request.pop("headers", {})}
        answer = await self._world.client.request(method, path, headers=headers, **request)
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
        return answer

    async def read(self, method: str, path: str, **request: Any) -> Json:
        answer = await self.call(method, path, **request)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


async def open_page(world: World, **cart: Any) -> Page:
    made = await world.cart(**cart)
    return Page(world, await world.session(made["id"]))


async def with_customer(world: World) -> Page:
    created = await world.commercetools("POST", "customers", {"email": "lin@example.com"})
    return await open_page(world, customerId=created["customer"]["id"])


def assert_config(body: Json) -> None:
    assert isinstance(body["publishableKey"], str)
    assert body["environment"] in ("test", "live")
    assert isinstance(body["captureMethod"], str)
    assert body["stripeJsUrl"].startswith("https://")
    for optional in ("appearance", "expressElementOptions"):
        assert isinstance(json.loads(body.get(optional, "{}")), dict)


SETTINGS = {
    "STRIPE_APPEARANCE_PAYMENT_ELEMENT": '{"theme":"night"}',
    "STRIPE_EXPRESS_ELEMENT_OPTIONS": '{"buttonHeight":48}',
    "STRIPE_COLLECT_BILLING_ADDRESS": "never",
}


@pytest.mark.parametrize("environment", [{}, SETTINGS], ids=["bare", "all set"])
async def test_setup_with_a_session(environment: dict[str, str]) -> None:
    page = await open_page(World(environment))
    element = await page.read("GET", "/config-element/payment")
    assert isinstance(element["cartInfo"]["amount"], int)
    assert element["cartInfo"]["currency"] == "EUR"
    assert element["captureMethod"] in ("automatic", "automatic_async", "manual")
    assert element["flowType"] in ("deferred", "pi_first")
    assert element["collectBillingAddress"] in ("auto", "never", "if_required")
    assert isinstance(json.loads(element["paymentElementOptions"]), dict)
    assert json.loads(element["layout"])["type"] in ("tabs", "accordion", "auto")
    assert isinstance(json.loads(element.get("appearance", "{}")), dict)
    assert_config(await page.read("GET", "/operations/config"))
    guest = await page.call("GET", "/customer/session")
    assert (guest.status_code, guest.content) == (204, b"")


async def test_setup_for_a_customer() -> None:
    page = await with_customer(World())
    body = await page.read("GET", "/customer/session")
    assert body["stripeCustomerId"].startswith("cus_")
    assert all(isinstance(body[field], str) for field in ("ephemeralKey", "sessionId"))


@pytest.mark.parametrize("address", [None, {"country": "DE", "firstName": "Lin"}])
async def test_an_embedded_payment_from_submit_to_approval(address: Json | None) -> None:
    world = World(SETTINGS)
    page = await open_page(world, **({"billingAddress": address} if address else {}))
    started = await page.read("GET", "/payments")
    for field in ("sClientSecret", "paymentReference", "merchantReturnUrl", "cartId"):
        assert isinstance(started[field], str)
        assert started[field]
    if address:
        details = json.loads(started["billingAddress"])
        assert set(details) == {"name", "phone", "email", "address"}
        assert details["address"]["country"] == "DE"
    else:
        assert "billingAddress" not in started
    paid = await world.pay(started["sClientSecret"])
    confirmed = await page.call(
        "POST",
        f"/confirmPayments/{started['paymentReference']}",
        json={"paymentIntent": paid["id"], "confirmationToken": "ctoken_1"},
    )
    assert (confirmed.status_code, confirmed.json()) == (200, {"outcome": "approved"})


async def test_a_payment_that_is_still_processed_is_pending() -> None:
    world = World()
    page = await open_page(world)
    started = await page.read("GET", "/payments")
    paid = await world.pay(started["sClientSecret"], "sepa_debit")
    confirmed = await page.call(
        "POST",
        f"/confirmPayments/{started['paymentReference']}",
        json={"paymentIntent": paid["id"]},
    )
    assert (confirmed.status_code, confirmed.json()) == (202, {"outcome": "pending"})


async def test_a_refused_confirmation_is_rejected_with_a_reason() -> None:
    world = World()
    page = await open_page(world)
    started = await page.read("GET", "/payments")
    declined = await world.pay(started["sClientSecret"], "pm_card_visa_chargeDeclined")
    intent = declined["error"]["payment_intent"]["id"]
    confirmed = await page.call(
        "POST", f"/confirmPayments/{started['paymentReference']}", json={"paymentIntent": intent}
    )
    assert confirmed.status_code == 402
    assert confirmed.json()["outcome"] == "rejected"
    assert isinstance(confirmed.json()["error"], str)


async def test_with_intent_first_the_element_reads_the_payment_once_and_keeps_it() -> None:
    world = World({"STRIPE_PAYMENT_FLOW": "pi_first"})
    page = await open_page(world)
    element = await page.read("GET", "/config-element/payment")
    assert element["flowType"] == "pi_first"
    assert "setupFutureUsage" not in element
    started = await page.read("GET", "/payments")
    # Every mount of the element asks again: it must be the same payment.
    assert await page.read("GET", "/payments") == started


async def test_express_from_setup_without_a_session_to_approval() -> None:
    world = World(SETTINGS)
    bare = Page(world, {})
    assert_config(await bare.read("POST", "/express-config", json={}))
    page = await with_customer(world)
    customer = await page.read("GET", "/customer/session")
    data = await page.read("GET", "/express-payment-data")
    assert set(data["totalPrice"]) >= {"centAmount", "currencyCode", "fractionDigits"}
    assert data["currencyCode"] == data["totalPrice"]["currencyCode"]
    for line in data["lineItems"]:
        assert isinstance(line["name"], str)
        assert line["type"] in ("SUBTOTAL", "TAX", "SHIPPING", "TOTAL")
        assert isinstance(line["amount"]["centAmount"], int)
    assert sum(line["amount"]["centAmount"] for line in data["lineItems"]) == 1000
    started = await page.read(
        "GET",
        "/payments",
        headers={"x-express-checkout": "true", "x-express-customer-session": "true"},
    )
    [intent] = world.stripe.intents.newest({})
    assert intent["customer"] == customer["stripeCustomerId"]
    paid = await world.pay(started["sClientSecret"])
    confirmed = await page.read(
        "POST",
        f"/confirmPayments/{started['paymentReference']}",
        json={"paymentIntent": paid["id"]},
    )
    assert confirmed == {"outcome": "approved"}


async def test_a_page_of_another_origin_cannot_set_up_express() -> None:
    answer = await World().client.post(
        "/express-config", json={}, headers={"Origin": "http://evil.example"}
    )
    assert answer.status_code == 403
    assert answer.json()["message"] == "CORS origin not allowed."
    assert answer.json()["error"] == "Forbidden"


# CORS


@pytest.mark.parametrize(("method", "path", "headers"), ENABLER_CALLS)
async def test_browsers_may_make_the_enablers_calls_from_the_storefront(
    method: str, path: str, headers: str
) -> None:
    world = World()
    answer = await world.client.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": headers,
        },
    )
    assert answer.status_code in (200, 204)
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert method in answer.headers["Access-Control-Allow-Methods"].split(", ")
    allowed = {
        each.strip().lower() for each in answer.headers["Access-Control-Allow-Headers"].split(",")
    }
    assert set(headers.split(",")) <= allowed
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert world.network.calls == []


@pytest.mark.parametrize(("method", "path", "headers"), ENABLER_CALLS)
@pytest.mark.parametrize("origin", ["http://evil.example", "null", f"{ORIGIN}.evil.example"])
async def test_browsers_may_not_make_them_from_elsewhere(
    method: str, path: str, headers: str, origin: str
) -> None:
    world = World()
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    preflight = await world.client.options(path, headers={"Origin": origin, **asked})
    assert preflight.status_code == 403
    actual = await world.client.request(method, path, headers={"Origin": origin})
    for answer in (preflight, actual):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/operations/payment-intents/1"),
        ("GET", "/operations/status"),
        ("GET", "/operations/payment-components"),
        ("POST", "/stripe/webhooks"),
        ("GET", "/health/ready"),
    ],
)
async def test_no_page_may_call_what_is_for_servers(method: str, path: str) -> None:
    world = World()
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": method}
    preflight = await world.client.options(path, headers=asked)
    assert preflight.status_code == 405
    actual = await world.client.request(method, path, headers={"Origin": ORIGIN})
    for answer in (preflight, actual):
        assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_can_read_why_it_was_refused() -> None:
    page = Page(World(), {"x-session-id": "unknown"})
    for method, path in (("GET", "/payments"), ("GET", "/operations/config")):
        answer = await page.call(method, path)
        assert answer.status_code == 401
        assert answer.json()["message"] == "Session is not active"
        exposed = answer.headers["Access-Control-Expose-Headers"]
        assert "X-Correlation-ID" in exposed


async def test_asking_about_payments_starts_none() -> None:
    world = World()
    session = await world.session((await world.cart())["id"])
    answer = await world.client.head("/payments", headers=session)
    assert answer.status_code == 200
    assert not list(world.stripe.intents)
    assert not list(world.store.collection("payment"))


@pytest.mark.parametrize("path", ["/payment", "/config-element/", "/applePayConfig"])
async def test_a_page_can_read_that_nothing_is_at_its_address(path: str) -> None:
    world = World()
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "x-session-id",
    }
    preflight = await world.client.options(path, headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == ORIGIN
    answer = await Page(world, {"x-session-id": "1"}).call("GET", path)
    assert (answer.status_code, answer.json()["statusCode"]) == (404, 404)


async def test_a_strangers_page_reads_nothing_of_an_address_without_anything() -> None:
    world = World()
    stranger = {"Origin": "https://elsewhere.example"}
    asked = {**stranger, "Access-Control-Request-Method": "GET"}
    preflight = await world.client.options("/payment", headers=asked)
    assert preflight.status_code == 403
    answer = await world.client.get("/payment", headers=stranger)
    for each in (preflight, answer):
        assert "Access-Control-Allow-Origin" not in each.headers
