from __future__ import annotations

import asyncio

import httpx
import pytest

from stripe_connector import context
from stripe_connector.context import RequestContext
from stripe_connector.errors import BackendError, BackendUnavailable
from stripe_connector.gateways.commercetools.token import TokenCache
from tests.fakes import FakeClock
from tests.unit.gateways.script import Answer, Script, form_of, outgoing_to


class AuthorizationServer:
    """Grants a new token each time, once it is released, unless told to answer otherwise."""

    def __init__(self) -> None:
        self.granted = 0
        self.release = asyncio.Event()
        self.release.set()
        self.answer: Answer | None = None
        self.expires_in = 172_800
        self.asked = asyncio.Event()
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        self.asked.set()
        await self.release.wait()
        if self.answer is not None:
            return await Script(self.answer)(request)
        self.granted += 1
        return httpx.Response(
            200,
            json={
                "access_token": f"token-{self.granted}",
                "expires_in": self.expires_in,
                "scope": "manage_payments:shop view_sessions:shop",
                "token_type": "Bearer",
            },
        )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def server() -> AuthorizationServer:
    return AuthorizationServer()


@pytest.fixture
def tokens(server: AuthorizationServer, clock: FakeClock) -> TokenCache:
    return TokenCache(
        outgoing_to(server, clock),
        auth_url="https://auth.test",
        client_id="id",
        client_secret="hush",
    )


async def test_asks_with_client_credentials(
    tokens: TokenCache, server: AuthorizationServer
) -> None:
    await tokens.get()
    request = server.requests[0]
    assert str(request.url) == "https://auth.test/oauth/token"
    assert request.headers["authorization"] == "Basic aWQ6aHVzaA=="
    assert form_of(request) == {"grant_type": ["client_credentials"]}


async def test_tells_the_granted_scopes(tokens: TokenCache) -> None:
    token = await tokens.get()
    assert token.scopes == {"manage_payments:shop", "view_sessions:shop"}


async def test_a_token_is_kept_until_shortly_before_it_expires(
    tokens: TokenCache, clock: FakeClock
) -> None:
    assert (await tokens.get()).value == "token-1"
    clock.advance(172_800 - 301)
    assert (await tokens.get()).value == "token-1"
    clock.advance(1)
    assert (await tokens.get()).value == "token-2"


async def test_a_token_of_short_life_is_kept_for_most_of_it(
    tokens: TokenCache, server: AuthorizationServer, clock: FakeClock
) -> None:
    server.expires_in = 60
    await tokens.get()
    clock.advance(50)
    assert (await tokens.get()).value == "token-1"


async def test_callers_at_once_share_one_fetch(
    tokens: TokenCache, server: AuthorizationServer
) -> None:
    got = await asyncio.gather(*(tokens.get() for _ in range(20)))
    assert {token.value for token in got} == {"token-1"}
    assert server.granted == 1


async def test_many_rejections_of_one_token_cause_one_refresh(
    tokens: TokenCache, server: AuthorizationServer
) -> None:
    old = (await tokens.get()).value
    got = await asyncio.gather(*(tokens.get(rejected=old) for _ in range(20)))
    late = await tokens.get(rejected=old)
    assert {token.value for token in [*got, late]} == {"token-2"}
    assert server.granted == 2


async def test_a_cancelled_caller_leaves_the_others_their_token(
    tokens: TokenCache, server: AuthorizationServer
) -> None:
    server.release.clear()
    first, second = (asyncio.create_task(tokens.get()) for _ in range(2))
    await server.asked.wait()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    server.release.set()
    assert (await second).value == "token-1"


async def test_a_token_that_still_lives_is_used_while_the_server_is_down(
    tokens: TokenCache, server: AuthorizationServer, clock: FakeClock
) -> None:
    await tokens.get()
    server.answer = httpx.Response(503)
    clock.advance(172_800 - 200)
    assert (await tokens.get()).value == "token-1"
    clock.advance(200)
    with pytest.raises(BackendUnavailable):
        await tokens.get()


async def test_a_rejected_token_is_not_used_again_while_the_server_is_down(
    tokens: TokenCache, server: AuthorizationServer
) -> None:
    old = await tokens.get()
    server.answer = httpx.ConnectError("refused")
    with pytest.raises(BackendUnavailable):
        await tokens.get(rejected=old.value)


async def test_a_caller_without_time_does_not_wait_for_the_fetch(
    tokens: TokenCache, server: AuthorizationServer, clock: FakeClock
) -> None:
    server.release.clear()
    request = context.current.set(RequestContext("c-1", deadline=clock.monotonic()))
    try:
        with pytest.raises(BackendUnavailable):
            await tokens.get()
    finally:
        context.current.reset(request)
    server.release.set()
    assert (await tokens.get()).value == "token-1"


@pytest.mark.parametrize("status", [400, 401, 403])
async def test_refused_credentials_are_our_own_fault_and_stay_unsaid(
    status: int, tokens: TokenCache, server: AuthorizationServer
) -> None:
    server.answer = httpx.Response(status, json={"error": "invalid_client", "message": "id"})
    with pytest.raises(BackendError) as caught:
        await tokens.get()
    assert type(caught.value) is BackendError
    assert "invalid_client" in (caught.value.detail or "")
    assert "invalid_client" not in str(caught.value.body())


@pytest.mark.parametrize("content", [b"<html>", b"{}", b'{"access_token": "\xff"}'])
async def test_an_answer_that_is_no_token_is_an_error(
    content: bytes, tokens: TokenCache, server: AuthorizationServer
) -> None:
    server.answer = httpx.Response(200, content=content)
    with pytest.raises(BackendError):
        await tokens.get()


async def test_no_representation_shows_the_token(tokens: TokenCache) -> None:
    assert "token-1" not in repr(await tokens.get())
    assert "hush" not in repr(tokens)
