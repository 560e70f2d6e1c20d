"""What the stand-in serves for browsers, and what their key may do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from sandbox.stripe.app import OPERATIONS
from sandbox.stripe.stripe_js import OPERATIONS as BROWSER_OPERATIONS
from tests.sandbox.stripe_account import Account, Json

_REPOSITORY = Path(__file__).parents[2]
_COMPILER = _REPOSITORY / "enabler" / "node_modules" / ".bin" / "tsc"
_KEY = {"authorization": "Bearer pk_test_sandbox"}
_SESSION = "/v1/elements/sessions"
_EURO = {"deferred_intent[mode]": "payment", "deferred_intent[currency]": "eur"}
_COMPONENT = "components[payment_element]"


@pytest.fixture
def account() -> Account:
    return Account()


async def as_browser(
    account: Account, method: str, path: str, **data: Any
) -> tuple[int, dict[str, Any]]:
    """A call with the publishable key: status and body."""
    answer = await account.call(method, path, data, headers=_KEY)
    return answer.status_code, answer.json()


async def customer_session(account: Account, **features: str) -> tuple[Json, Json]:
    """A customer with two cards, of which one may be shown again, and a session of theirs."""
    customer = await account.customer()
    shown: Json = {}
    for redisplay in ("limited", "always"):
        shown = await account.post(
            "/v1/payment_methods",
            type="card",
            allow_redisplay=redisplay,
            **{"card[number]": "4242424242424242"},
        )
        await account.post(f"/v1/payment_methods/{shown['id']}/attach", customer=customer["id"])
    wanted = {f"{_COMPONENT}[features][{name}]": value for name, value in features.items()}
    session = await account.post(
        "/v1/customer_sessions",
        customer=customer["id"],
        **{f"{_COMPONENT}[enabled]": "true", **wanted},
    )
    return session, shown


@pytest.mark.parametrize("path", ["/endive/stripe.js", "/v3/stripe.js", "/v3/", "/v3"])
async def test_every_release_has_its_script(account: Account, path: str) -> None:
    answer = await account.client.get(path)
    assert answer.status_code == httpx.codes.OK
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "class StripeStandIn" in answer.text


@pytest.mark.parametrize("name", ["payment", "express", "wallet"])
async def test_frames_run_their_own_scripts_alone(account: Account, name: str) -> None:
    page = await account.client.get(f"/elements/{name}.html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "frame-ancestors *" in policy
    assert not re.search(r"<style| style=| on\w+=|<script>", page.text)
    for file in re.findall(r'(?:src|href)="([^":,]+)"', page.text):
        assert (await account.client.get(f"/elements/{file}")).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "path",
    ["/1/stripe.js", "/elements/api.js", "/elements/offered.ts", "/elements/..%2Fstate.py"],
)
async def test_nothing_else_is_served(account: Account, path: str) -> None:
    assert (await account.client.get(path)).status_code == httpx.codes.NOT_FOUND


@pytest.mark.parametrize(
    "operation",
    # A preflight cannot tell a search from an intent; the search itself has no header.
    [each for each in (*OPERATIONS, *BROWSER_OPERATIONS) if not each.path.endswith("/search")],
    ids=lambda each: f"{each.method} {each.path}",
)
async def test_other_origins_may_call_what_browsers_may(account: Account, operation: Any) -> None:
    preflight = await account.client.options(
        re.sub(r"\{\w+\}", "unknown", operation.path),
        headers={
            "origin": "http://shop.test",
            "access-control-request-method": operation.method,
            "access-control-request-headers": "authorization",
        },
    )
    assert preflight.is_success is operation.browser


async def test_the_sandboxs_own_routes_are_closed_to_other_origins(account: Account) -> None:
    answer = await account.client.get("/_sandbox/clock", headers={"origin": "http://shop.test"})
    assert "access-control-allow-origin" not in answer.headers


async def test_options_without_a_preflight_do_nothing(account: Account) -> None:
    answer = await account.client.options("/v1/payment_methods", headers=_KEY)
    assert answer.status_code == httpx.codes.NOT_FOUND


async def test_a_publishable_key_creates_no_intents_and_reads_none_without_secret(
    account: Account,
) -> None:
    intent = await account.intent()
    path = f"/v1/payment_intents/{intent['id']}"
    assert (await as_browser(account, "POST", "/v1/payment_intents", amount=1))[0] == 401
    assert (await as_browser(account, "GET", path))[0] == 400
    assert (await as_browser(account, "GET", path, client_secret="pi_1_secret_2"))[0] == 401
    status, shown = await as_browser(account, "GET", path, client_secret=intent["client_secret"])
    assert status == 200
    assert not {"metadata", "customer", "latest_charge"} & shown.keys()


async def test_a_decline_shows_browsers_no_more_of_the_intent(account: Account) -> None:
    intent = await account.intent(**{"metadata[note]": "for the merchant"})
    status, body = await as_browser(
        account,
        "POST",
        f"/v1/payment_intents/{intent['id']}/confirm",
        client_secret=intent["client_secret"],
        payment_method="pm_card_visa_chargeDeclined",
    )
    assert status == 402
    assert body["error"]["payment_intent"]["status"] == "requires_payment_method"
    assert "metadata" not in body["error"]["payment_intent"]


async def test_a_redirect_needs_an_address_to_come_back_to(account: Account) -> None:
    intent = await account.intent()
    confirm = {"client_secret": intent["client_secret"], "payment_method_data[type]": "ideal"}
    path = f"/v1/payment_intents/{intent['id']}/confirm"
    status, body = await as_browser(account, "POST", path, **confirm)
    assert (status, body["error"]["param"]) == (400, "return_url")
    status, _ = await as_browser(account, "POST", path, **confirm, return_url="https://shop.test/")
    assert status == 200


@pytest.mark.parametrize(
    ("deferred", "kinds"),
    [
        ({}, ["card", "ideal", "sepa_debit"]),
        ({"currency": "usd"}, ["card"]),
        ({"capture_method": "manual"}, ["card"]),
        ({"allowed_payment_method_types][": "ideal"}, ["ideal"]),
        ({"excluded_payment_method_types][": "ideal"}, ["card", "sepa_debit"]),
    ],
)
async def test_elements_offer_what_an_intent_would(
    account: Account, deferred: dict[str, str], kinds: list[str]
) -> None:
    sent = {**_EURO, **{f"deferred_intent[{name}]": value for name, value in deferred.items()}}
    status, session = await as_browser(account, "GET", _SESSION, **sent)
    assert status == 200
    assert session["payment_method_types"] == kinds


async def test_a_session_of_an_intent_needs_its_secret(account: Account) -> None:
    secret = (await account.intent())["client_secret"]
    status, session = await as_browser(account, "GET", _SESSION, client_secret=secret)
    assert (status, session["payment_intent"]["client_secret"]) == (200, secret)
    assert (await as_browser(account, "GET", _SESSION, client_secret=f"{secret}x"))[0] == 401


async def test_a_customer_session_shows_what_it_enables(account: Account) -> None:
    session, shown = await customer_session(account, payment_method_redisplay="enabled")
    secret = {"customer_session_client_secret": session["client_secret"]}
    _, found = await as_browser(account, "GET", _SESSION, **_EURO, **secret)
    assert [each["id"] for each in found["customer"]["payment_methods"]] == [shown["id"]]
    path = f"/v1/elements/payment_methods/{shown['id']}/detach"
    assert (await as_browser(account, "POST", path, **secret))[0] == 400

    hidden, _ = await customer_session(account)
    other = {"customer_session_client_secret": hidden["client_secret"]}
    _, found = await as_browser(account, "GET", _SESSION, **_EURO, **other)
    assert found["customer"]["payment_methods"] == []


async def test_a_saved_method_is_removed_by_its_customer_alone(account: Account) -> None:
    session, mine = await customer_session(account, payment_method_remove="enabled")
    _, others = await customer_session(account)
    secret = {"customer_session_client_secret": session["client_secret"]}
    path = "/v1/elements/payment_methods/{}/detach"
    assert (await as_browser(account, "POST", path.format(others["id"]), **secret))[0] == 404
    assert (await as_browser(account, "POST", path.format(mine["id"]), **secret))[0] == 200
    assert (await account.get(f"/v1/payment_methods/{mine['id']}"))["customer"] is None


async def test_a_customer_session_ends(account: Account) -> None:
    session, _ = await customer_session(account, payment_method_redisplay="enabled")
    await account.admin("clock", advance=session["expires_at"] - session["created"])
    secret = {"customer_session_client_secret": session["client_secret"]}
    assert (await as_browser(account, "GET", _SESSION, **_EURO, **secret))[0] == 401


async def test_a_closed_challenge_is_a_failed_one(account: Account) -> None:
    intent = await account.paid("pm_card_threeDSecure2Required")
    path = f"/v1/payment_intents/{intent['id']}/source_cancel"
    assert (await as_browser(account, "POST", path, client_secret="pi_1_secret_2"))[0] == 401
    secret = intent["client_secret"]
    status, failed = await as_browser(account, "POST", path, client_secret=secret)
    assert (status, failed["status"]) == (200, "requires_payment_method")
    assert failed["last_payment_error"]["code"] == "payment_intent_authentication_failure"
    assert (await as_browser(account, "POST", path, client_secret=secret))[0] == 400


def test_every_language_says_everything() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed.")
    source = (_REPOSITORY / "sandbox/stripe/js/messages.js").read_text()
    script = f"{source}\nconsole.log(JSON.stringify(MESSAGES))"
    said = subprocess.run(  # noqa: S603 - our own script
        [node, "-e", script], check=True, capture_output=True, text=True
    )
    messages: dict[str, dict[str, str]] = json.loads(said.stdout)
    assert set(messages) == {"en", "de", "fr", "es", "it", "nl"}
    for language, texts in messages.items():
        assert texts.keys() == messages["en"].keys(), language
        for name, text in texts.items():
            places = re.findall(r"\{\w+\}", messages["en"][name])
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(places), (language, name)


def test_the_stand_in_has_the_types_that_stripe_publishes() -> None:
    if not _COMPILER.is_file():
        pytest.skip("NOT CHECKED: the enabler's packages are not installed.")
    command = [str(_COMPILER), "-p", str(_REPOSITORY / "sandbox/stripe/js")]
    compiled = subprocess.run(  # noqa: S603 - the enabler's own compiler
        command, check=False, capture_output=True, text=True
    )
    assert compiled.returncode == 0, compiled.stdout
