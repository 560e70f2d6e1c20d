"""What is due: one sum over any payments that a cart may have, and the rules that always hold."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from stripe_connector.ledger.due import captured, covered_amount, due, secured_amount
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.money import Money, MoneyDraft

OURS = Ours("stripe")
always = settings(max_examples=200)
cents = st.integers(1, 3000)


def eur(amount: int, currency: str = "EUR") -> Money:
    return Money(amount, currency, 2)


def of(*transactions: Transaction, name: str = "payment") -> Payment:
    return Payment(name, 1, eur(1000), transactions=list(transactions))


def row(type_: str, amount: int, state: str = "Success", currency: str = "EUR") -> Transaction:
    return Transaction(
        f"{type_}-{amount}-{state}",
        type_,  # type: ignore[arg-type]  # drawn from the type's own words
        eur(amount, currency),
        state,  # type: ignore[arg-type]
    )


rows = st.builds(
    row,
    st.sampled_from(["Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback"]),
    cents,
    st.sampled_from(["Initial", "Pending", "Success", "Failure"]),
    st.sampled_from(["EUR", "EUR", "EUR", "USD"]),
)
payments = st.lists(
    st.builds(lambda listed: of(*listed), st.lists(rows, max_size=7)), max_size=4
).map(lambda listed: [replace(each, id=f"payment-{n}") for n, each in enumerate(listed)])


@always
@given(cents, payments)
def test_due_is_between_nothing_and_the_total(total: int, listed: list[Payment]) -> None:
    left = due(eur(total), listed, OURS)
    assert 0 <= left.cent_amount <= total
    assert left.currency_code == "EUR"


@always
@given(cents, payments, st.randoms())
def test_the_order_of_payments_and_transactions_decides_nothing(
    total: int, listed: list[Payment], dice: random.Random
) -> None:
    mixed = [
        replace(p, transactions=dice.sample(p.transactions, len(p.transactions))) for p in listed
    ]
    dice.shuffle(mixed)
    assert due(eur(total), mixed, OURS) == due(eur(total), listed, OURS)


@always
@given(cents, payments, cents)
def test_what_shoppers_may_write_decides_nothing(
    total: int, listed: list[Payment], amount: int
) -> None:
    """They may change the planned amount and add Initial transactions."""
    changed = [
        replace(
            payment,
            amount_planned=eur(amount, "USD"),
            transactions=[*payment.transactions, row("Charge", amount, "Initial")],
        )
        for payment in listed
    ]
    assert due(eur(total), changed, OURS) == due(eur(total), listed, OURS)


@always
@given(cents, payments)
def test_what_one_payment_has_to_bring_and_what_it_brought_make_what_is_due(
    total: int, listed: list[Payment]
) -> None:
    for payment in listed:
        alone = due(eur(total), listed, OURS, without=payment.id).cent_amount
        left = due(eur(total), listed, OURS).cent_amount
        assert left == max(0, alone - covered_amount(payment, "EUR"))


@always
@given(cents, cents)
def test_a_refund_reopens_nothing_unless_all_of_it_went_back(taken: int, back: int) -> None:
    payment = of(row("Authorization", taken), row("Charge", taken), row("Refund", back))
    expected = 0 if back >= taken else taken
    assert covered_amount(payment, "EUR") == captured(payment, "EUR") == expected


@always
@given(cents, cents)
def test_a_lost_dispute_reopens_its_amount_and_never_more_than_was_taken(
    taken: int, lost: int
) -> None:
    payment = of(row("Authorization", taken), row("Charge", taken), row("Chargeback", lost))
    assert covered_amount(payment, "EUR") == max(0, taken - lost)


@always
@given(cents, cents, cents)
def test_what_is_authorized_counts_until_it_is_captured_or_released(
    held: int, part: int, released: int
) -> None:
    part = min(part, held)
    released = min(released, held - part)
    payment = of(
        row("Authorization", held), row("Charge", part), row("CancelAuthorization", released)
    )
    assert covered_amount(payment, "EUR") == held - released
    assert captured(payment, "EUR") == part


@always
@given(payments)
def test_what_is_certain_is_never_more_than_what_may_still_come(listed: list[Payment]) -> None:
    for payment in listed:
        assert captured(payment, "EUR") <= covered_amount(payment, "EUR")
        assert secured_amount(payment, "EUR") <= covered_amount(payment, "EUR")


def test_a_refund_and_a_lost_dispute_that_together_take_all_leave_nothing() -> None:
    payment = of(row("Charge", 1000), row("Refund", 400), row("Chargeback", 600))
    assert covered_amount(payment, "EUR") == 0


def test_a_planned_gift_card_of_the_same_currency_is_not_asked_for() -> None:
    assert due(eur(1000), [], OURS, elsewhere=MoneyDraft(300, "EUR")) == eur(700)
    assert due(eur(1000), [], OURS, elsewhere=MoneyDraft(300, "USD")) == eur(1000)
    assert due(eur(1000), [], OURS, elsewhere=MoneyDraft(3000, "EUR")) == eur(0)
