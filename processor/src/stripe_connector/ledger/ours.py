"""Decides which Payments are this processor's, and which others count towards a sale.

Payment interface, Stripe account and mode decide. Account and mode are proven by an interface
interaction that the Payment was made with (`ledger.proof`); `paymentMethodInfo.interfaceAccount`
shows them too, but shoppers may change it, so it decides nothing.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.proof import AccountProof, account_of

_TEST = ":test"


class Standing(Enum):
    """What a Payment is to this processor."""

    OURS = "ours"
    """This processor may move its money and fulfil with it."""
    COVERS = "covers"
    """Of another connector or Stripe account: what it holds is not due again."""
    NOTHING = "nothing"
    """Of the other mode (live or test): it pays nothing here."""


class Ours(Struct, frozen=True):
    """What a Payment must have in common with this processor."""

    payment_interface: str
    account: str | None = None
    """`acct_...`; None where the key may not read it: then the mode alone decides."""
    live: bool = False

    @property
    def proof(self) -> AccountProof:
        """The fields with which this processor creates a Payment."""
        return AccountProof(self.account, self.live)

    @property
    def interface_account(self) -> str | None:
        """The same for people, in `paymentMethodInfo.interfaceAccount`."""
        return _name(self.proof) if self.account is not None else None

    def standing(self, payment: Payment) -> Standing:
        """A Payment without proof (of an older version, of the official connector) is ours if its
        payment interface is; the next write adds the proof."""
        proof = account_of(payment)
        if proof is None:
            same = payment.payment_method_info.payment_interface == self.payment_interface
            return Standing.OURS if same else Standing.COVERS
        if proof.live != self.live:
            return Standing.NOTHING
        if None not in (proof.account, self.account) and proof.account != self.account:
            return Standing.COVERS
        return Standing.OURS

    def includes(self, payment: Payment) -> bool:
        """Whether this processor may move the Payment's money and fulfil with it."""
        return self.standing(payment) is Standing.OURS

    def counts(self, payment: Payment) -> bool:
        """Whether what the Payment holds covers a sale; it need not be ours for that."""
        return self.standing(payment) is not Standing.NOTHING

    def other_owner(self, payment: Payment) -> str | None:
        """The Stripe account that a Payment is proven to belong to, where that is not ours."""
        proof = account_of(payment)
        if proof is None or self.standing(payment) is Standing.OURS:
            return None
        return _name(proof)


def _name(proof: AccountProof) -> str:
    """`acct_1` in live mode, `acct_1:test` in test mode."""
    return f"{proof.account or 'unknown'}{'' if proof.live else _TEST}"
