"""The demo's own judgement: when do a Payment and Stripe's objects agree?"""

from __future__ import annotations

from typing import Any

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
