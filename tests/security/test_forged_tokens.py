"""Somebody who forges tokens of the Merchant Center, or answers in place of its key server."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from starlette.requests import Request

from stripe_connector.errors import BackendError, Unauthenticated
from stripe_connector.http.auth import Jwks, JwtGuard
from stripe_connector.http.auth.bearer import LONGEST
from tests.fakes import FakeClock
from tests.world import ISSUER, PROJECT, World

Json = dict[str, Any]
CLAIM = f"{ISSUER}/claims/project_key"
NOW = 1_790_000_000


@cache
def rsa_key(_name: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, bits)


@cache
def ec_key(curve: type[ec.EllipticCurve]) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve())


def theirs() -> rsa.RSAPrivateKey:
    """The issuer's key."""
    return rsa_key("issuer")


def claims(**changed: Any) -> Json:
    return {"iss": ISSUER, "sub": "u", CLAIM: PROJECT, "exp": NOW + 600, **changed}


def b64(value: object) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(
    payload: Json | None = None,
    *,
    key: Any = None,
    alg: str = "RS256",
    header: Mapping[str, Any] | None = None,
) -> str:
    content = json.dumps(claims() if payload is None else payload).encode()
    headers = {"kid": "a", **(header or {})}
    headers = {name: value for name, value in headers.items() if value is not None}
    return jwt.PyJWS().encode(content, key or theirs(), alg, headers=headers)


def headed(header: object) -> str:
    """A good token whose header is another one."""
    _, payload, signature = signed().split(".")
    return f"{b64(header)}.{payload}.{signature}"


def unsigned(alg: str) -> str:
    return f"{b64({'alg': alg, 'kid': 'a'})}.{b64(claims())}."


def with_own_key(kid: str, fields: Callable[[], Json]) -> str:
    """A token that brings its key, or says where to get it."""
    return signed(key=rsa_key("own"), header={"kid": kid, **fields()})


def own_jwk() -> Json:
    return {"jwk": jwk(rsa_key("own").public_key())}


def shared_secret(form: str, alg: str) -> str:
    """Signed with what everybody can know, in the hope that it is taken for a secret."""
    digest = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[alg]
    first = f"{b64({'alg': alg, 'kid': 'a', 'typ': 'JWT'})}.{b64(claims())}"
    return f"{first}.{b64(hmac.new(public(form), first.encode(), digest).digest())}"


def public(form: str) -> bytes:
    key = theirs().public_key()
    der, pem = serialization.Encoding.DER, serialization.Encoding.PEM
    info, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    match form:
        case "pem":
            return key.public_bytes(pem, info)
        case "pkcs1":
            return key.public_bytes(pem, pkcs1)
        case "der":
            return key.public_bytes(der, info)
        case "stripped":
            return key.public_bytes(pem, info).strip()
        case "n":
            return str(jwk(key)["n"]).encode()
        case _:
            return b""


def jwk(key: Any, **fields: Any) -> Json:
    algorithm: Any = jwt.algorithms.OKPAlgorithm
    if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
        algorithm = jwt.algorithms.RSAAlgorithm
    elif isinstance(key, ec.EllipticCurvePublicKey):
        algorithm = jwt.algorithms.ECAlgorithm
    return {**algorithm.to_jwk(key, as_dict=True), **fields}


def parts(change: Callable[[str, str, str], str]) -> str:
    return change(*signed().split("."))


WRONG_CLAIMS: dict[str, Json] = {
    "expired": {"exp": NOW - 30},
    "expiry is a text": {"exp": "9999999999"},
    "expiry is true": {"exp": True},
    "expiry is null": {"exp": None},
    "expiry is a list": {"exp": [NOW + 60]},
    "expiry is negative": {"exp": -1},
    "not yet": {"nbf": NOW + 120},
    "not before is a text": {"nbf": "1"},
    "not before is null": {"nbf": None},
    "not before is true": {"nbf": True},
    "another issuer": {"iss": "https://evil"},
    "issuer with a slash": {"iss": f"{ISSUER}/"},
    "issuer in capitals": {"iss": ISSUER.upper()},
    "issuers": {"iss": [ISSUER]},
    "no issuer": {"iss": None},
    "another project": {CLAIM: "other"},
    "projects": {CLAIM: [PROJECT]},
    "project in capitals": {CLAIM: "Sandbox"},
    "project with a space": {CLAIM: f"{PROJECT} "},
    "project is an object": {CLAIM: {PROJECT: 1}},
    "no project": {CLAIM: None},
    "another region": {"iss": "https://us", "https://us/claims/project_key": PROJECT},
}

FORGED: dict[str, Callable[[], str]] = {
    # Algorithms that sign nothing, or are none
    **{
        f"alg {alg!r}": partial(unsigned, alg)
        for alg in ("none", "None", "NONE", "nOnE", "", " none")
    },
    **{
        f"alg {alg!r}, signature kept": partial(headed, {"alg": alg, "kid": "a"})
        for alg in ("none", None, ["RS256"], {"RS256": 1}, 1, True, "RS256 ", "rs256", "RS1")
    },
    "alg missing": lambda: headed({"kid": "a"}),
    # The public key as a shared secret
    **{
        f"{alg} with {form}": partial(shared_secret, form, alg)
        for form in ("pem", "pkcs1", "der", "stripped", "n", "empty")
        for alg in ("HS256", "HS384", "HS512")
    },
    # Another key
    "own key": lambda: signed(key=rsa_key("own")),
    "own key and name": lambda: signed(key=rsa_key("own"), header={"kid": "mine"}),
    "own key, no name": lambda: signed(key=rsa_key("own"), header={"kid": None}),
    "own elliptic key": lambda: signed(key=ec_key(ec.SECP256R1), alg="ES256"),
    "own PS256": lambda: signed(key=rsa_key("own"), alg="PS256"),
    "own RS512": lambda: signed(key=rsa_key("own"), alg="RS512"),
    **{
        f"own key, {name}": partial(with_own_key, kid, field)
        for name, kid, field in (
            ("jwk", "mine", own_jwk),
            ("jwk, their name", "a", own_jwk),
            ("jku", "mine", partial(dict, jku="http://127.0.0.1:1/jwks.json")),
            ("x5u", "mine", partial(dict, x5u="http://127.0.0.1:1/c.pem")),
            ("x5c", "a", partial(dict, x5c=["MIIB"])),
        )
    },
    **{
        f"kid {kid[:20]!r}": partial(with_own_key, kid, dict)
        for kid in (
            *("../../../../dev/null", "/dev/null", "' OR 1=1 --", "a\0", "a" * 5_000, "|id"),
            "http://127.0.0.1:1/k",
        )
    },
    **{
        f"kid {kid!r}": partial(headed, {"alg": "RS256", "kid": kid})
        for kid in (1, ["a"], {"a": 1}, True)
    },
    # Extensions that must be understood
    "crit": lambda: headed({"alg": "RS256", "kid": "a", "crit": ["exp"], "exp": 1}),
    "crit signed": lambda: signed(header={"crit": ["b64"], "b64": True}),
    "b64": lambda: headed({"alg": "RS256", "kid": "a", "b64": False, "crit": ["b64"]}),
    # Forms
    "another payload": lambda: parts(lambda h, _, s: f"{h}.{b64(claims(sub='admin'))}.{s}"),
    "no signature": lambda: parts(lambda h, p, _: f"{h}.{p}."),
    "two parts": lambda: parts(lambda h, p, _: f"{h}.{p}"),
    "four parts": lambda: f"{signed()}.x",
    "five parts": lambda: f"{signed()}.a.b",
    "one part": lambda: "a",
    "dots": lambda: "...",
    "two dots": lambda: "..",
    "JSON serialization": lambda: parts(
        lambda h, p, s: json.dumps({"protected": h, "payload": p, "signature": s})
    ),
    "a space in the header": lambda: parts(lambda h, p, s: f"{h[:4]} {h[4:]}.{p}.{s}"),
    "header is a list": lambda: headed([]),
    "header is a text": lambda: headed("RS256"),
    "header is null": lambda: headed(None),
    "header is no JSON": lambda: headed(b"{"),
    "header is no text": lambda: headed(b"\xff\xfe"),
    "deep header": lambda: headed(b'{"alg":"RS256","kid":"a","x":' + b"[" * 5_000),
    "deep whole header": lambda: headed(
        b'{"alg":"RS256","kid":"a","x":' + b"[" * 2_500 + b"]" * 2_500 + b"}"
    ),
    "huge number in the header": lambda: headed(
        b'{"alg":"RS256","kid":"a","x":' + b"9" * 5_000 + b"}"
    ),
    "not of base64": lambda: "ÿ.ÿ.ÿ",
    "longer than any": lambda: "a" * (LONGEST + 1),
    "a megabyte": lambda: "a" * 1_000_000,
    # Signed by the issuer, for somebody else or another time
    **{
        f"signed: {name}": partial(signed, claims(**change))
        for name, change in WRONG_CLAIMS.items()
    },
    "signed: expiry is no number": lambda: jwt.PyJWS().encode(
        json.dumps(claims()).replace(str(NOW + 600), "NaN").encode(),
        theirs(),
        "RS256",
        headers={"kid": "a"},
    ),
    "signed: no claims": lambda: signed({}),
    "signed: a list": lambda: jwt.PyJWS().encode(b"[]", theirs(), "RS256", headers={"kid": "a"}),
    "signed: deep": lambda: jwt.PyJWS().encode(
        b'{"exp":' + b"[" * 2_500, theirs(), "RS256", headers={"kid": "a"}
    ),
}


def guarded(document: bytes | BackendError) -> JwtGuard:
    """A guard whose key server answers with this, at a time that stands still."""

    async def fetch() -> bytes:
        if isinstance(document, BackendError):
            raise document
        return document

    clock = FakeClock(NOW)
    return JwtGuard(Jwks(fetch, clock), clock, issuer=ISSUER, project_key=PROJECT)


def bearing(token: str) -> Request:
    header = f"Bearer {token}".encode("latin-1")
    return Request({"type": "http", "headers": [(b"authorization", header)]})


def key_set(*keys: object) -> bytes:
    return json.dumps({"keys": keys}).encode()


@pytest.fixture(scope="module")
def good_keys() -> bytes:
    return key_set(jwk(theirs().public_key(), kid="a", use="sig"))


async def test_the_token_that_is_forged_would_pass_if_it_were_not(good_keys: bytes) -> None:
    guard = guarded(good_keys)
    await guard.authenticate(bearing(signed()))
    for change in ({"exp": NOW - 29}, {"nbf": NOW + 29}, {"exp": NOW + 60.5}, {"exp": 10**300}):
        await guard.authenticate(bearing(signed(claims(**change))))


@pytest.mark.parametrize("forged", FORGED.values(), ids=FORGED)
async def test_a_forged_token_opens_nothing_and_breaks_nothing(
    good_keys: bytes, forged: Callable[[], str]
) -> None:
    with pytest.raises(Unauthenticated):
        await guarded(good_keys).authenticate(bearing(forged()))


async def test_an_algorithm_that_is_no_text_is_a_401_to_the_caller() -> None:
    world = World()
    header = json.loads(base64.urlsafe_b64decode(f"{await _first_part(world)}=="))
    for alg in (["RS256"], {"a": 1}, 7, None):
        forged = f"Bearer {b64({**header, 'alg': alg})}.{b64(claims())}.AA"
        answer = await world.client.get("/operations/status", headers={"Authorization": forged})
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


async def _first_part(world: World) -> str:
    headers = await world.merchant_center()
    return headers["Authorization"].removeprefix("Bearer ").partition(".")[0]


# Key servers


def rsa_jwk(**fields: Any) -> Json:
    return jwk(theirs().public_key(), **{"kid": "a", **fields})


def curve(kind: type[ec.EllipticCurve], **fields: Any) -> Json:
    return jwk(ec_key(kind).public_key(), kid="a", **fields)


BAD_KEYS: dict[str, Callable[[], object]] = {
    "alg is a list": lambda: rsa_jwk(alg=["RS256"]),
    "alg is an object": lambda: rsa_jwk(alg={}),
    "alg is of another kind": lambda: rsa_jwk(alg="ES256"),
    "alg is a shared secret's": lambda: rsa_jwk(alg="HS256"),
    "kid is a number": lambda: rsa_jwk(kid=5),
    "kid is a list": lambda: rsa_jwk(kid=["a"]),
    "for encryption": lambda: rsa_jwk(use="enc"),
    "use is a list": lambda: rsa_jwk(use=["sig"]),
    "kty is a list": lambda: rsa_jwk(kty=["RSA"]),
    "symmetric": lambda: {"kty": "oct", "k": "c2VjcmV0", "kid": "a"},
    "private": lambda: jwk(theirs(), kid="a"),
    "weak": lambda: jwk(rsa_key("weak", 1024).public_key(), kid="a"),
    "another curve": lambda: curve(ec.SECP256K1),
    "Edwards": lambda: jwk(ed25519.Ed25519PrivateKey.generate().public_key(), kid="a"),
    "point not on the curve": lambda: {**curve(ec.SECP256R1), "y": "AAAA"},
    "no point": lambda: {"kty": "EC", "crv": "P-256", "kid": "a"},
    "n is broken": lambda: rsa_jwk(n="!" * 400),
    "n is a number": lambda: rsa_jwk(n=5),
    "n is huge": lambda: rsa_jwk(n="_" * 20_000),
    "e is one": lambda: rsa_jwk(e="AQ"),
    "e is huge": lambda: rsa_jwk(e="_" * 400),
    "nothing": dict,
    "null": lambda: None,
    "a text": lambda: "a",
    "a list": list,
}
DOCUMENTS: dict[str, bytes] = {
    "no JSON": b"<html>",
    "empty": b"",
    "no text": b"\xff",
    "keys are null": b'{"keys":null}',
    "keys are an object": b'{"keys":{}}',
    "no keys": b'{"keys":[]}',
    "deep": b'{"keys":' + b"[" * 100_000,
    "a deep key": b'{"keys":[' + b"[" * 50_000 + b"]" * 50_000 + b"]}",
}


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
async def test_a_bad_key_is_skipped_and_the_others_are_good(bad: Callable[[], object]) -> None:
    good = rsa_jwk(kid="good")
    for keys in ((bad(), good), (good, bad())):
        token = signed(header={"kid": "good"})
        await guarded(key_set(*keys)).authenticate(bearing(token))


@pytest.mark.parametrize("bad", BAD_KEYS.values(), ids=BAD_KEYS)
async def test_a_bad_key_alone_opens_nothing(bad: Callable[[], object]) -> None:
    with pytest.raises((BackendError, Unauthenticated)):
        await guarded(key_set(bad())).authenticate(bearing(signed()))


@pytest.mark.parametrize("document", DOCUMENTS.values(), ids=DOCUMENTS)
async def test_a_document_that_is_no_key_set_is_the_key_servers_fault(document: bytes) -> None:
    with pytest.raises(BackendError):
        await guarded(document).authenticate(bearing(signed()))


OTHER_KEYS: dict[str, tuple[Callable[[], list[Json]], Callable[[], str], bool]] = {
    "no alg in the key": (lambda: [rsa_jwk()], lambda: signed(alg="PS512"), True),
    "alg of the key is another": (
        lambda: [rsa_jwk(alg="RS256")],
        lambda: signed(alg="RS512"),
        False,
    ),
    "no kid, one key": (lambda: [rsa_jwk()], lambda: signed(header={"kid": None}), True),
    "no kid, two keys": (
        lambda: [rsa_jwk(), rsa_jwk(kid="b")],
        lambda: signed(header={"kid": None}),
        False,
    ),
    "the first of a name counts": (
        lambda: [jwk(rsa_key("own").public_key(), kid="a"), rsa_jwk()],
        signed,
        False,
    ),
    "P-384": (
        lambda: [curve(ec.SECP384R1)],
        lambda: signed(key=ec_key(ec.SECP384R1), alg="ES384"),
        True,
    ),
    "P-384, another algorithm": (
        lambda: [curve(ec.SECP384R1)],
        lambda: signed(key=ec_key(ec.SECP256R1), alg="ES256"),
        False,
    ),
    "three thousand keys": (lambda: [rsa_jwk()] * 3_000, signed, True),
}


@pytest.mark.parametrize(("keys", "token", "opens"), OTHER_KEYS.values(), ids=OTHER_KEYS)
async def test_a_key_opens_with_its_own_algorithms_alone(
    keys: Callable[[], list[Json]], token: Callable[[], str], opens: bool
) -> None:
    guard = guarded(key_set(*keys()))
    if opens:
        await guard.authenticate(bearing(token()))
        return
    with pytest.raises(Unauthenticated):
        await guard.authenticate(bearing(token()))
