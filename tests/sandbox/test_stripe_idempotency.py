"""Idempotency keys: what they keep, replay, refuse and forget."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.sandbox.stripe_account import RETURN_URL, Account

_PATH = "/v1/payment_intents"
_DATA = {"amount": 1000, "currency": "eur"}
_DECLINED = {
    **_DATA,
    "payment_method": "pm_card_visa_chargeDeclined",
    "confirm": "true",
    "return_url": RETURN_URL,
}


@pytest.fixture
def account() -> Account:
    return Account()


async def test_a_repeated_key_replays_the_answer_without_effect(account: Account) -> None:
    first = await account.call("POST", _PATH, _DATA, key="k")
    again = await account.call("POST", _PATH, _DATA, key="k")

    assert again.content == first.content
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert again.headers["original-request"] == first.headers["request-id"]
    assert len(account.state.intents) == 1


async def test_without_a_key_each_call_has_its_effect(account: Account) -> None:
    for _ in range(2):
        await account.call("POST", _PATH, _DATA)
    assert len(account.state.intents) == 2


@pytest.mark.parametrize(
    ("path", "data"), [(_PATH, {**_DATA, "amount": 1001}), ("/v1/customers", _DATA)]
)
async def test_a_key_belongs_to_one_request(
    account: Account, path: str, data: dict[str, Any]
) -> None:
    await account.call("POST", _PATH, _DATA, key="k")
    other = await account.call("POST", path, data, key="k")

    assert other.status_code == 400
    assert other.json()["error"]["type"] == "idempotency_error"


async def test_the_keys_of_two_api_keys_are_apart(account: Account) -> None:
    await account.call("POST", _PATH, _DATA, key="k")
    other = await account.call(
        "POST", _PATH, _DATA, key="k", headers={"authorization": "Bearer rk_test_sandbox"}
    )
    assert "idempotent-replayed" not in other.headers


async def test_a_decline_is_kept(account: Account) -> None:
    first = await account.call("POST", _PATH, _DECLINED, key="k")
    again = await account.call("POST", _PATH, _DECLINED, key="k")

    assert (first.status_code, again.content) == (402, first.content)
    assert len(account.state.charges) == 1


async def test_bad_parameters_are_not_kept(account: Account) -> None:
    refused = await account.call("POST", _PATH, {"amount": 1000}, key="k")
    corrected = await account.call("POST", _PATH, _DATA, key="k")
    assert (refused.status_code, corrected.status_code) == (400, 200)


async def test_what_the_state_of_an_object_refuses_is_kept(account: Account) -> None:
    intent = await account.authorized()
    path = f"{_PATH}/{intent['id']}/capture"
    first = await account.call("POST", path, {"amount_to_capture": 1001}, key="k")
    again = await account.call("POST", path, {"amount_to_capture": 1001}, key="k")

    assert first.status_code == 400
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(("when", "made"), [("before", 0), ("after", 1)])
async def test_an_internal_error_is_kept_with_or_without_its_effect(
    account: Account, when: str, made: int
) -> None:
    await account.admin("stripe/errors", path=_PATH, when=when)
    first = await account.call("POST", _PATH, _DATA, key="k")
    again = await account.call("POST", _PATH, _DATA, key="k")

    assert (first.status_code, again.status_code) == (500, 500)
    assert first.json()["error"]["type"] == "api_error"
    assert again.headers["idempotent-replayed"] == "true"
    assert len(account.state.intents) == made
    next_attempt = await account.call("POST", _PATH, _DATA, key="k2")
    assert next_attempt.status_code == 200


@pytest.mark.parametrize("by", ["clock", "hand"])
async def test_a_stored_error_may_be_rolled_forward_later(account: Account, by: str) -> None:
    seconds = 3600.0 if by == "clock" else None
    await account.admin("stripe/errors", path=_PATH, when="later", seconds=seconds)
    first = await account.call("POST", _PATH, _DATA, key="k")
    assert (first.status_code, len(account.state.intents), account.types()) == (500, 0, [])

    listed = (await account.client.get("/_sandbox/stripe/stalled")).json()["stalled"]
    assert [each["path"] for each in listed] == [_PATH]
    if by == "clock":
        await account.client.post("/_sandbox/clock", json={"advance": 3600})
    else:
        assert await account.admin("stripe/stalled") == {"completed": 1}
    again = await account.call("POST", _PATH, _DATA, key="k")

    assert account.types() == ["payment_intent.created"]
    assert account.state.events[0]["request"]["idempotency_key"] == "k"
    assert (again.status_code, again.headers["idempotent-replayed"]) == (500, "true")
    assert len(account.state.intents) == 1


async def test_what_has_become_impossible_is_not_rolled_forward(account: Account) -> None:
    intent = await account.authorized()
    path = f"{_PATH}/{intent['id']}"
    await account.admin("stripe/errors", path=f"{path}/cancel", when="later")
    await account.call("POST", f"{path}/cancel", key="k")
    await account.post(f"{path}/capture")
    await account.admin("stripe/stalled")

    assert (await account.get(path))["status"] == "succeeded"


async def test_internal_errors_pass_as_many_calls_as_they_should(account: Account) -> None:
    await account.admin("stripe/errors", path="/v1/*", when="before", skip=1, times=2)
    statuses = [(await account.call("POST", _PATH, _DATA)).status_code for _ in range(4)]
    assert statuses == [200, 500, 500, 200]


async def test_internal_errors_last_until_they_are_removed(account: Account) -> None:
    rule = await account.admin("stripe/errors", path="*", when="before", times=None)
    before = [(await account.call("POST", _PATH, _DATA)).status_code for _ in range(3)]
    listed = (await account.client.get("/_sandbox/stripe/errors")).json()["errors"]
    await account.client.delete(f"/_sandbox/stripe/errors/{rule['id']}")
    after = await account.call("POST", _PATH, _DATA)

    assert before == [500, 500, 500]
    assert [each["id"] for each in listed] == [rule["id"]]
    assert after.status_code == 200


@pytest.mark.parametrize(("after", "replayed"), [(86_399, True), (86_400, False)])
async def test_a_key_is_forgotten_after_a_day(
    account: Account, after: float, replayed: bool
) -> None:
    await account.call("POST", _PATH, _DATA, key="k")
    account.clock.advance(after)
    again = await account.call("POST", _PATH, _DATA, key="k")

    assert ("idempotent-replayed" in again.headers) is replayed
    assert len(account.state.intents) == (1 if replayed else 2)


async def test_a_key_in_use_is_a_conflict_until_its_call_is_answered(account: Account) -> None:
    rule = await account.admin("stripe/errors", path=_PATH, when="hold")
    held = asyncio.create_task(account.call("POST", _PATH, _DATA, key="k"))
    while not account.state.keys_in_use:  # noqa: ASYNC110 - the state tells nobody
        await asyncio.sleep(0)
    conflict = await account.call("POST", _PATH, _DATA, key="k")
    await account.client.delete(f"/_sandbox/stripe/errors/{rule['id']}")
    first = await held
    again = await account.call("POST", _PATH, _DATA, key="k")

    assert conflict.status_code == 409
    assert conflict.json()["error"]["code"] == "idempotency_key_in_use"
    assert conflict.headers["stripe-should-retry"] == "true"
    assert (first.status_code, again.content) == (200, first.content)
    assert len(account.state.intents) == 1


async def test_a_key_that_is_too_long_is_refused(account: Account) -> None:
    response = await account.call("POST", _PATH, _DATA, key="k" * 256)
    assert response.status_code == 400
    assert len(account.state.intents) == 0
