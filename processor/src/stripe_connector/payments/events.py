"""Stripe's events: which object each brings, whose it is, and what is recorded of it."""

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
    IntentFact,
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

CASH_BALANCE = "customer_cash_balance_transaction.created"

HANDLED = frozenset(
    {
        "payment_intent.amount_capturable_updated",
        "payment_intent.canceled",
        "payment_intent.partially_funded",
        "payment_intent.payment_failed",
        "payment_intent.processing",
        "payment_intent.requires_action",
        "payment_intent.succeeded",
        "charge.captured",
        "charge.expired",
        "charge.refunded",
        "charge.succeeded",
        "charge.updated",
        "charge.dispute.closed",
        "charge.dispute.created",
        "charge.dispute.funds_reinstated",
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "refund.created",
        "refund.failed",
        "refund.updated",
        "charge.refund.updated",
        "payment_method.detached",
        "customer.deleted",
        CASH_BALANCE,
    }
)
"""The events that a webhook endpoint of ours subscribes to; any other changes nothing."""

WITHOUT_PAYMENT = frozenset({"payment_method.detached", "customer.deleted", CASH_BALANCE})
"""Those of them that concern no single payment."""

_AUTHORIZED = frozenset({"payment_intent.amount_capturable_updated", "payment_intent.succeeded"})

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


class EventHandler:
    """Records events. An event that is not recorded raises, so that Stripe sends it again."""

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

    async def handle(self, event: Event) -> EventEffect:
        """Record what an event says; the effect is in commercetools when this returns."""
        if event.type not in HANDLED:
            return EventEffect.IGNORED
        if event.livemode not in (None, self._account.live):
            return EventEffect.FOREIGN  # of the other mode: it pays nothing here
        if event.is_unfinished_in_page and event.api_version == API_VERSION:
            return EventEffect.IGNORED
        if event.type == CASH_BALANCE:
            return await self._cash(event)
        if event.type in WITHOUT_PAYMENT:
            return await self._forget(event)
        intent_id = event.intent_id
        if intent_id is None:
            return EventEffect.FOREIGN  # a charge, refund or dispute without an intent is not ours
        payment = await self._payment(event, intent_id)
        if isinstance(payment, EventEffect):
            return payment
        context.note(payment=payment.id)
        if (await self._account.ours()).other_owner(payment) is not None:
            return EventEffect.FOREIGN  # its metadata name a Payment of another account or mode
        recorded = await self._record(event, payment, intent_id)
        await self._modifier.after_record(recorded)
        await self._fulfil(recorded, event.metadata)
        # Last: neither the money nor the order waits for what is stored for other payments.
        if event.type in _AUTHORIZED:
            recorded = await self._stored_methods.remember(
                recorded, await self._intent_of(event, intent_id)
            )
        return EventEffect.ALREADY if recorded.version == payment.version else EventEffect.STORED

    async def _cash(self, event: Event) -> EventEffect:
        """Money of a bank transfer that no payment has taken is the customer's, and stays there."""
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

    async def _forget(self, event: Event) -> EventEffect:
        """What Stripe no longer has must not be offered any more."""
        if event.type == "payment_method.detached":
            method = event.object.get("id")
            if not isinstance(method, str):
                return EventEffect.FOREIGN
            changed = await self._stored_methods.detached(method)
        elif event.metadata.get(PROJECT_KEY) != self._project_key:
            return EventEffect.FOREIGN
        else:
            gone = convert(event.object, _Named)
            changed = await self._customers.forget(event.metadata.get(CUSTOMER_ID, ""), gone.id)
        return EventEffect.STORED if changed else EventEffect.ALREADY

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

    async def _record(self, event: Event, payment: Payment, intent_id: str) -> Payment:
        cause = Interaction(event.type, event.id, response=event.object)
        if event.api_version != API_VERSION:
            return await self._read_anew(event, payment, intent_id, cause)
        match event.type.split("."):
            case ["payment_intent", _]:
                fact = intent_fact(convert(event.object, PaymentIntent))
                return await self._intent(payment, fact, cause)
            case ["charge", "expired"]:
                return await self._recorder.sync_intent(payment, intent_id, cause)
            case ["charge", "refunded"]:
                # The charge says how much, not which refunds: read them.
                return await self._recorder.sync_refunds(payment, intent_id, cause)
            case ["charge", "dispute", _]:
                return await self._recorder.sync_dispute(
                    payment, convert(event.object, _Named).id, cause
                )
            case ["refund", _] | ["charge", "refund", _]:
                refund = convert(event.object, Refund)
                known = any(t.interaction_id == refund.id for t in payment.of_type("Refund"))
                if may_be_release(refund) and not known:
                    return await self._recorder.sync_refunds(payment, intent_id, cause)
                return await self._recorder.record_facts(payment, [refund_fact(refund)], cause)
            case _:
                charge = charge_fact(convert(event.object, Charge))
                return await self._recorder.record_facts(payment, [charge] if charge else [], cause)

    async def _intent(self, payment: Payment, fact: IntentFact, cause: Interaction) -> Payment:
        match judge_snapshot(payment, fact):
            case Snapshot.TRUE:
                return await self._recorder.record_facts(payment, [fact], cause)
            case Snapshot.UNKNOWN:
                return await self._recorder.sync_intent(payment, fact.intent_id, cause)
            case Snapshot.OUTDATED:
                return payment

    async def _read_anew(
        self, event: Event, payment: Payment, intent_id: str, cause: Interaction
    ) -> Payment:
        """An event of another API version yields ids only: its fields may mean something else."""
        match event.type.split("."):
            case ["charge", "dispute", _]:
                return await self._recorder.sync_dispute(
                    payment, convert(event.object, _Named).id, cause
                )
            case ["refund", _] | ["charge", "refund", _] | ["charge", "refunded"]:
                return await self._recorder.sync_refunds(payment, intent_id, cause)
            case _:
                return await self._recorder.sync_intent(payment, intent_id, cause)
