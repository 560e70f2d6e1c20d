"""Somebody who guesses, mangles or mixes session ids, or calls from a page of their own."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.behaviour.storefront import API
from tests.world import ORIGIN, World

Change = Callable[[str, str], str]

MANGLED: dict[str, Change] = {
    "empty": lambda _a, _b: "",
    "a path before": lambda a, _: f"../{a}",
    "slash behind": lambda a, _: f"{a}/",
    "slash before": lambda a, _: f"/{a}",
    "escaped path": lambda a, _: f"..%2f{a}",
    "escaped dots": lambda _a, _b: "%2e%2e",
    "dots": lambda _a, _b: "..",
    "dot": lambda _a, _b: ".",
    "space before": lambda a, _: f" {a}",
    "space behind": lambda a, _: f"{a} ",
    "tab": lambda a, _: f"{a}\t",
    "line break": lambda a, _: f"{a}\n",
    "query": lambda a, _: f"{a}?x",
    "fragment": lambda a, _: f"{a}#",
    "129 characters": lambda _a, _b: "a" * 129,
    "100,000 characters": lambda _a, _b: "a" * 100_000,
    "NUL": lambda _a, _b: "\0",
    "escaped NUL": lambda a, _: f"{a}%00",
    "escaped line break": lambda a, _: f"{a}%0d%0aX: y",
    "two": lambda a, b: f"{a};{b}",
    "a list": lambda a, b: f"{a},{b}",
    "star": lambda _a, _b: "*",
    "object": lambda _a, _b: "{}",
    "[object Object]": lambda _a, _b: "[object Object]",
    "not ASCII": lambda _a, _b: "é",
    "other digits": lambda _a, _b: "\u0661\u0662\u0663",
}
UNKNOWN: dict[str, Change] = {
    "in capitals": lambda a, _: f"{a}A".upper(),
    "null": lambda _a, _b: "null",
    "undefined": lambda _a, _b: "undefined",
    "hyphen": lambda _a, _b: "-",
    "128 characters": lambda _a, _b: "_" * 128,
    "another project's": lambda a, _: a[::-1],
}


async def ask(world: World, *ids: str) -> tuple[int, int]:
    """The status, and how many calls the backends got."""
    world.network.calls.clear()
    answer = await world.client.get(
        "/operations/config", headers=[(b"x-session-id", each.encode()) for each in ids]
    )
    return answer.status_code, len(world.network.calls)


async def two_sessions(world: World) -> tuple[str, str]:
    carts = [await world.cart() for _ in range(2)]
    first, second = [(await world.session(cart["id"]))["x-session-id"] for cart in carts]
    return first, second


@pytest.mark.parametrize("change", MANGLED.values(), ids=MANGLED)
async def test_what_is_no_session_id_goes_to_no_backend(change: Change) -> None:
    world = World()
    assert await ask(world, change(*await two_sessions(world))) == (401, 0)


@pytest.mark.parametrize("change", UNKNOWN.values(), ids=UNKNOWN)
async def test_an_unknown_session_costs_one_call(change: Change) -> None:
    world = World()
    first, second = await two_sessions(world)
    assert (await ask(world, first))[0] == 200
    assert await ask(world, change(first, second)) == (401, 1)


@pytest.mark.parametrize("order", [(0, 1), (1, 0), (0, 0)])
async def test_of_two_session_headers_neither_is_believed(order: tuple[int, int]) -> None:
    world = World()
    sessions = await two_sessions(world)
    assert await ask(world, *(sessions[each] for each in order)) == (400, 0)


@pytest.mark.parametrize(
    "path", ["/operations/config", "/payments", "/customer/session", "/stored-payment-methods"]
)
@pytest.mark.parametrize("name", ["ctsid", "x-session-id", "sessionId"])
async def test_a_session_in_the_address_is_none(path: str, name: str) -> None:
    world = World()
    session, _ = await two_sessions(world)
    assert (await world.client.get(f"{path}?{name}={session}")).status_code == 401


CONFIRMED: dict[str, tuple[int, str, str, int]] = {
    # whose session, whose reference, whose intent
    "another's paid intent": (0, "own", "other", 400),
    "another's reference and intent": (0, "other", "other", 400),
    "another's reference": (0, "other", "own", 400),
    "no intent": (0, "own", "pi_nope", 400),
    "a path for an intent": (0, "own", "pi_/../../customers", 400),
    "a path for a reference": (0, "..%2f..%2forders", "own", 404),
}


@pytest.mark.parametrize(
    ("session", "reference", "intent", "status"), CONFIRMED.values(), ids=CONFIRMED
)
async def test_a_session_confirms_its_own_payment_alone(
    session: int, reference: str, intent: str, status: int
) -> None:
    world = World()
    sessions = [{"x-session-id": each} for each in await two_sessions(world)]
    started = [await world.start(each) for each in sessions]
    await world.pay(started[1]["clientSecret"])
    intents = [each["clientSecret"].partition("_secret_")[0] for each in started]
    own = {"own": (started[0]["paymentReference"], intents[0])}
    named = {**own, "other": (started[1]["paymentReference"], intents[1])}
    path = named[reference][0] if reference in named else reference
    body = {"paymentIntent": named[intent][1] if intent in named else intent}
    answer = await world.client.post(
        f"/confirmPayments/{path}", headers=sessions[session], json=body
    )
    assert answer.status_code == status
    assert [t[2] for t in await world.transactions(started[0]["paymentReference"])] in (
        [],
        ["Initial"],
    )
    rightful = await world.client.post(
        f"/confirmPayments/{started[1]['paymentReference']}",
        headers=sessions[1],
        json={"paymentIntent": intents[1]},
    )
    assert rightful.status_code == 200


# Pages

ORIGINS = [
    "null",
    "",
    f"{ORIGIN}/",
    f"{ORIGIN}.evil.com",
    "http://evil-localhost:3000",
    ORIGIN.replace("http", "HTTP"),
    ORIGIN.replace("localhost", "LOCALHOST"),
    "http://localhost",
    ORIGIN.replace("http", "https"),
    "http://localhost.:3000",
    "http://user@localhost:3000",
    f"{ORIGIN}@evil.com",
    f"{ORIGIN}, http://evil.com",
    f"http://evil.com, {ORIGIN}",
    "http://localhost:3001",
    "http://127.0.0.1:3000",
    "file://",
    f"{ORIGIN}%00",
    f"{ORIGIN}#",
    f"{ORIGIN}?",
    f" {ORIGIN}",
    "*",
    "http://[::1]:3000",
]


@pytest.mark.parametrize("origin", ORIGINS)
async def test_a_page_of_another_origin_is_told_nothing(origin: str) -> None:
    world = World()
    headers = {"Origin": origin}
    express = await world.client.post("/express-config", headers=headers, json={})
    preflight = await world.client.options(
        "/payments", headers={**headers, "Access-Control-Request-Method": "POST"}
    )
    read = await world.client.get(f"{API}/categories", headers=headers)
    assert (express.status_code, preflight.status_code) == (403, 403)
    for answer in (express, preflight, read):
        assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("order", [(ORIGIN, "http://evil"), ("http://evil", ORIGIN)])
async def test_of_two_origins_neither_is_believed(order: tuple[str, str]) -> None:
    answer = await World().client.post(
        "/express-config", headers=[("Origin", each) for each in order], json={}
    )
    assert answer.status_code == 400
    assert "http://evil" not in answer.headers.get("access-control-allow-origin", "")


async def test_operations_are_shared_with_no_page_and_unknown_paths_with_ours() -> None:
    world = World()
    for path, origin, shared in (
        ("/operations/transactions", ORIGIN, None),
        ("/nothing", ORIGIN, ORIGIN),
        ("/nothing", "https://stranger.example", None),
    ):
        answer = await world.client.post(path, headers={"Origin": origin}, json={})
        assert answer.headers.get("access-control-allow-origin") == shared
