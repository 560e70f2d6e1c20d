"""Whose a Payment is: by interface, account and mode, as proven."""

from __future__ import annotations

import msgspec
import pytest

from stripe_connector.ledger.ours import Ours, Standing
from stripe_connector.ledger.payment import Payment, PaymentMethodInfo
from stripe_connector.ledger.proof import AccountProof
from stripe_connector.money import Money

OURS = Ours("checkout-stripe", "acct_1", live=True)


def payment(proof: AccountProof | None, interface: str | None = "checkout-stripe") -> Payment:
    """A Payment as it is read: nothing in it is the same object as in the settings."""
    made = Payment(
        "p",
        1,
        Money(1000, "EUR", 2),
        payment_method_info=PaymentMethodInfo(interface),
        interface_interactions=[] if proof is None else [proof.interaction()],
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Payment)


@pytest.mark.parametrize(
    ("ours", "proof", "standing"),
    [
        (OURS, AccountProof("acct_1", live=True), Standing.OURS),
        (OURS, AccountProof("acct_2", live=True), Standing.COVERS),
        (OURS, AccountProof("acct_1", live=False), Standing.NOTHING),
        (OURS, AccountProof("acct_2", live=False), Standing.NOTHING),
        # a key that may not read its account decides by mode alone
        (OURS, AccountProof(None, live=True), Standing.OURS),
        (OURS, AccountProof(None, live=False), Standing.NOTHING),
        (Ours("checkout-stripe"), AccountProof("acct_2", live=False), Standing.OURS),
        (Ours("checkout-stripe"), AccountProof("acct_2", live=True), Standing.NOTHING),
        (OURS, None, Standing.OURS),
    ],
)
def test_account_and_mode_decide_where_they_are_proven(
    ours: Ours, proof: AccountProof | None, standing: Standing
) -> None:
    found = payment(proof)
    assert ours.standing(found) is standing
    assert ours.includes(found) == (standing is Standing.OURS)
    assert ours.counts(found) == (standing is not Standing.NOTHING)


@pytest.mark.parametrize("interface", ["adyen", "zahlung", None, ""])
def test_without_proof_the_payment_interface_decides(interface: str | None) -> None:
    assert OURS.standing(payment(None, interface)) is Standing.COVERS
    proven = payment(AccountProof("acct_1", live=True), interface)
    assert OURS.standing(proven) is Standing.OURS


@pytest.mark.parametrize(
    ("proof", "owner"),
    [
        (None, None),
        (AccountProof("acct_1", live=True), None),
        (AccountProof("acct_2", live=True), "acct_2"),
        (AccountProof("acct_2", live=False), "acct_2:test"),
        (AccountProof(None, live=False), "unknown:test"),
    ],
)
def test_another_owner_is_named_with_its_mode(
    proof: AccountProof | None, owner: str | None
) -> None:
    assert OURS.other_owner(payment(proof)) == owner


def test_a_payment_of_another_connector_has_no_known_owner() -> None:
    assert OURS.other_owner(payment(None, "adyen")) is None


@pytest.mark.parametrize(
    ("ours", "shown"),
    [
        (OURS, "acct_1"),
        (Ours("checkout-stripe", "acct_1"), "acct_1:test"),
        (Ours("checkout-stripe", None, live=True), None),
    ],
)
def test_the_account_is_shown_to_people_where_it_is_known(ours: Ours, shown: str | None) -> None:
    assert ours.interface_account == shown
    assert ours.proof == AccountProof(ours.account, ours.live)
