"""Which Payments are this processor's, and which only count beside them."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.ledger.payment import Payment


class Ours(Struct, frozen=True):
    """What a Payment must have in common with this processor for it to move or fulfil it."""

    payment_interface: str

    def includes(self, payment: Payment) -> bool:
        """Whether this processor made the Payment: it may move its money and fulfil with it."""
        return payment.payment_method_info.payment_interface == self.payment_interface

    def counts(self, payment: Payment) -> bool:  # noqa: ARG002 (account and mode follow)
        """Whether what the Payment holds covers a sale; it need not be ours for that."""
        return True
