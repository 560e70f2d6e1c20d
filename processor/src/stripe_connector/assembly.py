"""Gateways and use cases put together: for the processor, and for commands that work like it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from stripe_connector.payments.events import EventHandler
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.customers import Customers
from stripe_connector.payments.stored.method_records import StoredMethods
from stripe_connector.settings import Settings
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.fulfil_cart import CartFulfiller
from stripe_connector.storefront.page_events import CheckoutEvents
from stripe_connector.storefront.place_order import Orders
from stripe_connector.storefront.sales import Sales

if TYPE_CHECKING:
    from stripe_connector.gateways.commercetools.administration import CommercetoolsAdministration

APP_INFO = AppInfo(name="stripe-connector", version=__version__, url=None, partner_id=None)
"""How Stripe's logs name the connector."""

C = TypeVar("C", bound="Commercetools | CommercetoolsAdministration")
S = TypeVar("S", bound=Stripe)


class UseCases(Struct, frozen=True):
    """What follows from an event of Stripe's, part by part."""

    recorder: Recorder
    mover: Mover
    modifier: Modifier
    customers: Customers
    stored_methods: StoredMethods
    orders: Orders
    fulfiller: Fulfiller
    carts: CartFulfiller
    sales: Sales
    events: CheckoutEvents
    account: OwnAccount


@asynccontextmanager
async def outgoing_of_command() -> AsyncIterator[Outgoing]:
    """The way out of a command, closed with it."""
    async with create_http_client() as client:
        yield Outgoing(client, Clock())


def paced_outgoing(client: HttpClient, clock: Clock, pace: Pace, *, may_write: bool) -> Outgoing:
    """A way out at a pace, which refuses writes unless `may_write`."""
    return PacedOutgoing(client, clock, pace, may_write=may_write)


def stripe_administration(key: str, settings: Settings, outgoing: Outgoing) -> StripeAdministration:
    """What one of the keys, secret or publishable, may read."""
    return StripeAdministration(api_key=key, api_base=settings.stripe_api_base, outgoing=outgoing)


def commercetools_gateway(kind: type[C], settings: Settings, outgoing: Outgoing) -> C:
    """A gateway of any kind to the project that the settings name."""
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
    """A gateway of any kind to the account of the settings' key."""
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
    observe_waiting: Callable[[str, bool], None] = lambda _type, _lapses: None,
) -> UseCases:
    """Everything over these two gateways; `modifier` decides what follows from a record."""
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
        commercetools.clock,
        project_key=settings.ctp_project_key,
        repeat_window_s=settings.stripe_repeat_window_s,
        observe_waiting=observe_waiting,
    )
    modifying = modifier(
        commercetools,
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
    events = EventHandler(
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
    checkout_events = CheckoutEvents(
        events,
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
        checkout_events,
        account,
    )
