"""Events about payments, stored methods and customers: whose they are, and what is recorded."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from enum import StrEnum

from msgspec import Struct

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, NotFound
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.gateways.stripe.decoding import convert
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import CashBalanceTransaction
from stripe_connector.ledger.facts import (
    CUSTOMER_ID,
    PAYMENT_ID,
    PROJECT_KEY,
    charge_fact,
    intent_fact,
    may_be_release,
    refund_fact,
)
from stripe_connector.ledger.merge import Snapshot, judge_snapshot
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.stripe_objects import Charge, Event, PaymentIntent, Refund
from stripe_connector.payments.interactions import Interaction
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.customers import Customers
from stripe_connector.payments.stored.method_records import StoredMethods

ORPHAN_AFTER_S = 3600
"""Seconds for which an event waits for the Payment that it belongs to."""

logger = logging.getLogger(__name__)


Fulfil = Callable[[Payment, Mapping[str, str]], Awaitable[None]]
"""Fulfils what a Payment was for, which metadata of the event's object may name."""


class EventEffect(StrEnum):
    """What became of an event; the log names it."""

    STORED = "stored"
    ALREADY = "already stored"
    IGNORED = "ignored"
    FOREIGN = "foreign"
    ORPHAN = "orphan"
    TOLD = "told"
    """Nothing to record, but something for a person to do."""


class _Named(Struct, frozen=True):
    """An object of which the id is all that counts."""

    id: str


Record = Callable[[Event, Payment, str], Awaitable[Payment]]
"""Records what an event says about a Payment, whose intent has the given id."""


class PaymentEvents:
    """Records events. An event that is not recorded raises, so that Stripe sends it again.

    Which handler takes an event, `storefront.events` says.
    """

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        modifier: Modifier,
        stored_methods: StoredMethods,
        customers: Customers,
        account: OwnAccount,
        clock: Clock,
        project_key: str,
        fulfil: Fulfil,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._modifier = modifier
        self._stored_methods = stored_methods
        self._customers = customers
        self._account = account
        self._clock = clock
        self._project_key = project_key
        self._fulfil = fulfil

    async def intent(self, event: Event) -> EventEffect:
        """Record the state of a payment."""
        return await self._apply(event, self._record_intent)

    async def intent_authorized(self, event: Event) -> EventEffect:
        """Record the state of a payment, and the payment method where the shopper agreed."""
        return await self._apply(event, self._record_intent, remember=True)

    async def intent_waits(self, event: Event) -> EventEffect:
        """Record that a payment waits for the payer, or that it does not any more.

        Authenticating in the page says nothing about money, unless the shopper has left something
        pending for it, such as a voucher.
        """
        if event.is_unfinished_in_page and event.api_version == API_VERSION:
            named = await self._named(event.metadata)
            if named is None or not named.total("Authorization", "Pending"):
                return EventEffect.IGNORED
        return await self._apply(event, self._record_intent)

    async def charge(self, event: Event) -> EventEffect:
        """Record a charge, captured or not."""
        return await self._apply(event, self._record_charge)

    async def charge_expired(self, event: Event) -> EventEffect:
        """Record that an authorization has lapsed."""
        return await self._apply(event, self._sync_intent)

    async def charge_refunded(self, event: Event) -> EventEffect:
        """Record the refunds of a charge, which says how much was refunded, not by which."""
        return await self._apply(event, self._sync_refunds)

    async def refund(self, event: Event) -> EventEffect:
        """Record the state of a refund."""
        return await self._apply(event, self._record_refund)

    async def dispute(self, event: Event) -> EventEffect:
        """Record a dispute, and what it takes or gives back."""
        return await self._apply(event, self._sync_dispute)

    async def cash_balance(self, event: Event) -> EventEffect:
        """Log money of a bank transfer that no payment has taken: it is the customer's."""
        left, owner = event.object.get("ending_balance"), event.object.get("customer")
        if left == 0 or not isinstance(owner, str):
            return EventEffect.IGNORED
        customer = await self._stripe.get_customer(owner)
        if customer is None or customer.metadata.get(PROJECT_KEY) != self._project_key:
            return EventEffect.FOREIGN
        change = convert(event.object, CashBalanceTransaction)
        if change.ending_balance < 0:
            return EventEffect.IGNORED
        logger.warning(
            "Money is left in a customer's cash balance at Stripe",
            extra={
                "fields": {
                    "stripeCustomer": customer.id,
                    "amount": change.ending_balance,
                    "currency": change.currency.upper(),
                }
            },
        )
        return EventEffect.TOLD

    async def method_detached(self, event: Event) -> EventEffect:
        """Deactivate a stored payment method that Stripe no longer has."""
        method = event.object.get("id")
        if not isinstance(method, str):
            return EventEffect.FOREIGN
        changed = await self._stored_methods.detached(method)
        return EventEffect.STORED if changed else EventEffect.ALREADY

    async def customer_deleted(self, event: Event) -> EventEffect:
        """Forget a Stripe customer who was deleted."""
        if event.metadata.get(PROJECT_KEY) != self._project_key:
            return EventEffect.FOREIGN
        gone = convert(event.object, _Named)
        changed = await self._customers.forget(event.metadata.get(CUSTOMER_ID, ""), gone.id)
        return EventEffect.STORED if changed else EventEffect.ALREADY

    async def _apply(self, event: Event, record: Record, *, remember: bool = False) -> EventEffect:
        """Find the Payment, record with `record`, and do what follows from the new record."""
        intent_id = event.intent_id
        if intent_id is None:
            return EventEffect.FOREIGN  # a charge, refund or dispute without an intent is not ours
        payment = await self._payment(event, intent_id)
        if isinstance(payment, EventEffect):
            return payment
        context.note(payment=payment.id, intent=intent_id)
        if (await self._account.ours()).other_owner(payment) is not None:
            return EventEffect.FOREIGN  # its metadata name a Payment of another account or mode
        recorded = await record(event, payment, intent_id)
        await self._modifier.after_record(recorded)
        await self._fulfil(recorded, event.metadata)
        # Last: neither the money nor the order waits for what is stored for other payments.
        if remember:
            recorded = await self._stored_methods.remember(
                recorded, await self._intent_of(event, intent_id)
            )
        return EventEffect.ALREADY if recorded.version == payment.version else EventEffect.STORED

    async def _payment(self, event: Event, intent_id: str) -> Payment | EventEffect:
        """The Payment of an intent: the one that its metadata name, else by its interfaceId.

        What the event's own object names is only where to look first: a Payment that has this
        intent is the one, whatever interface it was made for. A Payment without an intent belongs
        to this one only if the intent itself says so.
        """
        named = await self._named(event.metadata)
        if named is not None and named.interface_id == intent_id:
            return named
        payment = None
        if named is None or named.interface_id is not None or not event.is_intent:
            payment = await self._commercetools.find_payment_by_interface_id(intent_id)
        if payment is not None:
            return payment
        if not event.is_intent:
            try:
                metadata = await self._stripe.get_intent_metadata(intent_id)
            except NotFound:
                return EventEffect.FOREIGN  # an intent of another account
            if metadata.get(PROJECT_KEY) != self._project_key:
                return EventEffect.FOREIGN
            named = await self._named(metadata)
        elif event.metadata.get(PROJECT_KEY) != self._project_key:
            return EventEffect.FOREIGN
        if named is not None and named.interface_id in (None, intent_id):
            return named  # without one, its start was cut off before it knew its intent
        if self._clock.time() - event.created < ORPHAN_AFTER_S:
            raise BackendUnavailable("The payment of this event is not there yet.")
        logger.error("An intent of ours has no Payment", extra={"fields": {"intent": intent_id}})
        return EventEffect.ORPHAN

    async def _named(self, metadata: Mapping[str, str]) -> Payment | None:
        """The Payment that metadata of our project name, if they name one that is there."""
        payment_id = metadata.get(PAYMENT_ID, "")
        if metadata.get(PROJECT_KEY) != self._project_key or not is_id(payment_id):
            return None
        try:
            return await self._commercetools.get_payment(payment_id)
        except NotFound:
            return None

    async def _intent_of(self, event: Event, intent_id: str) -> PaymentIntent:
        if event.api_version == API_VERSION:
            return convert(event.object, PaymentIntent)
        return await self._stripe.get_intent(intent_id)

    # An event of another API version yields ids only: its fields may mean something else.

    async def _record_intent(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        if event.api_version != API_VERSION:
            return await self._sync_intent(event, payment, intent_id)
        fact = intent_fact(convert(event.object, PaymentIntent))
        match judge_snapshot(payment, fact):
            case Snapshot.TRUE:
                return await self._recorder.record_facts(payment, [fact], cause_of(event))
            case Snapshot.UNKNOWN:
                return await self._sync_intent(event, payment, intent_id)
            case Snapshot.OUTDATED:
                return payment

    async def _record_charge(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        if event.api_version != API_VERSION:
            return await self._sync_intent(event, payment, intent_id)
        fact = charge_fact(convert(event.object, Charge))
        return await self._recorder.record_facts(payment, [fact] if fact else [], cause_of(event))

    async def _record_refund(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        if event.api_version != API_VERSION:
            return await self._sync_refunds(event, payment, intent_id)
        refund = convert(event.object, Refund)
        known = any(t.interaction_id == refund.id for t in payment.of_type("Refund"))
        if may_be_release(refund) and not known:
            return await self._sync_refunds(event, payment, intent_id)
        return await self._recorder.record_facts(payment, [refund_fact(refund)], cause_of(event))

    async def _sync_intent(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        return await self._recorder.sync_intent(payment, intent_id, cause_of(event))

    async def _sync_refunds(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        return await self._recorder.sync_refunds(payment, intent_id, cause_of(event))

    async def _sync_dispute(self, event: Event, payment: Payment, _intent_id: str) -> Payment:
        dispute = convert(event.object, _Named)
        return await self._recorder.sync_dispute(payment, dispute.id, cause_of(event))


def cause_of(event: Event) -> Interaction:
    """What is kept of an event with what it has changed."""
    return Interaction(event.type, event.id, response=event.object)
