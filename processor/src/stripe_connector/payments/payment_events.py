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
    Fact,
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
    """The effect of an event; the log names it."""

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


class Recording(Struct, frozen=True):
    """How a type of event about a payment is recorded."""

    effect: str
    """What it does, for the documentation."""
    facts: Callable[[Event, Payment], list[Fact] | None]
    """What the event itself proves about a Payment; None where its object must be read anew."""
    sync: Callable[[Recorder, Payment, str, Interaction], Awaitable[Payment]]
    """Reads and records the intent with a given id, or the event's object with `of_object`."""
    of_object: bool = False
    remember: bool = False
    """Whether the payment method is stored, too, where the shopper agreed."""


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

    async def intent_waits(self, event: Event) -> EventEffect:
        """Record that a payment waits for the payer, or that it does not any more.

        Authenticating in the page says nothing about money, unless the shopper has left something
        pending for it, such as a voucher.
        """
        if event.is_unfinished_in_page and event.api_version == API_VERSION:
            named = await self._named(event.metadata)
            if named is None or not named.total("Authorization", "Pending"):
                return EventEffect.IGNORED
        return await self.record(event, INTENT)

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

    async def record(self, event: Event, recording: Recording) -> EventEffect:
        """Find the Payment, record what the event says, and do what follows from the new record."""
        intent_id = event.intent_id
        if intent_id is None:
            return EventEffect.FOREIGN  # a charge, refund or dispute without an intent is not ours
        payment = await self._payment(event, intent_id)
        if isinstance(payment, EventEffect):
            return payment
        context.note(payment=payment.id, intent=intent_id)
        if (await self._account.ours()).other_owner(payment) is not None:
            return EventEffect.FOREIGN  # its metadata name a Payment of another account or mode
        # An event of another API version yields ids only: its fields may mean something else.
        facts = recording.facts(event, payment) if event.api_version == API_VERSION else None
        if facts is not None:
            recorded = await self._recorder.record_facts(payment, facts, cause_of(event))
        else:
            named = convert(event.object, _Named).id if recording.of_object else intent_id
            recorded = await recording.sync(self._recorder, payment, named, cause_of(event))
        await self._modifier.after_record(recorded)
        await self._fulfil(recorded, event.metadata)
        # Last: neither the money nor the order waits for what is stored for other payments.
        if recording.remember:
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


def _of_intent(event: Event, payment: Payment) -> list[Fact] | None:
    fact = intent_fact(convert(event.object, PaymentIntent))
    match judge_snapshot(payment, fact):
        case Snapshot.TRUE:
            return [fact]
        case Snapshot.UNKNOWN:
            return None
        case Snapshot.OUTDATED:
            return []


def _of_charge(event: Event, _payment: Payment) -> list[Fact] | None:
    fact = charge_fact(convert(event.object, Charge))
    return [fact] if fact else []


def _of_refund(event: Event, payment: Payment) -> list[Fact] | None:
    refund = convert(event.object, Refund)
    known = any(t.interaction_id == refund.id for t in payment.of_type("Refund"))
    return None if may_be_release(refund) and not known else [refund_fact(refund)]


def _unproven(_event: Event, _payment: Payment) -> None:
    """The object is read anew each time."""


INTENT = Recording("Record the state of a payment.", _of_intent, Recorder.sync_intent)
AUTHORIZED = Recording(
    "Record the state of a payment, and the payment method where the shopper agreed.",
    _of_intent,
    Recorder.sync_intent,
    remember=True,
)
CHARGE = Recording("Record a charge, captured or not.", _of_charge, Recorder.sync_intent)
EXPIRED = Recording("Record that an authorization has lapsed.", _unproven, Recorder.sync_intent)
REFUNDED = Recording(
    "Record the refunds of a charge, which says how much was refunded, not by which.",
    _unproven,
    Recorder.sync_refunds,
)
REFUND = Recording("Record the state of a refund.", _of_refund, Recorder.sync_refunds)
DISPUTE = Recording(
    "Record a dispute, and what it takes or gives back.",
    _unproven,
    Recorder.sync_dispute,
    of_object=True,
)


def cause_of(event: Event) -> Interaction:
    """What is kept of an event with what it has changed."""
    return Interaction(event.type, event.id, response=event.object)
