"""Events that concern orders: those of Checkout Sessions, and failed attempts to pay."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, NotFound
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.stripe.decoding import convert
from stripe_connector.ledger.facts import PAYMENT_ID, PROJECT_KEY, ExpiredSessionFact
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.proof import SaleProof
from stripe_connector.ledger.stripe_objects import Event
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.payment_events import (
    INTENT,
    ORPHAN_AFTER_S,
    EventEffect,
    PaymentEvents,
    cause_of,
)
from stripe_connector.payments.record import Recorder
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.sales import Sales, perhaps_gone, sale_named

_EXPIRED = "checkout.session.expired"


class _Session(Struct, frozen=True):
    """What an event's session names; everything else is read anew."""

    id: str
    expires_at: int | None = None


class PageEvents:
    """Records events of Checkout Sessions, and what else an event means for an order."""

    def __init__(
        self,
        payments: PaymentEvents,
        commercetools: Commercetools,
        recorder: Recorder,
        modifier: Modifier,
        fulfiller: Fulfiller,
        sales: Sales,
        account: OwnAccount,
        clock: Clock,
        project_key: str,
    ) -> None:
        self._payments = payments
        self._commercetools = commercetools
        self._recorder = recorder
        self._modifier = modifier
        self._fulfiller = fulfiller
        self._sales = sales
        self._account = account
        self._clock = clock
        self._project_key = project_key

    async def attempt_failed(self, event: Event) -> EventEffect:
        """Record that an attempt failed, and cancel a payment that its order no longer needs."""
        effect = await self._payments.record(event, INTENT)
        if effect in (EventEffect.STORED, EventEffect.ALREADY) and _can_be_paid_again(event):
            await self._fulfiller.cancel_if_not_needed(event.metadata.get(PAYMENT_ID, ""))
        return effect

    async def session_completed(self, event: Event) -> EventEffect:
        """Record what a payment page has brought, and fulfil its order once that is paid."""
        return await self._apply(event, failed=False)

    async def session_failed(self, event: Event) -> EventEffect:
        """Record that a payment page is over, and let its order fail unless it is paid."""
        return await self._apply(event, failed=True)

    async def _apply(self, event: Event, *, failed: bool) -> EventEffect:
        metadata = event.metadata
        payment_id, sale = metadata.get(PAYMENT_ID, ""), sale_named(metadata)
        if metadata.get(PROJECT_KEY) != self._project_key or not is_id(payment_id):
            return EventEffect.FOREIGN
        if sale == SaleProof():
            return EventEffect.FOREIGN
        session = convert(event.object, _Session)
        context.note(payment=payment_id, order=sale.order_id, cart=sale.cart_id)
        try:
            payment = await self._commercetools.get_payment(payment_id)
        except NotFound as error:
            if self._clock.time() - event.created < ORPHAN_AFTER_S:
                raise BackendUnavailable("The payment of this event is not there yet.") from error
            return EventEffect.ORPHAN
        if payment.interface_id is not None and event.intent_id not in (
            None,
            payment.interface_id,
        ):
            return EventEffect.FOREIGN  # its metadata name a payment that has another intent
        if (await self._account.ours()).other_owner(payment) is not None:
            return EventEffect.FOREIGN  # or one of another account or mode
        recorded = await self._record(event, session, payment)
        await self._modifier.after_record(recorded)
        if not failed:
            await self._sales.fulfil(recorded, metadata)
        elif sale.order_id is not None and not _closed_early(event, session):
            with perhaps_gone(sale):
                await self._fulfiller.fail_order(sale.order_id, recorded)
        return EventEffect.ALREADY if recorded.version == payment.version else EventEffect.STORED

    async def _record(self, event: Event, session: _Session, payment: Payment) -> Payment:
        if event.intent_id is not None:
            return await self._recorder.sync_intent(payment, event.intent_id, cause_of(event))
        if event.type == _EXPIRED:
            expired = ExpiredSessionFact(session.id)
            return await self._recorder.record_facts(payment, [expired], cause_of(event))
        return payment


def _can_be_paid_again(event: Event) -> bool:
    """Whether an attempt failed long after the shopper left, as a voucher or a debit does."""
    if not is_id(event.metadata.get(PAYMENT_ID, "")):
        return False
    error = event.object.get("last_payment_error")
    method = error.get("payment_method") if isinstance(error, dict) else None
    return isinstance(method, dict) and method.get("type") != "card"


def _closed_early(event: Event, session: _Session) -> bool:
    """Whether a session ended before its time: then we or the merchant ended it, no shopper.

    `expires_at` is when Stripe ends it by itself; before that only a call does
    (https://docs.stripe.com/api/checkout/sessions/expire).
    """
    expired = event.type == _EXPIRED
    return expired and session.expires_at is not None and event.created < session.expires_at
