"""What is recorded of a movement: when it is the same, how it came out, and each change of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, InvalidRequest
from stripe_connector.ledger.operation import Added, Operation, operations
from stripe_connector.ledger.payment import Payment, Transaction, TransactionState, TransactionType
from stripe_connector.money import Money
from stripe_connector.payments import movement_records as records
from stripe_connector.payments.attempts import RepeatEffect
from tests.unit.ledger.commercetools import apply

AT = datetime(2026, 9, 21, tzinfo=UTC)
LATER = AT + timedelta(hours=1)
OPERATION = Operation("key:1", "refundPayment", 1, AT)
TAKEN = Money(300, "EUR", 2)


class _Clock(Clock):
    def now(self) -> datetime:
        return LATER


def payment(
    state: TransactionState,
    operation: Operation | None = OPERATION,
    type_: TransactionType = "Refund",
) -> Payment:
    """The transaction `b`, with its operation, between two that nobody asked for."""
    listed = [
        Transaction("c", "Authorization", Money(1000, "EUR", 2), "Success"),
        Transaction("b", type_, TAKEN, state),
        Transaction("a", "Charge", Money(1000, "EUR", 2), "Success"),
    ]
    proofs = [] if operation is None else [operation.interaction("b")]
    made = Payment(
        "p", 1, Money(1000, "EUR", 2), transactions=listed, interface_interactions=proofs
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Payment)


async def after(before: Payment, compute: Any) -> Payment:
    """The Payment after a change, which a repetition leaves as it is."""
    changed = apply(before, await compute(before))
    assert await compute(changed) == []
    return changed


def state_of(of: Payment) -> str:
    return records.by_id(of, "b").state


@pytest.mark.parametrize("id_", ["a", "b", "c"])
def test_a_transaction_is_found_by_its_id_alone(id_: str) -> None:
    assert records.by_id(payment("Initial"), id_).id == id_


@pytest.mark.parametrize(
    ("state", "of_refund", "of_others"),
    [
        ("Initial", True, True),
        ("Pending", False, True),
        ("Success", False, False),
        ("Failure", False, False),
    ],
)
def test_an_equal_request_is_the_same_until_stripe_has_answered(
    state: TransactionState, of_refund: bool, of_others: bool
) -> None:
    transaction = records.by_id(payment(state), "b")
    assert records.is_open(transaction, OPERATION) is of_refund
    for action in ("cancelPayment", "capturePayment", "reversePayment"):
        assert records.is_open(transaction, replace(OPERATION, action=action)) is of_others


@pytest.mark.parametrize(
    ("type_", "changes", "effect"),
    [
        ("Refund", {}, RepeatEffect.TWICE),
        ("Charge", {"final": True}, RepeatEffect.REFUSED),
        ("Charge", {"final": False}, RepeatEffect.TWICE),
        ("CancelAuthorization", {}, RepeatEffect.REFUSED),
        ("Authorization", {}, RepeatEffect.TWICE),
        ("Authorization", {"added": Added("Authorization", 1, "EUR", "")}, RepeatEffect.REFUSED),
    ],
)
def test_what_stripe_would_do_twice(
    type_: TransactionType, changes: dict[str, Any], effect: RepeatEffect
) -> None:
    transaction = Transaction("b", type_, TAKEN)
    assert records.effect_of(transaction, replace(OPERATION, **changes)) is effect


@pytest.mark.parametrize(
    ("state", "outcome"),
    [("Initial", "received"), ("Pending", "received"), ("Success", "approved")],
)
def test_an_outcome_names_type_and_amount(state: TransactionState, outcome: str) -> None:
    of = payment(state)
    told = records.outcome_of(of, records.by_id(of, "b"))
    assert (told.outcome, told.type, told.amount) == (outcome, "Refund", TAKEN)


@pytest.mark.parametrize(
    ("error", "code"), [(None, "refused"), ("charge_already_refunded", "charge_already_refunded")]
)
def test_a_failure_is_told_with_stripes_reason(error: str | None, code: str) -> None:
    of = payment("Failure", replace(OPERATION, error=error, error_message="No."))
    told = records.outcome_of(of, records.by_id(of, "b"))
    assert (told.outcome, told.code, told.message) == ("rejected", code, "No.")


@pytest.mark.parametrize(
    ("error", "held", "outcome"),
    [(None, False, "approved"), (None, True, "rejected"), ("odd", False, "rejected")],
)
def test_a_cancellation_before_anything_was_held_has_done_what_was_asked(
    error: str | None, held: bool, outcome: str
) -> None:
    of = payment("Failure", replace(OPERATION, error=error), "CancelAuthorization")
    if not held:
        of = replace(of, transactions=of.transactions[1:])
    assert records.outcome_of(of, records.by_id(of, "b")).outcome == outcome


def test_what_nobody_asked_for_has_no_operation() -> None:
    of = payment("Initial", None)
    with pytest.raises(BackendUnavailable):
        records.recorded_operation(of, records.by_id(of, "b"))


def test_a_payment_without_intent_was_never_started() -> None:
    with pytest.raises(InvalidRequest):
        records.require_intent_id(payment("Initial"))
    assert records.require_intent_id(replace(payment("Initial"), interface_id="pi_1")) == "pi_1"


@pytest.mark.parametrize(
    ("state", "then"),
    [
        ("Initial", "Pending"),
        ("Pending", "Pending"),
        ("Success", "Success"),
        ("Failure", "Failure"),
    ],
)
async def test_what_stripe_accepted_is_pending_and_nothing_moves_back(
    state: TransactionState, then: str
) -> None:
    assert state_of(await after(payment(state), records.accepted("b"))) == then


@pytest.mark.parametrize(
    ("state", "then", "told"),
    [
        ("Initial", "Failure", True),
        ("Pending", "Failure", True),
        ("Failure", "Failure", True),
        ("Success", "Success", False),
    ],
)
async def test_a_failure_has_its_reason_and_never_overwrites_a_success(
    state: TransactionState, then: str, told: bool
) -> None:
    failed = await after(payment(state), records.failed("b", "odd", "Stripe said no."))
    assert state_of(failed) == then
    operation = operations(failed)["b"]
    assert (operation.error, operation.error_message) == (
        ("odd", "Stripe said no.") if told else (None, None)
    )


async def test_the_first_reason_of_a_failure_stays() -> None:
    before = payment("Failure", replace(OPERATION, error="first", error_message="First."))
    assert await records.failed("b", "second", "Second.")(before) == []


async def test_what_nobody_asked_for_fails_without_a_reason() -> None:
    failed = await after(payment("Initial", None), records.failed("b", "odd", "No."))
    assert state_of(failed) == "Failure"
    assert operations(failed) == {}


@pytest.mark.parametrize("state", ["Pending", "Success", "Failure"])
async def test_only_what_is_not_answered_is_tried_or_awaited(state: TransactionState) -> None:
    assert await records.next_attempt("b", 1, _Clock())(payment(state)) == []
    assert await records.waiting("b", _Clock())(payment(state)) == []


async def test_a_new_attempt_counts_up_once_and_forgets_the_wait() -> None:
    before = payment("Initial", replace(OPERATION, unknown_since=AT))
    following = operations(await after(before, records.next_attempt("b", 1, _Clock())))["b"]
    assert (following.attempt, following.attempted_at) == (2, LATER)
    assert following.unknown_since is None


async def test_the_wait_begins_once() -> None:
    waits = await after(payment("Initial"), records.waiting("b", _Clock()))
    assert operations(waits)["b"].unknown_since == LATER
    assert operations(waits)["b"].attempt == 1
