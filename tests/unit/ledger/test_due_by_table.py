"""What is due, held, brought and raised, to the cent; tests/property/test_due.py has the laws."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from stripe_connector.ledger.due import (
    asked_beyond,
    captured,
    captured_by_us,
    covered_amount,
    due,
    raised_by_us,
    secured_amount,
)
from stripe_connector.ledger.operation import Operation
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment, Transaction, TransactionState, TransactionType
from stripe_connector.money import Money, MoneyDraft

Row = tuple[TransactionType, int, TransactionState]
OURS = Ours("checkout-stripe")
_OPERATION = Operation("key:1", "any", 1, datetime(2026, 9, 21, tzinfo=UTC))
HELD: Row = ("Authorization", 1000, "Success")


def payment(
    *rows: Row, name: str = "p", asked: tuple[int, ...] = (), currency: str = "EUR"
) -> Payment:
    """A Payment as it is read; `asked` are the positions of what operations of ours requested."""
    listed = [
        Transaction(f"t{n}", type_, Money(cents, currency, 2), state)
        for n, (type_, cents, state) in enumerate(rows)
    ]
    proofs = [_OPERATION.interaction(listed[n].id) for n in asked]
    made = Payment(
        name, 1, Money(1000, "EUR", 2), transactions=listed, interface_interactions=proofs
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Payment)


@pytest.mark.parametrize(
    ("rows", "covered", "secured", "brought"),
    [
        ([], 0, 0, 0),
        ([("Authorization", 1000, "Initial")], 0, 0, 0),
        ([("Authorization", 1000, "Pending")], 1000, 0, 0),
        ([("Authorization", 1000, "Failure")], 0, 0, 0),
        ([HELD], 1000, 1000, 0),
        ([HELD, ("CancelAuthorization", 300, "Pending")], 700, 700, 0),
        ([HELD, ("CancelAuthorization", 300, "Success")], 700, 700, 0),
        ([HELD, ("CancelAuthorization", 300, "Initial")], 1000, 1000, 0),
        ([HELD, ("Charge", 400, "Success")], 1000, 1000, 400),
        ([HELD, ("Charge", 400, "Pending")], 1000, 1000, 0),
        ([HELD, ("Charge", 1200, "Success")], 1200, 1200, 1200),
        ([("Charge", 1000, "Success")], 1000, 1000, 1000),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 400, "Success")], 1000, 1000, 1000),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 1000, "Success")], 0, 0, 0),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 1000, "Pending")], 0, 0, 0),
        ([HELD, ("Charge", 1000, "Success"), ("Refund", 1000, "Initial")], 1000, 1000, 1000),
        ([HELD, ("Charge", 1000, "Success"), ("Chargeback", 300, "Success")], 700, 700, 700),
        ([HELD, ("Charge", 1000, "Success"), ("Chargeback", 300, "Pending")], 1000, 1000, 1000),
        (
            [
                HELD, ("Charge", 1000, "Success"), ("Refund", 600, "Success"),
                ("Chargeback", 400, "Success"),
            ],
            0, 0, 0,
        ),
    ],
)  # fmt: skip
def test_what_a_payment_covers_holds_and_has_brought(
    rows: list[Row], covered: int, secured: int, brought: int
) -> None:
    found = payment(*rows)
    assert covered_amount(found, "EUR") == covered
    assert secured_amount(found, "EUR") == secured
    assert captured(found, "EUR") == brought


@pytest.mark.parametrize("currency", ["CHF", "USD"])
def test_another_currency_covers_nothing(currency: str) -> None:
    foreign = payment(HELD, ("Charge", 1000, "Success"), currency=currency)
    assert covered_amount(foreign, "EUR") == captured(foreign, "EUR") == 0
    assert due(Money(1000, "EUR", 2), [foreign], OURS) == Money(1000, "EUR", 2)


def test_payments_of_a_sale_add_up_and_one_may_be_left_out() -> None:
    sale = [
        payment(("Authorization", 300, "Success"), name="a"),
        payment(("Authorization", 250, "Success"), name="b"),
    ]
    total = Money(1000, "EUR", 2)
    assert due(total, sale, OURS).cent_amount == 450
    assert due(total, sale, OURS, without="a").cent_amount == 750
    assert due(total, sale, OURS, without="b").cent_amount == 700
    assert due(Money(500, "EUR", 2), sale, OURS).cent_amount == 0


@pytest.mark.parametrize(
    ("planned", "left"),
    [
        (MoneyDraft(100, "EUR"), 900),
        (MoneyDraft(1100, "EUR"), 0),
        (MoneyDraft(100, "USD"), 1000),
        (MoneyDraft(100, "CHF"), 1000),
        (None, 1000),
    ],
)
def test_what_is_paid_elsewhere_in_the_same_currency_is_not_asked_for(
    planned: MoneyDraft | None, left: int
) -> None:
    if planned is not None:  # as it is read: not the object of the total's currency
        planned = msgspec.json.decode(msgspec.json.encode(planned), type=MoneyDraft)
    assert due(Money(1000, "EUR", 2), [], OURS, elsewhere=planned).cent_amount == left


RAISED: Row = ("Authorization", 200, "Success")


@pytest.mark.parametrize(
    ("rows", "asked", "raised", "taken", "beyond"),
    [
        ([HELD], (0,), 0, 0, 0),  # the first authorization is the planned one
        ([HELD, RAISED], (1,), 200, 0, 200),
        ([HELD, RAISED], (), 0, 0, 0),
        ([HELD, RAISED, RAISED], (1, 2), 400, 0, 400),
        ([HELD, ("Authorization", 200, "Failure")], (1,), 0, 0, 0),
        ([HELD, ("Authorization", 200, "Pending")], (1,), 0, 0, 0),
        ([HELD, ("Charge", 600, "Success")], (1,), 0, 600, 0),
        ([HELD, ("Charge", 1300, "Success")], (1,), 0, 1300, 300),
        ([HELD, ("Charge", 1300, "Success")], (), 0, 0, 0),
        ([HELD, RAISED, ("Charge", 1300, "Success")], (1, 2), 200, 1300, 300),
        ([HELD, RAISED, ("Charge", 700, "Success")], (1, 2), 200, 700, 200),
        ([HELD, ("Charge", 1300, "Pending")], (1,), 0, 0, 0),
    ],
)
def test_what_we_asked_for_above_the_plan(
    rows: list[Row], asked: tuple[int, ...], raised: int, taken: int, beyond: int
) -> None:
    found = payment(*rows, asked=asked)
    assert raised_by_us(found) == raised
    assert captured_by_us(found) == taken
    assert asked_beyond(found) == beyond


@pytest.mark.parametrize("currency", ["CHF", "USD"])
def test_what_we_asked_for_in_another_currency_is_not_above_the_plan(currency: str) -> None:
    found = payment(HELD, RAISED, ("Charge", 1300, "Success"), asked=(1, 2), currency=currency)
    assert raised_by_us(found) == captured_by_us(found) == asked_beyond(found) == 0
