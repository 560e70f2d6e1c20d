"""Captures are cumulative; what is not captured is released without a refund."""

from __future__ import annotations

import pytest

from tests.sandbox.stripe_account import MULTICAPTURE, Account, Json

_DAY = 86_400


@pytest.fixture
def account() -> Account:
    return Account()


async def _capture(account: Account, intent: Json, **data: object) -> Json:
    return await account.post(f"/v1/payment_intents/{intent['id']}/capture", **data)


@pytest.mark.parametrize("amount", [None, 1000, 400, 1])
async def test_a_capture_takes_its_amount_and_releases_the_rest(
    account: Account, amount: int | None
) -> None:
    intent = await account.authorized()
    data = {} if amount is None else {"amount_to_capture": amount}
    captured = await _capture(account, intent, **data)
    charge = await account.charge_of(intent)
    taken = amount or 1000

    assert captured["status"] == "succeeded"
    assert (captured["amount_received"], captured["amount_capturable"]) == (taken, 0)
    assert (charge["amount"], charge["amount_captured"]) == (1000, taken)
    assert (charge["captured"], charge["refunded"], charge["amount_refunded"]) == (True, False, 0)
    assert len(account.state.refunds) == 0
    assert account.types()[-2:] == ["charge.captured", "payment_intent.succeeded"]
    assert account.last("charge.captured")["data"]["previous_attributes"] == {
        "captured": False,
        "amount_captured": 0,
        "balance_transaction": None,
    }


@pytest.mark.parametrize(
    ("data", "code", "param"),
    [
        ({"amount_to_capture": 1001}, "amount_too_large", "amount_to_capture"),
        ({"amount_to_capture": 0}, "parameter_invalid_integer", "amount_to_capture"),
        ({"amount_to_capture": -1}, "parameter_invalid_integer", "amount_to_capture"),
        ({"amount_to_capture": 400, "final_capture": "false"}, None, "final_capture"),
    ],
)
async def test_a_capture_that_is_not_possible_changes_nothing(
    account: Account, data: Json, code: str | None, param: str
) -> None:
    intent = await account.authorized()
    error = await account.refused(f"/v1/payment_intents/{intent['id']}/capture", data)

    assert (error.get("code"), error["param"]) == (code, param)
    assert (await account.get(f"/v1/payment_intents/{intent['id']}")) == intent


async def test_several_captures_add_up_where_they_were_asked_for(account: Account) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    first = await _capture(account, intent, amount_to_capture=700, final_capture="false")
    after_first = await account.charge_of(intent)
    announced = account.types()[3:]
    last = await _capture(account, intent, amount_to_capture=200)
    after_last = await account.charge_of(intent)
    booked = await account.get("/v1/balance_transactions", source=intent["latest_charge"])

    assert (first["status"], first["amount_received"], first["amount_capturable"]) == (
        "requires_capture",
        700,
        300,
    )
    assert (after_first["captured"], after_first["amount_captured"]) == (False, 700)
    assert announced == ["charge.updated", "payment_intent.amount_capturable_updated"]
    assert (last["status"], last["amount_received"], last["amount_capturable"]) == (
        "succeeded",
        900,
        0,
    )
    assert (after_last["captured"], after_last["amount_captured"]) == (True, 900)
    assert account.types()[5:] == [
        "charge.updated",
        "charge.captured",
        "payment_intent.amount_capturable_updated",
        "payment_intent.succeeded",
    ]
    assert [each["amount"] for each in booked["data"]] == [200, 700]


async def test_a_partial_capture_says_how_much_more_it_is(account: Account) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    await _capture(account, intent, amount_to_capture=300, final_capture="false")
    await _capture(account, intent, amount_to_capture=200, final_capture="false")

    updated = account.last("charge.updated")["data"]
    assert updated["object"]["amount_captured"] == 500
    assert updated["previous_attributes"] == {"amount_captured": 300}


async def test_capturing_nothing_finally_releases_the_rest(account: Account) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    await _capture(account, intent, amount_to_capture=700, final_capture="false")
    released = await _capture(account, intent, amount_to_capture=0, final_capture="true")

    assert (released["status"], released["amount_received"]) == ("succeeded", 700)
    assert (await account.charge_of(intent))["captured"] is True
    assert len(account.state.refunds) == 0


async def test_all_can_be_captured_while_the_authorization_stays_open(account: Account) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    captured = await _capture(account, intent, final_capture="false")
    assert (captured["status"], captured["amount_capturable"]) == ("requires_capture", 0)


@pytest.mark.parametrize(
    ("card", "asked", "status"),
    [
        ("pm_card_visa", True, "available"),
        ("pm_card_visa", False, "unavailable"),
        ("pm_card_credit_disableEnterpriseCardFeatures", True, "unavailable"),
    ],
)
async def test_multicapture_needs_a_wish_and_a_card_that_can(
    account: Account, card: str, asked: bool, status: str
) -> None:
    intent = await account.authorized(card, **(MULTICAPTURE if asked else {}))
    details = (await account.charge_of(intent))["payment_method_details"]["card"]
    assert details["multicapture"]["status"] == status


async def test_canceling_an_authorization_creates_no_refund(account: Account) -> None:
    intent = await account.authorized()
    canceled = await account.post(f"/v1/payment_intents/{intent['id']}/cancel")
    charge = await account.charge_of(intent)
    refunds = await account.get("/v1/refunds", payment_intent=intent["id"])

    assert (canceled["status"], canceled["amount_capturable"]) == ("canceled", 0)
    assert (charge["captured"], charge["amount_captured"]) == (False, 0)
    assert (charge["refunded"], charge["amount_refunded"]) == (False, 0)
    assert refunds["data"] == []
    assert account.types()[-1] == "payment_intent.canceled"
    assert "charge.refunded" not in account.types()


async def test_what_is_captured_in_part_is_released_by_a_capture_not_canceled(
    account: Account,
) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    await _capture(account, intent, amount_to_capture=700, final_capture="false")
    error = await account.refused(f"/v1/payment_intents/{intent['id']}/cancel")
    assert error["code"] == "payment_intent_unexpected_state"


async def test_an_authorization_ends_after_seven_days(account: Account) -> None:
    intent = await account.authorized()
    deadline = (await account.charge_of(intent))["payment_method_details"]["card"]
    account.clock.advance(7 * _DAY - 1)
    still = await account.get(f"/v1/payment_intents/{intent['id']}")
    account.clock.advance(1)
    expired = await account.get(f"/v1/payment_intents/{intent['id']}")

    assert deadline["capture_before"] == intent["created"] + 7 * _DAY
    assert still["status"] == "requires_capture"
    assert (expired["status"], expired["cancellation_reason"]) == ("canceled", "expired")
    assert account.types()[-2:] == ["charge.expired", "payment_intent.canceled"]
    assert account.last("payment_intent.canceled")["request"]["id"] is None


async def test_what_was_captured_before_the_end_stays_captured(account: Account) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    await _capture(account, intent, amount_to_capture=700, final_capture="false")
    await account.admin("clock", advance=7 * _DAY)
    ended = await account.get(f"/v1/payment_intents/{intent['id']}")

    assert (ended["status"], ended["amount_received"]) == ("succeeded", 700)
    assert account.types()[-1] == "payment_intent.succeeded"


async def test_a_captured_authorization_does_not_end(account: Account) -> None:
    intent = await account.authorized()
    captured = await _capture(account, intent)
    account.clock.advance(8 * _DAY)
    assert await account.get(f"/v1/payment_intents/{intent['id']}") == captured
