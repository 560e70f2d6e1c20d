"""Disputes: inquiries, chargebacks and appeals, and what they do to money and refunds."""

from __future__ import annotations

from typing import get_args

import pytest
import stripe

from sandbox.stripe.disputes import STATUSES
from tests.sandbox.stripe_account import Account, Json


@pytest.fixture
def account() -> Account:
    return Account()


async def _dispute(account: Account, intent: Json, **body: object) -> Json:
    return await account.admin(f"stripe/charges/{intent['latest_charge']}/dispute", **body)


def test_all_states_of_the_sdk_are_known() -> None:
    known, _ = get_args(stripe.Dispute.__annotations__["status"])
    assert set(STATUSES) == set(get_args(known))


@pytest.mark.parametrize(
    ("card", "status", "reason", "announced"),
    [
        (
            "pm_card_createDispute",
            "needs_response",
            "fraudulent",
            ["charge.dispute.created", "charge.dispute.funds_withdrawn"],
        ),
        (
            "pm_card_createDisputeProductNotReceived",
            "needs_response",
            "product_not_received",
            ["charge.dispute.created", "charge.dispute.funds_withdrawn"],
        ),
        (
            "pm_card_createDisputeInquiry",
            "warning_needs_response",
            "fraudulent",
            ["charge.dispute.created"],
        ),
    ],
)
async def test_some_cards_are_disputed_once_they_have_paid(
    account: Account, card: str, status: str, reason: str, announced: list[str]
) -> None:
    intent = await account.paid(card, **{"metadata[order]": "7"})
    disputes = await account.get("/v1/disputes", payment_intent=intent["id"])
    dispute = disputes["data"][0]

    assert (dispute["status"], dispute["reason"]) == (status, reason)
    assert (dispute["amount"], dispute["charge"]) == (1000, intent["latest_charge"])
    assert dispute["metadata"] == {}
    assert (await account.charge_of(intent))["disputed"] is True
    assert [each for each in account.types() if "dispute" in each] == announced


@pytest.mark.parametrize("status", STATUSES)
async def test_a_dispute_is_opened_in_any_state(account: Account, status: str) -> None:
    intent = await account.paid()
    dispute = await _dispute(account, intent, status=status, amount=400)

    assert (dispute["status"], dispute["amount"]) == (status, 400)
    assert await account.get(f"/v1/disputes/{dispute['id']}") == dispute


@pytest.mark.parametrize(
    ("states", "announced"),
    [
        (["under_review", "won"], ["updated", "closed", "funds_reinstated"]),
        (["under_review", "lost"], ["updated", "closed"]),
        (
            ["lost", "appeal_needs_response", "appeal_under_review", "won"],
            ["closed", "updated", "updated", "closed", "funds_reinstated"],
        ),
        (
            ["won", "appeal_needs_response"],
            ["closed", "funds_reinstated", "updated", "funds_withdrawn"],
        ),
    ],
)
async def test_a_chargeback_ends_and_may_be_reopened_by_an_appeal(
    account: Account, states: list[str], announced: list[str]
) -> None:
    intent = await account.paid()
    dispute = await _dispute(account, intent)
    seen = len(account.state.events)
    for state in states:
        await account.admin(f"stripe/disputes/{dispute['id']}", status=state)

    now = await account.get(f"/v1/disputes/{dispute['id']}")
    assert now["status"] == states[-1]
    assert account.types(seen) == [f"charge.dispute.{each}" for each in announced]
    moved = [each["amount"] for each in now["balance_transactions"]]
    assert sum(moved) == (0 if states[-1] == "won" else -1000)


@pytest.mark.parametrize(
    ("states", "announced"),
    [
        (["warning_under_review", "warning_closed"], ["updated", "closed"]),
        (["needs_response"], ["updated", "funds_withdrawn"]),
        (["prevented"], ["closed"]),
    ],
)
async def test_an_inquiry_ends_or_becomes_a_chargeback(
    account: Account, states: list[str], announced: list[str]
) -> None:
    intent = await account.paid()
    dispute = await _dispute(account, intent, status="warning_needs_response")
    seen = len(account.state.events)
    for state in states:
        await account.admin(f"stripe/disputes/{dispute['id']}", status=state)
    assert account.types(seen) == [f"charge.dispute.{each}" for each in announced]


@pytest.mark.parametrize(
    ("status", "refundable"),
    [
        ("warning_needs_response", True),
        ("warning_under_review", True),
        ("warning_closed", True),
        ("needs_response", False),
        ("under_review", False),
        ("appeal_needs_response", False),
        ("appeal_under_review", False),
        ("won", True),
        ("lost", False),
        ("prevented", False),
    ],
)
async def test_a_charge_whose_money_is_disputed_cannot_be_refunded(
    account: Account, status: str, refundable: bool
) -> None:
    intent = await account.paid()
    dispute = await _dispute(account, intent, status=status)
    response = await account.call("POST", "/v1/refunds", {"payment_intent": intent["id"]})

    assert dispute["is_charge_refundable"] is refundable
    if refundable:
        assert response.json()["status"] == "succeeded"
    else:
        assert response.json()["error"]["code"] == "charge_disputed"


async def test_evidence_puts_a_dispute_under_review(account: Account) -> None:
    intent = await account.paid()
    dispute = await _dispute(account, intent)
    updated = await account.post(
        f"/v1/disputes/{dispute['id']}", **{"evidence[uncategorized_text]": "Delivered."}
    )
    assert updated["status"] == "under_review"
    assert updated["evidence"]["uncategorized_text"] == "Delivered."
    assert updated["evidence_details"]["submission_count"] == 1


@pytest.mark.parametrize(
    "body", [{"amount": -1}, {"amount": 0}, {"status": "maybe"}, {"colour": "red"}]
)
async def test_an_impossible_dispute_is_refused(account: Account, body: Json) -> None:
    intent = await account.paid()
    response = await account.client.post(
        f"/_sandbox/stripe/charges/{intent['latest_charge']}/dispute", json=body
    )
    assert response.status_code == 400
    assert len(account.state.disputes) == 0
