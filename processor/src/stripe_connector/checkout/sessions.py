"""Checkout Sessions of an order or cart: one that can be paid, whoever asks how often.

Each session has its own Payment on it, under the key `{order or cart id}_{n}`, which is also
Stripe's idempotency key. Until the shopper confirms there is no intent, so the session's id stands
on the Payment's Authorization: it is written there before the answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import UNSET, Struct

from stripe_connector import context
from stripe_connector.checkout.line_items import checkout_lines
from stripe_connector.checkout.locales import stripe_locale
from stripe_connector.checkout.orders import amount_due, latest_payment, number, processing
from stripe_connector.concurrency import both
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentRefused,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import PaymentDraft, PaymentMethodInfoDraft
from stripe_connector.gateways.commercetools.orders import Order, Payable
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import CheckoutSession
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeAmountPlanned,
    TransactionDraft,
)
from stripe_connector.ledger.facts import (
    CART_ID,
    CUSTOMER_ID,
    ORDER_ID,
    PAYMENT_ID,
    PROJECT_KEY,
    ExpiredSessionFact,
)
from stripe_connector.ledger.payment import Payment, Reference, TransactionState
from stripe_connector.ledger.stripe_objects import OPEN
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments import attempts, intents
from stripe_connector.payments.customers import Customers
from stripe_connector.payments.limits import kept
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.settings import Settings

FLOW = "ct_flow"
BUY_NOW = "buy_now"
"""Metadata of a session whose cart becomes an order once it is paid."""

_TRIES = 4
_LEAST = timedelta(minutes=29, seconds=30)
"""Stripe wants half an hour between making a session and its end, to which a minute is added."""

UiMode = Literal["hosted_page", "embedded_page", "elements"]
"""Where the shopper pays: on Stripe's page, in a frame of the shop's, in the shop's own form."""


class PaymentSession(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a storefront needs in order to let the shopper pay."""

    id: str
    url: str | None = None
    """Stripe's page; None in the other modes."""
    client_secret: str | None = None
    """For Stripe.js; None on Stripe's page."""


class Landing(Struct, frozen=True):
    """Where Stripe's page leads to; `success` may contain {CHECKOUT_SESSION_ID}."""

    success: str
    cancel: str
    ui_mode: UiMode = "hosted_page"

    def params(self) -> dict[str, str]:
        """As Stripe takes it: in the shop's own page there is nothing to go back from."""
        if self.ui_mode == "hosted_page":
            return {
                "ui_mode": self.ui_mode,
                "success_url": self.success,
                "cancel_url": self.cancel,
            }
        return {"ui_mode": self.ui_mode, "return_url": self.success}


class Sessions:
    """Opens, reuses, replaces and expires the Checkout Sessions of orders and carts."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        mover: Mover,
        customers: Customers,
        account: OwnAccount,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._mover = mover
        self._customers = customers
        self._account = account
        self._settings = settings
        self._resumable = timedelta(minutes=settings.checkout_session_minutes) - _LEAST

    async def open(self, order_id: str, landing: Landing | None = None) -> PaymentSession:
        """The order's open session; the same for the same order, a new one after a change.

        `landing` is the storefront's unless given; a session that is open keeps its own.
        Raises NotFound, Conflict where the order is paid, cancelled or being paid, InvalidRequest
        where Stripe cannot take its total.
        """
        for _ in range(_TRIES):
            order = await self._commercetools.order(order_id)
            if order.order_state == "Cancelled":
                raise Conflict("The order is cancelled.")
            if order.payment_state == "Paid":
                raise Conflict("The order is paid already.", code="AlreadyPaid")
            if order.gross_total.cent_amount == 0:
                return PaymentSession(f"free_{order.id}", self.landing(order.id).success)
            due = await self._due(order)
            session = await self._once(order, due, landing or self.landing(order.id))
            if session is not None:
                return PaymentSession(session.id, session.url, session.client_secret)
        raise BackendUnavailable("The order is being changed by others, try again.", retry_after=1)

    def landing(self, order_id: str, ui_mode: UiMode = "hosted_page") -> Landing:
        """The storefront's pages for an order."""
        pages = f"{self._settings.storefront_url}/order"
        return Landing(
            f"{pages}/success?orderId={order_id}",
            f"{pages}/canceled?orderId={order_id}",
            ui_mode,
        )

    async def open_for_cart(self, cart_id: str, landing: Landing) -> PaymentSession:
        """The open session of a cart that is ordered once it is paid.

        Raises NotFound, Conflict where the cart is ordered or being paid, InvalidRequest where
        Stripe cannot take its total.
        """
        for _ in range(_TRIES):
            cart = await self._commercetools.payable_cart(cart_id)
            if cart.cart_state != "Active":
                raise Conflict("The cart cannot be paid any more.", code="CartOrdered")
            if cart.gross_total.cent_amount == 0:
                raise InvalidRequest("There is nothing to pay.", code="NothingToPay")
            session = await self._once(cart, await self._due(cart), landing)
            if session is not None:
                return PaymentSession(session.id, session.url, session.client_secret)
        raise BackendUnavailable("The cart is being changed by others, try again.", retry_after=1)

    async def _due(self, order: Payable) -> Money:
        """What the page asks for; raises Conflict where that is nothing."""
        due = amount_due(order, await self._account.ours())
        if due.cent_amount > 0:
            return due
        if processing(order):
            raise Conflict("The payment is being processed.", code="PaymentProcessing")
        raise Conflict("It is paid already.", code="AlreadyPaid")

    async def _once(self, order: Payable, due: Money, landing: Landing) -> CheckoutSession | None:
        """One try; None where the order or cart must be read again."""
        latest = latest_payment(order, await self._account.ours())
        if latest is None:
            return await self._new(order, due, 1, landing)
        if latest.session_id is not None:
            session = await self._stripe.session(latest.session_id)
            if session.intent_id is not None:
                # The shopper was faster than the webhook: record it, then look at the order again.
                await self._recorder.intent(latest, session.intent_id)
                return None
            return await self._still_open(due, latest, session, landing)
        if latest.interface_id is not None:
            return await self._attempted(order, due, latest, latest.interface_id, landing)
        if latest.of_type("Authorization"):
            # Expired, or never came to be.
            return await self._new(order, due, number(latest) + 1, landing)
        return await self._new(order, due, number(latest), landing)  # its start was cut off

    async def _attempted(
        self, order: Payable, due: Money, latest: Payment, intent_id: str, landing: Landing
    ) -> CheckoutSession | None:
        """The shopper has tried to pay; after a refusal the same page may still be open."""
        current = await self._recorder.intent(latest, intent_id)
        if current.version != latest.version:
            return None
        if current.total("Authorization", "Pending"):
            raise Conflict("The payment is being processed.", code="PaymentProcessing")
        if kept(current) > 0:
            raise Conflict("The order is paid already.", code="AlreadyPaid")
        session = await self._stripe.session_of_intent(intent_id)
        if session is not None and session.status == "open":
            return await self._still_open(due, latest, session, landing)
        if session is None and current.payment_status.interface_code in OPEN:
            # An intent of the shop's own page, which could be paid beside the session.
            await self._mover.withdraw(current)
            return None
        return await self._new(order, due, number(latest) + 1, landing)

    async def _still_open(
        self, due: Money, latest: Payment, session: CheckoutSession, landing: Landing
    ) -> CheckoutSession | None:
        """An unpaid session: the order's, unless it is over or the order has changed."""
        if session.status == "open":
            if _matches(session, due) and session.ui_mode == landing.ui_mode:
                return session
            session = await self._expire(session)
        if session.status == "expired":
            await self._recorder.facts(latest, [ExpiredSessionFact(session.id)])
        return None

    async def _new(
        self, order: Payable, due: Money, n: int, landing: Landing
    ) -> CheckoutSession | None:
        """A Payment with its session; resumes what an earlier request left half done."""
        payment = await self._payment(order, due, f"{order.id}_{n}")
        context.note(payment=payment.id)
        if payment.transactions or payment.interface_id is not None:
            await self._attach(order, payment)
            return None  # somebody else was faster: look at theirs
        customer = await self._customers.known(order.customer_id) if order.customer_id else None
        params = self._params(order, due, payment, landing, customer)
        session, _ = await both(self._session(payment, params), self._attach(order, payment))
        if session is None:
            return None
        payment = await self._authorization(payment, due, "Initial", session.id)
        if payment.session_id != session.id:
            await self._expire(session)  # another request has given this Payment up meanwhile
            return None
        # Otherwise Stripe counts as we do not, or this is the session of an earlier request, which
        # is over or had another order before it.
        return session if session.status == "open" and _matches(session, due) else None

    def _params(
        self,
        order: Payable,
        due: Money,
        payment: Payment,
        landing: Landing,
        customer: str | None,
    ) -> dict[str, Any]:
        ties = {PAYMENT_ID: payment.id, PROJECT_KEY: self._settings.ctp_project_key}
        name = order.id
        if isinstance(order, Order):
            ties[ORDER_ID] = order.id
            if order.cart is not None:
                ties[CART_ID] = order.cart.id
            name = order.order_number or order.id
        else:
            ties |= {CART_ID: order.id, FLOW: BUY_NOW}
        lines = checkout_lines(order, number=name, due=due, locale=order.locale)
        if order.customer_id is not None:
            ties[CUSTOMER_ID] = order.customer_id
        params: dict[str, Any] = {
            "mode": "payment",
            **landing.params(),
            "line_items": lines.params(),
            "client_reference_id": order.id,
            "locale": stripe_locale(order.locale),
            **self._expiry(payment),
            # Nothing may let Stripe change the total.
            "adaptive_pricing": {"enabled": False},
            "metadata": ties,
            "payment_intent_data": {
                "capture_method": self._settings.stripe_capture_method,
                "metadata": ties,
            },
        }
        if customer is not None:
            params["customer"] = customer
        elif order.customer_email:
            params["customer_email"] = order.customer_email
        return params

    def _expiry(self, payment: Payment) -> dict[str, int]:
        """In Unix seconds; the same for every request that makes the session of this Payment."""
        if payment.created_at is None:
            return {}
        started = datetime.fromisoformat(payment.created_at).timestamp()
        # A minute more than asked for: Stripe wants half an hour from when it hears of it.
        return {"expires_at": int(started) + (self._settings.checkout_session_minutes + 1) * 60}

    async def _payment(self, order: Payable, due: Money, key: str) -> Payment:
        draft = PaymentDraft(
            key=key,
            amount_planned=due.draft(),
            payment_method_info=PaymentMethodInfoDraft(self._settings.payment_interface),
            customer=Reference("customer", order.customer_id) if order.customer_id else UNSET,
        )
        return await self._commercetools.create_payment(draft)

    async def _session(self, payment: Payment, params: dict[str, Any]) -> CheckoutSession | None:
        """The Payment's one session; None where there can be none."""
        if self._recorder.older_than(self._resumable, payment):
            # Too late for the time at which it was to expire.
            return await self._made_before(payment)
        try:
            return await attempts.create(
                lambda key: self._stripe.create_session(params, key),
                lambda: self._stripe.find_session(payment.id, intents.since(payment.created_at)),
                payment.key or payment.id,
            )
        except NotFound:
            if "customer" not in params:
                raise
            # Deleted at Stripe: the shopper pays as a guest.
            guest = {name: value for name, value in params.items() if name != "customer"}
            return await self._session(payment, guest)
        except PaymentRefused as refusal:
            await self._authorization(payment, payment.amount_planned, "Failure", None)
            raise InvalidRequest(refusal.message, code=refusal.code) from refusal

    async def _made_before(self, payment: Payment) -> CheckoutSession | None:
        """The session that an earlier request made; without one the Payment is given up."""
        found = await self._stripe.find_session(payment.id, intents.since(payment.created_at))
        if found is None:
            await self._authorization(payment, payment.amount_planned, "Failure", None)
        return found

    async def _authorization(
        self, payment: Payment, due: Money, state: TransactionState, session_id: str | None
    ) -> Payment:
        """Write down what became of the Payment's session, unless somebody has."""

        async def compute(current: Payment) -> Sequence[Action]:
            if current.transactions:
                return []
            plan = [ChangeAmountPlanned(due.draft())] if current.amount_planned != due else []
            return [
                *plan,
                AddTransaction(
                    TransactionDraft(
                        "Authorization",
                        due.draft(),
                        state,
                        session_id or UNSET,
                        self._recorder.now(),
                    )
                ),
            ]

        return await self._recorder.update(payment, compute)

    async def _expire(self, session: CheckoutSession) -> CheckoutSession:
        """The session after the attempt to end it: the shopper may have paid meanwhile."""
        try:
            return await self._stripe.expire_session(session.id)
        except PaymentRefused:
            return await self._stripe.session(session.id)

    async def _attach(self, order: Payable, payment: Payment) -> None:
        if any(reference.id == payment.id for reference in order.payment_info.payments):
            return
        if isinstance(order, Order):
            await self._commercetools.add_payment_to_order(order.id, order.version, payment.id)
        else:
            await self._commercetools.add_payment_to_cart(order.id, order.version, payment.id)


def _matches(session: CheckoutSession, due: Money) -> bool:
    return (session.amount_total, (session.currency or "").upper()) == (
        to_stripe(due),
        due.currency_code,
    )
