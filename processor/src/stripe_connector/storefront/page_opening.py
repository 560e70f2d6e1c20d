"""Opens one payment page: creates its Payment and its Checkout Session.

Each session has its own Payment, created under the key `{order or cart id}_{n}`. The merchant may
change the key, so Stripe's idempotency key contains the Payment's id. Until the shopper confirms
there is no intent, so the session's id is recorded on the Payment's Authorization before we answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from stripe_connector import context
from stripe_connector.concurrency import both
from stripe_connector.errors import InvalidRequest, NotFound, PaymentRefused
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import (
    Cart,
    PaymentDraft,
    PaymentMethodInfoDraft,
)
from stripe_connector.gateways.commercetools.orders import Order, Payable
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import CheckoutSession
from stripe_connector.ledger import due as dues
from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeAmountPlanned,
    TransactionDraft,
)
from stripe_connector.ledger.payment import Payment, Reference, TransactionState
from stripe_connector.ledger.proof import SaleProof, sale_of
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments import attempts, intents
from stripe_connector.payments.comfort import EMAIL, fitting, without_refused
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.customers import Customers
from stripe_connector.settings import Settings
from stripe_connector.storefront.session_params import Landing, session_params

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import CheckoutSessionCreateParams

_LEAST = timedelta(minutes=29, seconds=30)
"""Stripe requires half an hour between a session's creation and its end; a minute is added."""


class PageRequest(Struct, frozen=True):
    """The page that a caller requests."""

    landing: Landing
    shows_customer: bool = True
    """False where the caller may not be the shopper: the page then has no data of theirs."""
    by_link: bool = False
    """A payment link of ours: it may replace a page of another mode."""


class PageOpener:
    """Creates Payments for pages, and their sessions."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        customers: Customers,
        account: OwnAccount,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._customers = customers
        self._account = account
        self._settings = settings
        self._resumable = timedelta(minutes=settings.checkout_session_minutes) - _LEAST

    async def attach_payment(self, sale: Payable, due: Money, n: int) -> Payment:
        """The Payment of the n-th page, on the order or cart; a new one has no page yet."""
        payment = await self._create_payment(sale, due, n)
        await self._commercetools.add_payment(sale, payment.id)
        return payment

    async def open(
        self,
        sale: Payable,
        due: Money,
        n: int,
        request: PageRequest,
        begun: Payment | None = None,
    ) -> CheckoutSession | None:
        """The n-th page; `begun` is its Payment where an earlier request left it without a page.

        None where the order or cart must be read again.
        """
        payment = begun or await self._create_payment(sale, due, n)
        context.note(payment=payment.id)
        if payment.transactions or payment.interface_id is not None:
            await self._commercetools.add_payment(sale, payment.id)
            return None  # another request was faster: use its page
        customer, email = await self._shopper(sale, request)
        params = session_params(
            sale, due, payment, request.landing, self._settings, customer=customer, email=email
        )
        session, now = await both(
            self._create_session(payment, params),
            self._commercetools.add_payment(sale, payment.id),
        )
        if session is None:
            return None
        payment = await self._authorize(payment, due, "Initial", session.id)
        if payment.session_id != session.id:
            await self._expire(session)  # another request has given this Payment up meanwhile
            return None
        # Otherwise Stripe's total differs from ours, or the session of an earlier request has ended
        # or was for an earlier state of the order.
        if session.status != "open" or not matches(session, due):
            return None
        # Our own write recalculated the cart's prices; at another price, its page is replaced.
        return session if await self._still_due(now, due) else None

    async def _shopper(self, sale: Payable, request: PageRequest) -> tuple[str | None, str | None]:
        """Stripe's customer and the e-mail address, as far as the page may show them."""
        if not request.shows_customer:
            return None, None
        customer = await self._customers.find_known(sale.customer_id) if sale.customer_id else None
        return customer, fitting(sale.customer_email, EMAIL)

    async def _create_payment(self, sale: Payable, due: Money, n: int) -> Payment:
        is_order = isinstance(sale, Order)
        page_of = SaleProof(sale.id) if is_order else SaleProof(cart_id=sale.id)
        ours = await self._account.ours()
        draft = PaymentDraft(
            key=f"{sale.id}_{n}",
            amount_planned=due.draft(),
            payment_method_info=PaymentMethodInfoDraft(
                ours.payment_interface, interface_account=ours.interface_account or UNSET
            ),
            interface_interactions=[ours.proof.interaction(), page_of.interaction()],
            customer=Reference("customer", sale.customer_id) if sale.customer_id else UNSET,
        )
        payment = await self._recorder.create_payment(draft)
        if ours.includes(payment):
            return payment
        # Of another account or mode, and not on the order or cart: its number is taken.
        return await self._create_payment(sale, due, n + 1)

    async def _create_session(
        self, payment: Payment, params: CheckoutSessionCreateParams
    ) -> CheckoutSession | None:
        """The Payment's one session; None where there can be none."""
        if self._recorder.older_than(self._resumable, payment):
            # Its planned expiry is too close for Stripe.
            return await self._find_session(payment)
        try:
            return await attempts.create(
                lambda key: without_refused(self._stripe.create_checkout_session, params, key),
                lambda: self._stripe.find_checkout_session(
                    payment.id, intents.since(payment.created_at)
                ),
                _idempotency_key(payment),
            )
        except NotFound:
            if "customer" not in params:
                raise
            # Deleted at Stripe: the shopper pays as a guest.
            guest = params.copy()
            del guest["customer"]
            return await self._create_session(payment, guest)
        except PaymentRefused as refusal:
            await self._authorize(payment, payment.amount_planned, "Failure", None)
            raise InvalidRequest(refusal.message, code=refusal.code) from refusal

    async def _find_session(self, payment: Payment) -> CheckoutSession | None:
        """The session that an earlier request created; without one the Payment is given up."""
        found = await self._stripe.find_checkout_session(
            payment.id, intents.since(payment.created_at)
        )
        if found is None:
            await self._authorize(payment, payment.amount_planned, "Failure", None)
        return found

    async def _authorize(
        self, payment: Payment, due: Money, state: TransactionState, session_id: str | None
    ) -> Payment:
        """Record the Payment's session, or that there is none, unless another request has."""

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

    async def _expire(self, session: CheckoutSession) -> None:
        try:
            await self._stripe.expire_checkout_session(session.id)
        except PaymentRefused:
            return  # it has ended already

    async def _still_due(self, sale: Payable | Cart, asked: Money) -> bool:
        return dues.due(sale.gross_total, sale.payments, await self._account.ours()) == asked


def _idempotency_key(payment: Payment) -> str:
    """The idempotency key of a Payment's page: independent of the Payment's key.

    Version 0.1.0, which recorded no sale, used the Payment's own key.
    """
    if sale_of(payment) == SaleProof():
        return payment.key or payment.id
    return f"{payment.id}:page"


def matches(session: CheckoutSession, due: Money) -> bool:
    """Whether a page's amount is what is due now."""
    asked = (session.amount_total, (session.currency or "").upper())
    return asked == (to_stripe(due), due.currency_code)
