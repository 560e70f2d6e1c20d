"""The JWT mock server: its tokens verify with the keys that it publishes."""

from __future__ import annotations

from typing import Any

import httpx
import jwt
import pytest

from sandbox.clock import SandboxClock
from sandbox.jwt import create_app

_ISSUER = "https://mc-api.europe-west1.gcp.commercetools.com"
_CLAIMS = {"iss": _ISSUER, "sub": "subject", f"{_ISSUER}/claims/project_key": "sandbox"}


@pytest.fixture(scope="module")
def app() -> Any:
    return create_app()


@pytest.fixture
def http(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://jwt")


async def _token(http: httpx.AsyncClient, **claims: Any) -> str:
    return str((await http.post("/jwt/token", json=claims)).json()["token"])


async def _verify(http: httpx.AsyncClient, token: str) -> dict[str, Any]:
    keys = jwt.PyJWKSet.from_dict((await http.get("/jwt/.well-known/jwks.json")).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"])
    return claims


async def test_a_token_is_valid_for_who_did_not_move_the_sandboxs_clock() -> None:
    clock = SandboxClock()
    moved = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=create_app(clock)), base_url="http://jwt"
    )
    clock.advance(86_400)
    assert (await _verify(moved, await _token(moved, **_CLAIMS)))["sub"] == "subject"


async def test_a_token_carries_its_claims_for_an_hour(http: httpx.AsyncClient) -> None:
    claims = await _verify(http, await _token(http, **_CLAIMS))
    assert claims["exp"] - claims["iat"] == 3600
    assert _CLAIMS.items() <= claims.items()


async def test_the_lifetime_can_be_chosen_and_is_no_claim(http: httpx.AsyncClient) -> None:
    claims = await _verify(http, await _token(http, **_CLAIMS, expiresIn=60))
    assert claims["exp"] - claims["iat"] == 60
    assert "expiresIn" not in claims
    with pytest.raises(jwt.ExpiredSignatureError):
        await _verify(http, await _token(http, **_CLAIMS, expiresIn=-60))


async def test_after_a_rotation_old_tokens_still_verify_once(http: httpx.AsyncClient) -> None:
    old = await _token(http, **_CLAIMS)
    await http.post("/jwt/rotate")
    new = await _token(http, **_CLAIMS)
    assert jwt.get_unverified_header(old)["kid"] != jwt.get_unverified_header(new)["kid"]
    assert (await _verify(http, old))["sub"] == (await _verify(http, new))["sub"] == "subject"
    await http.post("/jwt/rotate")
    with pytest.raises(KeyError):
        await _verify(http, old)


async def test_the_keys_are_public_only(http: httpx.AsyncClient) -> None:
    for key in (await http.get("/jwt/.well-known/jwks.json")).json()["keys"]:
        assert (key["kty"], key["alg"], key["use"]) == ("RSA", "RS256", "sig")
        assert "d" not in key


@pytest.mark.parametrize("body", ["[]", "{", '{"expiresIn": "1h"}', '{"iss": 5}'])
async def test_a_body_that_is_no_set_of_claims_is_refused(
    http: httpx.AsyncClient, body: str
) -> None:
    assert (await http.post("/jwt/token", content=body)).status_code == 400


async def test_time_is_that_of_the_sandbox() -> None:
    app = create_app(SandboxClock(start=1_000.0))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url="http://jwt"
    ) as http:
        token = await _token(http, **_CLAIMS)
    claims = jwt.decode(token, options={"verify_signature": False})
    assert (claims["iat"], claims["exp"]) == (1_000, 4_600)
