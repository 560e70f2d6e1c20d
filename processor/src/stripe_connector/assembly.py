"""Constructs gateways and use cases, for the processor and for commands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from stripe_connector import __version__
from stripe_connector.clock import Clock
from stripe_connector.concurrency import Pace
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.outgoing import HttpClient, Outgoing, create_http_client
from stripe_connector.gateways.paced import PacedOutgoing
from stripe_connector.gateways.stripe import Stripe
from stripe_connector.gateways.stripe.administration import StripeAdministration
from stripe_connector.gateways.stripe.sdk import AppInfo
from stripe_connector.payments.cart_payments import CartPayments
from stripe_connector.payments.confirm import Confirmer
from stripe_connector.payments.covered import CoveredSales
from stripe_connector.payments.elements import Elements
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.offer import Offer
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.payment_events import PaymentEvents
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.start import Starter
from stripe_connector.payments.stored.charging import Transactions
from stripe_connector.payments.stored.customer_methods import CustomerMethods
from stripe_connector.payments.stored.customers import Customers
from stripe_connector.payments.stored.method_records import StoredMethods
from stripe_connector.payments.stored.off_session import OffSession
from stripe_connector.settings import Settings
from stripe_connector.storefront.cart_guard import CartGuard
from stripe_connector.storefront.catalogue import Storefront
from stripe_connector.storefront.checkout_sessions import CheckoutSessions
from stripe_connector.storefront.events import Events
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.fulfil_cart import CartFulfiller
from stripe_connector.storefront.page_events import PageEvents
from stripe_connector.storefront.page_opening import PageOpener
from stripe_connector.storefront.payment_links import PaymentLinks
from stripe_connector.storefront.place_order import Orders
from stripe_connector.storefront.purchases import BuyNow
from stripe_connector.storefront.sales import Sales

if TYPE_CHECKING:
    from stripe_connector.gateways.commercetools.administration import CommercetoolsAdministration

APP_INFO = AppInfo(name="stripe-connector", version=__version__, url=None, partner_id=None)
"""The connector's name in Stripe's logs."""

C = TypeVar("C", bound="Commercetools | CommercetoolsAdministration")
S = TypeVar("S", bound=Stripe)


class UseCases(Struct, frozen=True):
    """What records and what follows from it: for the processor, and for reconcile."""

    recorder: Recorder
    mover: Mover
    modifier: Modifier
    customers: Customers
    stored_methods: StoredMethods
    orders: Orders
    fulfiller: Fulfiller
    carts: CartFulfiller
    sales: Sales
    events: Events
    account: OwnAccount


class RequestUseCases(Struct, frozen=True):
    """What only requests ask for."""

    elements: Elements
    methods: CustomerMethods
    transactions: Transactions
    starter: Starter
    confirmer: Confirmer
    pages: CheckoutSessions
    links: PaymentLinks | None
    buy_now: BuyNow
    storefront: Storefront
    cart_guard: CartGuard


@asynccontextmanager
async def outgoing_of_command() -> AsyncIterator[Outgoing]:
    """The outgoing client of a command, closed when the command ends."""
    async with aclosing(create_http_client()) as client:
        yield Outgoing(client, Clock())


def paced_outgoing(client: HttpClient, clock: Clock, pace: Pace, *, may_write: bool) -> Outgoing:
    """A rate-limited outgoing client, which refuses writes unless `may_write`."""
    return PacedOutgoing(client, clock, pace, may_write=may_write)


def stripe_administration(key: str, settings: Settings, outgoing: Outgoing) -> StripeAdministration:
    """A read-only gateway with the given key, secret or publishable."""
    return StripeAdministration(api_key=key, api_base=settings.stripe_api_base, outgoing=outgoing)


def commercetools_gateway(kind: type[C], settings: Settings, outgoing: Outgoing) -> C:
    """A gateway of the given class to the configured project."""
    return kind(
        project_key=settings.ctp_project_key,
        api_url=settings.ctp_api_url,
        auth_url=settings.ctp_auth_url,
        session_url=settings.ctp_session_url,
        checkout_url=settings.ctp_checkout_url,
        client_id=settings.ctp_client_id,
        client_secret=settings.ctp_client_secret,
        payment_interface=settings.payment_interface,
        outgoing=outgoing,
    )


def stripe_gateway(kind: type[S], settings: Settings, outgoing: Outgoing) -> S:
    """A gateway of the given class to the account of the configured key."""
    return kind(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        outgoing=outgoing,
        app_info=APP_INFO,
    )


def use_cases(
    settings: Settings,
    commercetools: Commercetools,
    stripe: Stripe,
    clock: Clock,
    *,
    modifier: type[Modifier] = Modifier,
    observe_mismatch: Callable[[], None] = lambda: None,
    observe_order_failed: Callable[[], None] = lambda: None,
    observe_job_refused: Callable[[], None] = lambda: None,
    observe_waiting: Callable[[str, bool], None] = lambda _type, _lapses: None,
) -> UseCases:
    """All use cases over these two gateways; `modifier` decides what follows from a record."""
    account = OwnAccount(commercetools, stripe, settings)
    recorder = Recorder(
        commercetools,
        stripe,
        account,
        commercetools.clock,
        keep_interactions=settings.stripe_interface_interactions,
        observe_mismatch=observe_mismatch,
    )
    mover = Mover(
        stripe,
        recorder,
        OffSession(stripe, recorder, settings.ctp_project_key),
        commercetools.clock,
        project_key=settings.ctp_project_key,
        repeat_window_s=settings.stripe_repeat_window_s,
        observe_waiting=observe_waiting,
    )
    modifying = modifier(
        stripe,
        recorder,
        mover,
        account,
        multiple_captures=settings.stripe_enable_multi_operations,
        mismatch_action=settings.stripe_mismatch_action,
        order_failed_action=settings.order_failed_action,
    )
    customers = Customers(commercetools, stripe, settings, clock)
    stored_methods = StoredMethods(
        commercetools,
        stripe,
        recorder,
        interface_account=settings.stored_payment_methods_interface_account,
        observe_refused=observe_job_refused,
    )
    orders = Orders(commercetools, settings, clock)
    fulfiller = Fulfiller(
        commercetools,
        recorder,
        modifying,
        mover,
        account,
        clock,
        cancel_unpaid=settings.checkout_cancel_unpaid_orders,
    )
    carts = CartFulfiller(
        commercetools,
        stripe,
        orders,
        fulfiller,
        recorder,
        modifying,
        account,
        observe_failed=observe_order_failed,
    )
    sales = Sales(commercetools, modifying, fulfiller, carts)
    payment_events = PaymentEvents(
        commercetools,
        stripe,
        recorder,
        modifying,
        stored_methods,
        customers,
        account,
        clock,
        settings.ctp_project_key,
        sales.fulfil,
    )
    page_events = PageEvents(
        payment_events,
        commercetools,
        recorder,
        modifying,
        fulfiller,
        sales,
        account,
        clock,
        settings.ctp_project_key,
    )
    return UseCases(
        recorder,
        mover,
        modifying,
        customers,
        stored_methods,
        orders,
        fulfiller,
        carts,
        sales,
        Events(payment_events, page_events, account),
        account,
    )


def request_use_cases(
    settings: Settings,
    commercetools: Commercetools,
    stripe: Stripe,
    clock: Clock,
    does: UseCases,
) -> RequestUseCases:
    """The use cases that only requests need, over the same gateways."""
    recorder, mover, account = does.recorder, does.mover, does.account
    offer = Offer(stripe, clock, settings)
    methods = CustomerMethods(
        commercetools, stripe, does.customers, does.stored_methods, offer, settings
    )
    pages = CheckoutSessions(
        commercetools,
        stripe,
        recorder,
        mover,
        PageOpener(commercetools, stripe, recorder, does.customers, account, settings),
        does.fulfiller,
        does.carts,
        account,
        clock,
        settings,
    )
    return RequestUseCases(
        elements=Elements(commercetools, account, offer, settings),
        methods=methods,
        transactions=Transactions(
            commercetools, recorder, mover, methods, account, settings, clock
        ),
        starter=Starter(
            commercetools,
            stripe,
            recorder,
            mover,
            CartPayments(commercetools, stripe, recorder, settings.ctp_project_key),
            does.customers,
            methods,
            CoveredSales(recorder, mover, does.modifier),
            account,
            offer,
            settings,
        ),
        confirmer=Confirmer(
            commercetools, stripe, recorder, does.modifier, account, settings.ctp_project_key
        ),
        pages=pages,
        links=_payment_links(settings, clock),
        buy_now=BuyNow(
            commercetools,
            stripe,
            pages,
            does.fulfiller,
            does.carts,
            does.orders,
            account,
            settings,
        ),
        storefront=Storefront(commercetools, settings, clock),
        cart_guard=CartGuard(
            commercetools,
            account,
            customers_need_token=settings.live_mode or settings.storefront_secret is not None,
        ),
    )


def _payment_links(settings: Settings, clock: Clock) -> PaymentLinks | None:
    if settings.checkout_link_secret is None or settings.connect_service_url is None:
        return None
    return PaymentLinks(
        settings.checkout_link_secret,
        clock,
        base_url=settings.connect_service_url,
        valid_for=timedelta(hours=settings.checkout_link_hours),
    )
