"""Refunds: one object each, bounded by what was captured, sometimes slow, sometimes failing."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.stripe_account import MULTICAPTURE, Account


@pytest.fixture
def account() -> Account:
    return Account()


async def test_a_full_refund_gives_everything_back(account: Account) -> None:
    intent = await account.paid(**{"metadata[order]": "7"})
    refund = await account.post(
        "/v1/refunds", payment_intent=intent["id"], reason="requested_by_customer"
    )
    charge = await account.charge_of(intent)

    assert (refund["amount"], refund["currency"], refund["status"]) == (1000, "eur", "succeeded")
    assert refund["payment_intent"] == intent["id"]
    assert refund["charge"] == charge["id"]
    assert refund["reason"] == "requested_by_customer"
    assert (charge["refunded"], charge["amount_refunded"]) == (True, 1000)
    assert account.types()[4:] == ["refund.created", "charge.refunded"]


async def test_refunds_do_not_inherit_metadata(account: Account) -> None:
    intent = await account.paid(**{"metadata[order]": "7"})
    bare = await account.post("/v1/refunds", payment_intent=intent["id"], amount=100)
    own = await account.post(
        "/v1/refunds", payment_intent=intent["id"], amount=100, **{"metadata[id]": "tx"}
    )
    assert (bare["metadata"], own["metadata"]) == ({}, {"id": "tx"})


async def test_equal_partial_refunds_are_two_refunds(account: Account) -> None:
    intent = await account.paid()
    refunds = [
        await account.post("/v1/refunds", charge=intent["latest_charge"], amount=300)
        for _ in range(2)
    ]
    charge = await account.charge_of(intent)
    listed = await account.get("/v1/refunds", charge=charge["id"])
    limited = await account.get("/v1/refunds", payment_intent=intent["id"], limit=1)

    assert refunds[0]["id"] != refunds[1]["id"]
    assert (charge["refunded"], charge["amount_refunded"]) == (False, 600)
    assert [each["id"] for each in listed["data"]] == [refunds[1]["id"], refunds[0]["id"]]
    assert (len(limited["data"]), limited["has_more"]) == (1, True)


async def test_the_event_of_a_refunded_charge_lists_no_refunds(account: Account) -> None:
    intent = await account.paid()
    await account.post("/v1/refunds", payment_intent=intent["id"], amount=300)
    event = account.last("charge.refunded")["data"]
    expanded = await account.get(
        f"/v1/charges/{intent['latest_charge']}", **{"expand[]": "refunds"}
    )

    assert "refunds" not in event["object"]
    assert event["previous_attributes"] == {"amount_refunded": 0}
    assert [each["amount"] for each in expanded["refunds"]["data"]] == [300]


@pytest.mark.parametrize(
    ("first", "amount", "code"),
    [
        (300, 701, "amount_too_large"),
        (1000, 1, "charge_already_refunded"),
        (1000, None, "charge_already_refunded"),
        (300, 0, "parameter_invalid_integer"),
    ],
)
async def test_more_than_was_captured_is_never_refunded(
    account: Account, first: int, amount: int | None, code: str
) -> None:
    intent = await account.paid()
    await account.post("/v1/refunds", payment_intent=intent["id"], amount=first)
    data = {"payment_intent": intent["id"], **({} if amount is None else {"amount": amount})}

    assert (await account.refused("/v1/refunds", data))["code"] == code
    assert (await account.charge_of(intent))["amount_refunded"] == first


async def test_only_what_was_captured_can_be_refunded(account: Account) -> None:
    intent = await account.authorized()
    early = await account.refused("/v1/refunds", {"payment_intent": intent["id"]})
    await account.post(f"/v1/payment_intents/{intent['id']}/capture", amount_to_capture=400)
    much = await account.refused("/v1/refunds", {"payment_intent": intent["id"], "amount": 401})
    refund = await account.post("/v1/refunds", payment_intent=intent["id"])
    charge = await account.charge_of(intent)

    assert (early["code"], much["code"]) == ("charge_not_refundable", "amount_too_large")
    assert refund["amount"] == 400
    assert (charge["refunded"], charge["amount_refunded"]) == (True, 400)


async def test_a_charge_is_refunded_as_a_whole_only_after_its_final_capture(
    account: Account,
) -> None:
    intent = await account.authorized(**MULTICAPTURE)
    path = f"/v1/payment_intents/{intent['id']}/capture"
    await account.post(path, amount_to_capture=400, final_capture="false")
    await account.post("/v1/refunds", payment_intent=intent["id"])
    open_ = await account.charge_of(intent)
    await account.post(path, amount_to_capture=0)
    closed = await account.charge_of(intent)

    assert (open_["amount_refunded"], open_["refunded"]) == (400, False)
    assert (closed["amount_refunded"], closed["refunded"]) == (400, True)


@pytest.mark.parametrize(
    ("card", "at_first", "in_the_end", "announced"),
    [
        ("pm_card_pendingRefund", "pending", "succeeded", ["refund.updated"]),
        ("pm_card_refundFail", "succeeded", "failed", ["refund.failed", "refund.updated"]),
    ],
)
async def test_some_cards_refund_slowly_or_not_at_all(
    account: Account, card: str, at_first: str, in_the_end: str, announced: list[str]
) -> None:
    intent = await account.paid(card)
    refund = await account.post("/v1/refunds", payment_intent=intent["id"], amount=400)
    meanwhile = await account.charge_of(intent)
    seen = len(account.state.events)
    account.clock.advance(60)
    later = await account.get(f"/v1/refunds/{refund['id']}")
    charge = await account.charge_of(intent)
    failed = in_the_end == "failed"

    assert (refund["status"], later["status"]) == (at_first, in_the_end)
    assert meanwhile["amount_refunded"] == 400
    assert charge["amount_refunded"] == (0 if failed else 400)
    assert account.types(seen) == [*announced, "charge.refund.updated"]
    assert (later["failure_reason"] is not None) == failed
    assert (later["failure_balance_transaction"] is not None) == failed


@pytest.mark.parametrize("status", ["pending", "requires_action", "failed", "canceled"])
async def test_a_bank_may_still_change_a_refund_that_succeeded(
    account: Account, status: str
) -> None:
    intent = await account.paid()
    refund = await account.post("/v1/refunds", payment_intent=intent["id"])
    moved = await account.admin(f"stripe/refunds/{refund['id']}", status=status)
    charge = await account.charge_of(intent)
    updated = account.last("refund.updated")["data"]
    returned = status in ("failed", "canceled")

    assert moved["status"] == status
    assert updated["previous_attributes"]["status"] == "succeeded"
    assert (charge["amount_refunded"], charge["refunded"]) == (
        (0, False) if returned else (1000, True)
    )


async def test_a_failed_refund_is_final_and_its_money_can_be_refunded_again(
    account: Account,
) -> None:
    intent = await account.paid()
    refund = await account.post("/v1/refunds", payment_intent=intent["id"])
    path = f"/_sandbox/stripe/refunds/{refund['id']}"
    await account.client.post(path, json={"status": "failed"})
    again = await account.client.post(path, json={"status": "succeeded"})
    second = await account.post("/v1/refunds", payment_intent=intent["id"])

    assert again.status_code == 400
    assert second["amount"] == 1000


async def test_only_a_refund_that_waits_for_the_customer_can_be_canceled(
    account: Account,
) -> None:
    intent = await account.paid()
    refund = await account.post("/v1/refunds", payment_intent=intent["id"])
    await account.refused(f"/v1/refunds/{refund['id']}/cancel")
    await account.admin(f"stripe/refunds/{refund['id']}", status="requires_action")
    canceled = await account.post(f"/v1/refunds/{refund['id']}/cancel")
    assert canceled["status"] == "canceled"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({}, "parameter_missing"),
        ({"payment_intent": "pi_none"}, "resource_missing"),
        ({"charge": "ch_none"}, "resource_missing"),
    ],
)
async def test_a_refund_names_what_it_refunds(
    account: Account, data: dict[str, Any], code: str
) -> None:
    assert (await account.refused("/v1/refunds", data))["code"] == code


async def test_metadata_of_a_refund_can_be_added_later(account: Account) -> None:
    intent = await account.paid()
    refund = await account.post("/v1/refunds", payment_intent=intent["id"])
    updated = await account.post(f"/v1/refunds/{refund['id']}", **{"metadata[id]": "tx"})

    assert updated["metadata"] == {"id": "tx"}
    assert account.last("refund.updated")["data"]["previous_attributes"] == {
        "metadata": {"id": None}
    }
