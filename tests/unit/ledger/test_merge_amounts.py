"""Amounts that need more than one fact: raised, overcaptured, in parts, released, foreign."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

import pytest
from msgspec.structs import replace

from stripe_connector.ledger.actions import ChangeAmountPlanned, SetTransactionInterfaceId
from stripe_connector.ledger.facts import ExpiredSessionFact, ReleaseFact
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, ORDER_FAILED, SUPERSEDED, merge
from stripe_connector.ledger.operation import RECEIVED, REMAINING, Operation
from stripe_connector.ledger.payment import CustomFields, Payment, PaymentStatus, Reference
from stripe_connector.money import Money
from tests.unit.ledger.commercetools import INTENT, NOW, merged, payment, rows, transaction
from tests.unit.ledger.test_merge import AUTHORIZED, fact, refund, succeeded

_OPERATION = Operation("key:2", "any", 1, datetime(2026, 9, 21, tzinfo=UTC))


def asked(of: Payment, *ids: str) -> Payment:
    """The Payment with operations of ours behind these transactions."""
    proofs = [_OPERATION.interaction(id_) for id_ in ids]
    return replace(of, interface_interactions=[*of.interface_interactions, *proofs])


def test_an_increment_is_an_authorization_of_its_own() -> None:
    after = merged(payment(), fact(), fact(amount=1500))
    assert rows(after) == [AUTHORIZED, ("Authorization", 500, "Success", INTENT)]


@pytest.mark.parametrize("state", ["Pending", "Failure"])
def test_once_held_a_failed_or_processing_attempt_adds_nothing(
    state: Literal["Pending", "Failure"],
) -> None:
    after = merged(payment(), fact(), fact(amount=1500, authorization=state, settled=False))
    assert rows(after) == [AUTHORIZED]


def test_an_authorization_of_nobody_that_succeeded_is_not_the_intents() -> None:
    theirs = transaction("Authorization", 1000, "Success")
    assert rows(merged(payment(theirs), fact()))[1:] == [AUTHORIZED]


def test_an_interface_id_that_is_there_stays() -> None:
    """A shopper may have chosen it, when they added the transaction."""
    chosen = replace(transaction("Authorization"), interface_id="chosen")
    actions = merge(payment(chosen), [fact()], NOW)
    assert not [each for each in actions if isinstance(each, SetTransactionInterfaceId)]
    assert rows(merged(payment(chosen), fact())) == [AUTHORIZED]


def test_of_our_captures_only_what_stripe_took_has_succeeded() -> None:
    ahead = payment(transaction("Charge", 300, id_="a"), transaction("Charge", 300, id_="b"))
    assert rows(merged(ahead, fact(captured=400))) == [
        ("Charge", 300, "Success", "ch_1:300"),
        ("Charge", 300, "Initial", None),
        AUTHORIZED,
        ("Charge", 100, "Success", "ch_1:400"),
    ]


def test_a_named_refund_that_was_only_written_ahead_becomes_pending() -> None:
    named = payment(transaction("Refund", 300, "Initial", "re_1"))
    assert rows(merged(named, refund(state="Pending"))) == [("Refund", 300, "Pending", "re_1")]


# Mismatch


def told(of: Payment) -> str | None:
    """What the Payment says that Stripe holds, where that is marked."""
    text = of.payment_status.interface_text or ""
    if of.payment_status.interface_code != AMOUNT_MISMATCH:
        return None
    return text.partition(",")[0].removeprefix("Stripe holds ")


@pytest.mark.parametrize(
    ("at_stripe", "marked"),
    [
        (fact(), None),
        (fact(captured=700), None),  # more may follow
        (succeeded(), None),
        (succeeded(700), "7.00 EUR"),
        (succeeded(1500, amount=1500, authorized=1000), "15.00 EUR"),
        (fact(amount=1500), "15.00 EUR"),
        (fact(amount=900), "9.00 EUR"),
        (fact(amount=700, released=True, status="canceled", authorization="Failure"), None),
    ],
)
def test_what_nobody_asked_for_is_marked_with_what_stripe_holds(
    at_stripe: Any, marked: str | None
) -> None:
    assert told(merged(payment(), at_stripe)) == marked


@pytest.mark.parametrize("cents", [700, 1500])
def test_what_our_own_capture_took_is_no_mismatch(cents: int) -> None:
    ahead = asked(merged(payment(transaction("Charge", cents, id_="c")), fact()), "c")
    after = merged(ahead, succeeded(cents, amount=max(1000, cents), authorized=1000))
    assert told(after) is None
    assert after.total("Charge", "Success") == cents


def test_a_part_that_we_captured_does_not_explain_another_part() -> None:
    ahead = asked(merged(payment(transaction("Charge", 300, id_="c")), fact()), "c")
    after = merged(ahead, succeeded(700))
    assert after.total("Charge", "Success") == 700
    assert told(after) == "7.00 EUR"


def test_an_authorization_that_we_raised_is_no_mismatch() -> None:
    raised = merged(payment(), fact(), fact(amount=1500))
    assert told(raised) == "15.00 EUR"
    assert told(merged(asked(raised, raised.transactions[1].id), fact(amount=1500))) is None


@pytest.mark.parametrize(
    ("currency", "amount", "recorded"),
    [
        ("ISK", 50_000, Money(500, "ISK", 0)),
        ("BHD", 1230, Money(1230, "BHD", 3)),
        ("CHF", 1000, Money(1000, "CHF", 2)),
        ("USD", 1000, Money(1000, "USD", 2)),
    ],
)
def test_another_currency_is_marked_in_its_own_minor_units(
    currency: str, amount: int, recorded: Money
) -> None:
    actions = merge(payment(), [fact(amount=amount, currency=currency)], NOW)
    text = next(each.interface_text for each in actions if hasattr(each, "interface_text"))
    assert text == f"Stripe holds {recorded}, planned were 10.00 EUR."


def test_what_was_captured_of_another_currency_is_marked_before_what_is_held() -> None:
    [text] = [
        each.interface_text
        for each in merge(payment(), [succeeded(600, currency="USD")], NOW)
        if hasattr(each, "interface_text")
    ]
    assert text == "Stripe holds 6.00 USD, planned were 10.00 EUR."


def test_a_new_plan_is_written_and_compared_with() -> None:
    actions = merge(payment(), [fact(amount=900)], NOW, planned=Money(900, "EUR", 2))
    assert actions[0] == ChangeAmountPlanned(Money(900, "EUR", 2).draft())
    assert not [each for each in actions if getattr(each, "interface_code", "") == AMOUNT_MISMATCH]
    assert merge(payment(), [], NOW, planned=Money(1000, "EUR", 2)) == []


# Status


def test_a_failed_order_stays_marked_while_money_is_held() -> None:
    marked = replace(payment(), payment_status=PaymentStatus(ORDER_FAILED, "Sold out."))
    assert merged(marked, succeeded()).payment_status == PaymentStatus(ORDER_FAILED, "Sold out.")
    gone = merged(marked, fact(released=True, status="canceled", text="Canceled."))
    assert gone.payment_status == PaymentStatus("canceled", "Canceled.")


def test_an_older_snapshot_says_nothing_once_all_was_captured_or_released() -> None:
    over = merged(payment(), fact(), succeeded(400))
    bare = replace(over, payment_status=PaymentStatus("amount_mismatch", "x"))
    assert merged(bare, fact(text="Held.")).payment_status == bare.payment_status
    captured = merged(payment(), fact(captured=400, text="Captured in part."))
    assert captured.payment_status.interface_text == "Captured in part."


# Bank transfers in parts


def parts(of: Payment) -> tuple[Any, Any]:
    custom = of.transactions[0].custom
    fields = {} if custom is None else custom.fields
    return tuple(fields.get(name, {}).get("centAmount") for name in (RECEIVED, REMAINING))


def partly(funded: int) -> Any:
    return fact(authorization="Pending", settled=False, status="requires_action", funded=funded)


def test_what_came_and_what_remains_of_a_bank_transfer_is_shown() -> None:
    waiting = merged(payment(), partly(0))
    assert parts(waiting) == (None, None)
    some = merged(waiting, partly(400))
    assert parts(some) == (400, 600)
    assert some.payment_status.interface_text == (
        "4.00 EUR of 10.00 EUR have come by bank transfer, 6.00 EUR remain."
    )
    assert parts(merged(some, partly(700))) == (700, 300)
    assert parts(merged(some, succeeded())) == (1000, 0)
    assert merge(some, [partly(400)], NOW) == []


def test_a_merchants_custom_type_is_not_replaced_by_parts() -> None:
    theirs = CustomFields(Reference("type", id="erp"), {"document": "40001"})
    waiting = merged(payment(), partly(0))
    taken = replace(waiting.transactions[0], custom=theirs)
    after = merged(replace(waiting, transactions=[taken]), partly(400))
    assert after.transactions[0].custom == theirs


# Release


@pytest.mark.parametrize(("cancelled", "added"), [(0, 700), (200, 500), (700, 0)])
def test_what_is_open_at_the_end_was_released(cancelled: int, added: int) -> None:
    held = merged(payment(), fact(captured=300))
    gone = transaction("CancelAuthorization", cancelled, "Success", INTENT, id_="x")
    before = replace(held, transactions=[*held.transactions, *([gone] if cancelled else [])])
    after = merged(before, fact(captured=300, released=True, status="canceled"))
    assert after.total("CancelAuthorization", "Success") == 700
    assert len(after.transactions) == len(before.transactions) + (added > 0)


def test_our_own_cancellations_are_released_one_by_one_up_to_what_is_open() -> None:
    ahead = payment(
        transaction("CancelAuthorization", 600, id_="a"),
        transaction("CancelAuthorization", 600, id_="b"),
    )
    after = merged(ahead, fact(released=True, status="canceled"))
    assert [t.state for t in after.of_type("CancelAuthorization")] == [
        "Success",
        "Failure",
        "Success",
    ]
    assert after.total("CancelAuthorization", "Success") == 1000


def test_a_pending_cancellation_fails_only_where_nothing_was_captured() -> None:
    waits = transaction("CancelAuthorization", 1000, "Pending")
    never = merged(payment(waits), fact(authorization="Failure", released=True, status="canceled"))
    assert never.transactions[0].state == "Failure"
    kept = merged(payment(waits), succeeded())
    assert kept.transactions[0].state == "Pending"


@pytest.mark.parametrize(("certain", "state"), [(True, "Failure"), (False, "Success")])
def test_a_refund_that_was_none_is_corrected_only_where_that_is_certain(
    certain: bool, state: str
) -> None:
    before = merged(payment(), succeeded(), refund("re_1"), refund("re_2"))
    after = merged(before, ReleaseFact("re_1", certain))
    assert [(t.interaction_id, t.state) for t in after.of_type("Refund")] == [
        ("re_1", state),
        ("re_2", "Success"),
    ]
    assert merge(payment(), [ReleaseFact("re_9", certain)], NOW) == []


# Pages


def page(state: Literal["Initial", "Pending", "Success"] = "Initial") -> Payment:
    return payment(transaction("Authorization", 1000, state, "cs_1"))


def test_an_expired_page_has_failed_and_says_so() -> None:
    after = merged(page(), ExpiredSessionFact("cs_1"))
    assert rows(after) == [("Authorization", 1000, "Failure", "cs_1")]
    assert after.payment_status == PaymentStatus("expired", "The payment page has expired.")


def test_a_page_that_we_replaced_fails_without_a_word() -> None:
    replaced = replace(page(), payment_status=PaymentStatus(SUPERSEDED, "Replaced."))
    after = merged(replaced, ExpiredSessionFact("cs_1"))
    assert rows(after) == [("Authorization", 1000, "Failure", "cs_1")]
    assert after.payment_status == replaced.payment_status


@pytest.mark.parametrize(
    ("before", "session"), [(page(), "cs_2"), (page("Success"), "cs_1")], ids=["other", "paid"]
)
def test_another_page_or_a_paid_one_is_left_alone(before: Payment, session: str) -> None:
    assert merge(before, [ExpiredSessionFact(session)], NOW) == []


def test_what_is_neither_captured_nor_released_can_still_change() -> None:
    held = merged(payment(), fact(captured=400))
    part = transaction("CancelAuthorization", 100, "Success", INTENT, id_="x")
    before = replace(held, transactions=[*held.transactions, part])
    assert merged(before, fact(captured=400, text="Held.")).payment_status.interface_text == "Held."
