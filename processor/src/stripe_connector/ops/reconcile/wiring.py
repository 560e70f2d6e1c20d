"""The parts of the connector that a run needs, put together over outgoing clients of its own."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.app import APP_INFO
from stripe_connector.checkout.events import CheckoutEvents
from stripe_connector.checkout.fulfil import Fulfiller
from stripe_connector.checkout.fulfil_cart import CartFulfiller
from stripe_connector.checkout.place_order import Orders
from stripe_connector.gateways.commercetools.history import CommercetoolsHistory
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.gateways.stripe.history import StripeHistory
from stripe_connector.ledger.payment import Payment
from stripe_connector.payments.customers import Customers
from stripe_connector.payments.events import EventHandler
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored_methods import StoredMethods
from stripe_connector.settings import Settings


class Parts(Struct, frozen=True):
    """Gateways and use cases; what is written through them is what a webhook would write."""

    commercetools: CommercetoolsHistory
    stripe: StripeHistory
    recorder: Recorder
    mover: Mover
    stored_methods: StoredMethods
    fulfiller: Fulfiller
    carts: CartFulfiller
    events: CheckoutEvents


class _Bystander(Modifier):
    """Records like the processor, and does nothing about it: a run moves no money."""

    async def after_record(self, payment: Payment) -> None:
        """What our rules demand is left to the processor and to people."""


def parts(settings: Settings, to_commercetools: Outgoing, to_stripe: Outgoing) -> Parts:
    """Everything over these two; whether anything can be written is up to them."""
    clock = to_commercetools.clock
    commercetools = CommercetoolsHistory(
        project_key=settings.ctp_project_key,
        api_url=settings.ctp_api_url,
        auth_url=settings.ctp_auth_url,
        session_url=settings.ctp_session_url,
        checkout_url=settings.ctp_checkout_url,
        client_id=settings.ctp_client_id,
        client_secret=settings.ctp_client_secret,
        payment_interface=settings.payment_interface,
        outgoing=to_commercetools,
    )
    stripe = StripeHistory(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        outgoing=to_stripe,
        app_info=APP_INFO,
    )
    recorder = Recorder(
        commercetools, stripe, clock, keep_interactions=settings.stripe_interface_interactions
    )
    mover = Mover(
        stripe,
        recorder,
        clock,
        project_key=settings.ctp_project_key,
        repeat_window_s=settings.stripe_repeat_window_s,
    )
    modifier = _Bystander(
        commercetools,
        stripe,
        recorder,
        mover,
        payment_interface=settings.payment_interface,
        multiple_captures=settings.stripe_enable_multi_operations,
        mismatch_action="hold",
    )
    stored_methods = StoredMethods(
        commercetools,
        stripe,
        recorder,
        interface_account=settings.stored_payment_methods_interface_account,
    )
    fulfiller = Fulfiller(
        commercetools,
        recorder,
        modifier,
        mover,
        clock,
        payment_interface=settings.payment_interface,
        cancel_unpaid=settings.checkout_cancel_unpaid_orders,
    )
    orders = Orders(commercetools, settings, clock)
    carts = CartFulfiller(
        commercetools, stripe, orders, fulfiller, payment_interface=settings.payment_interface
    )
    events = EventHandler(
        commercetools,
        stripe,
        recorder,
        modifier,
        stored_methods,
        Customers(commercetools, stripe, settings),
        clock,
        settings.ctp_project_key,
    )
    return Parts(
        commercetools,
        stripe,
        recorder,
        mover,
        stored_methods,
        fulfiller,
        carts,
        CheckoutEvents(
            events,
            commercetools,
            recorder,
            modifier,
            fulfiller,
            carts,
            clock,
            settings.ctp_project_key,
        ),
    )
