"""Accounts and modes at one address share nothing."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from sandbox.clock import SandboxClock
from sandbox.stripe.accounts import SIDES, Accounts
from sandbox.stripe.app import create_app
from sandbox.stripe.state import StripeState

FIRST = "sk_test_sandbox"
KEYS = {FIRST: ("acct_sandbox", False)} | {
    side.secret_key: (side.account, side.live) for side in SIDES.values()
}


@pytest.fixture
def stripe() -> httpx.AsyncClient:
    clock = SandboxClock(1_790_000_000.0)
    others = [side.state(clock, "http://stripe.test") for side in SIDES.values()]
    app = Accounts(create_app(StripeState(clock)), others)
    transport = httpx.ASGITransport(app=app)
    return httpx.AsyncClient(transport=transport, base_url="http://stripe.test")


async def make(stripe: httpx.AsyncClient, key: str, path: str, **form: str) -> Any:
    headers = {"Authorization": f"Bearer {key}"}
    answer = await stripe.post(f"/v1/{path}", data=form, headers=headers)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scheme", ["Bearer", "Basic"])
async def test_a_key_opens_its_own_account_and_mode_alone(
    stripe: httpx.AsyncClient, key: str, scheme: str
) -> None:
    sent = key if scheme == "Bearer" else base64.b64encode(f"{key}:".encode()).decode()
    headers = {"Authorization": f"{scheme} {sent}"}
    account = (await stripe.get("/v1/account", headers=headers)).json()
    intent = await make(stripe, key, "payment_intents", amount="500", currency="eur")
    assert (account["id"], intent["livemode"]) == KEYS[key]
    for other in KEYS:
        answer = await stripe.get(
            f"/v1/payment_intents/{intent['id']}", headers={"Authorization": f"Bearer {other}"}
        )
        assert answer.status_code == (200 if other == key else 404)


@pytest.mark.parametrize("key", KEYS)
async def test_a_shopper_finds_the_page_of_every_account(
    stripe: httpx.AsyncClient, key: str
) -> None:
    line = "line_items[0]"
    page = await make(
        stripe,
        key,
        "checkout/sessions",
        mode="payment",
        success_url="http://shop.test/paid",
        **{
            f"{line}[quantity]": "1",
            f"{line}[price_data][currency]": "eur",
            f"{line}[price_data][unit_amount]": "500",
            f"{line}[price_data][product_data][name]": "A thing",
        },
    )
    shown = await stripe.get(f"/c/pay/{page['id']}")
    assert shown.status_code == 200
    assert "A thing" in shown.text


async def test_an_unknown_key_and_an_unknown_page_are_the_first_accounts_to_refuse(
    stripe: httpx.AsyncClient,
) -> None:
    headers = {"Authorization": "Bearer sk_live_unknown"}
    assert (await stripe.get("/v1/account", headers=headers)).status_code == 401
    assert (await stripe.get("/c/pay/cs_test_unknown")).status_code == 404
