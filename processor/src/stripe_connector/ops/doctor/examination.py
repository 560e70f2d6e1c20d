"""All checks of a deployment, with gateways constructed as the processor's are."""

from __future__ import annotations

from stripe_connector.assembly import commercetools_gateway, stripe_administration
from stripe_connector.gateways.commercetools.administration import CommercetoolsAdministration
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.ops.doctor import settings_checks
from stripe_connector.ops.doctor.checks import Check
from stripe_connector.ops.doctor.commercetools_checks import CommercetoolsChecks
from stripe_connector.ops.doctor.payment_checks import PaymentChecks
from stripe_connector.ops.doctor.processor_checks import ProcessorChecks
from stripe_connector.ops.doctor.stripe_checks import StripeChecks
from stripe_connector.ops.doctor.type_checks import TypeChecks
from stripe_connector.ops.doctor.webhook_checks import WebhookChecks
from stripe_connector.settings import Settings


def all_checks(settings: Settings, outgoing: Outgoing) -> list[Check]:
    """In the order of the report; a check comes after those that it needs."""
    commercetools = commercetools_gateway(CommercetoolsAdministration, settings, outgoing)
    stripe, browser = (
        stripe_administration(key, settings, outgoing)
        for key in (settings.stripe_secret_key, settings.stripe_publishable_key)
    )
    return [
        *settings_checks.settings_checks(settings),
        *CommercetoolsChecks(settings, commercetools, outgoing).all(),
        *TypeChecks(settings, commercetools).all(),
        *StripeChecks(settings, stripe, browser).all(),
        *ProcessorChecks(settings, outgoing).all(),
        *WebhookChecks(settings, stripe, outgoing.clock).all(),
        *PaymentChecks(commercetools, outgoing.clock).all(),
    ]
