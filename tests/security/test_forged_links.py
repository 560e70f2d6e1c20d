"""Somebody who makes up payment links and the cookie of an open payment page.

All of it is signed, or it is nothing: a link opens no order, a cookie finds no page, and neither
makes the processor fail.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest

from tests.behaviour.buy_now import CREATE, ENABLED
from tests.behaviour.storefront import API, ordered
from tests.world import START, World

Json = dict[str, Any]

KEY = "one-secret-for-both-kinds-which-is-the-worst-case-" + "0123456789abcdef"
ENVIRONMENT = {
    **ENABLED,
    "CHECKOUT_LINK_SECRET": KEY,
    "BUY_NOW_COOKIE_SECRET": KEY,
    "CONNECT_SERVICE_URL": "http://processor.test",
}
LATER = int(START) + 3_600


def signed(claims: Json, key: str = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers or None)


def headed(header: object, token: str) -> str:
    """A token with another header and the signature that it had."""
    encoded = base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")
    return encoded + token[token.index(".") :]


def forged(right: Json, other: Json) -> dict[str, str]:
    """Tokens that are not what `right` claims would make; `other` is of the other kind."""
    good = signed(right)
    head, body, signature = good.split(".")
    return {
        "unsigned": jwt.encode(right, "", algorithm="none"),
        "HS512": signed(right, algorithm="HS512"),
        "another key": signed(right, "x" * 64),
        "the other kind": signed(other),
        "the other kind with these claims": signed({**right, "aud": other["aud"]}),
        "no expiry": signed({k: v for k, v in right.items() if k != "exp"}),
        "no audience": signed({k: v for k, v in right.items() if k != "aud"}),
        "expired": signed({**right, "exp": int(START) - 1}),
        "expiry in words": signed({**right, "exp": "tomorrow"}),
        "expiry null": signed({**right, "exp": None}),
        "expiry a list": signed({**right, "exp": [LATER]}),
        "alg list": headed({"alg": ["HS256"]}, good),
        "alg object": headed({"alg": {}}, good),
        "alg null": headed({"alg": None}, good),
        "header a list": headed([], good),
        "header a number": headed(1, good),
        "crit": signed(right, crit=["x"]),
        "no signature": f"{head}.{body}.",
        "signature cut": f"{head}.{body}.{signature[:-2]}",
        "appended": f"{good}.x",
        "deep": base64.urlsafe_b64encode(b"[" * 5_000).decode() + ".a.b",
        "deep within": base64.urlsafe_b64encode(b'{"alg":"HS256","a":' + b"[" * 1_400).decode()
        + ".a.b",
        "long": "a" * 20_000,
        "two dots": "..",
        "one word": "null",
    }


LINK = {"sub": "4b7a3c1e-08f5-4a0e-9f57-6c1d0a3b2e11", "aud": "payment-link", "exp": LATER}
COOKIE = {"aud": "buy-now", "exp": LATER, "cart": "c", "product": "p", "variant": 1}
NAMES = list(forged(LINK, COOKIE))


@pytest.mark.parametrize("name", NAMES)
async def test_a_link_that_was_made_up_opens_nothing(name: str) -> None:
    world = World(ENVIRONMENT)
    order = await ordered(world)
    right = {**LINK, "sub": order["id"]}
    answer = await world.client.get(f"{API}/payment-links/{forged(right, COOKIE)[name]}")
    assert 400 <= answer.status_code < 500, answer.text
    assert order["id"] not in answer.text
    assert list(world.stripe.sessions.newest({})) == []


@pytest.mark.parametrize("name", NAMES)
async def test_a_cookie_that_was_made_up_finds_no_page(name: str) -> None:
    world = World(ENVIRONMENT)
    first = (await world.client.get(CREATE)).json()
    kept = jwt.decode(
        world.client.cookies["buy_now"].strip('"'),
        KEY,
        ["HS256"],
        options={"verify_exp": False},
        audience="buy-now",
    )
    world.client.cookies.clear()
    cookie = forged(kept, {**LINK, "sub": kept["cart"]})[name]
    answer = await world.client.get(CREATE, headers={"Cookie": f"buy_now={cookie}"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["id"] != first["id"]


@pytest.mark.parametrize(
    "claims",
    [
        {"cart": None},
        {"cart": 1},
        {"cart": "../x"},
        {"product": []},
        {"variant": "1"},
        {"cart": ""},
    ],
    ids=str,
)
async def test_a_signed_cookie_with_odd_claims_is_as_if_there_were_none(claims: Json) -> None:
    world = World(ENVIRONMENT)
    cookie = signed({**COOKIE, **claims})
    answer = await world.client.get(CREATE, headers={"Cookie": f"buy_now={cookie}"})
    assert answer.status_code == 200, answer.text
