"""Start a payment: one open intent per cart, whoever asks how often.

The Payment is created first, under a key that only one of several callers can take; its id is in
the intent's metadata from the first call, and the intent's id is in the Payment before the answer.
Starting again returns the same intent, brought up to the cart as it is now.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Sequence
from typing import Any

from msgspec import UNSET, Struct

from stripe_connector import context
from stripe_connector.concurrency import both
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentDraft,
    PaymentMethodInfoDraft,
    Session,
)
from stripe_connector.gateways.stripe.errors import IdempotencyMismatch, StripeUnavailable
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeAmountPlanned,
    SetInterfaceId,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
    TransactionDraft,
)
from stripe_connector.ledger.facts import intent_fact
from stripe_connector.ledger.operation import KEY_LIFETIME
from stripe_connector.ledger.payment import Payment, Reference
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments import intents
from stripe_connector.payments.amounts import require_due
from stripe_connector.payments.behaviour import Behaviour, behaviour_of
from stripe_connector.payments.customers import Customers
from stripe_connector.payments.limits import processing
from stripe_connector.payments.record import Recorder
from stripe_connector.settings import Settings

FAILED = "failed"
"""Status code of a Payment for which Stripe refused to make an intent, or whose intent is lost."""

_TRIES = 4
_IMPOSSIBLE_AMOUNTS = frozenset({"amount_too_large", "amount_too_small"})
_OPEN = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})


class Express(Struct, frozen=True):
    """How an express checkout differs: the wallet brings the address, the customer is optional."""

    with_customer: bool


class Started(Struct, frozen=True):
    """A payment that the shopper can confirm now."""

    payment: Payment
    intent: PaymentIntent
    cart: Cart
    behaviour: Behaviour


class Starter:
    """Starts payments for the carts of sessions."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        customers: Customers,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._customers = customers
        self._settings = settings

    async def start(self, session: Session, cart: Cart, express: Express | None = None) -> Started:
        """The cart's open payment, made or brought up to date.

        Raises Conflict for a cart that is ordered already or whose payment is being processed,
        InvalidRequest where nothing is due or Stripe cannot take the amount.
        """
        for _ in range(_TRIES):
            if cart.cart_state not in ("Active", "Frozen"):
                raise Conflict(f"The cart is {cart.cart_state.lower()} and cannot be paid.")
            if not await self._settles(cart):
                due = require_due(cart, session.metadata)
                started = await self._once(session, cart, due, express)
                if started is not None:
                    return started
            cart = await self._commercetools.cart(cart.id)
        raise BackendUnavailable("The cart is being changed by others, try again.", retry_after=1)

    async def _settles(self, cart: Cart) -> bool:
        """Whether an attempt that counted as being processed has ended, as Stripe says.

        Raises Conflict where it has not: what it may bring is neither due nor paid.
        """
        latest = self._latest(cart)
        if latest is None or latest.interface_id is None or not processing(latest):
            return False
        latest = await self._recorder.intent(latest, latest.interface_id)
        if processing(latest):
            raise _in_process(latest)
        return True

    async def _once(
        self, session: Session, cart: Cart, due: Money, express: Express | None
    ) -> Started | None:
        """One try; None where the cart must be read again."""
        behaviour = behaviour_of(cart, self._settings)
        latest = self._latest(cart)
        if latest is None or latest.payment_status.interface_code == FAILED:
            number = _number(latest) + 1 if latest else 1
            return await self._new(session, cart, due, behaviour, express, number)
        if latest.interface_id is None:
            return await self._new(session, cart, due, behaviour, express, _number(latest))
        intent, customer = await both(
            self._stripe.intent(latest.interface_id), self._customer(cart, express)
        )
        if intent.status in _OPEN:
            desired = self._params(cart, due, behaviour, express, customer)
            return await self._brought_up(latest, intent, cart, due, behaviour, desired)
        latest = await self._recorder.intent(latest, intent.id)
        if intent.status == "processing":
            raise _in_process(latest)
        if intent.status == "canceled":
            return await self._new(session, cart, due, behaviour, express, _number(latest) + 1)
        if latest.version == self._latest_version(cart, latest):
            # Recorded before, and still something is due: the rest is a payment of its own.
            return await self._new(session, cart, due, behaviour, express, _number(latest) + 1)
        return None

    async def _new(
        self,
        session: Session,
        cart: Cart,
        due: Money,
        behaviour: Behaviour,
        express: Express | None,
        number: int,
    ) -> Started | None:
        """A Payment with its intent; resumes what an earlier request left half done."""
        to_stripe(due)
        payment, customer = await both(
            self._payment(session, cart, due, f"{cart.id}_{number}"),
            self._customer(cart, express),
        )
        context.note(payment=payment.id)
        if payment.interface_id is not None or payment.payment_status.interface_code == FAILED:
            await self._on_cart(cart, payment)
            return None  # somebody else was faster: look at theirs
        params = self._params(cart, payment.amount_planned, behaviour, express, customer)
        intent, _ = await both(self._intent(cart, payment, params), self._on_cart(cart, payment))
        if intent is None:
            return None
        payment = await self._linked(payment, intent)
        if payment.interface_id != intent.id or payment.amount_planned != due:
            return None  # linked or changed by somebody else meanwhile
        return Started(payment, intent, cart, behaviour)

    async def _payment(self, session: Session, cart: Cart, due: Money, key: str) -> Payment:
        draft = PaymentDraft(
            key=key,
            amount_planned=due.draft(),
            payment_method_info=PaymentMethodInfoDraft(self._settings.payment_interface),
            customer=Reference("customer", cart.customer_id) if cart.customer_id else UNSET,
            anonymous_id=(cart.anonymous_id or UNSET) if cart.customer_id is None else UNSET,
            checkout_transaction_item_id=session.metadata.checkout_transaction_item_id or UNSET,
        )
        return await self._commercetools.create_payment(draft)

    async def _intent(
        self, cart: Cart, payment: Payment, params: dict[str, Any]
    ) -> PaymentIntent | None:
        """The Payment's one intent; None where the Payment changed or can have none."""
        metadata = intents.metadata(
            self._settings.ctp_project_key, cart, payment.id, context.correlation_id()
        )
        if self._recorder.older_than(KEY_LIFETIME, payment):
            # Stripe may have forgotten the key of an earlier try, so this one would be a second.
            found = await self._stripe.find_intent(payment.id, intents.since(payment))
            if found is not None:
                return found
        try:
            return await self._stripe.create_intent(
                {**params, "metadata": metadata}, f"{payment.id}:start"
            )
        except (IdempotencyMismatch, StripeUnavailable) as error:
            if isinstance(error, StripeUnavailable) and not error.replayed:
                raise
            # The key is used up: by an earlier request whose cart differed or whose id we do not
            # carry, or by an error that Stripe will repeat for as long as it knows the key.
            current = await self._commercetools.payment(payment.id)
            if current.interface_id is not None:
                return None
            found = await self._stripe.find_intent(payment.id, intents.since(payment))
            if found is None:
                await self._failed(payment, "lost", "No intent could be made for it.")
            return found
        except NotFound:
            if "customer" not in params:
                raise
            # The customer was deleted at Stripe: the shopper pays as a guest.
            return await self._intent(cart, payment, intents.for_guest(params))
        except PaymentRefused as refusal:
            await self._failed(payment, refusal.code, refusal.message)
            raise InvalidRequest(refusal.message, code=refusal.code) from refusal

    async def _failed(self, payment: Payment, code: str, message: str) -> None:
        """Record a Payment without intent as failed, so that the next start takes a new one."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.interface_id is not None or current.payment_status.interface_code == FAILED:
                return []
            return [
                AddTransaction(
                    TransactionDraft(
                        "Authorization",
                        current.amount_planned.draft(),
                        "Failure",
                        timestamp=self._recorder.now(),
                    )
                ),
                SetStatusInterfaceCode(FAILED),
                SetStatusInterfaceText(f"{message} ({code})"),
            ]

        await self._recorder.update(payment, compute)

    async def _on_cart(self, cart: Cart, payment: Payment) -> None:
        if all(reference.id != payment.id for reference in cart.payment_info.payments):
            await self._commercetools.add_payment_to_cart(cart.id, cart.version, payment.id)

    async def _linked(self, payment: Payment, intent: PaymentIntent) -> Payment:
        async def compute(current: Payment) -> Sequence[Action]:
            return [SetInterfaceId(intent.id)] if current.interface_id is None else []

        return await self._recorder.update(payment, compute)

    async def _brought_up(
        self,
        payment: Payment,
        intent: PaymentIntent,
        cart: Cart,
        due: Money,
        behaviour: Behaviour,
        desired: dict[str, Any],
    ) -> Started | None:
        """The open intent with today's amount: Stripe first, then the plan in the Payment."""
        context.note(payment=payment.id)
        if intent.currency.upper() != due.currency_code:
            # An intent of the old currency can still be paid: it must go before a new one comes.
            await self._supersede(payment, intent)
            return None
        changes = intents.changes(intent, desired)
        if changes:
            try:
                intent = await self._stripe.update_intent(
                    intent.id, changes, _once_only(payment, "update")
                )
            except NotFound:
                if "customer" not in changes:
                    raise
                guest = intents.for_guest(desired)
                return await self._brought_up(payment, intent, cart, due, behaviour, guest)
            except PaymentRefused as refusal:
                if refusal.code in _IMPOSSIBLE_AMOUNTS:
                    raise InvalidRequest(refusal.message, code=refusal.code) from refusal
                if refusal.code != "payment_intent_unexpected_state":
                    # Such as another customer: only another intent can have what this one refuses.
                    await self._supersede(payment, intent)
                return None  # else it has moved on meanwhile: look again
        if payment.amount_planned == due:
            return Started(payment, intent, cart, behaviour)
        try:
            payment = await self._commercetools.update_payment(
                payment, [ChangeAmountPlanned(due.draft())]
            )
        except Conflict:
            return None
        return Started(payment, intent, cart, behaviour)

    async def _supersede(self, payment: Payment, intent: PaymentIntent) -> None:
        try:
            canceled = await self._stripe.cancel_intent(intent.id, _once_only(payment, "supersede"))
        except PaymentRefused:
            return
        await self._recorder.facts(payment, [intent_fact(canceled)])

    async def _customer(self, cart: Cart, express: Express | None) -> str | None:
        if cart.customer_id is None or (express is not None and not express.with_customer):
            return None
        return await self._customers.known(cart.customer_id)

    def _params(
        self,
        cart: Cart,
        due: Money,
        behaviour: Behaviour,
        express: Express | None,
        customer: str | None,
    ) -> dict[str, Any]:
        return intents.params(
            cart,
            due,
            behaviour,
            customer=customer,
            with_shipping=express is None,
            multiple_captures=self._settings.stripe_enable_multi_operations,
        )

    def _latest(self, cart: Cart) -> Payment | None:
        """The cart's last payment that was started here."""
        ours = [
            payment
            for payment in cart.payments
            if payment.payment_method_info.payment_interface == self._settings.payment_interface
            and _number(payment)
        ]
        return max(ours, key=_number, default=None)

    def _latest_version(self, cart: Cart, payment: Payment) -> int:
        return next(known.version for known in cart.payments if known.id == payment.id)


def _once_only(payment: Payment, operation: str) -> str:
    """A key for what may be repeated anyway: Stripe must not answer it from memory.

    An intent that went from one amount to another and back would keep the wrong one, and a failure
    that Stripe stored would come back for a day.
    """
    return f"{payment.id}:{operation}:{uuid.uuid4()}"


def _in_process(payment: Payment) -> Conflict:
    return Conflict(
        "The payment of this cart is being processed.",
        code="PaymentProcessing",
        fields={"paymentReference": payment.id},
    )


def _number(payment: Payment | None) -> int:
    """The n of the key `{cart id}_{n}`; 0 for a payment that was not started here."""
    match = re.search(r"_(\d+)$", payment.key or "") if payment else None
    return int(match.group(1)) if match else 0
