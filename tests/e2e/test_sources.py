"""The published client snippets, replayed over real sockets with only host and keys changed."""

from __future__ import annotations

import httpx

from sandbox.addresses import url
from tests.e2e.conftest import World

CARD = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "method": "card",
    "number": "4242 4242 4242 4242",
    "expiry": "12 / 34",
    "cvc": "123",
}
JSON = {"Content-Type": "application/json"}


def pay(page: str) -> str:
    """Fill in Stripe's page; where it leads to."""
    answer = httpx.post(page, data=CARD)
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


def test_a_storefront_orders_pays_and_confirms(shared: World) -> None:
    bff = f"{url(shared.at.processor)}/api/v1"
    cart = httpx.post(f"{bff}/carts").json()
    added = httpx.put(
        f"{bff}/carts/{cart['id']}",
        json={
            "version": cart["version"],
            "action": "AddLineItem",
            "AddLineItem": {"variantId": "stoneware-mug-1", "quantity": 2},
        },
    )
    assert added.status_code == 200, added.text
    address = {
        "country": "DE",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "streetName": "Hauptstr.",
        "streetNumber": "1",
        "postalCode": "10115",
        "city": "Berlin",
        "region": "Berlin",
        "email": "ada@example.com",
    }
    httpx.put(
        f"{bff}/carts/{cart['id']}",
        json={
            "version": added.json()["version"],
            "action": "SetShippingAddress",
            "SetShippingAddress": address,
        },
    ).raise_for_status()
    order = httpx.post(f"{bff}/carts/{cart['id']}/order").json()
    session = httpx.post(f"{bff}/payments/sessions", json={"id": order["id"]}).json()
    landing = pay(session["url"])
    assert landing == f"{url(shared.at.shop)}/order/success?orderId={order['id']}"
    confirmed = httpx.put(
        f"{bff}/orders/{order['id']}",
        json={
            "version": 2,
            "actions": [
                {"action": "changePaymentState", "paymentState": "Paid"},
                {"action": "changeOrderState", "orderState": "Confirmed"},
            ],
        },
    )
    assert confirmed.status_code == 200, confirmed.text
    assert confirmed.json()["orderState"] == "Confirmed"


def test_a_client_with_an_order_of_its_own_pays_that(shared: World) -> None:
    processor = url(shared.at.processor)
    bff = f"{processor}/api/v1"
    cart = httpx.post(f"{bff}/carts").json()
    cart = httpx.put(
        f"{bff}/carts/{cart['id']}",
        json={
            "version": cart["version"],
            "action": "AddLineItem",
            "AddLineItem": {"variantId": "stoneware-mug-1", "quantity": 1},
        },
    ).json()
    httpx.put(
        f"{bff}/carts/{cart['id']}",
        json={
            "version": cart["version"],
            "action": "SetShippingAddress",
            "SetShippingAddress": {"country": "DE", "city": "Berlin"},
        },
    ).raise_for_status()
    order = httpx.post(f"{bff}/carts/{cart['id']}/order").json()
    items = [{"name": "Mug", "description": "A mug", "amount": order["totalPrice"]["centAmount"]}]
    created = httpx.post(
        f"{processor}/v1/create-session", json={"order_id": order["id"], "items": items}
    )
    assert created.status_code == 200, created.text
    status = f"{processor}/v1/session-status"
    asked = {"session_id": created.json()["id"], "order_id": order["id"]}
    assert httpx.get(status, params=asked).json()["status"] in ("C", "P")
    assert pay(created.json()["url"])
    assert httpx.get(status, params=asked).json()["status"] == "S"


def test_a_page_elsewhere_buys_one_thing_by_its_id(shared: World) -> None:
    processor = url(shared.at.processor)
    preflight = httpx.options(
        f"{processor}/create-checkout-session/stoneware-mug-1",
        headers={
            "Origin": url(shared.at.shop),
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.headers["access-control-allow-origin"] == url(shared.at.shop)
    answer = httpx.get(f"{processor}/create-checkout-session/stoneware-mug-1", headers=JSON)
    body = answer.json()
    assert body["status"] == "success"
    assert body["id"] == body["session"]["id"] == body["sessionId"]
    assert pay(body["url"])


def test_a_button_buys_the_configured_product(shared: World) -> None:
    processor = url(shared.at.processor)
    config = httpx.get(f"{processor}/config/").json()
    assert config["publicKey"].startswith("pk_test_")
    body = httpx.get(f"{processor}/create-checkout-session/").json()
    assert body["sessionId"].startswith("cs_test_")
    landing = pay(body["url"])
    page = httpx.get(landing)
    assert page.status_code == 200
    assert "<h1" in page.text
