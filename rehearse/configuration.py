"""What the rehearsal needs of the environment; it refuses live keys, and tells all problems."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from msgspec import Struct

from stripe_connector.settings import ConfigurationError, Settings, load_settings, variables

_LIVE = ("sk_live", "rk_live", "pk_live")
_TEST_KEYS = {
    "STRIPE_SECRET_KEY": "sk_test_0000000000000000",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_0000000000000000",
}
_LEFT_OUT = ("PROXY_SECRET", "METRICS_TOKEN", "ALLOWED_HOSTS", "CHECKOUT_LINK_SECRET")
"""Settings that only a public processor needs."""
SIGNING_SECRET = f"whsec_{secrets.token_hex(16)}"
"""With which the rehearsal signs the events that it hands over itself."""
_WALK = {
    "STRIPE_WEBHOOK_SIGNING_SECRET": SIGNING_SECRET,
    "STRIPE_CAPTURE_METHOD": "automatic",
    "STRIPE_PAYMENT_BEHAVIOR_RULES": '{"GB":{"captureMethod":"manual"}}',
    "STRIPE_ENABLE_MULTI_OPERATIONS": "false",
    "BUY_NOW_ENABLED": "false",
}
"""What the walk relies on, whatever a deployment has set."""


class Walker(Struct, frozen=True):
    """Who plays storefront, Checkout and merchant."""

    client_id: str
    client_secret: str
    application_key: str | None = None


def configuration(environ: Mapping[str, str]) -> tuple[Settings, Walker]:
    """The settings of the real side; raises ConfigurationError with every problem."""
    live = [name for name in _TEST_KEYS if environ.get(name, "").strip(" '").startswith(_LIVE)]
    problems = [
        f"{name} is a live key. The rehearsal pays, refunds and cancels: it takes test keys only"
        " (sk_test_... or rk_test_..., and pk_test_...)."
        for name in live
    ]
    own = {name: environ.get(name, "").strip() for name in _OWN}
    if bool(own["REHEARSE_CLIENT_ID"]) != bool(own["REHEARSE_CLIENT_SECRET"]):
        problems.append(
            "REHEARSE_CLIENT_ID and REHEARSE_CLIENT_SECRET belong together: set both, or neither to"
            " walk with the processor's own API client."
        )
    settings: Settings | None = None
    try:
        # With a test key in its place, what else is missing is told without live mode's demands.
        settings = load_settings(walking({**environ, **{name: _TEST_KEYS[name] for name in live}}))
    except ConfigurationError as error:
        problems += error.problems
    if problems or settings is None:
        raise ConfigurationError(problems)
    walker = Walker(
        own["REHEARSE_CLIENT_ID"] or settings.ctp_client_id,
        own["REHEARSE_CLIENT_SECRET"] or settings.ctp_client_secret,
        own["REHEARSE_APPLICATION_KEY"] or None,
    )
    return settings, walker


def walking(environ: Mapping[str, str]) -> dict[str, str]:
    """A deployment's environment, changed as the walk needs it."""
    names = {name for each in variables() for name in (each.name, each.alias) if name}
    kept = {
        name: value for name, value in environ.items() if name in names and name not in _LEFT_OUT
    }
    return {**kept, **_WALK}


_OWN = ("REHEARSE_CLIENT_ID", "REHEARSE_CLIENT_SECRET", "REHEARSE_APPLICATION_KEY")
