"""Reads the environment into one validated value, and reports all problems at once.

`groups` declares every variable once; parsing, validation, `docs/configuration.md` and the
deployment manifest's tests all follow from that declaration.
"""

from stripe_connector.settings.declaration import Variable
from stripe_connector.settings.groups import (
    IGNORED,
    Environment,
    LogLevel,
    Market,
    MismatchAction,
)
from stripe_connector.settings.loading import (
    GROUPS,
    ConfigurationError,
    Settings,
    load_settings,
    variables,
)
from stripe_connector.settings.stripe_options import (
    BehaviorRule,
    CaptureMethod,
    CollectBillingAddress,
    FutureUsage,
    PaymentFlow,
)

__all__ = [
    "GROUPS",
    "IGNORED",
    "BehaviorRule",
    "CaptureMethod",
    "CollectBillingAddress",
    "ConfigurationError",
    "Environment",
    "FutureUsage",
    "LogLevel",
    "Market",
    "MismatchAction",
    "PaymentFlow",
    "Settings",
    "Variable",
    "load_settings",
    "variables",
]
