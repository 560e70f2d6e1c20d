"""Constructs the parts of the connector that a run needs, over its own outgoing clients."""

from __future__ import annotations

from msgspec import Struct

from stripe_connector.assembly import commercetools_gateway, stripe_gateway, use_cases
from stripe_connector.gateways.commercetools.history import CommercetoolsHistory
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.gateways.stripe.history import StripeHistory
from stripe_connector.ledger.payment import Payment
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.stored.method_records import StoredMethods
from stripe_connector.settings import Settings
from stripe_connector.storefront.events import Events
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.fulfil_cart import CartFulfiller


class Parts(Struct, frozen=True):
    """Gateways and use cases, which write what a webhook would write."""

    commercetools: CommercetoolsHistory
    stripe: StripeHistory
    recorder: Recorder
    mover: Mover
    stored_methods: StoredMethods
    fulfiller: Fulfiller
    carts: CartFulfiller
    events: Events
    account: OwnAccount


class _RecordingModifier(Modifier):
    """Records like the processor and moves no money."""

    async def after_record(self, payment: Payment) -> None:
        """Do nothing: actions of our rules are left to the processor and to people."""


def reconcile_parts(settings: Settings, to_commercetools: Outgoing, to_stripe: Outgoing) -> Parts:
    """All use cases over these two clients, which decide whether anything can be written."""
    commercetools = commercetools_gateway(CommercetoolsHistory, settings, to_commercetools)
    stripe = stripe_gateway(StripeHistory, settings, to_stripe)
    does = use_cases(
        settings, commercetools, stripe, to_commercetools.clock, modifier=_RecordingModifier
    )
    return Parts(
        commercetools,
        stripe,
        does.recorder,
        does.mover,
        does.stored_methods,
        does.fulfiller,
        does.carts,
        does.events,
        does.account,
    )
