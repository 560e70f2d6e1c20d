"""Recognising and resuming operations by what is written down with a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stripe_connector.ledger import proof
from stripe_connector.ledger.actions import (
    Action,
    AddInterfaceInteraction,
    SetTransactionCustomField,
    TransactionDraft,
)
from stripe_connector.ledger.operation import (
    KEY_LIFETIME,
    TYPE_KEY,
    Operation,
    changed,
    idempotency_key,
    identity,
    operation_type_draft,
    operations,
    pretended,
    timestamp,
    with_distinct_time,
)
from stripe_connector.ledger.payment import CustomFields, Payment, Reference, Transaction
from stripe_connector.money import Money

MOMENT = datetime(2026, 9, 21, 14, 13, 20, 123_456, tzinfo=UTC)


AUTHORIZED = Transaction("t0", "Authorization", Money(1000, "EUR", 2), "Success", "pi_1")
OPERATION = Operation(
    identity=identity("key", "refundPayment"),
    action="refundPayment",
    attempt=2,
    attempted_at=MOMENT.replace(microsecond=123_000),
    final=False,
    refund_of="charge",
    merchant_reference="return-7",
)
THEIRS = CustomFields(Reference("type", id="erp"), {"document": "40001"})


def paid(*transactions: Transaction, interactions: Sequence[CustomFields] = ()) -> Payment:
    return Payment(
        "p",
        1,
        Money(1000, "EUR", 2),
        transactions=[AUTHORIZED, *transactions],
        interface_interactions=list(interactions),
    )


def refund(id_: str = "t1", **fields: Any) -> Transaction:
    return Transaction(id_, "Refund", Money(300, "EUR", 2), **fields)


def written_ahead(payment: Payment, operation: Operation = OPERATION) -> tuple[Payment, Operation]:
    """The Payment after the update that writes an operation ahead, and what that will be known
    as."""
    draft = TransactionDraft(
        "Refund",
        Money(300, "EUR", 2).draft(),
        "Initial",
        timestamp=timestamp(MOMENT),
        custom=operation.custom(),
    )
    draft, told_by = with_distinct_time(payment, draft)
    operation = replace(operation, added=told_by)
    transaction = refund(
        f"t{len(payment.transactions)}", timestamp=draft.timestamp, custom=operation.custom()
    )
    return (
        replace(
            payment,
            transactions=[*payment.transactions, transaction],
            interface_interactions=[*payment.interface_interactions, operation.interaction()],
        ),
        operation,
    )


def with_last(payment: Payment, **changes: Any) -> Payment:
    last = replace(payment.transactions[-1], **changes)
    return replace(payment, transactions=[*payment.transactions[:-1], last])


def interactions_of(actions: Sequence[Action]) -> list[CustomFields]:
    return [
        CustomFields(each.type, each.fields)
        for each in actions
        if isinstance(each, AddInterfaceInteraction)
    ]


def test_what_was_written_down_is_found_again() -> None:
    payment, operation = written_ahead(paid())
    assert operations(payment) == {"t1": operation}


def test_what_version_0_1_0_wrote_down_is_found_again() -> None:
    payment = paid(refund(custom=OPERATION.custom()))
    assert operations(payment) == {"t1": OPERATION}


@pytest.mark.parametrize("custom", [None, THEIRS])
def test_another_programs_custom_type_takes_nothing_away(custom: CustomFields | None) -> None:
    payment, operation = written_ahead(paid())
    assert operations(with_last(payment, custom=custom)) == {"t1": operation}


def test_equal_operations_of_one_moment_are_told_apart() -> None:
    payment, first = written_ahead(paid())
    payment, second = written_ahead(payment, replace(OPERATION, identity="key:other"))
    payment = replace(
        payment, transactions=[replace(each, custom=THEIRS) for each in payment.transactions]
    )
    assert operations(payment) == {"t1": first, "t2": second}
    assert first.added != second.added


def test_a_changed_timestamp_is_overcome_where_nothing_else_is_like_it() -> None:
    payment, operation = written_ahead(paid())
    moved = with_last(payment, timestamp="2020-01-01T00:00:00.000Z", custom=THEIRS)
    assert operations(moved) == {"t1": operation}
    doubtful = replace(moved, transactions=[*moved.transactions, refund("t2")])
    assert operations(doubtful) == {}


def test_once_its_id_is_written_down_nothing_else_is_needed() -> None:
    payment, operation = written_ahead(paid())
    actions = changed(payment.transactions[-1], operation, operation)
    payment = replace(
        payment,
        interface_interactions=[*payment.interface_interactions, *interactions_of(actions)],
    )
    moved = with_last(payment, timestamp="2020-01-01T00:00:00.000Z", custom=THEIRS)
    twin = replace(moved, transactions=[*moved.transactions, refund("t2")])
    assert operations(twin) == {"t1": operation}


def test_a_copy_that_is_added_later_is_nobodys() -> None:
    payment, operation = written_ahead(paid())
    copy = replace(payment.transactions[-1], id="t2")
    payment = replace(payment, transactions=[*payment.transactions, copy])
    assert operations(with_last(payment, custom=None)) == {"t1": operation}


def test_custom_fields_that_a_shopper_may_have_set_prove_nothing() -> None:
    """They may be added only to a Payment that has no transaction yet."""
    forged = refund(custom=OPERATION.custom())
    payment = replace(paid(), transactions=[forged, AUTHORIZED])
    assert operations(payment) == {}
    charge = replace(forged, type="Authorization")
    assert operations(replace(payment, transactions=[charge])) == {}


def test_a_charge_of_a_stored_method_by_version_0_1_0_is_told_by_the_payments_key() -> None:
    charge = replace(refund(custom=OPERATION.custom()), type="Authorization")
    payment = replace(paid(), transactions=[charge], key="cart_0123_recurring")
    assert operations(payment) == {"t1": OPERATION}


def test_a_change_is_the_last_word_and_follows_in_our_own_custom_fields() -> None:
    payment, operation = written_ahead(paid())
    failed = replace(operation, error="lost_or_stolen", error_message="No.")
    actions = changed(payment.transactions[-1], operation, failed)
    assert {a.name for a in actions if isinstance(a, SetTransactionCustomField)} == {
        "stripeConnector_error",
        "stripeConnector_errorMessage",
    }
    payment = replace(
        payment,
        interface_interactions=[*payment.interface_interactions, *interactions_of(actions)],
    )
    assert operations(payment) == {"t1": failed}


def test_a_change_touches_no_custom_field_of_another_type() -> None:
    payment, operation = written_ahead(paid())
    [action] = changed(
        replace(payment.transactions[-1], custom=THEIRS), operation, replace(operation, attempt=3)
    )
    assert isinstance(action, AddInterfaceInteraction)


def test_version_0_1_0_may_have_gone_on_with_it() -> None:
    payment, operation = written_ahead(paid())
    later = replace(operation, attempt=7, attempted_at=MOMENT.replace(microsecond=0, hour=20))
    assert operations(with_last(payment, custom=later.custom())) == {"t1": later}


def test_what_version_0_1_0_wrote_keeps_its_form_at_stripe_when_it_changes() -> None:
    transaction = refund(custom=OPERATION.custom())
    waiting = replace(OPERATION, unknown_since=MOMENT.replace(microsecond=0))
    [action, *custom] = changed(transaction, OPERATION, waiting)
    assert custom == []
    payment = paid(transaction, interactions=interactions_of([action]))
    assert operations(payment) == {"t1": waiting}
    assert waiting.added is None


def test_every_field_of_a_proof_is_declared() -> None:
    _, operation = written_ahead(paid())
    whole = replace(operation, unknown_since=MOMENT, error="e", error_message="m")
    declared = {each["name"] for each in proof.proof_type_draft()["fieldDefinitions"]}
    assert whole.interaction("t1").fields.keys() <= declared


def test_only_what_is_known_is_written_down() -> None:
    custom = Operation("capturePayment:1", "capturePayment", 1, MOMENT).custom()
    assert set(custom.fields) == {
        "stripeConnector_operation",
        "stripeConnector_action",
        "stripeConnector_attempt",
        "stripeConnector_attemptedAt",
        "stripeConnector_final",
    }
    assert custom.type == Reference(type_id="type", key=TYPE_KEY)


@pytest.mark.parametrize(
    "custom", [None, CustomFields(Reference("type", id="other"), {"colour": "blue"})]
)
def test_a_transaction_that_nobody_asked_us_for_has_no_operation(
    custom: CustomFields | None,
) -> None:
    assert operations(paid(Transaction("t1", "Charge", Money(1, "EUR", 2), custom=custom))) == {}


def test_the_callers_key_is_the_identity_whatever_is_asked_for() -> None:
    assert identity("k", "refundPayment", 300) == identity("k", "capturePayment", 500)
    assert identity("k", "refundPayment") != identity("l", "refundPayment")


def test_the_callers_key_itself_is_not_stored() -> None:
    assert "customer@example.com" not in identity("customer@example.com", "refundPayment")


def test_an_operation_knows_whether_it_was_named() -> None:
    assert Operation(identity("k", "refundPayment"), "refundPayment", 1, MOMENT).explicit
    assert not Operation(identity(None, "refundPayment"), "refundPayment", 1, MOMENT).explicit


asked = st.tuples(
    st.sampled_from(["capturePayment", "refundPayment"]),
    st.integers(1, 10**6) | st.none(),
    st.text(max_size=5) | st.none(),
    st.text(max_size=5) | st.none(),
)


@given(asked, asked)
def test_without_a_key_the_same_is_the_same_and_anything_else_is_not(
    one: tuple[str, int | None, str | None, str | None],
    other: tuple[str, int | None, str | None, str | None],
) -> None:
    assert (identity(None, *one) == identity(None, *other)) == (one == other)


@given(st.text(max_size=300), asked)
def test_a_named_operation_is_never_an_unnamed_one(
    key: str, other: tuple[str, int | None, str | None, str | None]
) -> None:
    assert identity(key, other[0]) != identity(None, *other)


def test_every_attempt_has_a_stripe_key_of_its_own() -> None:
    assert idempotency_key("t1", 1) == "t1:1"
    assert idempotency_key("t1", 1) != idempotency_key("t1", 2)


def test_a_key_is_given_up_before_stripe_may_forget_it() -> None:
    assert timedelta(hours=24) > KEY_LIFETIME


def test_times_are_written_as_commercetools_writes_them() -> None:
    assert timestamp(MOMENT) == "2026-09-21T14:13:20.123Z"
    assert timestamp(MOMENT.replace(microsecond=0)) == "2026-09-21T14:13:20.000Z"


def test_the_custom_type_declares_every_field_and_requires_none() -> None:
    draft = operation_type_draft()
    operation = Operation("i", "a", 1, MOMENT, refund_of="c", merchant_reference="m")
    declared = {field["name"] for field in draft["fieldDefinitions"]}
    assert set(operation.custom().fields) < declared
    assert {"stripeConnector_error", "stripeConnector_errorMessage"} < declared
    assert not any(field["required"] for field in draft["fieldDefinitions"])
    assert draft["resourceTypeIds"] == ["transaction"]


def test_stripe_was_last_called_at_the_attempt_or_when_the_outcome_became_unknown() -> None:
    assert OPERATION.last_tried_at == OPERATION.attempted_at
    later, earlier = MOMENT + timedelta(hours=1), MOMENT - timedelta(hours=1)
    assert replace(OPERATION, unknown_since=later).last_tried_at == later
    assert replace(OPERATION, unknown_since=earlier).last_tried_at == OPERATION.attempted_at


def _pretending(*transactions: Transaction, interactions: Sequence[CustomFields] = ()) -> Payment:
    """A Payment that has no authorization yet."""
    return replace(paid(interactions=interactions), transactions=list(transactions))


def test_our_fields_on_what_we_did_not_write_ahead_are_pretended() -> None:
    copied, plain = refund("a", custom=OPERATION.custom()), refund("b")
    theirs = refund("c", custom=THEIRS)
    authorization = replace(
        AUTHORIZED, state="Initial", interaction_id=None, custom=OPERATION.custom()
    )
    assert pretended(_pretending(authorization, copied, plain, theirs)) == [copied]


def test_what_we_wrote_ahead_is_not_pretended() -> None:
    ours = refund("a", custom=OPERATION.custom())
    assert pretended(_pretending(ours, interactions=[OPERATION.interaction("a")])) == []


@pytest.mark.parametrize("state", ["Pending", "Success", "Failure"])
def test_once_a_payment_was_tried_nothing_is_certainly_pretended(state: Any) -> None:
    tried = replace(AUTHORIZED, state=state)
    assert pretended(_pretending(tried, refund("a", custom=OPERATION.custom()))) == []


@pytest.mark.parametrize("missing", sorted(OPERATION.interaction("t1").fields))
def test_an_operation_lacks_no_required_field(missing: str) -> None:
    fields = {**OPERATION.interaction("t1").fields}
    del fields[missing]
    found = operations(
        paid(refund(), interactions=[CustomFields(Reference("type", id="1"), fields)])
    )
    needed = {"operation", "action", "attempt", "attemptedAt", "kind", "transactionId"}
    assert bool(found) == (missing.removeprefix("stripeConnector_") not in needed)


def test_two_alike_whose_timestamps_were_changed_belong_to_nobody() -> None:
    ahead, _ = written_ahead(paid())
    moved = with_last(ahead, timestamp="2026-01-01T00:00:00.000Z", custom=None)
    assert set(operations(moved)) == {moved.transactions[-1].id}
    twin = replace(moved.transactions[-1], id="twin")
    assert operations(replace(moved, transactions=[*moved.transactions, twin])) == {}


def test_nobody_is_like_a_transaction_of_another_type_amount_or_currency() -> None:
    ahead, operation = written_ahead(paid())
    assert operation.added is not None
    last = ahead.transactions[-1]
    assert operation.added.is_of(last)
    for other in (
        replace(last, type="Charge"),
        replace(last, amount=Money(301, "EUR", 2)),
        replace(last, amount=Money(300, "USD", 2)),
        replace(last, timestamp=None),
    ):
        assert not operation.added.is_of(other)


@pytest.mark.parametrize(
    ("custom", "attempt"),
    [
        (replace(OPERATION, attempt=3), 3),
        (replace(OPERATION, attempt=1), 2),
        (replace(OPERATION, attempt=3, identity="key:~"), 2),
        (replace(OPERATION, attempt=3, identity="key:"), 2),
    ],
)
def test_custom_fields_continue_the_same_operation_alone_and_never_back(
    custom: Operation, attempt: int
) -> None:
    found = operations(
        paid(refund(custom=custom.custom()), interactions=[OPERATION.interaction("t1")])
    )
    assert found["t1"].attempt == attempt
    assert found["t1"].identity == OPERATION.identity


def test_identities_are_those_that_version_0_1_0_has_written() -> None:
    assert identity("key", "refundPayment") == "key:2c70e12b7a0646f92279f427c7b38e73"
