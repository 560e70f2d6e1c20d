"""Who may call the storefront's routes how often, and how their errors look."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from stripe_connector.errors import TooManyRequests
from stripe_connector.http.rate_limit import RateLimit, client_address
from tests.behaviour.steps import Always
from tests.behaviour.storefront import API, ready
from tests.fakes import FakeClock
from tests.world import ORIGIN, World

Json = dict[str, Any]

CART = f"{API}/carts/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01"
PATHS = {
    f"{API}/categories": {"GET"},
    f"{API}/products": {"GET"},
    f"{API}/products/brass-pen-1": {"GET"},
    f"{API}/carts": {"POST"},
    CART: {"GET", "PUT"},
    f"{CART}/order": {"POST"},
    f"{API}/discount-codes": {"GET"},
    f"{API}/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01": {"GET"},
}


# CORS


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_of_the_storefront_may_call_without_credentials(path: str) -> None:
    world = World()
    headers = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
    }
    preflight = await world.client.options(path, headers=headers)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == ORIGIN
    assert "content-type" in preflight.headers["access-control-allow-headers"].lower()
    assert PATHS[path] <= set(preflight.headers["access-control-allow-methods"].split(", "))
    for method in PATHS[path]:
        answer = await world.client.request(method, path, headers={"Origin": ORIGIN})
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", PATHS)
async def test_other_pages_may_not_read(path: str) -> None:
    world = World()
    evil = {"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
    refused = await world.client.options(path, headers=evil)
    assert refused.status_code == 403
    for answer in (refused, await world.client.get(path, headers=evil)):
        assert "access-control-allow-origin" not in answer.headers


# Errors


def assert_storefront_error(answer: httpx.Response, status: int, phrase: str) -> Json:
    error: Json = answer.json()
    assert answer.status_code == error["statusCode"] == status
    assert error["error"] == phrase
    assert error["message"] == error["errors"][0]["message"]
    assert error["code"] == error["errors"][0]["code"]
    assert error.keys() == {"statusCode", "error", "message", "code", "errors"}
    return error


async def test_errors_have_the_storefronts_shape_wherever_they_arise() -> None:
    world = World({"MAX_BODY_BYTES": "1024"})
    client = world.client
    assert_storefront_error(await client.get(CART), 404, "Not Found")
    assert_storefront_error(await client.delete(CART), 405, "Method Not Allowed")
    assert_storefront_error(await client.options(CART), 403, "Forbidden")
    assert_storefront_error(await client.put(CART, content=b"{"), 400, "Bad Request")
    assert_storefront_error(await client.put(CART, json={}), 400, "Bad Request")
    large = await client.put(CART, json={"x": "y" * 2000})
    assert large.json()["statusCode"] == 413
    world.network.trouble = Always("error before", "commercetools")
    assert_storefront_error(await client.get(CART), 503, "Service Unavailable")


async def test_commercetools_out_of_order_is_no_fault_of_the_shopper() -> None:
    world = World()
    shopper = await ready(world)
    world.network.trouble = Always("error before", "commercetools")
    answer = await shopper.orders()
    assert_storefront_error(answer, 503, "Service Unavailable")
    world.network.trouble = lambda _: None
    assert (await shopper.orders()).status_code == 201


async def test_what_is_too_long_to_exist_is_not_looked_up() -> None:
    world = World()
    for path in (f"{API}/discount-codes?code={'x' * 257}", f"{API}/products/{'x' * 257}"):
        assert_storefront_error(await world.client.get(path), 404, "Not Found")
    assert world.network.calls == []


# Rate limit


async def test_a_client_that_writes_too_often_has_to_wait() -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "6"})
    answers = [await world.client.post(f"{API}/carts") for _ in range(7)]
    assert [answer.status_code for answer in answers] == [201] * 6 + [429]
    assert_storefront_error(answers[-1], 429, "Too Many Requests")
    assert answers[-1].headers["retry-after"] == "10"
    assert (await world.client.get(f"{API}/categories")).status_code == 200
    world.clock.advance(10)
    assert (await world.client.post(f"{API}/carts")).status_code == 201
    assert (await world.client.post(f"{API}/carts")).status_code == 429


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{API}/discount-codes?code=GUESS"),
        ("GET", f"{API}/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01"),
        ("GET", CART),
        ("PUT", CART),
        ("POST", f"{CART}/order"),
    ],
)
async def test_guesses_are_counted_before_anything_is_looked_up(method: str, path: str) -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "1"})
    assert (await world.client.request(method, path)).status_code != 429
    world.network.calls.clear()
    assert (await world.client.request(method, path)).status_code == 429
    assert world.network.calls == []


@pytest.mark.parametrize("path", ["categories", "products", "products/brass-pen-1"])
async def test_the_catalogue_has_a_share_of_its_own(path: str) -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "1"})
    assert (await world.client.post(f"{API}/carts")).status_code == 201
    assert (await world.client.get(f"{API}/{path}")).status_code == 200
    world.network.calls.clear()
    assert (await world.client.get(f"{API}/{path}")).status_code == 429
    assert world.network.calls == []


async def test_clients_do_not_share_a_limit() -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "1"})
    for client in ("203.0.113.1", "203.0.113.2", "198.51.100.9, 203.0.113.3"):
        headers = {"X-Forwarded-For": client}
        answers = [await world.client.post(f"{API}/carts", headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 429]


async def test_without_a_limit_everybody_may_go_on() -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "0"})
    for _ in range(400):
        assert (await world.client.get(CART)).status_code == 404


def request(forwarded: list[str], peer: str = "10.0.0.1") -> Request:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return Request({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, ["203.0.113.7"], "10.0.0.1"),
        (1, [], "10.0.0.1"),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["forged, 203.0.113.7"], "203.0.113.7"),
        (1, ["forged", "203.0.113.7"], "203.0.113.7"),
        (2, ["forged, 203.0.113.7, 10.1.1.1"], "203.0.113.7"),
        (2, ["203.0.113.7"], "203.0.113.7"),
        (1, ["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::/64"),
        (1, ["2001:db8:1:2::ffff"], "2001:db8:1:2::/64"),
        (1, ["x" * 500], "10.0.0.1"),
    ],
)
def test_the_client_is_whom_our_own_proxies_saw(
    proxies: int, forwarded: list[str], address: str
) -> None:
    assert client_address(request(forwarded), proxies) == address


def test_what_is_remembered_of_clients_is_bounded_and_the_busy_are_not_forgotten() -> None:
    limit = RateLimit(1, FakeClock(), trusted_proxies=1, capacity=3)

    def admitted(client: str) -> bool:
        try:
            limit.admit(request([client]))
        except TooManyRequests:
            return False
        return True

    def seen(clients: Mapping[str, bool]) -> None:
        assert {client: admitted(client) for client in clients} == clients

    seen({"10.0.0.1": True, "10.0.0.2": True, "10.0.0.3": True})
    seen({"10.0.0.1": False, "10.0.0.4": True})  # 2 makes room: it was quiet for longest
    seen({"10.0.0.1": False, "10.0.0.3": False, "10.0.0.4": False})
    seen({"10.0.0.2": True})
