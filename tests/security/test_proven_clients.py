"""An outsider who wants to be counted as another client, by the header of our proxy on Connect."""

from __future__ import annotations

import hashlib
import hmac

import httpx
import pytest

from stripe_connector.settings import ConfigurationError, load_settings
from tests.behaviour.storefront import API
from tests.world import ENVIRONMENT, World

OLD = "6f1c0d8e2b7a4953c1e0f2a9b8d7c6e5"
NEW = "0a9b8c7d6e5f4a3b2c1d0e9f8a7b6c5d"
ORDER = f"{API}/orders/b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a0"


def proof(address: str, secret: str = NEW) -> str:
    return hmac.new(secret.encode(), f"client {address}".encode(), hashlib.sha256).hexdigest()


def claim(address: str, secret: str = NEW) -> str:
    return f"{address} {proof(address, secret)}"


async def ask(world: World, *claims: str, forwarded: str = "192.0.2.9", n: int = 1) -> int:
    headers = [("X-Forwarded-For", forwarded), *(("X-Proxy-Client", each) for each in claims)]
    return (await world.client.get(f"{ORDER}{n}", headers=headers)).status_code


FORGED = [
    "",
    "203.0.113.7",
    "203.0.113.7 ",
    f"203.0.113.7 {'0' * 64}",
    f"203.0.113.7 {proof('203.0.113.8')}",
    f"203.0.113.7 {proof('203.0.113.7').upper()}",
    f"203.0.113.7 {proof('203.0.113.7')} ",
    f"203.0.113.7 {proof('203.0.113.7')}0",
    f"203.0.113.7  {proof('203.0.113.7')}",
    f"203.0.113.7,{proof('203.0.113.7')}",
    f"203.0.113.7 {proof('203.0.113.7', 'a' * 32)}",
    f"203.0.113.7 {hashlib.sha256(b'client 203.0.113.7').hexdigest()}",
    f"203.0.113.7 {NEW}",
    "203.0.113.7 \xe9",
    "x" * 60_000,
    claim("1" * 200),
]


@pytest.mark.parametrize("forged", FORGED, ids=lambda text: ascii(text[:40]))
async def test_a_client_without_its_proof_is_refused_before_anything_is_done(forged: str) -> None:
    world = World({"PROXY_SECRET": NEW})
    raw = {b"X-Proxy-Client": forged.encode("latin-1")}
    answer = await world.client.get(f"{ORDER}1", headers=raw)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["code"] == "ProxyNotAuthenticated"
    assert world.network.calls == []


async def test_of_two_claims_neither_is_believed() -> None:
    world = World({"PROXY_SECRET": NEW})
    assert await ask(world, claim("203.0.113.7"), claim("203.0.113.8")) == 403
    assert await ask(world, claim("203.0.113.7"), claim("203.0.113.7")) == 403


@pytest.mark.parametrize("proxies", ["0", "1", "2"])
async def test_a_proven_client_has_its_own_share_whatever_else_is_forwarded(proxies: str) -> None:
    settings = {"BFF_REQUESTS_PER_MINUTE": "1", "BFF_TRUSTED_PROXIES": proxies}
    world = World({**settings, "PROXY_SECRET": NEW})
    spellings = ["203.0.113.7", "::ffff:203.0.113.7"]
    found = [
        await ask(world, claim(each), forwarded=f"192.0.2.{n}", n=n)
        for n, each in enumerate(spellings)
    ]
    assert found == [404, 429]
    assert await ask(world, claim("2001:db8::1"), n=3) == 404
    assert await ask(world, claim("2001:db8::2"), n=4) == 429
    assert await ask(world, n=5) == 404, "who comes past the proxy is counted by the peer"


async def test_without_a_secret_no_claim_counts() -> None:
    world = World({"BFF_REQUESTS_PER_MINUTE": "1"})
    assert await ask(world, claim("203.0.113.7"), n=1) == 404
    assert await ask(world, claim("203.0.113.8"), n=2) == 429


async def test_during_an_exchange_both_secrets_prove() -> None:
    world = World({"PROXY_SECRET": f"{OLD},{NEW}"})
    for secret in (OLD, NEW):
        assert await ask(world, claim("203.0.113.7", secret)) == 404


async def test_guesses_through_the_proxy_are_counted_by_client() -> None:
    world = World({"FAILED_AUTHENTICATIONS_PER_MINUTE": "1", "PROXY_SECRET": NEW})

    async def guess(session: str, address: str) -> httpx.Response:
        headers = {"X-Session-Id": session, "X-Proxy-Client": claim(address)}
        return await world.client.get("/operations/config", headers=headers)

    assert (await guess("one", "203.0.113.7")).status_code == 401
    assert (await guess("two", "203.0.113.7")).status_code == 429
    assert (await guess("three", "203.0.113.8")).status_code == 401


@pytest.mark.parametrize("token", ["", NEW, "0" * 64, proof("post-deploy"), claim("post-deploy")])
async def test_only_a_proof_for_post_deploy_opens_the_report(token: str) -> None:
    world = World({"PROXY_SECRET": NEW})
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = await world.client.get("/operations/proxy", headers=headers)
    assert answer.status_code == 401
    assert world.network.calls == []


async def test_the_report_has_what_the_proxy_compares_and_no_secret() -> None:
    world = World({"PROXY_SECRET": NEW, "CONNECT_SERVICE_URL": "https://pay.example"})
    right = hmac.new(NEW.encode(), b"post-deploy", hashlib.sha256).hexdigest()
    headers = {"Authorization": f"Bearer {right}"}
    answer = await world.client.get("/operations/proxy", headers=headers)
    told = answer.json()
    assert told["status"]["status"] == "OK"
    assert told["requestDeadlineS"] == 25
    assert told["allowedOrigins"] == [ENVIRONMENT["ALLOWED_ORIGINS"]]
    assert told["serviceUrl"] == "https://pay.example"
    assert NEW not in answer.text
    assert ENVIRONMENT["STRIPE_SECRET_KEY"] not in answer.text


async def test_without_a_secret_there_is_no_report() -> None:
    right = hmac.new(b"", b"post-deploy", hashlib.sha256).hexdigest()
    headers = {"Authorization": f"Bearer {right}"}
    assert (await World().client.get("/operations/proxy", headers=headers)).status_code == 404


@pytest.mark.parametrize("secrets", ["short", f"{NEW},short", "a secret " * 8])
def test_a_secret_that_could_be_guessed_is_a_problem_at_the_start(secrets: str) -> None:
    with pytest.raises(ConfigurationError, match="PROXY_SECRET"):
        load_settings({**ENVIRONMENT, "PROXY_SECRET": secrets})
