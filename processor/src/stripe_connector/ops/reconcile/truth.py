"""Reads all of Stripe's objects of one payment: its intent with charge, refunds and disputes."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from stripe_connector.gateways.stripe.history import StripeHistory
from stripe_connector.ledger.facts import (
    ExpiredSessionFact,
    Fact,
    RefundFact,
    ReleaseFact,
    dispute_fact,
    intent_fact,
    refund_facts,
)
from stripe_connector.ledger.operation import operations
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import Dispute, PaymentIntent, Refund
from stripe_connector.payments import intents


class Truth(Struct, frozen=True):
    """Stripe's objects, read at one moment."""

    intent: PaymentIntent | None = None
    """None where no shopper has tried to pay on Stripe's page yet."""
    refunds: Sequence[Refund] = ()
    disputes: Sequence[Dispute] = ()
    expired_session: str | None = None
    """Id of a Checkout Session that was not paid and cannot be paid any more."""

    def facts(self) -> list[Fact]:
        """The same as facts for the ledger."""
        facts: list[Fact] = [*self.refund_facts()]
        facts += [fact for each in self.disputes if (fact := dispute_fact(each)) is not None]
        if self.intent is not None:
            facts.insert(0, intent_fact(self.intent))
        if self.expired_session is not None:
            facts.append(ExpiredSessionFact(self.expired_session))
        return facts

    def refund_facts(self) -> list[RefundFact | ReleaseFact]:
        return refund_facts(self.refunds, self.intent.charge if self.intent else None)


async def truth_of(stripe: StripeHistory, payment: Payment) -> Truth | None:
    """Read Stripe's objects of a Payment; None where it was never started at Stripe.

    Raises NotFound where the object that the Payment names does not exist at Stripe.
    """
    if payment.interface_id is not None:
        return await truth_of_intent(stripe, payment.interface_id)
    if payment.session_id is None:
        return await _of_charge(stripe, payment)
    session = await stripe.get_checkout_session(payment.session_id)
    if session.intent_id is not None:
        return await truth_of_intent(stripe, session.intent_id)
    return Truth(expired_session=session.id if session.status == "expired" else None)


async def _of_charge(stripe: StripeHistory, payment: Payment) -> Truth | None:
    """The same for a charge of a stored method, which is written ahead without an intent."""
    ours = operations(payment)
    begun = next((t for t in payment.transactions if t.state == "Initial" and t.id in ours), None)
    if begun is None:
        return None
    found = await stripe.find_intent(payment.id, intents.since(begun.timestamp))
    return Truth() if found is None else await truth_of_intent(stripe, found.id)


async def truth_of_intent(stripe: StripeHistory, intent_id: str) -> Truth:
    """Raises NotFound."""
    return await completed(stripe, await stripe.get_intent_with_refunds(intent_id))


async def completed(stripe: StripeHistory, intent: PaymentIntent) -> Truth:
    """The intent with the refunds and disputes that were not read with it."""
    charge, refunds = await stripe.get_remaining_refunds(intent)
    disputed = charge is not None and charge.disputed
    disputes = await stripe.list_disputes(intent.id) if disputed else []
    return Truth(intent, refunds, disputes)
