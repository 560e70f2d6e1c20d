"""The Payments of one cart or order, by number: also where keys were changed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace

from stripe_connector.ledger.operation import Operation
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment, PaymentMethodInfo, Transaction
from stripe_connector.ledger.proof import AccountProof, SaleProof
from stripe_connector.ledger.series import is_page_of, next_number, started_here
from stripe_connector.money import Money

CART = "3a6f4e5c-0b6e-4d57-9a53-0d8c2f1b7e11"
OURS = Ours("checkout-stripe", "acct_1")


def payment(key: str | None, name: str = "p", account: str = "acct_1") -> Payment:
    return Payment(
        name,
        1,
        Money(1000, "EUR", 2),
        payment_method_info=PaymentMethodInfo("checkout-stripe"),
        key=key,
        interface_interactions=[AccountProof(account, live=False).interaction()],
    )


def numbers(*payments: Payment) -> list[tuple[int, str]]:
    return [(number, each.id) for number, each in started_here(payments, OURS)]


def test_numbers_are_those_of_the_keys_in_their_order() -> None:
    listed = [payment(f"{CART}_12", "c"), payment(f"{CART}_1", "b"), payment(f"{CART}_2", "a")]
    assert numbers(*listed) == [(1, "b"), (2, "a"), (12, "c")]
    assert next_number(listed, OURS) == 13


def test_the_first_is_number_one() -> None:
    assert next_number([], OURS) == 1
    assert numbers() == []


@pytest.mark.parametrize(
    "key", ["invoice-7", CART, f"{CART}_", f"{CART}_x", f"{CART}_1x", f"x{CART}_1", None]
)
def test_a_payment_with_another_key_follows_by_its_position(key: str | None) -> None:
    listed = [payment(f"{CART}_1", "a"), payment(key, "b"), payment(f"{CART}_3", "c")]
    assert numbers(*listed) == [(1, "a"), (2, "b"), (3, "c")]


def test_renamed_payments_are_counted_from_the_highest_number_before() -> None:
    listed = [payment("one", "a"), payment("two", "b"), payment(f"{CART}_7", "c")]
    assert numbers(*listed) == [(1, "a"), (2, "b"), (7, "c")]
    assert next_number(listed, OURS) == 8


def test_a_payment_without_proof_and_with_another_key_was_not_started_here() -> None:
    foreign = replace(payment("theirs"), interface_interactions=[])
    assert numbers(foreign) == []
    assert next_number([foreign], OURS) == 1


def test_numbers_of_another_account_are_taken_but_not_ours() -> None:
    other = payment(f"{CART}_4", account="acct_2")
    assert numbers(other) == []
    assert next_number([payment(f"{CART}_1"), other], OURS) == 5


def test_the_charge_of_a_stored_method_has_no_number() -> None:
    operation = Operation("key:1", "chargePayment", 1, datetime(2026, 9, 21, tzinfo=UTC))
    charged = payment("subscription-7")
    charged = replace(
        charged,
        transactions=[Transaction("t1", "Authorization", charged.amount_planned)],
        interface_interactions=[*charged.interface_interactions, operation.interaction("t1")],
    )
    assert numbers(charged) == []


@pytest.mark.parametrize(
    ("proof", "of_sale"),
    [
        (SaleProof(order_id="o1"), True),
        (SaleProof(cart_id="o1"), True),
        (SaleProof(order_id="o2"), False),
        (SaleProof(order_id="o2", cart_id="c"), False),
    ],
)
def test_a_page_belongs_to_the_sale_that_its_proof_names(proof: SaleProof, of_sale: bool) -> None:
    made = replace(payment("o1_1"), interface_interactions=[proof.interaction()])
    assert is_page_of("o1", made) == of_sale


@pytest.mark.parametrize(
    ("key", "of_sale"), [("o1_1", True), ("o1", False), ("o11_1", False), (None, False)]
)
def test_a_page_of_version_0_1_0_belongs_to_the_sale_of_its_key(
    key: str | None, of_sale: bool
) -> None:
    assert is_page_of("o1", payment(key)) == of_sale
