"""Somebody who wants to read secrets in logs, or to stop the processor with what it logs."""

from __future__ import annotations

import importlib
import io
import json
import logging
import pkgutil
import re
import signal
from collections.abc import Iterator

import pytest

import stripe_connector
from stripe_connector import context, logs
from stripe_connector.http import correlation
from tests.behaviour.storefront import API
from tests.world import World

SEEDS = [
    *("a", "A", "0", " ", "-", ".", "_", "%", "@", "=", ",", ";", "/", ":", "[", "]", "{", "\n"),
    *("eyJ-", "eyJ.", "eyJa", "-eyJ", ".eyJ", "eyJ-.", "eyJa.a"),
    *("a@", "a.", "@a", "a@a.", "a@a", ".@", "a@-."),
    *("1 ", "1-", "11 ", "4242 4242 ", "1" * 13 + " "),
    *("bearer ", "bearer", "basic \n", "Bearer  x", "bearer abcdefghijklmno "),
    *("sk_test_", "sk_live_", "whsec_", "_secret_", "sk_", "rk_test"),
    *("%2e%2e/", "a=1;", "q=0.", "en;q=1,", "de-", "t=1,", "v1=0,", "$.a[0]", "`$.", "field `a"),
    *("http://", "https://a.", "x-", "abc123-", "a.b.c.d:", "[::1]:", "- at `$", "sha256-"),
]
"""What an adversary repeats: the beginning of what a pattern looks for, never its end."""

LONG = 200_000
"""Characters: here a pattern that is not linear needs minutes, any other a fraction of a second."""

PATIENCE_S = 60
"""CPU seconds for one pattern and all seeds."""


def patterns() -> dict[str, re.Pattern[str]]:
    """Every pattern that the processor compiles, by its place."""
    found: dict[str, re.Pattern[str]] = {}
    for module in pkgutil.walk_packages(stripe_connector.__path__, "stripe_connector."):
        if module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                found.setdefault(f"{module.name}:{name}", value)
    return {
        place: value
        for place, value in found.items()
        # The same pattern, imported elsewhere, is not another one.
        if not any(other is value and key < place for key, other in found.items())
    }


def test_the_patterns_are_found() -> None:
    assert len(patterns()) > 25
    assert "stripe_connector.logs:_EMAIL" in patterns()


@pytest.fixture
def patience() -> Iterator[None]:
    """Raises TimeoutError in a pattern that has taken all its CPU time; pauses do not count."""

    def give_up(*_: object) -> None:
        raise TimeoutError("This pattern is not linear.")

    before = signal.signal(signal.SIGVTALRM, give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, PATIENCE_S)
    yield
    signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.usefixtures("patience")
@pytest.mark.parametrize("place", sorted(patterns()))
def test_every_pattern_takes_time_in_proportion_to_the_text(place: str) -> None:
    pattern = patterns()[place]
    for seed in SEEDS:
        text = (seed * LONG)[:LONG]
        assert isinstance(pattern.sub("", text), str)
        pattern.fullmatch(f"{text}\0")


@pytest.mark.parametrize("seed", SEEDS, ids=ascii)
def test_a_text_is_cut_before_it_is_searched(seed: str) -> None:
    text = (seed * 1_000_000)[:1_000_000]
    assert len(logs.mask(text)) <= 16_003


SECRETS = [
    "sk_live_4eC39HqLyjWDarj",
    "whsec_abcdefgh0123456789",
    "pi_3Nabc_secret_Xyz0123456789",
    ".".join(["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxIn0", "c2lnbmF0dXJl"]),
    "victim@example.com",
    "4242424242424242",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", [0, 15_950, 15_990, 15_999, 16_000, 16_990, 17_010, 17_023])
@pytest.mark.parametrize("filler", ["x ", "a@b.example " * 2, "/"])
def test_a_secret_at_the_cut_is_masked_whole(secret: str, place: int, filler: str) -> None:
    before = (filler * 20_000)[: max(0, place - 1)]
    text = logs.mask(f"{before} {secret} {filler * 20_000}")
    hidden = secret.partition("_secret_")[2] or secret
    assert not any(hidden[:length] in text for length in range(12, len(hidden) + 1))


async def test_a_path_of_sixty_thousand_characters_is_logged_as_its_template_alone() -> None:
    world = World()
    session = await world.session((await world.cart())["id"])
    stream, root = io.StringIO(), logging.getLogger("stripe_connector")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.INFO)
    try:
        hostile = "eyJ-" * 15_000
        for path in (f"/confirmPayments/{hostile}", f"{API}/orders/{hostile}"):
            answer = await world.client.request(
                "POST" if "confirm" in path else "GET",
                path,
                headers=session,
                json={"paymentIntent": "pi_x"},
            )
            assert answer.status_code in (400, 404)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert "eyJ-" not in stream.getvalue()
    assert "/confirmPayments/{id}" in stream.getvalue()


@pytest.mark.parametrize(
    ("value", "noted"),
    [
        ("b5f5a0d2-5c3e-4b77-9d55-7f1a4c1f2a01", True),
        ("pi_3Nabc", True),
        ("x" * 65, False),
        ("a b", False),
        ("a@b.example", False),
        ("../orders", False),
        ("id\n", False),
        ("", False),
    ],
)
def test_what_a_caller_calls_an_id_is_noted_only_if_it_is_one(value: str, noted: bool) -> None:
    request = context.RequestContext("c", log={})
    token = context.current.set(request)
    context.note_id("payment", value)
    context.current.reset(token)
    assert request.log == ({"payment": value} if noted else {})


CORRELATION_IDS = [
    ("6f1a7f2e-0000-4000-8000-123456789012", True),
    ("checkout:session/7@eu", True),
    *((secret, False) for secret in SECRETS),
    ("4242-4242-4242-4242", False),
    ("", False),
    ("a" * 257, False),
    ("a b", False),
    ("<script>", False),
    ("a\r\n b", False),
    ("\xff", False),
]


@pytest.mark.parametrize(("theirs", "kept"), CORRELATION_IDS, ids=lambda value: ascii(value)[:40])
async def test_a_correlation_id_with_a_secret_in_it_is_replaced(theirs: str, kept: bool) -> None:
    assert correlation.well_formed(theirs) is kept
    if "\n" in theirs:
        return
    headers = {b"x-correlation-id": theirs.encode("latin-1")}
    answer = await World().client.get("/config-element/payment", headers=headers)
    assert (answer.headers["x-correlation-id"] == theirs) is kept


def test_the_correlation_id_is_masked_in_the_line_wherever_it_came_from() -> None:
    token = context.current.set(context.RequestContext("sk_live_4eC39HqLyjWDarj"))
    line = logs.JsonFormatter().format(logging.makeLogRecord({"msg": "x"}))
    context.current.reset(token)
    assert json.loads(line)["correlationId"] == "sk_live_***"
