"""Recognising and resuming operations by what is written down with a transaction."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stripe_connector.ledger.operation import (
    KEY_LIFETIME,
    TYPE_KEY,
    Operation,
    idempotency_key,
    identity,
    operation_of,
    timestamp,
    type_draft,
)
from stripe_connector.ledger.payment import CustomFields, Reference, Transaction
from stripe_connector.money import Money

MOMENT = datetime(2026, 9, 21, 14, 13, 20, 123_456, tzinfo=UTC)


def written(operation: Operation) -> Transaction:
    return Transaction("t1", "Refund", Money(300, "EUR", 2), custom=operation.custom())


def test_what_was_written_down_is_found_again() -> None:
    operation = Operation(
        identity=identity("key", "refundPayment"),
        action="refundPayment",
        attempt=2,
        attempted_at=MOMENT.replace(microsecond=123_000),
        final=False,
        refund_of="charge",
        merchant_reference="return-7",
    )
    assert operation_of(written(operation)) == operation


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
    assert operation_of(Transaction("t1", "Charge", Money(1, "EUR", 2), custom=custom)) is None


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
    draft = type_draft()
    operation = Operation("i", "a", 1, MOMENT, refund_of="c", merchant_reference="m")
    declared = {field["name"] for field in draft["fieldDefinitions"]}
    assert set(operation.custom().fields) < declared
    assert {"stripeConnector_error", "stripeConnector_errorMessage"} < declared
    assert not any(field["required"] for field in draft["fieldDefinitions"])
    assert draft["resourceTypeIds"] == ["transaction"]
