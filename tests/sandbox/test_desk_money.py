"""What the desk says of money: amounts, standing, what is offered."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.desk import amounts
from sandbox.desk.standing import happened, standing


@pytest.mark.parametrize(
    ("typed", "currency", "cents"),
    [
        ("12.50", "GBP", 1250),
        ("12.5", "GBP", 1250),
        ("1,234.50", "GBP", 123_450),
        ("12", "USD", 1200),
        ("12,50", "EUR", 1250),
        ("12.50", "EUR", 1250),
        ("1.234,50", "EUR", 123_450),
        ("1.234", "EUR", 123_400),
        (" 7 ", "EUR", 700),
        ("1,250", "JPY", 1250),
        ("4.590", "KWD", 4590),
        ("4.59", "KWD", 4590),
    ],
)
def test_an_amount_is_read_as_people_of_its_market_write_it(
    typed: str, currency: str, cents: int
) -> None:
    assert amounts.read(typed, currency) == cents


@pytest.mark.parametrize(
    ("typed", "currency"),
    [
        ("", "EUR"),
        ("0", "EUR"),
        ("0,00", "EUR"),
        ("-5", "EUR"),
        ("1e3", "EUR"),
        ("12,505", "EUR"),
        ("12,50", "GBP"),
        ("1,23.50", "GBP"),
        ("12.50", "JPY"),
        ("4,590.0001", "KWD"),
        ("9" * 20, "USD"),
        ("١٢", "EUR"),
        ("12.50 EUR", "EUR"),
    ],
)
def test_what_is_no_amount_is_refused(typed: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"Enter an amount|too much"):
        amounts.read(typed, currency)


@pytest.mark.parametrize("currency", ["EUR", "GBP", "JPY", "KWD", "USD"])
@pytest.mark.parametrize("cents", [1, 99, 1250, 1_234_567])
def test_what_is_offered_can_be_sent_back(cents: int, currency: str) -> None:
    assert amounts.read(amounts.entered(cents, currency), currency) == cents


def payment(*transactions: tuple[str, str, int], **status: str) -> dict[str, Any]:
    return {
        "amountPlanned": {"centAmount": 1000, "currencyCode": "EUR"},
        "paymentStatus": status,
        "transactions": [
            {
                "id": str(n),
                "type": kind,
                "state": state,
                "amount": {"centAmount": cents, "currencyCode": "EUR"},
            }
            for n, (kind, state, cents) in enumerate(transactions)
        ],
    }


HELD = ("Authorization", "Success", 1000)
TAKEN = ("Charge", "Success", 1000)


@pytest.mark.parametrize(
    ("transactions", "label", "capturable", "refundable"),
    [
        ([], "Started", 0, 0),
        ([("Authorization", "Pending", 1000)], "Processing", 0, 0),
        ([("Authorization", "Failure", 1000)], "Failed", 0, 0),
        ([HELD], "Authorized", 1000, 0),
        ([HELD, ("Charge", "Initial", 400)], "Authorized", 600, 0),
        ([HELD, ("Charge", "Success", 400)], "Partly captured", 600, 400),
        ([HELD, ("CancelAuthorization", "Success", 1000)], "Cancelled", 0, 0),
        ([HELD, TAKEN], "Paid", 0, 1000),
        ([HELD, TAKEN, ("Refund", "Failure", 300)], "Paid", 0, 1000),
        ([HELD, TAKEN, ("Refund", "Pending", 300)], "Paid", 0, 700),
        ([HELD, TAKEN, ("Refund", "Success", 300)], "Partly refunded", 0, 700),
        ([HELD, TAKEN, ("Refund", "Success", 1000)], "Refunded", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Pending", 1000)], "Disputed", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Success", 1000)], "Dispute lost", 0, 0),
        ([HELD, TAKEN, ("Chargeback", "Failure", 1000)], "Paid", 0, 1000),
    ],
)
def test_where_a_payment_stands_and_what_is_possible(
    transactions: list[tuple[str, str, int]], label: str, capturable: int, refundable: int
) -> None:
    now = standing(payment(*transactions))
    assert (now.label, now.capturable, now.refundable) == (label, capturable, refundable)


@pytest.mark.parametrize(
    ("transactions", "offered"),
    [
        ([], ""),
        ([("Authorization", "Pending", 1000)], "reverse"),
        ([("Authorization", "Failure", 1000)], "cancel"),
        ([HELD], "capture cancel"),
        ([HELD, ("CancelAuthorization", "Success", 1000)], ""),
        ([HELD, ("Charge", "Pending", 400)], ""),
        ([HELD, ("Charge", "Success", 400)], "capture refund cancel reverse"),
        ([HELD, TAKEN], "refund reverse"),
        ([HELD, TAKEN, ("Refund", "Pending", 1000)], ""),
        ([HELD, TAKEN, ("Refund", "Success", 1000)], ""),
        ([HELD, TAKEN, ("Chargeback", "Pending", 400)], ""),
        ([HELD, TAKEN, ("Chargeback", "Success", 400)], ""),
        ([HELD, TAKEN, ("Chargeback", "Failure", 400)], "refund reverse"),
    ],
)
def test_only_what_will_be_done_is_offered(
    transactions: list[tuple[str, str, int]], offered: str
) -> None:
    started = {"interfaceId": "pi_1"} if transactions else {}
    now = standing({**payment(*transactions), **started})
    flags = {
        "capture": now.can_capture,
        "refund": now.refundable > 0,
        "cancel": now.cancellable,
        "reverse": now.reversible,
    }
    assert " ".join(name for name, is_offered in flags.items() if is_offered) == offered


def test_a_dispute_that_only_stripe_knows_of_keeps_a_refund_from_being_offered() -> None:
    known = {"is_charge_refundable": False}
    assert standing(payment(HELD, TAKEN), [known]).refundable == 0
    assert standing(payment(HELD, TAKEN), [{"is_charge_refundable": True}]).refundable == 1000


def test_every_transaction_says_what_happened_to_the_money() -> None:
    for kind in ("Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback"):
        for state in ("Initial", "Pending", "Success", "Failure"):
            assert all(happened(kind, state))
    assert happened("Chargeback", "Success") == ("Money lost", "bad")


def test_an_amount_that_differs_is_what_one_is_told_first() -> None:
    assert standing(payment(HELD, TAKEN, interfaceCode="amount_mismatch")).label == "Amount differs"


def test_money_without_an_order_and_a_replaced_page_are_told_apart_from_failures() -> None:
    assert standing(payment(HELD, TAKEN, interfaceCode="order_failed")).label == "Paid, no order"
    returned = payment(HELD, TAKEN, ("Refund", "Success", 1000), interfaceCode="order_failed")
    assert standing(returned).label == "Refunded"
    closed = standing(payment(("Authorization", "Failure", 1000), interfaceCode="superseded"))
    assert (closed.label, closed.cancellable) == ("Replaced", False)
