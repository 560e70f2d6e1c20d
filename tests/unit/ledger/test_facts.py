"""What Stripe's objects say about money."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_connector.ledger.facts import (
    IntentFact,
    RefundFact,
    ReleaseFact,
    charge_fact,
    dispute_fact,
    intent_fact,
    refund_fact,
    refund_facts,
)
from stripe_connector.ledger.stripe_objects import (
    BalanceTransaction,
    CardDetails,
    CardOptions,
    Charge,
    Dispute,
    LastPaymentError,
    MethodDetails,
    MethodOptions,
    NextAction,
    PaymentIntent,
    Refund,
)

OVER = MethodOptions(CardOptions("if_available"))
DECLINED = LastPaymentError("card_declined", "insufficient_funds", "Your card has no funds.")


def charge(**fields: Any) -> Charge:
    return Charge(
        **{
            "id": "ch_1",
            "amount": 1000,
            "amount_captured": 0,
            "currency": "eur",
            "status": "succeeded",
            "captured": False,
            "payment_intent": "pi_1",
            "payment_method_details": MethodDetails("card"),
            **fields,
        }
    )


def intent(**fields: Any) -> PaymentIntent:
    return PaymentIntent(
        **{
            "id": "pi_1",
            "amount": 1000,
            "amount_received": 0,
            "currency": "eur",
            "status": "requires_payment_method",
            "created": 1,
            **fields,
        }
    )


# (fields of the intent) -> authorization, released, settled
STATES: list[tuple[dict[str, Any], str | None, bool, bool]] = [
    ({"status": "requires_payment_method"}, None, False, False),
    (
        {"status": "requires_payment_method", "last_payment_error": DECLINED},
        "Failure",
        False,
        False,
    ),
    ({"status": "requires_confirmation"}, None, False, False),
    ({"status": "requires_action"}, None, False, False),
    ({"status": "processing", "latest_charge": "ch_1"}, "Pending", False, False),
    ({"status": "requires_capture", "latest_charge": "ch_1"}, "Success", False, True),
    ({"status": "succeeded", "amount_received": 1000}, "Success", True, True),
    # Never tried: nothing was ever authorized.
    ({"status": "canceled"}, "Failure", True, True),
    # Authorized before: the expanded charge says so.
    ({"status": "canceled", "latest_charge": charge()}, "Success", True, True),
    ({"status": "canceled", "latest_charge": charge(status="failed")}, "Failure", True, True),
    # There was an attempt, but not what became of it: this snapshot cannot decide.
    ({"status": "canceled", "latest_charge": "ch_1"}, "Failure", True, False),
    # Captured in part, the rest expired.
    (
        {"status": "canceled", "latest_charge": "ch_1", "amount_received": 400},
        "Success",
        True,
        True,
    ),
]


@pytest.mark.parametrize(("fields", "authorization", "released", "settled"), STATES)
def test_an_intents_state(
    fields: dict[str, Any], authorization: str | None, released: bool, settled: bool
) -> None:
    fact = intent_fact(intent(**fields))
    assert (fact.authorization, fact.released, fact.settled) == (authorization, released, settled)
    assert fact.captured == fields.get("amount_received", 0)
    assert (fact.intent_id, fact.currency, fact.status) == ("pi_1", "EUR", fields["status"])


def test_the_text_names_the_reason_of_a_decline() -> None:
    fact = intent_fact(intent(last_payment_error=DECLINED))
    assert fact.text == "Your card has no funds. (insufficient_funds)"


def test_without_any_reason_the_text_still_says_that_it_failed() -> None:
    fact = intent_fact(intent(last_payment_error=LastPaymentError()))
    assert fact.text == "The payment attempt failed. (declined)"


def test_the_method_comes_from_the_charge_that_was_paid() -> None:
    paid = intent(status="succeeded", latest_charge=charge())
    assert intent_fact(paid).method == "card"
    assert intent_fact(paid).charge_id == "ch_1"
    assert intent_fact(intent(latest_charge=charge(status="failed"))).method is None
    assert intent_fact(intent(status="succeeded", latest_charge="ch_1")).method is None


def test_a_charge_says_what_was_authorized_and_how_much_of_it_was_captured() -> None:
    fact = charge_fact(charge(amount_captured=400))
    assert fact is not None
    assert (fact.amount, fact.captured, fact.authorization) == (1000, 400, "Success")
    assert fact.settled
    assert not fact.released, "whether more will be captured, only the intent says"


@pytest.mark.parametrize("fields", [{"status": "failed"}, {"status": "pending"}])
def test_a_charge_that_is_not_paid_says_nothing(fields: dict[str, Any]) -> None:
    assert charge_fact(charge(**fields)) is None


def test_a_charge_without_an_intent_is_not_ours() -> None:
    assert charge_fact(charge(payment_intent=None)) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("pending", "Pending"),
        ("requires_action", "Pending"),
        ("succeeded", "Success"),
        ("failed", "Failure"),
        ("canceled", "Failure"),
        (None, "Pending"),
    ],
)
def test_a_refunds_state(status: Any, state: str) -> None:
    refund = Refund("re_1", 300, "eur", status, own_metadata={"ct_transaction_id": "t1"})
    fact = refund_fact(refund)
    assert (fact.refund_id, fact.amount, fact.currency) == ("re_1", 300, "EUR")
    assert (fact.state, fact.transaction_id) == (state, "t1")


def test_a_refund_from_the_dashboard_names_no_transaction() -> None:
    assert refund_fact(Refund("re_1", 300, "eur")).transaction_id is None


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("needs_response", "Pending"),
        ("under_review", "Pending"),
        ("appeal_needs_response", "Pending"),
        ("appeal_under_review", "Pending"),
        ("lost", "Success"),
        ("won", "Failure"),
        ("prevented", "Failure"),
    ],
)
def test_a_disputes_state(status: str, state: str) -> None:
    moved = [BalanceTransaction(-1000)] if status == "lost" else []
    fact = dispute_fact(Dispute("dp_1", 1000, "eur", status, balance_transactions=moved))
    assert fact is not None
    assert (fact.dispute_id, fact.amount, fact.state) == ("dp_1", 1000, state)


@pytest.mark.parametrize(
    "status", ["warning_needs_response", "warning_under_review", "warning_closed"]
)
def test_an_inquiry_moves_no_money(status: str) -> None:
    assert dispute_fact(Dispute("dp_1", 1000, "eur", status)) is None


@pytest.mark.parametrize("status", ["lost", "won", "prevented"])
@pytest.mark.parametrize(
    ("moved", "state"),
    [
        ([], "Failure"),
        ([-1000], "Success"),
        ([-1000, 1000], "Failure"),
        ([-1000, 990], "Failure"),  # the rate has changed in between
        ([-1000, 1000, -1000], "Success"),
    ],
)
def test_a_closed_dispute_is_what_its_money_says(status: str, moved: list[int], state: str) -> None:
    transactions = [BalanceTransaction(amount) for amount in moved]
    fact = dispute_fact(Dispute("dp_1", 1000, "eur", status, balance_transactions=transactions))
    assert fact is not None
    assert fact.state == state


def released(id_: str, amount: int, reason: str | None = None) -> Refund:
    return Refund(id_, amount, "eur", "succeeded", charge="ch_1", reason=reason)


def real(facts: list[RefundFact | ReleaseFact]) -> list[str]:
    return [fact.refund_id for fact in facts if isinstance(fact, RefundFact)]


def test_what_was_never_captured_cannot_be_refunded() -> None:
    facts = refund_facts([released("re_1", 1000)], charge())
    assert facts == [ReleaseFact("re_1", certain=True)]


def test_an_expired_authorization_is_no_refund() -> None:
    refunds = [released("re_1", 1000, "expired_uncaptured_charge")]
    assert real(refund_facts(refunds, charge())) == []


def test_of_a_partly_captured_charge_only_what_it_counts_was_given_back() -> None:
    refunds = [released("re_2", 300), released("re_1", 300)]
    once = charge(amount_captured=700, amount_refunded=300, captured=True)
    twice = charge(amount_captured=700, amount_refunded=600, captured=True)
    none = charge(amount_captured=700, amount_refunded=0, captured=True)
    assert len(real(refund_facts(refunds, once))) == 1
    assert real(refund_facts(refunds, twice)) == ["re_2", "re_1"]
    assert real(refund_facts(refunds[1:], none)) == []


def test_a_refund_that_we_asked_for_is_always_one() -> None:
    ours = Refund("re_1", 300, "eur", "succeeded", "ch_1", own_metadata={"ct_transaction_id": "t1"})
    theirs = released("re_2", 300)
    partly = charge(amount_captured=700, amount_refunded=300, captured=True)
    assert real(refund_facts([theirs, ours], partly)) == ["re_1"]


def test_of_equal_ones_that_with_a_reason_is_the_refund() -> None:
    asked, other = released("re_1", 300, "requested_by_customer"), released("re_2", 300)
    partly = charge(amount_captured=700, amount_refunded=300, captured=True)
    assert real(refund_facts([asked, other], partly)) == ["re_1"]
    assert real(refund_facts([other, asked], partly)) == ["re_1"]


@pytest.mark.parametrize("reason", [None, "requested_by_customer"])
def test_of_equal_ones_that_which_changed_the_balance_is_the_refund(reason: str | None) -> None:
    moved = Refund("re_1", 300, "eur", "succeeded", "ch_1", balance_transaction="txn_1")
    other = released("re_2", 300, reason)
    partly = charge(amount_captured=700, amount_refunded=300, captured=True)
    assert real(refund_facts([moved, other], partly)) == ["re_1"]
    assert real(refund_facts([other, moved], partly)) == ["re_1"]


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed", "on_hold"])
@pytest.mark.parametrize("reason", [None, "requested_by_customer", "expired_uncaptured_charge"])
def test_whatever_its_state_and_reason_nothing_was_refunded_of_what_was_not_captured(
    status: str, reason: str | None
) -> None:
    refund = Refund("re_1", 1000, "eur", status, charge="ch_1", reason=reason)
    assert real(refund_facts([refund], charge())) == []


def test_an_overcapture_was_never_approved() -> None:
    details = MethodDetails("card", CardDetails(amount_authorized=1000))
    over = charge(amount=1200, amount_captured=1200, payment_method_details=details)
    fact = intent_fact(
        intent(amount=1200, amount_received=1200, status="succeeded", latest_charge=over)
    )
    assert (fact.amount, fact.authorized, fact.captured) == (1200, 1000, 1200)
    of_charge = charge_fact(over)
    assert of_charge is not None
    assert (of_charge.authorized, of_charge.captured) == (1000, 1200)


def test_a_refund_that_the_charge_does_not_count_yet_hides_no_release() -> None:
    ours = Refund("re_1", 50, "eur", "pending", "ch_1", own_metadata={"ct_transaction_id": "t1"})
    partly = charge(amount_captured=400, amount_refunded=0, captured=True)
    assert real(refund_facts([ours, released("re_2", 600)], partly)) == ["re_1"]
    assert real(refund_facts([ours, released("re_2", 70)], partly)) == ["re_1", "re_2"]


def test_a_refund_of_another_charge_is_one() -> None:
    elsewhere = Refund("re_1", 300, "eur", "succeeded", charge="ch_0")
    assert real(refund_facts([elsewhere], charge(amount_captured=700, captured=True))) == ["re_1"]


def test_without_the_charge_every_refund_is_one() -> None:
    assert real(refund_facts([released("re_1", 1000)], None)) == ["re_1"]


@pytest.mark.parametrize(
    ("fields", "fact"),
    [
        ({}, IntentFact("pi_1", 1000, "EUR", "Success", 0, 1000, False, True, "ch_1", "card")),
        (
            {"amount_captured": 400, "payment_method_details": None},
            IntentFact("pi_1", 1000, "EUR", "Success", 400, 1000, False, True, "ch_1"),
        ),
    ],
)
def test_what_a_charge_says_as_a_whole(fields: dict[str, Any], fact: IntentFact) -> None:
    assert charge_fact(charge(**fields)) == fact


@pytest.mark.parametrize(
    ("fields", "settled"),
    [
        ({"status": "succeeded", "amount_received": 1000}, True),
        # only the charge shows what was authorized of what may be an overcapture
        ({"status": "succeeded", "amount_received": 1000, "payment_method_options": OVER}, False),
        ({"status": "requires_capture", "payment_method_options": OVER}, True),
        (
            {
                "status": "succeeded",
                "amount_received": 1000,
                "payment_method_options": OVER,
                "latest_charge": charge(),
            },
            True,
        ),
        ({"status": "canceled"}, True),
        ({"status": "canceled", "latest_charge": "ch_1"}, False),
        ({"status": "canceled", "latest_charge": charge(status="failed")}, True),
        ({"status": "processing"}, False),
    ],
)
def test_an_intent_stays_true_where_its_charge_cannot_say_more(
    fields: dict[str, Any], settled: bool
) -> None:
    assert intent_fact(intent(**fields)).settled is settled


@pytest.mark.parametrize(
    ("fields", "unknown"),
    [
        ({"status": "requires_patience"}, "requires_patience"),
        ({"status": "requires_action", "next_action": NextAction("dance")}, "dance"),
        ({"status": "requires_action", "next_action": NextAction("oxxo_display_details")}, None),
        ({"status": "succeeded"}, None),
    ],
)
def test_a_word_that_is_not_known_is_told(fields: dict[str, Any], unknown: str | None) -> None:
    told = intent_fact(intent(**fields))
    assert told.unknown == unknown
    if unknown is not None:
        assert told.authorization == "Pending"


def test_a_refunds_and_a_disputes_unknown_words_are_told() -> None:
    assert refund_fact(Refund("re_1", 1, "eur", "on_hold")).unknown == "on_hold"
    assert refund_fact(Refund("re_1", 1, "eur", None)).unknown is None
    for status, unknown in (("lost", None), ("paused", "paused")):
        told = dispute_fact(Dispute("dp_1", 1000, "eur", status))
        assert told is not None
        assert (told.unknown, told.amount, told.currency) == (unknown, 1000, "EUR")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"status": "succeeded"}, "Paid."),
        ({"status": "canceled"}, "Canceled."),
        (
            {"status": "requires_action", "next_action": NextAction("oxxo_display_details")},
            "Waiting for the shopper to pay outside of the page (oxxo_display_details).",
        ),
        (
            {"status": "requires_patience"},
            "Stripe reports a status that the connector does not know: requires_patience",
        ),
        (
            {
                "last_payment_error": LastPaymentError(
                    "card_declined", None, "Declined by the bank."
                )
            },
            "Declined by the bank. (card_declined)",
        ),
        ({"status": "succeeded", "last_payment_error": DECLINED}, "Paid."),
    ],
)
def test_the_status_in_words(fields: dict[str, Any], text: str) -> None:
    assert intent_fact(intent(**fields)).text == text


def test_a_refund_that_is_counted_does_not_hide_a_release() -> None:
    refunds = [released("re_1", 350), released("re_2", 300)]
    partly = charge(amount_captured=700, amount_refunded=350, captured=True)
    assert real(refund_facts(refunds, partly)) == ["re_1"]
