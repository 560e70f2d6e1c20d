"""The demo's own judgement: when do a Payment and Stripe's objects agree?"""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.demo.compare import Json, compare


def payment(*transactions: tuple[str, int, str, str | None]) -> Json:
    return {
        "transactions": [
            {"type": kind, "amount": {"centAmount": cents}, "state": state, "interactionId": id_}
            for kind, cents, state, id_ in transactions
        ]
    }


def intent(status: str, received: int = 0, **fields: Any) -> Json:
    return {
        "amount": 1000,
        "amount_received": received,
        "status": status,
        "last_payment_error": None,
        "latest_charge": {"status": "succeeded"},
        **fields,
    }


HELD = ("Authorization", 1000, "Success", None)


def test_a_capture_that_was_not_recorded_differs() -> None:
    found = compare(payment(HELD), intent("succeeded", 1000), [])
    assert [(row.fact.kind, row.agrees) for row in found.rows] == [
        ("Authorization", True),
        ("Charge", False),
    ]
    assert not found.agrees


def test_another_amount_differs() -> None:
    recorded = payment(HELD, ("Charge", 999, "Success", None))
    assert not compare(recorded, intent("succeeded", 1000), []).agrees


def test_a_recorded_refund_that_stripe_does_not_know_differs() -> None:
    recorded = payment(HELD, ("Charge", 1000, "Success", None), ("Refund", 5, "Success", "re_1"))
    assert not compare(recorded, intent("succeeded", 1000), []).agrees


def test_equal_refunds_are_told_apart_by_their_ids() -> None:
    recorded = payment(
        HELD,
        ("Charge", 1000, "Success", None),
        ("Refund", 5, "Success", "re_1"),
        ("Refund", 5, "Success", "re_1"),
    )
    refunds = [{"id": f"re_{n}", "amount": 5, "status": "succeeded"} for n in (1, 2)]
    assert not compare(recorded, intent("succeeded", 1000), refunds).agrees


def test_several_captures_are_one_charge_at_stripe() -> None:
    recorded = payment(HELD, ("Charge", 400, "Success", None), ("Charge", 600, "Success", None))
    assert compare(recorded, intent("succeeded", 1000), []).agrees


def test_what_is_not_captured_must_be_released() -> None:
    charged = ("Charge", 400, "Success", None)
    released = ("CancelAuthorization", 600, "Success", None)
    assert not compare(payment(HELD, charged), intent("succeeded", 400), []).agrees
    assert compare(payment(HELD, charged, released), intent("succeeded", 400), []).agrees


def test_an_intent_that_nobody_tried_to_pay_has_no_transaction() -> None:
    assert compare(payment(), intent("requires_payment_method", latest_charge=None), []).agrees


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", "Pending"),
        ("under_review", "Pending"),
        ("won", "Failure"),
        ("lost", "Success"),
    ],
)
def test_a_dispute_is_a_chargeback_in_the_state_that_stripe_gives_it(
    status: str, state: str
) -> None:
    dispute = {"id": "dp_1", "amount": 700, "status": status}
    paid = (HELD, ("Charge", 1000, "Success", None))
    intent_ = intent("succeeded", 1000)
    assert not compare(payment(*paid), intent_, [], [dispute]).agrees
    recorded = payment(*paid, ("Chargeback", 700, state, "dp_1"))
    assert compare(recorded, intent_, [], [dispute]).agrees


def test_an_inquiry_moves_no_money() -> None:
    paid = payment(HELD, ("Charge", 1000, "Success", None))
    dispute = {"id": "dp_1", "amount": 700, "status": "warning_needs_response"}
    assert compare(paid, intent("succeeded", 1000), [], [dispute]).agrees


def test_what_stripe_refused_is_not_missed_at_stripe() -> None:
    paid = payment(HELD, ("Charge", 1000, "Success", None), ("Refund", 100, "Failure", None))
    assert not compare(paid, intent("succeeded", 1000), []).agrees
    paid["transactions"][-1]["custom"] = {"fields": {"stripeConnector_error": "charge_disputed"}}
    assert compare(paid, intent("succeeded", 1000), []).agrees


def test_what_is_written_down_and_not_yet_at_stripe_is_under_way() -> None:
    begun = payment(HELD, ("Charge", 1000, "Success", None), ("Refund", 100, "Initial", None))
    found = compare(begun, intent("succeeded", 1000), [])
    assert (found.agrees, found.settling) == (False, True)
    assert not compare(payment(HELD), intent("succeeded", 1000), []).settling
