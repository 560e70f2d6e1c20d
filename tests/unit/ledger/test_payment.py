"""Sums over a Payment's transactions."""

from __future__ import annotations

import pytest

from stripe_connector.ledger.payment import Payment, Transaction, TransactionState, TransactionType
from stripe_connector.money import Money

Row = tuple[TransactionType, int, str, TransactionState]
PLANNED = Money(1000, "EUR", 2)


def payment(*rows: Row) -> Payment:
    listed = [
        Transaction(f"t{n}", type_, Money(cents, currency, 2), state)
        for n, (type_, cents, currency, state) in enumerate(rows)
    ]
    return Payment("p", 1, PLANNED, transactions=listed)


TAKEN: Row = ("Charge", 1000, "EUR", "Success")


@pytest.mark.parametrize(
    ("rows", "lost"),
    [
        ([TAKEN], 0),
        ([TAKEN, ("Chargeback", 300, "EUR", "Success")], 300),
        ([TAKEN, ("Chargeback", 300, "EUR", "Pending")], 0),
        ([TAKEN, ("Chargeback", 300, "EUR", "Failure")], 0),
        ([TAKEN, ("Chargeback", 1300, "EUR", "Success")], 1000),
        # what was refunded cannot be lost
        ([TAKEN, ("Refund", 800, "EUR", "Success"), ("Chargeback", 300, "EUR", "Success")], 200),
        ([TAKEN, ("Refund", 800, "EUR", "Pending"), ("Chargeback", 300, "EUR", "Success")], 200),
        ([TAKEN, ("Refund", 800, "EUR", "Failure"), ("Chargeback", 300, "EUR", "Success")], 300),
        ([TAKEN, ("Refund", 1100, "EUR", "Success"), ("Chargeback", 9, "EUR", "Success")], 0),
        # in another currency: everything
        ([TAKEN, ("Chargeback", 1, "USD", "Success")], 1000),
        ([TAKEN, ("Chargeback", 1, "CHF", "Success")], 1000),
        ([TAKEN, ("Refund", 400, "EUR", "Success"), ("Chargeback", 1, "USD", "Success")], 600),
        ([("Chargeback", 300, "EUR", "Success")], 0),
    ],
)
def test_lost_disputes_take_at_most_what_is_left(rows: list[Row], lost: int) -> None:
    assert payment(*rows).lost() == lost
    assert payment(*rows).lost("EUR") == lost


@pytest.mark.parametrize("type_", ["Authorization", "Charge"])
@pytest.mark.parametrize("state", ["Pending", "Success"])
def test_the_currency_is_that_of_what_was_taken(
    type_: TransactionType, state: TransactionState
) -> None:
    assert payment((type_, 500, "USD", state)).currency == "USD"


@pytest.mark.parametrize(
    "row",
    [
        ("Authorization", 500, "USD", "Initial"),
        ("Charge", 500, "USD", "Failure"),
        ("Refund", 500, "USD", "Success"),
        ("CancelAuthorization", 500, "USD", "Pending"),
    ],
)
def test_otherwise_the_currency_is_the_planned_one(row: Row) -> None:
    assert payment(row).currency == "EUR"
    assert payment(row).unit == PLANNED


def test_totals_count_a_type_in_its_states_and_currency() -> None:
    of = payment(
        ("Charge", 100, "EUR", "Success"), ("Charge", 20, "EUR", "Pending"),
        ("Charge", 3, "USD", "Success"), ("Refund", 7, "EUR", "Success"),
    )  # fmt: skip
    assert of.total("Charge", "Success") == 100
    assert of.total("Charge", "Success", "Pending") == 120
    assert of.total("Charge", "Failure") == 0
    assert of.total("Refund", "Success") == 7


@pytest.mark.parametrize(
    ("type_", "state", "name", "session"),
    [
        ("Authorization", "Initial", "cs_1", "cs_1"),
        ("Authorization", "Initial", "pi_1", None),
        ("Authorization", "Initial", None, None),
        ("Authorization", "Initial", "", None),
        ("Authorization", "Failure", "cs_1", None),
        ("Charge", "Initial", "cs_1", None),
    ],
)
def test_a_page_is_known_until_somebody_confirms_it(
    type_: TransactionType, state: TransactionState, name: str | None, session: str | None
) -> None:
    listed = [Transaction("t", type_, PLANNED, state, name)]
    assert Payment("p", 1, PLANNED, transactions=listed).session_id == session


@pytest.mark.parametrize(
    ("state", "unfinished"),
    [("Initial", True), ("Pending", True), ("Success", False), ("Failure", False)],
)
def test_what_is_initial_or_pending_is_unfinished(
    state: TransactionState, unfinished: bool
) -> None:
    assert Transaction("t", "Charge", PLANNED, state).unfinished is unfinished
