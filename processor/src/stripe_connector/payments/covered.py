"""Closes a covered sale: open intents and pages are cancelled, surplus payments are marked."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from stripe_connector.errors import Conflict, NotFound
from stripe_connector.ledger.due import asked_beyond, covered_amount
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import OPEN
from stripe_connector.money import Money
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.record import Recorder


class CoveredSales:
    """Closes what is open at Stripe of a sale that other payments, or a lower price, cover."""

    def __init__(self, recorder: Recorder, mover: Mover, modifier: Modifier) -> None:
        self._recorder = recorder
        self._mover = mover
        self._modifier = modifier

    async def close(self, total: Money, payments: Iterable[Payment], ours: Ours) -> None:
        """Cancel open intents and pages of ours, and mark what was taken beyond the total.

        `total` is what the payments have to bring together.
        """
        current = [await self._closed(payment, ours) for payment in payments]
        for payment, planned in surplus(total, current, ours):
            if payment.interface_id is not None and payment.amount_planned != planned:
                marked = await self._recorder.sync_intent(
                    payment, payment.interface_id, planned=planned
                )
                await self._modifier.after_record(marked)

    async def _closed(self, payment: Payment, ours: Ours) -> Payment:
        if not ours.includes(payment) or not _payable(payment):
            return payment
        # Refused: it was confirmed just now, or created with other keys.
        with contextlib.suppress(Conflict, NotFound):
            payment, _ = await self._mover.cancel_open(payment)
        return payment


def surplus(
    total: Money, payments: Iterable[Payment], ours: Ours
) -> Iterator[tuple[Payment, Money]]:
    """Payments of ours that hold too much, newest first, with the amount that each had to pay.

    Amounts that operations of ours requested are no surplus.
    """
    counted = [payment for payment in payments if ours.counts(payment)]
    currency = total.currency_code
    left = sum(covered_amount(payment, currency) - asked_beyond(payment) for payment in counted)
    left -= total.cent_amount
    for payment in reversed(counted):
        held = covered_amount(payment, currency)
        if left > 0 and held > 0 and ours.includes(payment):
            planned = max(0, held - left)
            left -= held - planned
            yield payment, total.with_amount(planned)


def _payable(payment: Payment) -> bool:
    """Whether the shopper can still pay it, as far as is recorded."""
    status = payment.payment_status.interface_code
    open_intent = payment.interface_id is not None and status in (None, *OPEN)
    return payment.session_id is not None or open_intent
