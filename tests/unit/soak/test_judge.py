"""The judgement of a soak: what it lets pass, and each thing that it must not let pass."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from soak import judge
from soak.book import Operation, Purchase
from soak.judge import (
    MEGABYTE,
    Attempt,
    Data,
    Delivery,
    Event,
    Moved,
    Probe,
    Sample,
    Truth,
    recovery,
)

Json = dict[str, Any]

CART, ORDER, PAYMENT, INTENT = "cart", "order", "payment", "pi_1"


def transaction(kind: str, cents: int, state: str = "Success", reference: str = "ch_1") -> Json:
    amount = {"centAmount": cents, "currencyCode": "EUR"}
    return {"type": kind, "amount": amount, "state": state, "interactionId": reference}


def intent(**fields: Any) -> Json:
    charge = {"id": "ch_1", "status": "succeeded", "payment_intent": INTENT}
    return {
        "id": INTENT,
        "amount": 1000,
        "amount_received": 1000,
        "status": "succeeded",
        "latest_charge": charge,
        "last_payment_error": None,
        "metadata": {"cart_id": CART},
        **fields,
    }


def refund(id_: str, cents: int, ours: str | None = None) -> Json:
    metadata = {} if ours is None else {"ct_transaction_id": ours}
    return {
        "id": id_,
        "amount": cents,
        "status": "succeeded",
        "payment_intent": INTENT,
        "metadata": metadata,
    }


def payment(*transactions: Json, id_: str = PAYMENT, of: str = INTENT) -> Json:
    return {"id": id_, "interfaceId": of, "transactions": list(transactions)}


AUTHORIZED, CHARGED = transaction("Authorization", 1000), transaction("Charge", 1000)
PAID = Truth(
    payments=[payment(AUTHORIZED, CHARGED)],
    carts=[{"id": CART, "paymentInfo": {"payments": [{"id": PAYMENT}]}}],
    orders=[{"id": ORDER, "cart": {"id": CART}, "paymentState": "Paid"}],
    intents=[intent()],
    charges=[{"id": "ch_1", "status": "succeeded", "payment_intent": INTENT}],
    refunds=[],
    disputes=[],
)


def bought(**fields: Any) -> Purchase:
    return Purchase(
        CART,
        1000,
        "EUR",
        "hosted",
        **{"order_id": ORDER, "captured": 1000, "moved": True, **fields},
    )


def test_a_purchase_that_was_paid_once_is_in_order() -> None:
    assert judge.differences(PAID) == []
    assert judge.moved_twice(PAID, [bought()]) == []
    assert judge.not_one_payment(PAID, [bought()]) == []


# Differences


def test_a_charge_that_is_not_recorded_is_a_difference() -> None:
    [found] = judge.differences(replace(PAID, payments=[payment(AUTHORIZED)]))
    assert "Charge Success" in found


def test_a_refund_of_another_amount_is_a_difference() -> None:
    recorded = payment(AUTHORIZED, CHARGED, transaction("Refund", 300, reference="re_1"))
    truth = replace(PAID, payments=[recorded], refunds=[refund("re_1", 400)])
    [found] = judge.differences(truth)
    assert "recorded 300, at Stripe 400" in found


def test_money_that_no_payment_knows_is_a_difference() -> None:
    [found] = judge.differences(replace(PAID, payments=[]))
    assert INTENT in found


def test_an_intent_that_nobody_has_paid_may_be_unknown() -> None:
    assert judge.differences(replace(PAID, payments=[], intents=[intent(latest_charge=None)])) == []


# Money moved twice


def test_money_that_nobody_asked_for_is_found() -> None:
    [found] = judge.moved_twice(PAID, [])
    assert "took 1000, asked for 0" in found


def test_a_refund_that_was_carried_out_twice_is_found() -> None:
    twice = replace(PAID, refunds=[refund("re_1", 300, "t1"), refund("re_2", 300, "t1")])
    found = judge.moved_twice(twice, [bought(refunded=300)])
    assert any("paid back 600, asked for 300" in each for each in found)
    assert any("t1 was paid back 2 times" in each for each in found)


def test_refunds_made_in_the_dashboard_are_nobodys_operations() -> None:
    assert judge.moved_twice(replace(PAID, refunds=[refund("re_1", 300)]), [bought()]) == []


def test_an_intent_that_was_charged_twice_is_found() -> None:
    again = {"id": "ch_2", "status": "succeeded", "payment_intent": INTENT}
    [found] = judge.moved_twice(replace(PAID, charges=[*PAID.charges, again]), [bought()])
    assert "charged 2 times" in found


def test_a_cancellation_that_never_happened_is_found() -> None:
    held = replace(PAID, intents=[intent(status="requires_capture", amount_received=0)])
    [found] = judge.moved_twice(held, [bought(captured=0, released=True)])
    assert "requires_capture" in found


def test_an_intent_that_does_not_name_its_cart_belongs_to_that_of_its_payment() -> None:
    assert judge.moved_twice(replace(PAID, intents=[intent(metadata={})]), [bought()]) == []


# One live payment


def test_two_payments_that_are_alive_are_found() -> None:
    second = {**intent(), "id": "pi_2", "latest_charge": None}
    known = [*PAID.payments, payment(id_="another", of="pi_2")]
    truth = replace(PAID, payments=known, intents=[intent(), second])
    [found] = judge.not_one_payment(truth, [bought()])
    assert "2 payments that are open or paid" in found


def test_an_intent_that_no_payment_knows_is_not_alive_without_money() -> None:
    late = {**intent(status="requires_payment_method", amount_received=0), "id": "pi_2"}
    late["latest_charge"] = None
    assert judge.not_one_payment(replace(PAID, intents=[intent(), late]), [bought()]) == []


def test_a_payment_that_was_canceled_is_not_alive() -> None:
    second = {**intent(status="canceled", latest_charge=None), "id": "pi_2"}
    assert judge.not_one_payment(replace(PAID, intents=[intent(), second]), [bought()]) == []


def test_an_order_that_is_paid_for_must_be_paid_and_no_other() -> None:
    order = {**PAID.orders[0], "paymentState": "Pending"}
    [unpaid] = judge.not_one_payment(replace(PAID, orders=[order]), [bought()])
    assert "is paid for and Pending" in unpaid
    given_away = replace(PAID, intents=[], charges=[])
    [found] = judge.not_one_payment(given_away, [bought(captured=0, moved=False)])
    assert "is Paid without a payment" in found


def test_a_payment_with_money_must_be_on_its_cart_or_order() -> None:
    [found] = judge.not_one_payment(replace(PAID, carts=[]), [bought()])
    assert "on no cart" in found


# Webhooks


def event(kind: str, about: Moved, *statuses: int | None) -> Event:
    attempts = [Attempt(each) for each in statuses]
    return Event("evt_1", kind, Data(about), [Delivery("delivered", attempts)])


NOTHING = replace(PAID, payments=[payment()], orders=[{**PAID.orders[0], "paymentState": "Open"}])
SPEAKING = [
    ("payment_intent.succeeded", Moved(id=INTENT, amount_received=1000)),
    ("payment_intent.amount_capturable_updated", Moved(id=INTENT)),
    ("payment_intent.processing", Moved(id=INTENT)),
    ("payment_intent.payment_failed", Moved(id=INTENT)),
    ("payment_intent.canceled", Moved(id=INTENT)),
    ("charge.succeeded", Moved(id="ch_1", payment_intent=INTENT)),
    ("charge.captured", Moved(id="ch_1", payment_intent=INTENT, amount_captured=1000)),
    ("refund.created", Moved(id="re_1", payment_intent=INTENT)),
    ("charge.dispute.created", Moved(id="dp_1", payment_intent=INTENT, status="needs_response")),
    ("checkout.session.completed", Moved(client_reference_id=ORDER, payment_status="paid")),
]
RECORDED = replace(
    PAID,
    payments=[
        payment(
            AUTHORIZED,
            CHARGED,
            transaction("CancelAuthorization", 1),
            transaction("Refund", 1, reference="re_1"),
            transaction("Chargeback", 1, "Pending", reference="dp_1"),
        )
    ],
)


@pytest.mark.parametrize(("kind", "about"), SPEAKING)
def test_an_acknowledged_event_must_have_left_its_trace(kind: str, about: Moved) -> None:
    events = [event(kind, about, 503, 200)]
    assert judge.acknowledged_in_vain(NOTHING, events) != []
    assert judge.acknowledged_in_vain(RECORDED, events) == []


@pytest.mark.parametrize("status", [None, 400, 503])
def test_an_event_that_nobody_acknowledged_may_be_unknown(status: int | None) -> None:
    kind, about = SPEAKING[0]
    assert judge.acknowledged_in_vain(NOTHING, [event(kind, about, status)]) == []


def test_an_inquiry_leaves_no_trace() -> None:
    about = Moved(id="dp_1", payment_intent=INTENT, status="warning_needs_response")
    assert judge.acknowledged_in_vain(NOTHING, [event("charge.dispute.created", about, 200)]) == []


# Leaks


def course(*megabytes: int, files: int = 15, threads: int = 1) -> list[Sample]:
    return [
        Sample(float(at), 1, size * MEGABYTE, files, threads) for at, size in enumerate(megabytes)
    ]


IDLE = Sample(99.0, 1, 80 * MEGABYTE, 20, 5, in_progress=0)


def test_an_instance_that_has_warmed_up_leaks_nothing() -> None:
    assert judge.leaks("it", course(70, 75, 80, 80, 81, 80, 82, 81), IDLE) == []


def test_memory_that_grows_on_is_a_leak() -> None:
    [found] = judge.leaks("it", course(70, 75, 80, 90, 110, 130, 150, 170), IDLE)
    assert "has grown" in found


@pytest.mark.parametrize(
    ("idle", "word"),
    [
        (replace(IDLE, files=400), "open files"),
        (replace(IDLE, threads=90), "threads"),
        (replace(IDLE, in_progress=3), "still answering"),
    ],
)
def test_what_an_idle_instance_still_holds_is_a_leak(idle: Sample, word: str) -> None:
    [found] = judge.leaks("it", course(70, 75, 80, 80), idle)
    assert word in found


def test_an_earlier_life_is_not_held_against_the_present_one() -> None:
    lives = [*course(70, 75, files=400), Sample(3.0, 2, 70 * MEGABYTE, 15, 1)]
    assert judge.leaks("it", lives, replace(IDLE, life=2)) == []


# Recovery


def probes(pattern: str) -> list[Probe]:
    return [Probe(float(at), mark == "+") for at, mark in enumerate(pattern)]


@pytest.mark.parametrize(
    ("pattern", "ended", "expected"),
    [
        ("++++++", 2, 0),
        ("++--+++", 2, 2),
        ("++-+-+++", 2, 3),
        ("++---", 2, None),
        ("+++--++", 3, None),
        ("", 0, None),
    ],
)
def test_requests_work_again_when_three_in_a_row_do(
    pattern: str, ended: float, expected: float | None
) -> None:
    assert recovery(probes(pattern), ended) == expected


# The book


@pytest.mark.parametrize(
    ("action", "cents", "outcome", "expected"),
    [
        ("refundPayment", 300, "approved", (1000, 300, False)),
        ("refundPayment", 300, "received", (1000, 300, False)),
        ("refundPayment", 300, "rejected", (1000, 0, False)),
        ("reversePayment", None, "approved", (1000, 1000, False)),
    ],
)
def test_what_was_answered_for_must_have_happened(
    action: str, cents: int | None, outcome: str, expected: tuple[int, int, bool]
) -> None:
    purchase = bought()
    purchase.carried_out(Operation("key", action, cents, outcome))
    assert (purchase.captured, purchase.refunded, purchase.released) == expected


def test_before_a_capture_reversing_and_cancelling_release() -> None:
    for action in ("reversePayment", "cancelPayment"):
        held = bought(captured=0)
        held.carried_out(Operation("key", action, None, "approved"))
        assert (held.captured, held.refunded, held.released) == (0, 0, True)


def test_a_part_that_was_captured_is_all_that_was_taken() -> None:
    held = bought(captured=0)
    held.carried_out(Operation("key", "capturePayment", 400, "approved"))
    assert held.captured == 400
