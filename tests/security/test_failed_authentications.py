"""Somebody who tries one well-formed session id or access token after another."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from uuid import uuid4

import httpx
import pytest

from stripe_connector.http.auth import OAuth2Auth, SessionAuth
from tests.behaviour.test_http_authentication import EXPECTED, Route, filled
from tests.world import World

LIMIT = 3
CLIENT = "203.0.113.7"
ASKING = [
    (route, type(auth))
    for route, auth in EXPECTED.items()
    if isinstance(auth, SessionAuth | OAuth2Auth)
]
CONFIG: Route = ("GET", "/operations/config")
INTENT: Route = ("POST", "/operations/payment-intents/{id}")


def limited(**settings: str) -> World:
    return World({"FAILED_AUTHENTICATIONS_PER_MINUTE": str(LIMIT), **settings})


def made_up(kind: type[object]) -> dict[str, str]:
    """A credential in form that nobody has issued."""
    if kind is SessionAuth:
        return {"x-session-id": str(uuid4())}
    return {"Authorization": f"Bearer {uuid4()}"}


async def ask(
    world: World, route: Route, credential: Mapping[str, str], client: str = CLIENT
) -> httpx.Response:
    return await world.client.request(
        route[0],
        filled(route[1]),
        headers={**credential, "X-Forwarded-For": client},
        json={} if route[0] == "POST" else None,
    )


def calls(world: World) -> int:
    """How many calls the backends got since the last question."""
    count = len(world.network.calls)
    world.network.calls.clear()
    return count


async def exhausted(world: World, client: str = CLIENT) -> None:
    """This client has been wrong as often as it may be in a minute."""
    await world.token("sandbox-checkout")
    for number in range(LIMIT):
        kind = SessionAuth if number % 2 else OAuth2Auth
        route = CONFIG if kind is SessionAuth else INTENT
        assert (await ask(world, route, made_up(kind), client)).status_code == 401
    calls(world)


async def own_session(world: World) -> Mapping[str, str]:
    return await world.session((await world.cart())["id"])


@pytest.mark.parametrize(("route", "kind"), ASKING, ids=[" ".join(r) for r, _ in ASKING])
async def test_past_the_limit_no_backend_is_asked_about_a_credential(
    route: Route, kind: type[object]
) -> None:
    world = limited()
    await exhausted(world)
    answer = await ask(world, route, made_up(kind))
    assert (answer.status_code, calls(world)) == (429, 0)
    assert answer.json()["errors"][0]["code"] == "TooManyRequests"
    assert answer.headers["Retry-After"] == "20"
    world.clock.advance(20)
    assert (await ask(world, route, made_up(kind))).status_code == 401
    assert calls(world) == 1


@pytest.mark.parametrize("proxies", [0, 1, 2])
async def test_each_address_has_its_own_limit_behind_any_number_of_proxies(proxies: int) -> None:
    world = limited(BFF_TRUSTED_PROXIES=str(proxies))
    inner = ["", "", ", 10.1.1.1"][proxies]
    forms = {
        "203.0.113.7": ["203.0.113.7", "203.0.113.7:1", "::ffff:203.0.113.7", "203.0.113.7:2"],
        "198.51.100.8": ["::ffff:198.51.100.8", "[::ffff:198.51.100.8]:80", "198.51.100.8"] * 2,
        "2001:db8::/64": ["2001:db8::1", "[2001:db8::2]:1", "2001:db8::3", "2001:db8::4"],
    }
    statuses = [
        (
            await ask(world, CONFIG, made_up(SessionAuth), f"192.0.2.{number}, {spelling}{inner}")
        ).status_code
        for spellings in forms.values()
        for number, spelling in enumerate(spellings)
    ]
    assert set(statuses) == {401, 429}
    assert statuses.count(401) == LIMIT * (1 if proxies == 0 else len(forms))


async def test_who_got_in_before_is_not_held_up_by_neighbours_who_guess() -> None:
    world = limited()
    session = await own_session(world)
    token = {"Authorization": f"Bearer {await world.token('sandbox-checkout')}"}
    assert (await ask(world, CONFIG, session)).status_code == 200
    assert (await ask(world, INTENT, token)).status_code == 400
    await exhausted(world)
    for _ in range(LIMIT + 2):
        assert (await ask(world, CONFIG, session)).status_code == 200
        assert (await ask(world, INTENT, token)).status_code == 400
    # What is remembered of both has expired by then: the backends are asked.
    await exhausted_again_after(world, 60)
    calls(world)
    assert (await ask(world, CONFIG, session)).status_code == 200
    assert (await ask(world, INTENT, token)).status_code == 400
    assert calls(world) >= 2


async def exhausted_again_after(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    await exhausted(world)
    assert (await ask(world, CONFIG, made_up(SessionAuth))).status_code == 429


async def test_success_uses_nothing_up() -> None:
    """Any number of shoppers behind one address get in."""
    world = limited()
    for _ in range(LIMIT * 3):
        session = await own_session(world)
        assert (await ask(world, CONFIG, session)).status_code == 200
    await exhausted(world)


async def test_a_newcomer_waits_as_long_as_the_answer_says_and_no_longer() -> None:
    world = limited()
    session = await own_session(world)
    await exhausted(world)
    refused = await ask(world, CONFIG, session)
    assert refused.status_code == 429
    world.clock.advance(int(refused.headers["Retry-After"]))
    assert (await ask(world, CONFIG, session)).status_code == 200


async def test_a_credential_that_has_ended_is_like_any_other() -> None:
    """A shopper's own old session opens no way past the limit."""
    world = limited()
    session = await own_session(world)
    assert (await ask(world, CONFIG, session)).status_code == 200
    world.clock.advance(86_400 * 3)
    await exhausted(world)
    assert [(await ask(world, CONFIG, session)).status_code for _ in range(3)] == [401, 429, 429]
    assert calls(world) == 1


async def test_many_at_once_cost_no_more_calls_than_the_limit() -> None:
    world = limited()
    await exhausted(world, client="198.51.100.1")
    answers = await asyncio.gather(
        *(ask(world, CONFIG, made_up(SessionAuth)) for _ in range(LIMIT * 4))
    )
    assert calls(world) == LIMIT
    assert sorted({each.status_code for each in answers}) == [401, 429]


async def test_requests_at_once_with_one_new_session_count_as_one() -> None:
    world = limited()
    session = await own_session(world)
    await world.token("sandbox-checkout")
    calls(world)
    answers = await asyncio.gather(*(ask(world, CONFIG, session) for _ in range(LIMIT * 4)))
    assert {each.status_code for each in answers} == {200}
    guessed = made_up(SessionAuth)
    answers = await asyncio.gather(*(ask(world, CONFIG, guessed) for _ in range(LIMIT * 4)))
    assert {each.status_code for each in answers} == {401}
    for expected in (401, 401, 429):
        assert (await ask(world, CONFIG, made_up(SessionAuth))).status_code == expected


async def test_a_backend_that_is_down_counts_against_nobody() -> None:
    world = limited()
    session = await own_session(world)
    world.network.trouble = lambda _: "error before"
    for _ in range(LIMIT + 2):
        assert (await ask(world, CONFIG, session)).status_code in (503, 504)
    world.network.trouble = lambda _: None
    assert (await ask(world, CONFIG, session)).status_code == 200


async def test_a_token_of_another_scope_counts_as_a_failure() -> None:
    world = limited()
    token = {"Authorization": f"Bearer {await world.token('sandbox-storefront')}"}
    statuses = [(await ask(world, INTENT, token)).status_code for _ in range(LIMIT + 1)]
    assert statuses == [403] * LIMIT + [429]


async def test_what_is_no_credential_at_all_uses_nothing_up() -> None:
    """It costs no call, and its sender should read what is wrong."""
    world = limited()
    for _ in range(LIMIT + 2):
        assert (await ask(world, CONFIG, {"x-session-id": "no id!"})).status_code == 401
        assert (await ask(world, INTENT, {"Authorization": "Basic eA=="})).status_code == 401
    session = await own_session(world)
    assert (await ask(world, CONFIG, session)).status_code == 200


async def test_without_a_limit_nothing_is_counted() -> None:
    world = World({"FAILED_AUTHENTICATIONS_PER_MINUTE": "0"})
    for _ in range(LIMIT * 3):
        assert (await ask(world, CONFIG, made_up(SessionAuth))).status_code == 401


async def test_webhooks_and_tokens_that_ask_nobody_have_no_limit() -> None:
    """Stripe's deliveries may share an address with anybody: none is put off."""
    world = limited()
    await exhausted(world)
    headers = {"X-Forwarded-For": CLIENT}
    merchant = await world.merchant_center()
    status = await world.client.get("/operations/status", headers={**headers, **merchant})
    assert status.status_code == 200
    forged = {**headers, "Stripe-Signature": "t=1,v1=" + "0" * 64}
    for _ in range(LIMIT + 1):
        answer = await world.client.post("/stripe/webhooks", headers=forged, json={})
        assert answer.status_code == 400
