"""What can still be captured, refunded or cancelled, to the cent, for every kind of transaction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from stripe_connector.ledger.operation import Operation
from stripe_connector.ledger.payment import Payment, Transaction, TransactionState, TransactionType
from stripe_connector.money import Money
from stripe_connector.payments import limits

_AT = datetime(2026, 9, 21, tzinfo=UTC)


def payment(*transactions: tuple[TransactionType, int, TransactionState]) -> Payment:
    """A Payment with these transactions; what is Initial was written ahead by us."""
    listed = [
        Transaction(f"t{number}", type_, Money(cents, "EUR", 2), state)
        for number, (type_, cents, state) in enumerate(transactions)
    ]
    return Payment(
        "p",
        1,
        Money(1000, "EUR", 2),
        transactions=listed,
        interface_interactions=[
            Operation(f"key:{each.id}", "any", 1, _AT).interaction(each.id)
            for each in listed
            if each.state == "Initial"
        ],
    )


HELD: tuple[TransactionType, int, TransactionState] = ("Authorization", 1000, "Success")
TAKEN: tuple[TransactionType, int, TransactionState] = ("Charge", 900, "Success")
UNDONE: list[tuple[TransactionState, bool]] = [
    ("Initial", True),
    ("Pending", True),
    ("Success", True),
    ("Failure", False),
]
"""States of a transaction that takes something away, and whether it counts."""


@pytest.mark.parametrize(("state", "counts"), UNDONE)
@pytest.mark.parametrize("type_", ["Charge", "CancelAuthorization"])
def test_what_is_captured_or_cancelled_cannot_be_captured_again(
    type_: TransactionType, state: TransactionState, counts: bool
) -> None:
    assert limits.capturable(payment(HELD, (type_, 300, state))) == (700 if counts else 1000)


def test_captures_and_cancellations_add_up() -> None:
    several = payment(
        HELD,
        ("Charge", 300, "Success"),
        ("Charge", 150, "Initial"),
        ("CancelAuthorization", 50, "Pending"),
    )
    assert limits.capturable(several) == 500


@pytest.mark.parametrize("state", ["Initial", "Pending", "Failure"])
def test_only_a_successful_authorization_can_be_captured(state: TransactionState) -> None:
    assert limits.capturable(payment(("Authorization", 1000, state))) == 0


@pytest.mark.parametrize(("state", "counts"), UNDONE)
def test_what_is_refunded_cannot_be_refunded_again(state: TransactionState, counts: bool) -> None:
    refunded = payment(HELD, TAKEN, ("Refund", 200, state))
    assert limits.refundable(refunded) == (700 if counts else 900)


@pytest.mark.parametrize("state", ["Initial", "Pending", "Failure"])
def test_only_a_successful_charge_can_be_refunded(state: TransactionState) -> None:
    assert limits.refundable(payment(HELD, ("Charge", 900, state))) == 0


@pytest.mark.parametrize(
    ("state", "left"), [("Initial", 900), ("Pending", 900), ("Success", 600), ("Failure", 900)]
)
def test_only_a_lost_dispute_takes_from_what_can_be_refunded(
    state: TransactionState, left: int
) -> None:
    assert limits.refundable(payment(HELD, TAKEN, ("Chargeback", 300, state))) == left


def test_more_refunds_than_charges_leave_nothing_to_refund() -> None:
    over = payment(HELD, TAKEN, ("Refund", 700, "Success"), ("Refund", 300, "Initial"))
    assert limits.refundable(over) == 0


def _refund_of(state: TransactionState, *, charge: str) -> Payment:
    """A charge of 900 and one of 100, with a refund of 200 that names one of them."""
    bare = payment(HELD, TAKEN, ("Charge", 100, "Success"), ("Refund", 200, state))
    proof = Operation("key:r", "refundPayment", 1, _AT, refund_of=charge).interaction("t3")
    return replace(bare, interface_interactions=[proof])


@pytest.mark.parametrize(("state", "counts"), UNDONE)
def test_a_refund_takes_from_the_charge_that_it_names(
    state: TransactionState, counts: bool
) -> None:
    refunded = _refund_of(state, charge="t1")
    assert limits.refundable_of(refunded, refunded.transactions[1]) == (700 if counts else 900)
    assert limits.refundable_of(refunded, refunded.transactions[2]) == 100


def test_a_refund_that_no_operation_of_ours_asked_for_takes_from_no_charge() -> None:
    foreign = replace(_refund_of("Success", charge="t1"), interface_interactions=[])
    assert limits.refundable_of(foreign, foreign.transactions[1]) == 900


@pytest.mark.parametrize(
    ("transactions", "kept"),
    [
        ([HELD], 1000),
        ([HELD, ("CancelAuthorization", 400, "Success")], 600),
        ([HELD, ("CancelAuthorization", 400, "Initial")], 600),
        ([HELD, TAKEN], 1000),  # the rest is still held
        ([HELD, TAKEN, ("CancelAuthorization", 100, "Success")], 900),
        ([HELD, TAKEN, ("CancelAuthorization", 100, "Pending"), ("Refund", 200, "Pending")], 700),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 250, "Initial")], 750),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 250, "Failure")], 1000),
        ([HELD, ("Charge", 1000, "Success"), ("Chargeback", 300, "Success")], 700),
        (
            [
                HELD, ("Charge", 1000, "Success"), ("Refund", 250, "Success"),
                ("Chargeback", 300, "Success"),
            ],
            450,
        ),
        ([HELD, ("Charge", 1200, "Success")], 1200),  # overcapture
    ],
)  # fmt: skip
def test_what_stays_is_held_or_taken_less_what_is_given_back(
    transactions: list[tuple[TransactionType, int, TransactionState]], kept: int
) -> None:
    assert limits.kept_amount(payment(*transactions)) == kept


@pytest.mark.parametrize(
    ("transactions", "processing"),
    [
        ([], 0),
        ([HELD], 0),
        ([("Authorization", 1000, "Initial")], 0),
        ([("Authorization", 1000, "Pending")], 1000),
        ([("Authorization", 1000, "Pending"), ("CancelAuthorization", 300, "Pending")], 700),
        ([("Authorization", 1000, "Pending"), ("CancelAuthorization", 300, "Initial")], 700),
        ([("Authorization", 1000, "Pending"), ("CancelAuthorization", 300, "Failure")], 1000),
        ([("Authorization", 1000, "Pending"), ("CancelAuthorization", 300, "Success")], 1000),
        ([HELD, ("CancelAuthorization", 1000, "Initial")], 0),
    ],
)
def test_an_attempt_in_processing_brings_what_is_not_being_cancelled(
    transactions: list[tuple[TransactionType, int, TransactionState]], processing: int
) -> None:
    assert limits.processing_amount(payment(*transactions)) == processing


def test_what_a_shopper_added_counts_nowhere() -> None:
    """Shoppers may add Initial transactions; no operation of ours stands behind them."""
    added = replace(
        payment(
            HELD, TAKEN, ("Charge", 10, "Initial"), ("Refund", 20, "Initial"),
            ("CancelAuthorization", 40, "Initial"),
        ),
        interface_interactions=[],
    )  # fmt: skip
    assert limits.capturable(added) == 100
    assert limits.refundable(added) == 900
    assert limits.kept_amount(added) == 1000
    assert limits.unanswered(added, "Charge", "Refund", "CancelAuthorization") == []


def test_unanswered_operations_are_those_of_the_types_that_were_asked_for() -> None:
    several = payment(
        HELD, ("Charge", 300, "Initial"), ("Charge", 100, "Pending"), ("Refund", 50, "Initial"),
        ("Charge", 200, "Initial"),
    )  # fmt: skip
    assert [each.id for each in limits.unanswered(several, "Charge")] == ["t1", "t4"]
    assert [each.id for each in limits.unanswered(several, "Charge", "Refund")] == [
        "t1",
        "t3",
        "t4",
    ]
    assert limits.unanswered(several, "Chargeback") == []
    assert limits.unanswered_amount(several, "Charge") == 500
    assert limits.unanswered_amount(several, "Refund") == 50
