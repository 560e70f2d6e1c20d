"""Start a payment: one open intent per cart, for any number of requests.

The Payment is created first, under a key that only one of several requests can take; its id is in
the intent's metadata from the first call, and the intent's id is in the Payment before the answer.
Starting again returns the same intent, updated to the current cart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from stripe_connector import context
from stripe_connector.concurrency import Tries, both
from stripe_connector.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools, locked
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentMethod,
    Session,
)
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger import due as dues
from stripe_connector.ledger.actions import ChangeAmountPlanned
from stripe_connector.ledger.facts import intent_fact
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.series import next_number, started_here
from stripe_connector.ledger.stripe_objects import OPEN, PaymentIntent
from stripe_connector.money import Money
from stripe_connector.payments import intents
from stripe_connector.payments.amounts import cart_amount_due, require_due
from stripe_connector.payments.asked import Express, MethodGone, UnusableMethod, Wish
from stripe_connector.payments.behaviour import Behaviour, behaviour_of
from stripe_connector.payments.cart_payments import CartPayments, is_over
from stripe_connector.payments.covered import CoveredSales
from stripe_connector.payments.limits import processing_amount
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.offer import MethodChoice, Offer
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.shopper import Shopper, read_session_and_cart
from stripe_connector.payments.stored.customer_methods import CustomerMethods, customer_of
from stripe_connector.payments.stored.customers import CustomerClaim, Customers
from stripe_connector.settings import Settings

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import IntentCreateParams

_IMPOSSIBLE_AMOUNTS = frozenset({"amount_too_large", "amount_too_small"})
_MOVED_ON = "payment_intent_unexpected_state"


class _Choice(Struct, frozen=True):
    """The same, once the stored method is known to be the customer's."""

    store: bool = False
    stored: PaymentMethod | None = None
    component: str | None = None


class Started(Struct, frozen=True):
    """A payment that the shopper can confirm now."""

    payment: Payment
    intent: PaymentIntent
    cart: Cart
    behaviour: Behaviour
    session: Session
    methods: MethodChoice


class _Wanted(Struct, frozen=True):
    """One try of a request, with the cart as read for it."""

    session: Session
    cart: Cart
    ours: Ours
    due: Money
    behaviour: Behaviour
    methods: MethodChoice
    express: Express | None
    choice: _Choice


class Starter:
    """Starts payments for the carts of sessions."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        mover: Mover,
        payments: CartPayments,
        customers: Customers,
        methods: CustomerMethods,
        covered: CoveredSales,
        account: OwnAccount,
        offer: Offer,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._mover = mover
        self._payments = payments
        self._customers = customers
        self._methods = methods
        self._covered = covered
        self._account = account
        self._offer = offer
        self._settings = settings

    async def start(
        self,
        shopper: Shopper,
        wish: Wish,
        express: Express | None = None,
    ) -> Started:
        """The open payment of the shopper's cart, made or brought up to date.

        Raises Conflict for a cart that is ordered already, whose payment is being processed or for
        which no payment method is left,
        InvalidRequest where nothing is due or Stripe cannot take the amount or the chosen method,
        of which UnusableMethod and MethodGone are about that method.
        """
        if wish.store or wish.stored:
            self._methods.require_enabled()
        (session, cart), record = await both(
            read_session_and_cart(shopper, self._commercetools, self._account, self._offer),
            self._methods.find(wish.stored),
        )
        choice = _Choice(component=wish.component)
        if wish.stored is not None:
            choice = _Choice(stored=self._methods.require_usable(cart, record, wish.stored))
        elif wish.store:
            customer_of(cart)
            choice = _Choice(store=True, component=wish.component)
        tries = Tries("The cart")
        while True:
            if cart.cart_state not in ("Active", "Frozen"):
                raise Conflict(f"The cart is {cart.cart_state.lower()} and cannot be paid.")
            if cart.lock is not None:
                raise locked()
            self._require_no_charge(cart)
            await self._account.require_may_sell()
            ours = await self._account.ours()
            if not await self._settles(cart, ours):
                due = await self._require_due(session, cart, ours)
                behaviour = behaviour_of(cart, self._settings, store=choice.store)
                methods = await self._choose(session, behaviour, choice)
                wanted = _Wanted(session, cart, ours, due, behaviour, methods, express, choice)
                started = await self._once(wanted)
                if started is not None:
                    return started
            await tries.again()
            cart = await self._commercetools.get_cart(cart.id)

    async def _choose(
        self, session: Session, behaviour: Behaviour, choice: _Choice
    ) -> MethodChoice:
        """Raises Conflict where no method is left, UnusableMethod for a stored one that is not."""
        methods = await self._offer.choose(session.metadata, behaviour, choice.component)
        if choice.stored is not None:
            types = await self._offer.allowed_types(methods)
            if types is not None and choice.stored.method not in types:
                raise UnusableMethod(choice.stored.id)
        return methods

    async def _require_due(self, session: Session, cart: Cart, ours: Ours) -> Money:
        """The amount due; where nothing is due, open payments of the cart are closed first."""
        metadata = session.metadata
        if cart_amount_due(cart, metadata, ours).cent_amount == 0:
            total = dues.due(
                cart.gross_total, [], ours, elsewhere=metadata.gift_card_planned_amount
            )
            await self._covered.close(total, cart.payments, ours)
        return require_due(cart, metadata, ours)

    def _require_no_charge(self, cart: Cart) -> None:
        """Raises Conflict while a stored method may be charged for the cart."""
        for payment in cart.payments:
            if self._mover.find_running_charge(payment) is not None:
                raise _in_process(payment)

    async def _settles(self, cart: Cart, ours: Ours) -> bool:
        """Whether an attempt that is recorded as processing has ended at Stripe.

        Raises Conflict where it has not: its amount is neither due nor paid.
        """
        _, latest = _latest_payment(cart, ours)
        if latest is None or latest.interface_id is None or not processing_amount(latest):
            return False
        latest = await self._recorder.sync_intent(latest, latest.interface_id)
        if processing_amount(latest):
            raise _in_process(latest)
        return True

    async def _once(self, wanted: _Wanted) -> Started | None:
        """One try; None where the cart must be read again."""
        cart = wanted.cart
        number, latest = _latest_payment(cart, wanted.ours)
        if latest is not None and latest.session_id is not None:
            # A payment page is open: it must be closed before another way to pay opens.
            latest = await self._recorder.sync_checkout_session(latest, latest.session_id)
            if latest.session_id is not None:
                await self._mover.cancel_open(latest)
            return None
        following = next_number(cart.payments, wanted.ours)
        if latest is None or is_over(latest):
            return await self._new(wanted, following)
        if latest.interface_id is None:
            return await self._new(wanted, number, latest)
        try:
            intent, customer = await both(
                self._stripe.get_intent(latest.interface_id), self._known_customer(wanted)
            )
        except NotFound:
            # Keys were exchanged since, or test data was deleted: that one cannot be paid here.
            await self._payments.give_up(latest)
            return await self._new(wanted, following)
        pending = intent_fact(intent).authorization == "Pending"
        if intent.status in OPEN and not pending:
            desired = self._params(wanted, wanted.due, customer)
            return await self._brought_up(wanted, latest, intent, desired)
        latest = await self._recorder.sync_intent(latest, intent.id)
        if pending:
            raise _in_process(latest)
        if intent.status == "canceled":
            return await self._new(wanted, following)
        if any(known.version == latest.version for known in cart.payments if known.id == latest.id):
            # Already recorded, and a rest is due: it is a payment of its own.
            return await self._new(wanted, following)
        return None

    async def _new(
        self, wanted: _Wanted, number: int, begun: Payment | None = None
    ) -> Started | None:
        """A Payment with its intent; `begun` is a Payment that an earlier request left without one.

        The Stripe customer that the shopper's profile names is verified while the intent is
        created as a guest's: an intent never gets an unverified customer.
        """
        cart, due = wanted.cart, wanted.due
        payment, claim = await both(self._created(wanted, number, begun), self._claim(wanted))
        if not wanted.ours.includes(payment):
            # Of another account or mode, and not on the cart: its number is taken.
            return await self._new(wanted, number + 1)
        context.note(payment=payment.id, cart=cart.id)
        if payment.interface_id is not None or is_over(payment):
            await self._commercetools.add_payment(cart, payment.id)
            return None  # another request was faster: look at its intent
        params = self._params(wanted, payment.amount_planned, claim.stripe_id if claim else None)
        if claim is None or not claim.proven:
            params = intents.for_guest(params)
        (made, now), customer = await both(
            both(
                self._payments.create_intent(cart, payment, params),
                self._commercetools.add_payment(cart, payment.id),
            ),
            self._customer(wanted, claim),
        )
        if made is None:
            return None
        context.note(intent=made.id)
        if not self._offer.fits(made, wanted.methods):
            # Another request was faster, for other methods: two intents must not be payable.
            payment = await self._payments.link(payment, made)
            if payment.interface_id == made.id:
                await self._payments.supersede(payment, made)
            return None
        params = self._params(wanted, payment.amount_planned, customer)
        try:
            payment, intent = await both(
                self._payments.link(payment, made),
                self._payments.update_intent(payment, made, cart, params),
            )
        except (NotFound, PaymentRefused):
            return None  # for example with another customer: it is linked now, and updated below
        if payment.interface_id != intent.id or payment.amount_planned != due:
            return None  # linked or changed by another request meanwhile
        self._require_no_charge(now)
        if cart_amount_due(now, wanted.session.metadata, wanted.ours) != due:
            return await self._repriced(wanted, now, payment, intent, customer)
        return _started(replace(wanted, cart=now), payment, intent)

    async def _repriced(
        self,
        before: _Wanted,
        cart: Cart,
        payment: Payment,
        intent: PaymentIntent,
        customer: str | None,
    ) -> Started | None:
        """The same intent at the price after our own write, which added the Payment to the cart.

        commercetools takes prices, discounts, taxes and shipping anew at every update of a cart
        (release note of 12 September 2018, https://docs.commercetools.com/release-notes). Where
        nothing that Stripe can charge is left, or Stripe refuses, no client secret is answered.
        """
        try:
            due = require_due(cart, before.session.metadata, before.ours)
        except InvalidRequest:
            await self._payments.supersede(payment, intent)
            raise
        behaviour = behaviour_of(cart, self._settings, store=before.choice.store)
        methods = await self._choose(before.session, behaviour, before.choice)
        wanted = replace(before, cart=cart, due=due, behaviour=behaviour, methods=methods)
        return await self._brought_up(wanted, payment, intent, self._params(wanted, due, customer))

    async def _created(self, wanted: _Wanted, number: int, begun: Payment | None) -> Payment:
        if begun is not None:
            return begun  # the merchant may have changed its key since
        metadata = wanted.session.metadata
        return await self._payments.create(wanted.cart, number, wanted.due, wanted.ours, metadata)

    async def _brought_up(
        self, wanted: _Wanted, payment: Payment, intent: PaymentIntent, desired: IntentCreateParams
    ) -> Started | None:
        """The open intent with the current amount: Stripe first, then the plan in the Payment."""
        due = wanted.due
        context.note(payment=payment.id, cart=wanted.cart.id, intent=intent.id)
        if intent.currency.upper() != due.currency_code:
            # An intent in the old currency can still be paid: cancel it before creating another.
            await self._payments.supersede(payment, intent)
            return None
        if not self._offer.fits(intent, wanted.methods):
            # Its methods cannot be chosen anew either.
            await self._payments.supersede(payment, intent)
            return None
        try:
            intent = await self._payments.update_intent(payment, intent, wanted.cart, desired)
        except NotFound as error:
            if "payment_method" in desired:
                raise MethodGone from error
            if desired.get("customer") in (None, intent.customer):
                raise
            guest = intents.for_guest(desired)
            return await self._brought_up(wanted, payment, intent, guest)
        except PaymentRefused as refusal:
            same_customer = intent.customer in (None, desired.get("customer"))
            method = desired.get("payment_method") not in (None, intent.payment_method)
            if refusal.code in _IMPOSSIBLE_AMOUNTS or (
                method and same_customer and refusal.code != _MOVED_ON
            ):
                raise InvalidRequest(refusal.message, code=refusal.code) from refusal
            if refusal.code != _MOVED_ON:
                # For example another customer: only a new intent can have what this one refuses.
                await self._payments.supersede(payment, intent)
            return None  # otherwise its status changed meanwhile: read again
        if payment.amount_planned == due:
            return _started(wanted, payment, intent)
        try:
            payment = await self._commercetools.update_payment(
                payment, [ChangeAmountPlanned(due.draft())]
            )
        except Conflict:
            return None
        return _started(wanted, payment, intent)

    async def _claim(self, wanted: _Wanted) -> CustomerClaim | None:
        """The Stripe customer of the intent, as the shopper's profile names it."""
        customer_id, choice, express = wanted.cart.customer_id, wanted.choice, wanted.express
        chosen = choice.store or choice.stored is not None
        if not chosen and express is not None and not express.with_customer:
            return None
        return await self._customers.claim(customer_id) if customer_id else None

    async def _customer(self, wanted: _Wanted, claim: CustomerClaim | None) -> str | None:
        """The same customer, verified."""
        if wanted.choice.store:
            # Without a customer, no method could be stored.
            return await self._customers.get_or_create(wanted.cart, claim)
        return await self._customers.proven(claim) if claim is not None else None

    async def _known_customer(self, wanted: _Wanted) -> str | None:
        return await self._customer(wanted, await self._claim(wanted))

    def _params(self, wanted: _Wanted, due: Money, customer: str | None) -> IntentCreateParams:
        stored = wanted.choice.stored
        if stored is not None and customer is None:
            raise MethodGone
        return intents.intent_params(
            wanted.cart,
            due,
            wanted.behaviour,
            wanted.methods,
            customer=customer,
            payment_method=stored.token_value if stored else None,
            with_shipping=wanted.express is None,
            multiple_captures=self._settings.stripe_enable_multi_operations,
        )


def _started(wanted: _Wanted, payment: Payment, intent: PaymentIntent) -> Started:
    return Started(payment, intent, wanted.cart, wanted.behaviour, wanted.session, wanted.methods)


def _latest_payment(cart: Cart, ours: Ours) -> tuple[int, Payment | None]:
    """The cart's last payment that was started here, and its number."""
    started = started_here(cart.payments, ours)
    return started[-1] if started else (0, None)


def _in_process(payment: Payment) -> Conflict:
    return Conflict(
        "The payment of this cart is being processed.",
        code="PaymentProcessing",
        fields={"paymentReference": payment.id},
    )
