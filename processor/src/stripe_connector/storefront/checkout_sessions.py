"""Opens and replaces Checkout Sessions of an order or cart: only one page can be paid at a time.

A page is replaced where the total has changed, where it has ended, or where a payment link
requests it, in steps that the next request continues after a crash: add the successor's Payment to
the order, mark the old one, expire the old page, check whether it was paid, open the new page. So
two pages can never be paid, and the order's last Payment is never one that we have closed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from stripe_connector.clock import Clock
from stripe_connector.concurrency import Tries
from stripe_connector.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    TooManyRequests,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.orders import Order, Payable
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import CheckoutSession
from stripe_connector.ledger.due import covered_amount
from stripe_connector.ledger.facts import ExpiredSessionFact
from stripe_connector.ledger.merge import AMOUNT_MISMATCH
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ledger.series import is_page_of, next_number, started_here
from stripe_connector.ledger.stripe_objects import OPEN
from stripe_connector.money import Money, chargeable
from stripe_connector.payments.limits import kept_amount
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.settings import Settings
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.fulfil_cart import CartFulfiller
from stripe_connector.storefront.order_state import (
    is_payable,
    is_processing,
    order_amount_due,
)
from stripe_connector.storefront.page_opening import PageOpener, PageRequest, matches
from stripe_connector.storefront.session_params import Landing, UiMode

PAGE_OPEN = "page_open"
"""Code of the refusal to replace a page because the caller requests another mode."""

_HOUR = timedelta(hours=1)


class PaymentSession(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The data with which a storefront lets the shopper pay."""

    id: str
    url: str | None = None
    """Stripe's page; None in the other modes."""
    client_secret: str | None = None
    """For Stripe.js; None on Stripe's page."""


class _Asked(Struct, frozen=True):
    """One try of a request, with the order or cart as read for it."""

    sale: Payable
    due: Money
    request: PageRequest
    wait: int
    """Seconds until another page may be opened."""
    following: int
    """The number of the next Payment."""


class CheckoutSessions:
    """Opens, reuses and replaces the Checkout Sessions of orders and carts."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        mover: Mover,
        opener: PageOpener,
        fulfiller: Fulfiller,
        carts: CartFulfiller,
        account: OwnAccount,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._mover = mover
        self._opener = opener
        self._fulfiller = fulfiller
        self._carts = carts
        self._account = account
        self._clock = clock
        self._settings = settings

    async def open(
        self,
        order_id: str,
        ui_mode: UiMode = "hosted_page",
        *,
        landing: Landing | None = None,
        shows_customer: bool = True,
        by_link: bool = False,
    ) -> PaymentSession:
        """The order's open page; the same for the same order, a new one after a change.

        It leads to the storefront's pages in `ui_mode`, or to `landing`; a page that is open keeps
        its own landing. What else the caller says is explained at `PageRequest`.
        Raises NotFound, Conflict where the order is paid, cancelled, being paid or has an open
        page of another mode, InvalidRequest where Stripe cannot take its total, TooManyRequests.
        """
        landing = landing or self._landing(order_id, ui_mode)
        request = PageRequest(landing, shows_customer=shows_customer, by_link=by_link)
        tries = Tries("The order")
        while True:
            order = await self._commercetools.get_order(order_id)
            if order.order_state == "Cancelled":
                raise Conflict("The order is cancelled.")
            if order.payment_state == "Paid":
                raise Conflict("The order is paid already.", code="AlreadyPaid")
            if order.gross_total.cent_amount == 0:
                return PaymentSession(f"free_{order.id}", self._landing(order.id).success)
            session = await self._once(order, request)
            if session is not None:
                return PaymentSession(session.id, session.url, session.client_secret)
            await tries.again()

    def _landing(self, order_id: str, ui_mode: UiMode = "hosted_page") -> Landing:
        """The storefront's pages for an order."""
        pages = f"{self._settings.storefront_url}/order"
        return Landing(
            f"{pages}/success?orderId={order_id}",
            f"{pages}/canceled?orderId={order_id}",
            ui_mode,
        )

    async def open_for_cart(self, cart_id: str, landing: Landing) -> PaymentSession:
        """The open page of a cart, which is ordered once it is paid.

        Raises NotFound, Conflict where the cart is ordered, being paid or has an open page of
        another mode, InvalidRequest where Stripe cannot take its total, TooManyRequests.
        """
        tries = Tries("The cart")
        while True:
            cart = await self._commercetools.get_payable_cart(cart_id)
            if cart.cart_state != "Active":
                raise Conflict("The cart cannot be paid any more.", code="CartOrdered")
            if cart.gross_total.cent_amount == 0:
                raise InvalidRequest("There is nothing to pay.", code="NothingToPay")
            session = await self._once(cart, PageRequest(landing))
            if session is not None:
                return PaymentSession(session.id, session.url, session.client_secret)
            await tries.again()

    async def _once(self, sale: Payable, request: PageRequest) -> CheckoutSession | None:
        """One try; None where the order or cart must be read again."""
        await self._account.require_may_sell()
        ours = await self._account.ours()
        started = started_here(sale.payments, ours)
        payments = [payment for _, payment in started]
        for payment in payments:
            if await self._has_moved_on(payment):
                return None
        for payment in payments[:-1]:
            if await self._settles(sale, payment):
                return None
        if isinstance(sale, Order) and order_amount_due(sale, ours).cent_amount == 0:
            await self._fulfiller.fulfil(sale.id)  # a page that is still open is closed
        asked = _Asked(
            sale,
            _due(sale, ours),
            request,
            self._wait(sale, payments),
            next_number(sale.payments, ours),
        )
        if not payments:
            return await self._first(asked, asked.following)
        latest = payments[-1]
        if latest.session_id is not None:
            return await self._unconfirmed(asked, latest, latest.session_id)
        if latest.interface_id is not None:
            return await self._attempted(asked, latest, latest.interface_id)
        if latest.of_type("Authorization"):  # its page has ended, or was never created
            return await self._first(asked, asked.following)
        # A successor whose predecessors are closed by now, or an interrupted opening.
        return await self._opener.open(sale, asked.due, started[-1][0], request, latest)

    async def _first(self, asked: _Asked, n: int) -> CheckoutSession | None:
        """A page where none is open."""
        if asked.wait > 0:
            raise TooManyRequests(
                "Too many payment pages were opened for this order.", retry_after=asked.wait
            )
        return await self._opener.open(asked.sale, asked.due, n, asked.request)

    async def _unconfirmed(
        self, asked: _Asked, latest: Payment, session_id: str
    ) -> CheckoutSession | None:
        try:
            session = await self._stripe.get_checkout_session(session_id)
        except NotFound:
            # Created with keys of another account or mode, or deleted test data.
            await self._recorder.record_facts(latest, [ExpiredSessionFact(session_id)])
            return None
        if session.intent_id is not None:
            recorded = await self._recorder.sync_intent(latest, session.intent_id)
            if recorded.version != latest.version:
                return None  # the shopper was faster than the webhook: read the order again
            _require_no_money(recorded)
            # Begun and left, for example during 3-D Secure: the same page continues.
        return await self._still_open(asked, latest, session)

    async def _attempted(
        self, asked: _Asked, latest: Payment, intent_id: str
    ) -> CheckoutSession | None:
        """The page after the shopper has tried to pay; after a refusal it may still be open."""
        try:
            current = await self._recorder.sync_intent(latest, intent_id)
        except NotFound:
            # Created with keys of another account or mode, or deleted test data.
            return await self._first(asked, asked.following)
        if current.version != latest.version:
            return None
        if is_page_of(asked.sale.id, latest):
            self._require_rest(asked.sale, current)
        if kept_amount(current) > 0:  # it has brought a part: the rest is a page of its own
            return await self._first(asked, asked.following)
        session = await self._stripe.find_checkout_session_of_intent(intent_id)
        if session is not None and session.status == "open":
            return await self._still_open(asked, latest, session)
        if session is None and current.payment_status.interface_code in OPEN:
            # An intent of the shop's own page, which could be paid beside the session.
            await self._mover.cancel_open(current)
            return None
        return await self._first(asked, asked.following)

    async def _still_open(
        self, asked: _Asked, latest: Payment, session: CheckoutSession
    ) -> CheckoutSession | None:
        """An unpaid page: the order's, unless it has ended or the order has changed.

        It is never given up for what a caller chose. A changed total is no caller's choice where
        it is an order's; a cart's may be changed by anyone who knows its id.
        """
        if session.status != "open":
            if session.status == "expired":
                await self._recorder.record_facts(latest, [ExpiredSessionFact(session.id)])
            return None
        _require_showable(session, asked.request)
        if matches(session, asked.due):
            if session.ui_mode == asked.request.landing.ui_mode:
                return session
            if not asked.request.by_link:
                raise page_open(session)
            if asked.wait > 0:
                return session
        elif asked.wait > 0 and not isinstance(asked.sale, Order):
            raise TooManyRequests("Too many payment pages were opened.", retry_after=asked.wait)
        await self._opener.attach_payment(asked.sale, asked.due, asked.following)
        return None

    async def _has_moved_on(self, payment: Payment) -> bool:
        """Whether a payment that is recorded as processing is not processing at Stripe any more.

        Raises Conflict where it still is. Its event may have been lost.
        """
        if payment.interface_id is None or not payment.total("Authorization", "Pending"):
            return False
        current = await self._recorder.sync_intent(payment, payment.interface_id)
        if current.total("Authorization", "Pending"):
            raise Conflict("The payment is being processed.", code="PaymentProcessing")
        return True

    async def _settles(self, sale: Payable, earlier: Payment) -> bool:
        """Whether an earlier Payment had to be closed so that it cannot be paid any more.

        Raises Conflict where it was paid, and what it brought is not a part of an order's total.
        """
        if is_payable(earlier):
            await self._close(sale, earlier)
            return True
        if is_page_of(sale.id, earlier):
            self._require_rest(sale, earlier)
        return False

    def _require_rest(self, sale: Payable, page: Payment) -> None:
        """Raises Conflict where a page has brought money, unless its order may ask for the rest.

        An order whose total rose after its page was paid is asked for the difference. A cart is
        not, as any client that knows it may change it; nor is money asked for that is to go back.
        """
        if not isinstance(sale, Order) or page.total("Authorization", "Pending"):
            _require_no_money(page)
        elif (
            page.payment_status.interface_code == AMOUNT_MISMATCH
            and self._settings.stripe_mismatch_action == "reverse"
            and covered_amount(page, sale.gross_total.currency_code) > 0
        ):
            raise Conflict("The payment is being given back.", code="PaymentProcessing")

    async def _close(self, sale: Payable, page: Payment) -> None:
        """End a page that has a successor; raises Conflict where it was paid meanwhile.

        The mark comes before the call, so that an event that arrives in between finds it.
        """
        page = await self._recorder.mark_superseded(page)
        if page.session_id is None and page.interface_id is None:
            return  # another request has closed it since it was read
        try:
            await self._mover.cancel_open(page)
        except Conflict:
            pass  # confirmed just now
        except NotFound:
            if page.session_id is None:
                raise
            await self._recorder.record_facts(page, [ExpiredSessionFact(page.session_id)])
            return
        page = await self._fulfiller.sync_payment(await self._commercetools.get_payment(page.id))
        if kept_amount(page) <= 0 and not page.total("Authorization", "Pending"):
            return
        if isinstance(sale, Order):
            await self._fulfiller.fulfil(sale.id)
        else:
            await self._carts.fulfil(sale.id)
        _require_no_money(page)

    def _wait(self, sale: Payable, payments: Sequence[Payment]) -> int:
        """Seconds until another page may be opened; 0 if now. Counted by the Payments on the order,
        which all instances see."""
        now = self._clock.now()
        limit = self._settings.checkout_pages_per_order_per_hour
        opened = sorted(
            now - datetime.fromisoformat(payment.created_at)
            for payment in payments
            if payment.created_at is not None and is_page_of(sale.id, payment)
        )
        if len(opened) < limit or opened[limit - 1] >= _HOUR:
            return 0
        return math.ceil((_HOUR - opened[limit - 1]).total_seconds())


def _due(sale: Payable, ours: Ours) -> Money:
    """The amount of the page; raises Conflict where nothing is due."""
    due = order_amount_due(sale, ours)
    if due.cent_amount > 0:
        chargeable(due)
        return due
    if is_processing(sale):
        raise Conflict("The payment is being processed.", code="PaymentProcessing")
    raise Conflict("It is paid already.", code="AlreadyPaid")


def page_open(session: CheckoutSession) -> Conflict:
    """The error where a page of another mode is open, which the caller may use."""
    return Conflict(
        "A payment page of another mode is open.",
        code=PAGE_OPEN,
        fields={"id": session.id, "mode": session.ui_mode, "url": session.url},
    )


def _require_showable(session: CheckoutSession, request: PageRequest) -> None:
    """Raises NotFound where a page shows data of the shopper that the caller may not see."""
    if not request.shows_customer and (session.customer or session.customer_email):
        raise NotFound("The payment page was not found.")


def _require_no_money(payment: Payment) -> None:
    if payment.total("Authorization", "Pending"):
        raise Conflict("The payment is being processed.", code="PaymentProcessing")
    if kept_amount(payment) > 0:
        raise Conflict("The order is paid already.", code="AlreadyPaid")
