"""Somebody who makes us call backends: open routes have a budget, a refusal costs one call."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from types import SimpleNamespace

import httpx
import pytest
from jwt.algorithms import RSAAlgorithm

from stripe_connector.http.auth import (
    JwtAuth,
    MetricsAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    ProxyAuth,
    SessionAuth,
    StripeAuth,
    oauth2,
)
from tests.behaviour.buy_now import ENABLED
from tests.behaviour.storefront import ADDRESS, API, VOUCHING, Shopper, vouched
from tests.behaviour.test_http_authentication import (
    BUY_NOW,
    EXPECTED,
    METRICS,
    PROXY,
    Route,
    filled,
)
from tests.behaviour.test_payment_links import CONFIGURED
from tests.behaviour.watching import WATCHED
from tests.unit.repository.test_security_docs import rows
from tests.world import START, World

SETTINGS = {
    **ENABLED,
    **CONFIGURED,
    "STRIPE_APPLE_PAY_WELL_KNOWN": "constant",
    "BFF_REQUESTS_PER_MINUTE": "0",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "0",
    "BUY_NOW_SESSIONS_PER_MINUTE": "0",
}
SKU = "stoneware-mug-2"
PAID = [{"action": "changePaymentState", "paymentState": "Paid"}]

BUDGETS = {
    path: int(cells[3])
    for cells in rows("Open routes")
    for path in re.findall(r"`([^`]+)`", cells[0])
}
OPEN = {route for route, auth in {**EXPECTED, **BUY_NOW}.items() if auth == Open()}

Visit = Callable[["Visitor"], Awaitable[None]]


class Visitor:
    """Does what can be done at the open routes, and counts what each request costs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.cost: dict[Route, int] = {}

    @classmethod
    async def arrives(cls) -> Visitor:
        """At a processor that has had other visitors: what it reads once, it knows."""
        world = World(SETTINGS)
        opened = await world.client.get(f"/create-checkout-session/{SKU}")
        assert opened.status_code == 200, opened.text
        world.client.cookies.clear()
        return cls(world)

    async def ask(
        self, method: str, template: str, body: object = None, query: str = "", **values: str
    ) -> httpx.Response:
        """A request; the most that its route has cost so far is kept."""
        path = template.format(**values) + query
        self.world.network.calls.clear()
        answer = await self.world.client.request(
            method, path, json=body if method in ("POST", "PUT") else None
        )
        route = method, template
        self.cost[route] = max(self.cost.get(route, 0), len(self.world.network.calls))
        assert answer.status_code < 500, (route, answer.text)
        return answer


async def browses(visitor: Visitor) -> None:
    for query in ("", "?limit=500", "?limit=500&offset=10000", "?categoryId=x", "?search=mug"):
        await visitor.ask("GET", f"{API}/products", query=query)
    await visitor.ask("GET", f"{API}/categories")
    for sku in (SKU, "nothing"):
        await visitor.ask("GET", f"{API}/products/{{sku}}", sku=sku)
    for code in ("SAVE10", "NOTHING"):
        await visitor.ask("GET", f"{API}/discount-codes", query=f"?code={code}")


async def orders(visitor: Visitor) -> str:
    """Through a cart to an order, with mistakes; the order's id."""
    cart = (await visitor.ask("POST", f"{API}/carts", {})).json()
    line = {"action": "AddLineItem", "AddLineItem": {"variantId": SKU, "quantity": 2}}
    for body in (
        line,
        {**line, "version": 1},
        {"action": "AddDiscountCode", "AddDiscountCode": {"code": "SAVE10"}},
        {"action": "AddDiscountCode", "AddDiscountCode": {"code": "NOTHING"}},
        {"action": "RemoveDiscountCode", "RemoveDiscountCode": {"id": cart["id"]}},
        {"action": "RemoveLineItem", "RemoveLineItem": {"lineItemId": cart["id"]}},
        {"action": "SetShippingAddress", "SetShippingAddress": ADDRESS},
    ):
        await visitor.ask("PUT", f"{API}/carts/{{id}}", body, id=cart["id"])
    await visitor.ask("GET", f"{API}/carts/{{id}}", id=cart["id"])
    for _ in range(2):
        order = await visitor.ask("POST", f"{API}/carts/{{id}}/order", id=cart["id"])
    order_id = str(order.json()["id"])
    await visitor.ask("GET", f"{API}/orders/{{id}}", id=order_id)
    await visitor.ask("PUT", f"{API}/orders/{{id}}", {"actions": PAID}, id=order_id)
    return order_id


async def opens_pages(visitor: Visitor) -> None:
    world = visitor.world
    order_id = await orders(visitor)
    link = await world.client.post(
        "/operations/payment-links", json={"orderId": order_id}, headers=await world.checkout()
    )
    token = str(link.json()["url"]).rpartition("/")[2]
    for mode in ("hosted_page", "hosted_page", "embedded_page", "elements"):
        body = {"id": order_id, "uiMode": mode}
        await visitor.ask("POST", f"{API}/payments/sessions", body)
    await visitor.ask("GET", f"{API}/payment-links/{{token}}", token=token)
    world.clock.advance(90_000)
    world.stripe.run_due()
    await visitor.ask("POST", f"{API}/payments/sessions", {"id": order_id})
    await visitor.ask("PUT", f"{API}/orders/{{id}}", {"actions": PAID}, id=order_id)


async def follows_a_link(visitor: Visitor) -> None:
    world = visitor.world
    order_id = await orders(visitor)
    link = await world.client.post(
        "/operations/payment-links", json={"orderId": order_id}, headers=await world.checkout()
    )
    token = str(link.json()["url"]).rpartition("/")[2]
    await visitor.ask("GET", f"{API}/payment-links/{{token}}", token=token)
    world.clock.advance(90_000)
    world.stripe.run_due()
    await visitor.ask("GET", f"{API}/payment-links/{{token}}", token=token)


async def buys_now(visitor: Visitor) -> None:
    for method in ("GET", "POST"):
        for path in ("/create-checkout-session", "/create-checkout-session/{resource_id}"):
            for slash in ("", "/"):
                for _ in range(2):
                    await visitor.ask(method, path + slash, resource_id=SKU)
                visitor.world.client.cookies.clear()
    await visitor.ask("GET", "/create-checkout-session/{resource_id}", resource_id="nothing")
    order_id = await orders(visitor)
    world = visitor.world
    order = await world.commercetools("GET", f"orders/{order_id}")
    claim = {
        "items": [{"amount": order["totalPrice"]["centAmount"], "quantity": 1}],
        "currency": order["totalPrice"]["currencyCode"],
    }
    page = "cs_x"
    for slash in ("", "/"):
        world.clock.advance(90_000)
        world.stripe.run_due()
        for named in (order_id, order.get("orderNumber") or order_id, "nothing"):
            answer = await visitor.ask(
                "POST", f"/v1/create-session{slash}", {"order_id": named, **claim}
            )
            if answer.is_success:
                page = str(answer.json().get("id", page))
        query = f"?order_id={order_id}&session_id={page}"
        await visitor.ask("GET", f"/v1/session-status{slash}", query=query)
        for path in ("/success", "/client/success.html"):
            if ("GET", path + slash) in OPEN:
                await visitor.ask("GET", path + slash, query=f"?session_id={page}")
        for path in ("/config", "/canceled", "/cancel"):
            await visitor.ask("GET", path + slash)
    for path in ("/", "/buy-now/buy_now.css"):
        await visitor.ask("GET", path)


async def looks_around(visitor: Visitor) -> None:
    for path in ("/health/live", "/health/ready", "/applePayConfig", "/openapi.json", "/docs"):
        await visitor.ask("GET", path)


VISITS: list[Visit] = [browses, opens_pages, follows_a_link, buys_now, looks_around]


@pytest.fixture
async def costs() -> Mapping[Route, int]:
    """The most that each open route has cost, the processor's own token being there."""
    found: dict[Route, int] = {}
    for visit in VISITS:
        visitor = await Visitor.arrives()
        await visit(visitor)
        for route, cost in visitor.cost.items():
            found[route] = max(found.get(route, 0), cost)
    return found


async def test_each_open_route_keeps_the_budget_that_the_page_names(
    costs: Mapping[Route, int],
) -> None:
    assert costs.keys() == OPEN
    most: dict[str, int] = {}
    for (_, path), cost in costs.items():
        path = path.removesuffix("/") or "/"
        most[path] = max(most.get(path, 0), cost)
    # Rows with several routes name the most expensive of them.
    over = {path: cost for path, cost in most.items() if cost > BUDGETS[path]}
    assert over == {}
    for cells in rows("Open routes"):
        paths = re.findall(r"`([^`]+)`", cells[0])
        assert max(most[path] for path in paths) == int(cells[3]), cells[0]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


UUID = "b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01"
UNKNOWN_KEY = _b64(b'{"alg":"RS256","kid":"x"}')
Headers = Mapping[str, str]


async def wrong_session(_world: World) -> list[Headers]:
    return [{"x-session-id": UUID}, {"x-session-id": "no id!"}, {}]


async def wrong_token(world: World) -> list[Headers]:
    scopeless = await world.token("sandbox-storefront")
    return [{"Authorization": f"Bearer {token}"} for token in (UUID, scopeless, "a" * 8_192)]


async def wrong_jwt(world: World) -> list[Headers]:
    good = (await world.merchant_center())["Authorization"]
    expired = await world.merchant_center(exp=1)
    return [
        {"Authorization": f"Bearer {UNKNOWN_KEY}.e30.AA"},
        {"Authorization": good[:-8] + "AAAAAAAA"},
        expired,
        await world.merchant_center(iss="https://elsewhere.example"),
    ]


async def wrong_signature(_world: World) -> list[Headers]:
    zeros = "0" * 64
    now = int(START)
    return [
        {"Stripe-Signature": f"t={now},v1={zeros}"},
        {"Stripe-Signature": f"t={now - 301},v1={zeros}"},
        {},
    ]


async def wrong_origin(_world: World) -> list[Headers]:
    return [{"Origin": "https://evil.example"}, {}]


async def wrong_metrics_token(_world: World) -> list[Headers]:
    return [{"Authorization": "Bearer x"}, {"Authorization": f"Bearer {'x' * 8_192}"}, {}]


WRONG: dict[type[object], Callable[[World], Awaitable[list[Headers]]]] = {
    SessionAuth: wrong_session,
    OAuth2Auth: wrong_token,
    JwtAuth: wrong_jwt,
    StripeAuth: wrong_signature,
    OriginAuth: wrong_origin,
    MetricsAuth: wrong_metrics_token,
    ProxyAuth: wrong_metrics_token,
}
GUARDED = {
    route: type(auth)
    for route, auth in {**EXPECTED, **BUY_NOW, **METRICS, **PROXY}.items()
    if auth != Open()
}


class Hashes:
    """How many hashes and signatures the processor computes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        monkeypatch.setattr(hmac, "new", self._counting(hmac.new))
        monkeypatch.setattr(hmac, "digest", self._counting(hmac.digest))
        sha256 = self._counting(hashlib.sha256)
        monkeypatch.setattr(oauth2, "hashlib", SimpleNamespace(sha256=sha256))
        verify = RSAAlgorithm.verify
        monkeypatch.setattr(RSAAlgorithm, "verify", self._counting(verify))

    def _counting(self, compute: Callable[..., object]) -> Callable[..., object]:
        def counted(*args: object, **named: object) -> object:
            self.count += 1
            return compute(*args, **named)

        return counted


@pytest.mark.parametrize(("route", "kind"), GUARDED.items(), ids=[" ".join(r) for r in GUARDED])
async def test_what_fails_authentication_costs_one_call_and_one_hash_at_most(
    route: Route, kind: type[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World({**WATCHED, **ENABLED, "PROXY_SECRET": "y" * 32})
    await Shopper.arrives(world)
    wrong = await WRONG[kind](world)
    if kind is JwtAuth:  # the keys, which are read once in ten minutes
        await world.client.get("/operations/status", headers=await world.merchant_center())
        world.clock.advance(31)
    hashes = Hashes(monkeypatch)
    for headers in wrong:
        world.network.calls.clear()
        hashes.count = 0
        answer = await world.client.request(route[0], filled(route[1]), headers=headers)
        assert answer.status_code in (400, 401, 403), answer.text
        assert len(world.network.calls) <= 1
        assert hashes.count <= 1
    # What is counted is what the processor computes: the test would notice a second one.
    if kind in (OAuth2Auth, StripeAuth, JwtAuth):
        await world.client.request(
            route[0], filled(route[1]), headers=wrong[0 if kind is StripeAuth else 1]
        )
        assert hashes.count >= 1


@pytest.mark.parametrize(("route", "kind"), GUARDED.items(), ids=[" ".join(r) for r in GUARDED])
async def test_no_body_is_read_before_its_sender_is_known(route: Route, kind: type[object]) -> None:
    """But for a delivery whose header can be right: the signature is over its body."""
    world = World({**WATCHED, **ENABLED, "PROXY_SECRET": "y" * 32})
    for headers in await WRONG[kind](world):
        reads = 0

        async def body() -> AsyncIterator[bytes]:
            nonlocal reads
            reads += 1
            yield b"{}"

        answer = await world.client.request(
            route[0], filled(route[1]), headers=headers, content=body()
        )
        assert answer.status_code in (400, 401, 403), answer.text
        hashed = answer.json()["errors"][0]["code"] == "InvalidSignature"
        assert reads == (1 if hashed else 0)


@pytest.mark.parametrize("route", [("PUT", "/carts/{id}"), ("POST", "/carts/{id}/order")])
async def test_a_wrong_storefront_token_costs_one_hash_and_none_costs_one_call(
    route: Route, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(VOUCHING)
    created = await world.commercetools("POST", "customers", {"email": "v@example.com"})
    cart = await world.cart(customerId=created["customer"]["id"])
    await Shopper.arrives(world)
    path = API + route[1].format(id=cart["id"])
    body = {"action": "SetShippingAddress", "SetShippingAddress": ADDRESS}
    token = vouched(world, "another")["X-Storefront-Token"]
    hashes = Hashes(monkeypatch)
    costs = []
    for headers in ({"X-Storefront-Token": token}, {}):
        world.network.calls.clear()
        hashes.count = 0
        answer = await world.client.request(route[0], path, json=body, headers=headers)
        assert answer.status_code == 403
        costs.append((len(world.network.calls), hashes.count))
    assert costs == [(0, 1), (1, 0)]


async def test_forged_names_of_keys_share_one_call(  # each could be a key that is new
) -> None:
    world = World()
    await world.client.get("/operations/status", headers=await world.merchant_center())
    world.clock.advance(31)
    world.network.calls.clear()
    for number in range(50):
        header = f'{{"alg":"RS256","kid":"k{number}"}}'.encode()
        token = f"{_b64(header)}.e30.AA"
        answer = await world.client.get(
            "/operations/status", headers={"Authorization": f"Bearer {token}"}
        )
        assert answer.status_code == 401
    assert [call.backend for call in world.network.calls] == ["jwt"]


async def test_a_cart_or_order_has_a_share_that_all_clients_have_together() -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "3"})
    carts = [(await Shopper.arrives(world)).path for _ in range(2)]
    orders = [f"{API}/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a0{end}" for end in "12"]
    for path, other in (carts, orders):
        world.clock.advance(60)
        statuses = [
            (
                await world.client.get(path, headers={"X-Forwarded-For": f"203.0.113.{client}"})
            ).status_code
            for client in range(1, 9)
            for _ in range(3)
        ]
        # A client alone has used up its own share long before; five have used up the cart's.
        assert [status == 429 for status in statuses] == [False] * 15 + [True] * 9
        elsewhere = await world.client.get(other, headers={"X-Forwarded-For": "203.0.113.99"})
        assert elsewhere.status_code != 429
