"""Facts become the record: by tables for what is fixed, by properties for what must hold always."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from stripe_connector.ledger.facts import (
    DisputeFact,
    ExpiredSessionFact,
    Fact,
    IntentFact,
    RefundFact,
    ReleaseFact,
)
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, Snapshot, judge_snapshot, merge
from stripe_connector.ledger.payment import Payment, TransactionType
from tests.unit.ledger.commercetools import (
    INTENT,
    NOW,
    apply,
    merged,
    payment,
    rows,
    transaction,
)


def fact(**fields: Any) -> IntentFact:
    """An authorized intent, unless told otherwise."""
    return IntentFact(
        **{
            "intent_id": INTENT,
            "amount": 1000,
            "authorized": fields.get("amount", 1000),
            "currency": "EUR",
            "authorization": "Success",
            "captured": 0,
            "released": False,
            "settled": True,
            "charge_id": "ch_1",
            "status": "requires_capture",
            "text": "Authorized.",
            **fields,
        }
    )


def succeeded(captured: int = 1000, **fields: Any) -> IntentFact:
    return fact(captured=captured, released=True, status="succeeded", **fields)


def failed() -> IntentFact:
    return fact(authorization="Failure", settled=False, status="requires_payment_method")


def processing() -> IntentFact:
    return fact(authorization="Pending", settled=False, status="processing")


def refund(
    id_: str = "re_1",
    amount: int = 300,
    state: Literal["Pending", "Success", "Failure"] = "Success",
    transaction_id: str | None = None,
) -> RefundFact:
    return RefundFact(id_, amount, "EUR", state, transaction_id)


def dispute(state: Literal["Pending", "Success", "Failure"]) -> DisputeFact:
    return DisputeFact("dp_1", 1000, "EUR", state)


# Intents

AUTHORIZED = ("Authorization", 1000, "Success", INTENT)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ([fact(authorization=None, settled=False, status="requires_action")], []),
        ([failed()], [("Authorization", 1000, "Failure", INTENT)]),
        ([processing()], [("Authorization", 1000, "Pending", INTENT)]),
        ([fact()], [AUTHORIZED]),
        ([succeeded()], [AUTHORIZED, ("Charge", 1000, "Success", "ch_1:1000")]),
        ([failed(), succeeded()], [AUTHORIZED, ("Charge", 1000, "Success", "ch_1:1000")]),
        ([processing(), succeeded()], [AUTHORIZED, ("Charge", 1000, "Success", "ch_1:1000")]),
        ([processing(), failed()], [("Authorization", 1000, "Failure", INTENT)]),
        ([succeeded(), failed()], [AUTHORIZED, ("Charge", 1000, "Success", "ch_1:1000")]),
        (
            [fact(), succeeded(400)],
            [
                AUTHORIZED,
                ("Charge", 400, "Success", "ch_1:400"),
                ("CancelAuthorization", 600, "Success", INTENT),
            ],
        ),
        (
            [fact(), fact(released=True, status="canceled")],
            [AUTHORIZED, ("CancelAuthorization", 1000, "Success", INTENT)],
        ),
        (
            [fact(authorization="Failure", released=True, status="canceled")],
            [("Authorization", 1000, "Failure", INTENT)],
        ),
        # the charge of several captures only grows
        (
            [fact(captured=300), fact(captured=700), fact(captured=300), succeeded(1000)],
            [
                AUTHORIZED,
                ("Charge", 300, "Success", "ch_1:300"),
                ("Charge", 400, "Success", "ch_1:700"),
                ("Charge", 300, "Success", "ch_1:1000"),
            ],
        ),
    ],
)
def test_what_an_intent_leaves_behind(
    facts: Sequence[IntentFact], expected: list[tuple[str, int, str, str]]
) -> None:
    assert rows(merged(payment(), *facts)) == expected


def test_an_intent_is_named_once() -> None:
    unknown = replace(payment(), interface_id=None)
    assert merged(unknown, fact()).interface_id == INTENT


def test_the_official_connectors_empty_authorization_is_taken_over() -> None:
    before = payment(transaction("Authorization"))
    assert rows(merged(before, fact())) == [AUTHORIZED]


def test_an_attempt_at_an_amount_that_is_no_more_has_failed() -> None:
    before = payment(transaction("Authorization", 800, "Pending", INTENT))
    assert rows(merged(before, fact())) == [("Authorization", 800, "Failure", INTENT), AUTHORIZED]


@pytest.mark.parametrize(("state", "then"), [("Pending", "Failure"), ("Initial", "Initial")])
def test_what_was_pending_has_failed_once_the_shopper_is_back_in_the_page(
    state: Literal["Pending", "Initial"], then: str
) -> None:
    before = payment(transaction("Authorization", 1000, state, INTENT))
    unfinished = fact(authorization=None, settled=False, status="requires_action")
    assert rows(merged(before, unfinished)) == [("Authorization", 1000, then, INTENT)]


def test_an_authorization_of_another_intent_is_left_alone() -> None:
    before = payment(transaction("Authorization", 1000, "Pending", "pi_other"))
    assert rows(merged(before, fact())) == [
        ("Authorization", 1000, "Pending", "pi_other"),
        AUTHORIZED,
    ]


def test_the_intent_of_another_payment_says_nothing() -> None:
    before = payment()
    assert merge(before, [succeeded(intent_id="pi_of_another_cart")], NOW) == []


def test_what_stripe_calls_a_movement_is_its_interface_id() -> None:
    """Several captures are one charge at Stripe: the first has its id."""
    before = payment()
    after = merged(
        before,
        fact(captured=300),
        fact(captured=700),
        refund(),
        dispute("Pending"),
    )
    assert [(t.type, t.interface_id) for t in after.transactions] == [
        ("Authorization", INTENT),
        ("Charge", "ch_1"),
        ("Charge", None),
        ("Refund", "re_1"),
        ("Chargeback", "dp_1"),
    ]


@pytest.mark.parametrize("type_", ["Charge", "CancelAuthorization"])
@pytest.mark.parametrize(
    "told", [fact(), fact(captured=300), succeeded(300), fact(released=True, status="canceled")]
)
def test_an_initial_transaction_that_we_did_not_write_is_left_alone(
    type_: TransactionType, told: IntentFact
) -> None:
    theirs = transaction(type_, 300)
    before = replace(payment(theirs), interface_interactions=[])
    after = merged(before, told)
    assert after.transactions[0] == theirs


def test_our_own_captures_are_covered_before_anything_is_added() -> None:
    before = payment(transaction("Charge", 400))
    assert rows(merged(before, fact(captured=400)))[0] == ("Charge", 400, "Success", "ch_1:400")
    # somebody captured 300 elsewhere before ours had its effect
    assert rows(merged(before, fact(captured=300))) == [
        ("Charge", 400, "Initial", None),
        AUTHORIZED,
        ("Charge", 300, "Success", "ch_1:300"),
    ]


def test_what_is_unfinished_when_the_intent_ends_has_failed() -> None:
    before = payment(transaction("Charge", 400), transaction("CancelAuthorization", 600, id_="t2"))
    after = merged(before, fact(released=True, status="canceled"))
    assert ("Charge", 400, "Failure", None) in rows(after)
    assert ("CancelAuthorization", 600, "Success", INTENT) in rows(after)
    assert after.total("CancelAuthorization", "Success") == 1000


def test_a_reversal_that_waits_for_the_money_keeps_waiting_when_it_arrives() -> None:
    before = payment(transaction("CancelAuthorization", 1000, "Pending"))
    after = merged(before, succeeded())
    assert ("CancelAuthorization", 1000, "Pending", None) in rows(after)


@pytest.mark.parametrize(
    ("currency", "planned", "at_stripe"),
    [("JPY", 1500, 1500), ("ISK", 500, 50_000), ("KWD", 12_340, 12_340)],
)
def test_amounts_are_recorded_in_commercetools_minor_units(
    currency: str, planned: int, at_stripe: int
) -> None:
    before = payment(cents=planned, currency=currency)
    after = merged(before, succeeded(at_stripe, amount=at_stripe, currency=currency))
    assert after.total("Charge", "Success") == planned
    assert after.payment_status.interface_code == "succeeded"


# Status

OTHER_AMOUNT = 900


@pytest.mark.parametrize("state", ["Pending", "Success"])
def test_another_amount_than_planned_is_recorded_as_such(
    state: Literal["Pending", "Success"],
) -> None:
    after = merged(payment(), fact(amount=OTHER_AMOUNT, authorization=state))
    assert after.payment_status.interface_code == AMOUNT_MISMATCH
    assert after.payment_status.interface_text == "Stripe holds 9.00 EUR, planned were 10.00 EUR."
    assert after.total("Authorization", state) == OTHER_AMOUNT


@pytest.mark.parametrize(
    "harmless",
    [
        fact(amount=OTHER_AMOUNT, authorization="Failure", status="requires_payment_method"),
        fact(amount=OTHER_AMOUNT, authorization=None, status="requires_action"),
        fact(amount=OTHER_AMOUNT, released=True, status="canceled"),
    ],
)
def test_another_amount_that_nobody_holds_is_no_mismatch(harmless: IntentFact) -> None:
    assert merged(payment(), harmless).payment_status.interface_code == harmless.status


def test_an_older_snapshot_does_not_reopen_an_intent_that_is_over() -> None:
    after = merged(payment(), succeeded(), fact())
    assert after.payment_status.interface_code == "succeeded"


def test_a_charge_says_nothing_about_the_intents_status() -> None:
    after = merged(payment(), fact(status=None, text="", method="card"))
    assert after.payment_status.interface_code is None
    assert after.payment_method_info.method == "card"


@pytest.mark.parametrize(
    ("recorded", "snapshot", "worth"),
    [
        (None, fact(), Snapshot.TRUE),
        (None, failed(), Snapshot.UNKNOWN),
        (fact(), failed(), Snapshot.OUTDATED),
        (succeeded(), processing(), Snapshot.OUTDATED),
        (failed(), processing(), Snapshot.UNKNOWN),
        # canceled, without a word on whether it was authorized
        (
            fact(),
            fact(authorization="Failure", released=True, settled=False, status="canceled"),
            Snapshot.UNKNOWN,
        ),
    ],
)
def test_what_a_snapshot_is_worth(
    recorded: IntentFact | None, snapshot: IntentFact, worth: Snapshot
) -> None:
    before = merged(payment(), recorded) if recorded else payment()
    assert judge_snapshot(before, snapshot) is worth


# Refunds


def test_two_equal_refunds_are_two() -> None:
    after = merged(payment(), refund("re_1"), refund("re_2"))
    assert rows(after) == [("Refund", 300, "Success", "re_1"), ("Refund", 300, "Success", "re_2")]


def test_our_own_refund_is_recognised_by_its_transaction() -> None:
    before = payment(transaction("Refund", 300, id_="t1"), transaction("Refund", 300, id_="t2"))
    after = merged(before, refund(transaction_id="t2"))
    assert rows(after) == [("Refund", 300, "Initial", None), ("Refund", 300, "Success", "re_1")]


@pytest.mark.parametrize(
    "stranger",
    [
        refund(),  # no metadata: never by amount alone
        refund(amount=200, transaction_id="t1"),  # metadata copied to another refund
        refund(transaction_id="t9"),
    ],
)
def test_anything_else_is_another_refund(stranger: RefundFact) -> None:
    after = merged(payment(transaction("Refund", 300)), stranger)
    assert rows(after)[0] == ("Refund", 300, "Initial", None)
    assert len(after.transactions) == 2


def test_metadata_copied_from_a_known_refund_makes_another_one() -> None:
    before = payment(transaction("Refund", 300, "Success", "re_1"))
    assert len(merged(before, refund("re_2", transaction_id="t1")).transactions) == 2


# Disputes


@pytest.mark.parametrize(
    "story",
    [
        ["Pending", "Success"],
        ["Pending", "Failure"],
        ["Pending", "Failure", "Pending", "Success"],  # reopened by an appeal
        ["Success", "Failure"],
    ],
)
def test_a_dispute_is_followed_wherever_it_goes(
    story: list[Literal["Pending", "Success", "Failure"]],
) -> None:
    after = merged(payment(), *(dispute(state) for state in story))
    assert rows(after) == [("Chargeback", 1000, story[-1], "dp_1")]


# Properties

CAPTURES = (0, 300, 700, 1000)


@st.composite
def _settled(draw: st.DrawFn) -> IntentFact:
    """Any moment that an authorized intent with several captures may have been seen at."""
    captured = draw(st.sampled_from(CAPTURES))
    if draw(st.booleans()):
        return fact(captured=captured)
    return fact(captured=captured, status=None, text="")  # as a charge tells it


refunds = st.builds(
    refund,
    st.sampled_from(["re_1", "re_2", "re_3"]),
    st.just(300),
    st.sampled_from(["Pending", "Success", "Failure"]),
    st.sampled_from([None, "t1"]),
)
unsettled = st.builds(
    fact,
    authorization=st.sampled_from([None, "Pending", "Failure"]),
    settled=st.just(False),
    status=st.sampled_from(["processing", "requires_payment_method"]),
)
disputes = st.builds(dispute, st.sampled_from(["Pending", "Success", "Failure"]))
anything = st.lists(_settled() | unsettled | refunds | disputes, max_size=6)
written_ahead = st.sampled_from(
    [
        payment(),
        payment(transaction("Authorization")),
        payment(transaction("Refund", 300)),
        payment(transaction("Charge", 300)),
        payment(transaction("CancelAuthorization", 1000)),
        payment(transaction("Charge", 700, "Pending"), transaction("Refund", 300, id_="t2")),
    ]
)


@given(written_ahead, anything)
def test_merging_twice_changes_nothing(before: Payment, facts: list[Fact]) -> None:
    after = merged(before, *facts)
    for last in facts[-1:]:
        assert merge(after, [last], NOW) == []


@given(written_ahead, anything)
def test_all_facts_of_a_write_at_once_are_as_good_as_one_by_one(
    before: Payment, facts: list[Fact]
) -> None:
    # A transaction that is only being added has no id yet, so one write may not change it again.
    once = list({_subject(each): each for each in facts}.values())
    at_once = apply(before, merge(before, once, NOW))
    assert rows(at_once) == rows(merged(before, *once))
    assert at_once.payment_status == merged(before, *once).payment_status


def _subject(of: Fact) -> str:
    match of:
        case IntentFact():
            return of.intent_id
        case RefundFact() | ReleaseFact():
            return of.refund_id
        case DisputeFact():
            return of.dispute_id
        case ExpiredSessionFact():
            return of.session_id


@given(
    written_ahead,
    st.lists(_settled(), min_size=1, max_size=6),
    st.sampled_from(CAPTURES),
    st.randoms(use_true_random=False),
)
def test_in_any_order_settled_facts_come_to_the_same(
    before: Payment, facts: list[IntentFact], captured: int, random: Any
) -> None:
    """What the charges add up to; how captures made elsewhere are split, nobody promises."""
    last = succeeded(captured=max(captured, *(f.captured for f in facts)))
    story = [*facts, last]
    shuffled = list(story)
    random.shuffle(shuffled)
    one, other = merged(before, *story), merged(before, *shuffled)
    for of in (one, other):
        assert of.total("Charge", "Success") == last.captured
        assert of.total("Authorization", "Success") == 1000
        assert of.total("CancelAuthorization", "Success") == 1000 - last.captured
        assert of.total("Charge", "Initial", "Pending") == 0
    assert one.payment_status == other.payment_status


@given(written_ahead, st.lists(refunds, max_size=8), st.randoms(use_true_random=False))
def test_in_any_order_and_however_often_refunds_come_to_the_same(
    before: Payment, facts: list[RefundFact], random: Any
) -> None:
    shuffled = [*facts, *facts]
    random.shuffle(shuffled)
    assert _states(merged(before, *facts)) == _states(merged(before, *shuffled))


def _states(of: Payment) -> dict[str | None, tuple[int, str]]:
    return {
        t.interaction_id: (t.amount.cent_amount, t.state)
        for t in of.of_type("Refund")
        if t.interaction_id
    }


@given(written_ahead, st.lists(refunds, max_size=8))
def test_a_refund_never_moves_back(before: Payment, facts: list[RefundFact]) -> None:
    order = ["Initial", "Pending", "Success", "Failure"]
    for each in facts:
        after = merged(before, each)
        for transaction_before in before.of_type("Refund"):
            [now] = [t for t in after.transactions if t.id == transaction_before.id]
            assert order.index(now.state) >= order.index(transaction_before.state)
        before = after


@given(written_ahead, anything)
def test_no_stripe_object_has_two_transactions_of_a_type(
    before: Payment, facts: list[Fact]
) -> None:
    after = merged(before, *facts)
    named = [(t.type, t.interaction_id) for t in after.transactions if t.interaction_id]
    assert len(named) == len(set(named))


@given(written_ahead, anything)
def test_a_success_of_ours_is_never_undone_by_an_intent(before: Payment, facts: list[Fact]) -> None:
    for each in facts:
        after = merged(before, each)
        if isinstance(each, IntentFact):
            for done in [t for t in before.transactions if t.state == "Success"]:
                [now] = [t for t in after.transactions if t.id == done.id]
                assert now.state == "Success"
        before = after
