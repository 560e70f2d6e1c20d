"""Our own interface interactions are told from those of others."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from stripe_connector.ledger import proof
from stripe_connector.ledger.payment import CustomFields, Payment, PaymentMethodInfo, Reference
from stripe_connector.money import Money


def payment(*interactions: CustomFields) -> Payment:
    return Payment("p", 1, Money(1000, "EUR", 2), interface_interactions=list(interactions))


def as_read(interaction: CustomFields) -> CustomFields:
    """As commercetools answers it: with the type's id in place of its key."""
    return CustomFields(Reference("type", id="17"), interaction.fields)


def test_account_and_mode_are_found_among_interactions_of_others() -> None:
    theirs = CustomFields(Reference("type", id="18"), {"createdAt": "2026-01-01", "type": "note"})
    ours = proof.AccountProof("acct_1", live=True)
    assert proof.account_of(payment(theirs, as_read(ours.interaction()))) == ours


def test_an_account_that_may_not_be_read_leaves_the_mode() -> None:
    ours = proof.AccountProof(None, live=False)
    assert proof.account_of(payment(as_read(ours.interaction()))) == ours


def test_the_first_proof_of_an_account_stands() -> None:
    first = proof.AccountProof("acct_1", live=True)
    second = proof.AccountProof("acct_2", live=False)
    found = proof.account_of(payment(first.interaction(), second.interaction()))
    assert found == first


def test_a_payment_without_interactions_proves_nothing() -> None:
    assert proof.account_of(payment()) is None


def test_every_field_that_is_written_is_declared() -> None:
    declared = {each["name"] for each in proof.proof_type_draft()["fieldDefinitions"]}
    assert proof.AccountProof("acct_1", live=True).interaction().fields.keys() <= declared


def test_the_update_action_carries_the_same_type_and_fields() -> None:
    interaction = proof.AccountProof("acct_1", live=True).interaction()
    written = msgspec.to_builtins(proof.add_interaction(interaction))
    assert written == {
        "action": "addInterfaceInteraction",
        "type": {"typeId": "type", "key": proof.TYPE_KEY},
        "fields": interaction.fields,
    }


def test_a_proof_makes_a_payment_the_connectors_whatever_its_interface() -> None:
    proven = payment(proof.AccountProof("acct_2", live=True).interaction())
    assert proof.is_of_connector(proven, "checkout-stripe")


def test_without_a_proof_the_interface_makes_it_the_connectors() -> None:
    for interface, ours in (
        ("checkout-stripe", True),
        ("adyen", False),
        ("worldpay", False),
        (None, False),
    ):
        plain = replace(payment(), payment_method_info=PaymentMethodInfo(interface))
        as_stored = msgspec.json.decode(msgspec.json.encode(plain), type=Payment)
        assert proof.is_of_connector(as_stored, "checkout-stripe") is ours


def test_a_sale_is_proven_by_order_or_cart_and_read_back() -> None:
    for sale in (proof.SaleProof("order"), proof.SaleProof(cart_id="cart"), proof.SaleProof()):
        assert proof.sale_of(payment(as_read(sale.interaction()))) == sale
    assert proof.sale_of(payment()) == proof.SaleProof()
    assert "stripeConnector_order" not in proof.SaleProof(cart_id="cart").interaction().fields


def test_a_proof_of_another_kind_proves_neither_account_nor_sale() -> None:
    other = payment(proof.SaleProof("order").interaction())
    assert proof.account_of(other) is None
    assert proof.sale_of(payment(proof.AccountProof("acct_1", live=True).interaction())) == (
        proof.SaleProof()
    )


def test_no_field_of_the_type_is_required() -> None:
    assert {each["required"] for each in proof.proof_type_draft()["fieldDefinitions"]} == {False}
