"""The rehearsal with stand-ins on both sides: it finds what differs, and nothing else."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from rehearse.compare import findings
from rehearse.record import Exchange
from rehearse.report import markdown
from rehearse.run import rehearse
from rehearse.shapes import Difference
from rehearse.sides import Side, stand_in_side, stand_ins
from rehearse.walk import Walk
from sandbox.addresses import Addresses
from sandbox.demo.start import processor_environment
from sandbox.demo.start import stand_ins as served
from sandbox.runner import Sandbox
from stripe_connector.gateways.outgoing import HttpClient, Response
from tests.patience import PATIENCE_S

ENVIRONMENT = {
    "ALLOWED_ORIGINS": "http://localhost:3000",
    "MERCHANT_RETURN_URL": "http://localhost:3000/return",
}
Change = Callable[[int, Any], tuple[int, Any]]
"""From status and document to what is answered instead."""


class Unlike:
    """Stand-ins that answer one call in another way, as the real world may."""

    def __init__(self, client: HttpClient, call: str, change: Change) -> None:
        """`call` is a pattern of method and path."""
        self._client = client
        self._call = re.compile(call)
        self._change = change

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
    ) -> Response:
        answer = await self._client.request(method, url, headers=headers, content=content)
        if not self._call.search(f"{method} {url} {(content or b'').decode()}"):
            return answer
        status, document = self._change(answer.status_code, json.loads(answer.content))
        return httpx.Response(status, json=document)

    async def aclose(self) -> None:
        await self._client.aclose()


def without(key: str) -> Change:
    def change(status: int, document: Any) -> tuple[int, Any]:
        return status, {name: value for name, value in document.items() if name != key}

    return change


def with_(**fields: Any) -> Change:
    return lambda status, document: (status, {**document, **fields})


def refusal(status: int | None = None, **fields: Any) -> Change:
    """Another status, or other fields of Stripe's error."""
    return lambda was, document: (status or was, {"error": {**document["error"], **fields}})


async def walked(side: Side) -> list[Exchange]:
    walk = Walk(side)
    try:
        await walk.run()
    finally:
        await side.aclose()
    assert walk.failed == []
    return side.recorder.exchanges


UNLIKE = {
    "a key is missing": (
        r"POST \S+/v1/refunds .*amount=500",
        without("source_transfer_reversal"),
        ("Stripe", "POST /v1/refunds", "source_transfer_reversal", "key", "absent", "null"),
    ),
    "a key is more": (
        r"GET \S+/v1/account",
        with_(news=True),
        ("Stripe", "GET /v1/account", "news", "key", "boolean", "absent"),
    ),
    "a type is another": (
        r"POST \S+/v1/refunds .*amount=500",
        with_(source_transfer_reversal=7),
        ("Stripe", "POST /v1/refunds", "source_transfer_reversal", "type", "number", "null"),
    ),
    "a word is unknown": (
        r"POST \S+/sandbox/carts .*customLineItems",
        with_(cartState="Dormant"),
        ("commercetools", "POST /{project}/carts", "cartState", "word", "Dormant", "Active"),
    ),
    "a refusal has another status": (
        r"POST \S+/capture $",
        refusal(409),
        ("Stripe", "POST /v1/payment_intents/{id}/capture", "", "status", "409", "400"),
    ),
    "a refusal has another code": (
        r"GET \S+/v1/payment_intents/pi_0000unknown",
        refusal(code="intent_missing"),
        (
            "Stripe",
            "GET /v1/payment_intents/{id}",
            "error.code",
            "word",
            "intent_missing",
            "resource_missing",
        ),
    ),
    "nothing is refused": (
        r"POST \S+/sandbox/payments/\S+ .*\"rehearse\"",
        lambda _status, _document: (200, {"id": "x"}),
        ("commercetools", "POST /{project}/payments/{id}", "", "status", "200", "400"),
    ),
}


@pytest.mark.parametrize("name", UNLIKE)
async def test_one_deliberate_difference_is_reported_and_no_other(name: str) -> None:
    call, change, expected = UNLIKE[name]
    real = await walked(stand_in_side(ENVIRONMENT, Unlike(stand_ins(), call, change)))
    stand_in = await walked(stand_in_side(ENVIRONMENT))
    found = [(each.backend, each.call, each.difference) for each in findings(real, stand_in)]
    assert found == [(*expected[:2], Difference(*expected[2:]))]


async def test_where_both_sides_agree_nothing_is_reported_and_all_is_tidied_up() -> None:
    sandbox = Sandbox("http://stripe.sandbox")
    real = stand_in_side(ENVIRONMENT, stand_ins(sandbox))
    outcome = await rehearse(real, stand_in_side(ENVIRONMENT), lambda _: None)
    assert outcome.agrees, markdown(outcome)
    assert outcome.exchanges > 100
    assert "Every answer has the same shape" in markdown(outcome)
    assert "None" not in markdown(outcome)
    ended(sandbox, intents=5)
    assert len(outcome.stays) == 2, "intents and sessions stay, nothing else"


def ended(sandbox: Sandbox, intents: int) -> None:
    """No money of the walk is held or kept, and the project is as before."""
    assert len(list(sandbox.stripe.intents)) == intents
    for each in sandbox.stripe.intents:
        assert each["status"] in ("succeeded", "canceled")
    for charge in sandbox.stripe.charges:
        assert charge["amount_refunded"] == charge["amount_captured"]
    for kind in ("cart", "payment", "type"):
        assert list(sandbox.store.collection(kind)) == [], kind


async def test_a_step_that_fails_is_told_without_values_and_tidied_up_too() -> None:
    sandbox = Sandbox("http://stripe.sandbox")
    error = {"statusCode": 403, "errors": [{"code": "insufficient_scope", "message": "Ada"}]}
    unlike = Unlike(
        stand_ins(sandbox), r"POST \S+/sessions .*processorUrl", lambda _status, _body: (403, error)
    )
    real = stand_in_side(ENVIRONMENT, unlike)
    outcome = await rehearse(real, stand_in_side(ENVIRONMENT), lambda _: None)
    refused = "POST /{project}/sessions answered 403 (insufficient_scope)"
    assert f"A card is charged at once: {refused}" in outcome.failed
    assert "Stripe refuses: the first payment did not succeed" in outcome.failed
    assert len(outcome.failed) == 7
    assert "Ada" not in markdown(outcome)
    ended(sandbox, intents=0)


async def test_a_report_shows_no_value_of_anybody() -> None:
    """Each kind of value that the walk met: none is in the report of a world unlike in all."""

    def everything_else(status: int, document: Any) -> tuple[int, Any]:
        return status, {**document, "email": "ada@example.com", "ada@example.com": "Ada Byron"}

    unlike = Unlike(stand_ins(), r"POST \S+/v1/payment_intents ", everything_else)
    real = stand_in_side(ENVIRONMENT, unlike)
    outcome = await rehearse(real, stand_in_side(ENVIRONMENT), lambda _: None)
    told = markdown(outcome)
    assert "`email`" in told
    assert "`(a key)`" in told
    for pattern in (r"@", r"\b(pi|ch|re|cus)_\w{8,}", r"_secret_", r"sk_test", r"whsec", r"Ada"):
        assert not re.search(pattern, told), pattern
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", told)


def test_the_command_rehearses_with_what_the_environment_names(
    at: Addresses, client: httpx.Client, tmp_path: Path
) -> None:
    settings = processor_environment(at)
    file = tmp_path / ".env"
    file.write_text("".join(f"{name}='{value}'\n" for name, value in settings.items()))
    own = {"REHEARSE_CLIENT_ID": "sandbox-admin", "REHEARSE_CLIENT_SECRET": "sandbox-admin-secret"}
    with served(at, client, tmp_path):
        ended = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "rehearse", "--env-file", file, "--report", tmp_path / "r.md"],
            env={**os.environ, **own},
            cwd=tmp_path,
            text=True,
            capture_output=True,
            timeout=PATIENCE_S,
        )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "nothing differs" in ended.stdout
    assert "Every answer has the same shape" in (tmp_path / "r.md").read_text()


def test_the_command_refuses_live_keys_with_exit_code_2(tmp_path: Path) -> None:
    live = {"STRIPE_SECRET_KEY": "rk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"}
    refused = subprocess.run(
        [sys.executable, "-m", "rehearse"],
        env={**os.environ, **live},
        cwd=tmp_path,
        text=True,
        capture_output=True,
        timeout=PATIENCE_S,
    )
    assert refused.returncode == 2
    assert "STRIPE_SECRET_KEY is a live key." in refused.stderr
    assert "CTP_PROJECT_KEY is missing." in refused.stderr
    assert "4eC39" not in refused.stderr
