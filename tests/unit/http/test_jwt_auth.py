"""Which Merchant Center tokens open a route, and how its keys are kept."""

import asyncio
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.requests import Request

from stripe_connector.errors import BackendError, BackendUnavailable, Unauthenticated
from stripe_connector.http.auth import Jwks, JwtGuard
from tests.fakes import FakeClock

from .conftest import ISSUER, PROJECT, JwksHost

RSA_KEY = rsa.generate_private_key(65537, 2048)
OTHER_RSA_KEY = rsa.generate_private_key(65537, 2048)
EC_KEY = ec.generate_private_key(ec.SECP256R1())


def rsa_jwk(key: rsa.RSAPrivateKey, **fields: str) -> dict[str, Any]:
    return {**jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), **fields}


def ec_jwk(**fields: str) -> dict[str, Any]:
    return {**jwt.algorithms.ECAlgorithm.to_jwk(EC_KEY.public_key(), as_dict=True), **fields}


def jwks(*keys: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"keys": keys})


@pytest.fixture
def guard(jwks_host: JwksHost, clock: FakeClock) -> JwtGuard:
    jwks_host.document = jwks(rsa_jwk(RSA_KEY, kid="k1"), ec_jwk(kid="k2"))
    return JwtGuard(Jwks(jwks_host.fetch, clock), clock, issuer=ISSUER, project_key=PROJECT)


@pytest.fixture
def claims(clock: FakeClock) -> dict[str, Any]:
    return {
        "sub": "user-1",
        "iss": ISSUER,
        "exp": int(clock.time()) + 60,
        f"{ISSUER}/claims/project_key": PROJECT,
    }


def signed(
    claims: dict[str, Any],
    *,
    key: Any = RSA_KEY,
    algorithm: str = "RS256",
    headers: dict[str, Any] | None = None,
) -> Request:
    payload = msgspec.json.encode(claims)
    token = jwt.PyJWS().encode(payload, key, algorithm, headers={"kid": "k1", **(headers or {})})
    return bearing(token)


def bearing(token: str) -> Request:
    return Request({"type": "http", "headers": [(b"authorization", f"Bearer {token}".encode())]})


@pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"])
async def test_an_rsa_key_opens_with_each_of_its_algorithms(
    guard: JwtGuard, claims: dict[str, Any], algorithm: str
) -> None:
    await guard.authenticate(signed(claims, algorithm=algorithm))


async def test_an_elliptic_key_opens_with_the_algorithm_of_its_curve(
    guard: JwtGuard, claims: dict[str, Any]
) -> None:
    request = signed(claims, key=EC_KEY, algorithm="ES256", headers={"kid": "k2"})
    await guard.authenticate(request)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example.com"},
        {"iss": ISSUER + "/"},
        {"iss": None},
        {f"{ISSUER}/claims/project_key": "other"},
        {f"{ISSUER}/claims/project_key": None},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": "now"},
    ],
)
async def test_a_claim_that_is_missing_or_wrong_is_refused(
    guard: JwtGuard, claims: dict[str, Any], change: dict[str, Any]
) -> None:
    changed = {k: v for k, v in {**claims, **change}.items() if v is not None}
    with pytest.raises(Unauthenticated) as refused:
        await guard.authenticate(signed(changed))
    assert refused.value.code == "invalid_token"


async def test_expiry_has_a_small_leeway(
    guard: JwtGuard, claims: dict[str, Any], clock: FakeClock
) -> None:
    clock.advance(60 + 29)
    await guard.authenticate(signed(claims))
    clock.advance(1)
    with pytest.raises(Unauthenticated, match="expired"):
        await guard.authenticate(signed(claims))


async def test_a_token_of_the_future_is_refused_beyond_the_leeway(
    guard: JwtGuard, claims: dict[str, Any], clock: FakeClock
) -> None:
    await guard.authenticate(signed({**claims, "nbf": clock.time() + 30}))
    with pytest.raises(Unauthenticated, match="not valid yet"):
        await guard.authenticate(signed({**claims, "nbf": clock.time() + 31}))


async def test_a_key_of_somebody_else_is_refused(guard: JwtGuard, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="signature"):
        await guard.authenticate(signed(claims, key=OTHER_RSA_KEY))


async def test_an_unsigned_token_is_refused(guard: JwtGuard, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="algorithm"):
        await guard.authenticate(signed(claims, key=None, algorithm="none"))


async def test_a_shared_secret_is_never_accepted(guard: JwtGuard, claims: dict[str, Any]) -> None:
    with pytest.raises(Unauthenticated, match="algorithm"):
        await guard.authenticate(signed(claims, key=b"x" * 64, algorithm="HS256"))


async def test_a_keys_own_algorithm_is_the_only_one_where_it_names_one(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost
) -> None:
    jwks_host.document = jwks(rsa_jwk(RSA_KEY, kid="k1", alg="RS256"))
    await guard.authenticate(signed(claims, algorithm="RS256"))
    with pytest.raises(Unauthenticated, match="algorithm"):
        await guard.authenticate(signed(claims, algorithm="RS512"))


@pytest.mark.parametrize("token", ["x", "a.b.c", "....", "eyJhbGciOiJSUzI1NiJ9" + ".e30."])
async def test_what_is_no_token_is_refused(guard: JwtGuard, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await guard.authenticate(bearing(token))


@pytest.mark.parametrize("payload", [b"[]", b"nonsense", b"\xff"])
async def test_signed_nonsense_is_refused(guard: JwtGuard, payload: bytes) -> None:
    token = jwt.PyJWS().encode(payload, RSA_KEY, "RS256", headers={"kid": "k1"})
    with pytest.raises(Unauthenticated, match="malformed"):
        await guard.authenticate(bearing(token))


async def test_a_token_may_leave_its_key_unnamed_only_if_there_is_one(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    token = jwt.PyJWS().encode(msgspec.json.encode(claims), RSA_KEY, "RS256")
    with pytest.raises(Unauthenticated, match="unknown key"):
        await guard.authenticate(bearing(token))
    jwks_host.document = jwks(rsa_jwk(RSA_KEY, kid="k1"))
    clock.advance(31)
    await guard.authenticate(bearing(token))


async def test_keys_are_kept_for_ten_minutes(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    claims["exp"] += 3600
    await guard.authenticate(signed(claims))
    clock.advance(599)
    await guard.authenticate(signed(claims))
    assert jwks_host.reads == 1
    clock.advance(1)
    await guard.authenticate(signed(claims))
    assert jwks_host.reads == 2


async def test_a_rotated_key_is_found_at_once(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    await guard.authenticate(signed(claims))
    jwks_host.document = jwks(rsa_jwk(OTHER_RSA_KEY, kid="k3"))
    clock.advance(30)
    await guard.authenticate(signed(claims, key=OTHER_RSA_KEY, headers={"kid": "k3"}))


async def test_forged_key_names_do_not_cost_a_call_each(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    await guard.authenticate(signed(claims))
    clock.advance(30)
    for number in range(5):
        with pytest.raises(Unauthenticated):
            await guard.authenticate(signed(claims, headers={"kid": f"forged-{number}"}))
    assert jwks_host.reads == 2


async def test_a_host_that_is_down_is_not_asked_for_each_forged_token(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    """Also before any key was known: whoever sends tokens then must not multiply its load."""
    jwks_host.failure = BackendUnavailable("down")

    async def refused() -> None:
        with pytest.raises(BackendUnavailable):
            await guard.authenticate(signed(claims))

    await asyncio.gather(*(refused() for _ in range(20)))
    await refused()
    assert jwks_host.reads == 1
    clock.advance(2)
    await asyncio.gather(*(refused() for _ in range(20)))
    assert jwks_host.reads == 2


async def test_known_keys_serve_while_their_host_is_down(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    claims["exp"] += 3600
    await guard.authenticate(signed(claims))
    jwks_host.failure = BackendUnavailable("down")
    clock.advance(601)
    for _ in range(3):
        await guard.authenticate(signed(claims))
    assert jwks_host.reads == 2
    jwks_host.failure = None
    clock.advance(30)
    await guard.authenticate(signed(claims))
    assert jwks_host.reads == 3


async def test_without_any_keys_the_host_is_to_blame_until_it_answers(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, clock: FakeClock
) -> None:
    jwks_host.failure = BackendUnavailable("down")
    with pytest.raises(BackendUnavailable):
        await guard.authenticate(signed(claims))
    jwks_host.failure = None
    clock.advance(2)
    await guard.authenticate(signed(claims))


@pytest.mark.parametrize(
    "document",
    [
        b"<html>",
        b"{}",
        b'{"keys":[]}',
        b'{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}',
        b'{"keys":[{"kty":"RSA"}]}',
        b'{"keys":[{"kty":"EC","crv":"secp256k1"}]}',
        jwks(rsa_jwk(RSA_KEY, use="enc")),
        jwks(rsa_jwk(RSA_KEY, alg="HS256")),
        jwks(jwt.algorithms.RSAAlgorithm.to_jwk(RSA_KEY, as_dict=True)),
    ],
)
async def test_a_document_without_a_usable_key_is_the_hosts_fault(
    guard: JwtGuard, claims: dict[str, Any], jwks_host: JwksHost, document: bytes
) -> None:
    jwks_host.document = document
    with pytest.raises(BackendError):
        await guard.authenticate(signed(claims))
