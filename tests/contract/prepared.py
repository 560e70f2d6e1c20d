"""A world in which every route has something to find, with everything switched on."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from msgspec import Struct

from sandbox.stripe.webhooks import signature
from tests.behaviour import buy_now, stored
from tests.behaviour.steps import dashboard_refund, operate, started
from tests.behaviour.storefront import ADDRESS, ordered, ready
from tests.behaviour.test_bff_payments import PAID
from tests.behaviour.test_payment_links import CONFIGURED, link
from tests.world import ORIGIN, SECRET, World

Json = dict[str, Any]
Known = Mapping[str, Sequence[Any]]

METRICS_TOKEN = "m" * 32
PROXY_SECRET = "p" * 32
EVERYTHING: Mapping[str, str] = {
    **buy_now.ENABLED,
    **CONFIGURED,
    **stored.ENABLED,
    "METRICS_TOKEN": METRICS_TOKEN,
    "PROXY_SECRET": PROXY_SECRET,
    "STRIPE_APPLE_PAY_WELL_KNOWN": "an association",
    "STRIPE_CAPTURE_METHOD": "manual",
    "STRIPE_ENABLE_MULTI_OPERATIONS": "true",
    "BFF_REQUESTS_PER_MINUTE": "0",
    "BUY_NOW_SESSIONS_PER_MINUTE": "0",
}
_POST_DEPLOY = hmac.digest(PROXY_SECRET.encode(), b"post-deploy", "sha256").hex()
_SKUS = ("stoneware-mug-2", "linen-apron-2")
_COPIES = 4
"""Of what a request may use up."""


class Prepared(Struct):
    """A world, what its routes know, and who may call them."""

    world: World
    known: Known
    """By the name of a parameter or field, after its path where paths differ: `/a/{id} id`. What
    belongs together has the same index."""
    credentials: Mapping[str, Sequence[Mapping[str, str]]]
    """Headers by security scheme, by the same index."""

    def value(self, path: str, name: str, index: int) -> Any:
        """Something known by a name; None where nothing is."""
        values = self.known.get(f"{path} {name}") or self.known.get(name)
        return values[index % len(values)] if values else None

    def headers(self, scheme: str, index: int, body: bytes) -> Mapping[str, str]:
        """The credential that a scheme asks for."""
        if scheme == "stripe":
            return {"Stripe-Signature": signature(body, [SECRET], int(self.world.clock.time()))}
        choice = self.credentials[scheme]
        return choice[index % len(choice)]


class Laboratory:
    """A prepared world on a loop of its own, for tests that are not asynchronous."""

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self.prepared = self._runner.run(prepare(World(EVERYTHING)))

    def send(self, request: httpx.Request) -> httpx.Response:
        """The answer to a request of somebody who keeps no cookies."""
        client = self.prepared.world.client
        client.cookies.clear()
        return self._runner.run(client.send(request))

    def close(self) -> None:
        self._runner.close()


async def prepare(world: World) -> Prepared:
    """Payments, carts, orders and stored methods in all states that come easily."""
    customer = await stored.regular(world)
    methods = [await customer.on_file() for _ in range(_COPIES)]
    shops = [
        await started(
            world, customerId=customer.id, shippingAddress={"country": "DE"}, billingAddress=ADDRESS
        )
        for _ in range(_COPIES)
    ]
    for shop in shops[2:]:
        await world.pay(shop.secret)
    payments = [await world.paid() for _ in range(_COPIES)]
    await operate(world, payments[1], "capturePayment", 600)
    await operate(world, payments[2], "capturePayment", 1000)
    await operate(world, payments[2], "refundPayment", 200)
    await operate(world, payments[3], "cancelPayment")
    charged = (await world.payment(payments[2]))["transactions"]
    await dashboard_refund(world, (await world.payment(payments[2]))["interfaceId"], 100)
    carts = [(await ready(world)).cart for _ in range(_COPIES)]
    orders = [await ordered(world) for _ in range(_COPIES)]
    pages = [await _page(world, order["id"]) for order in orders]
    for page in pages[1::2]:
        await buy_now.pay(world, page)
    await world.deliver_all()
    for order in orders[1::2]:
        await _capture(world, order)
    open_carts = [(await world.cart(customerId=customer.id))["id"] for _ in range(_COPIES)]
    order_ids = [order["id"] for order in orders]
    categories = (await world.client.get("/api/v1/categories")).json()
    known: dict[str, Sequence[Any]] = {
        "component": ["payment", "expressCheckout"],
        "/confirmPayments/{id} id": [shop.payment_id for shop in shops],
        "paymentIntent": [shop.intent_id for shop in shops],
        "/stored-payment-methods/{id} id": methods,
        "storedPaymentMethodId": methods,
        "/operations/transactions paymentMethodId": methods,
        "/operations/transactions cartId": open_carts,
        "/operations/payment-intents/{id} id": payments,
        "transactionId": [each["id"] for each in charged if each["type"] == "Charge"],
        "/api/v1/carts/{id} id": [cart["id"] for cart in carts],
        "/api/v1/carts/{id}/order id": [cart["id"] for cart in carts],
        "lineItemId": [cart["lineItems"][0]["id"] for cart in carts],
        "/api/v1/orders/{id} id": order_ids,
        "/api/v1/payments/sessions id": order_ids,
        "orderId": order_ids,
        "order_id": order_ids,
        "session_id": pages,
        "token": [(await link(world, id_)).rpartition("/")[2] for id_ in order_ids],
        "code": ["SAVE10"],
        "categoryId": [category["id"] for category in categories],
        "currencyCode": ["EUR"],
        "currency": ["EUR", "JPY"],
        "country": ["DE"],
        "centAmount": [100, 1, 1000],
        "/api/v1/orders/{id} actions": [PAID],
        "X-Express-Checkout": ["true"],
        "X-Express-Customer-Session": ["true"],
        "sku": _SKUS,
        "variantId": _SKUS,
        "resource_id": _SKUS,
    }
    return Prepared(
        world,
        known,
        {
            "session": [shop.session for shop in shops],
            "oauth2": [await world.checkout()],
            "jwt": [await world.merchant_center()],
            "origin": [{"Origin": ORIGIN}],
            "metrics": [{"Authorization": f"Bearer {METRICS_TOKEN}"}],
            "proxy": [{"Authorization": f"Bearer {_POST_DEPLOY}"}],
        },
    )


async def _capture(world: World, order: Json) -> None:
    """Capture all that was paid for an order."""
    recorded = await world.commercetools("GET", f"orders/{order['id']}")
    [payment] = recorded["paymentInfo"]["payments"]
    await operate(world, payment["id"], "capturePayment", order["totalPrice"]["centAmount"])


async def _page(world: World, order_id: str) -> str:
    """The id of an order's payment page."""
    answer = await world.client.post("/api/v1/payments/sessions", json={"id": order_id})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])
