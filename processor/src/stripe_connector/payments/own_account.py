"""Which Payments are ours: the payment interface, and what Stripe says of our key's account."""

from __future__ import annotations

from stripe_connector.ledger.ours import Ours


class OwnAccount:
    """Says what Payments of this processor have in common."""

    def __init__(self, payment_interface: str) -> None:
        self._ours = Ours(payment_interface)

    async def ours(self) -> Ours:
        """Learned once, and the same as long as the process lives."""
        return self._ours
