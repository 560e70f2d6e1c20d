"""Stripe through its SDK, on the connector's own HTTP client."""

from stripe_connector.gateways.stripe import sdk_alone  # noqa: F401 - before any other
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.gateways.stripe.errors import (
    KEY_SPENT,
    FailureReplayed,
    IdempotencyKeyInUse,
    IdempotencyMismatch,
    PermissionMissing,
    StripeRefused,
    StripeUnavailable,
)
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import StripeCustomer, StripePaymentMethod

__all__ = [
    "API_VERSION",
    "KEY_SPENT",
    "FailureReplayed",
    "IdempotencyKeyInUse",
    "IdempotencyMismatch",
    "PermissionMissing",
    "Stripe",
    "StripeCustomer",
    "StripePaymentMethod",
    "StripeRefused",
    "StripeUnavailable",
]
