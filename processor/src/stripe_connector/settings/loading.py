"""Reads the environment: returns complete `Settings`, or raises with all problems."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.settings.declaration import Variable, declared_variables
from stripe_connector.settings.groups import (
    BuyNowSettings,
    CommercetoolsSettings,
    Environment,
    Market,
    OperationSettings,
    PaymentElementSettings,
    StorefrontSettings,
    StripeSettings,
)
from stripe_connector.settings.live_mode import unsafe

GROUPS: dict[str, type] = {
    "commercetools": CommercetoolsSettings,
    "Stripe": StripeSettings,
    "Payment element": PaymentElementSettings,
    "Checkout and storefront": StorefrontSettings,
    "Buy-now": BuyNowSettings,
    "Operation": OperationSettings,
}


class ConfigurationError(Exception):
    """The environment is not usable; `problems` names every variable, its fault and the remedy."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, kw_only=True)
class Settings(
    CommercetoolsSettings,
    StripeSettings,
    PaymentElementSettings,
    StorefrontSettings,
    BuyNowSettings,
    OperationSettings,
):
    """The checked environment; `load_settings` makes it. Its repr leaves secrets out."""

    @property
    def environment(self) -> Environment:
        """The mode of Stripe's keys."""
        return _mode(self.stripe_secret_key)

    @property
    def live_mode(self) -> bool:
        """Whether real money moves."""
        return self.environment == "live"

    @property
    def markets(self) -> tuple[Market, ...]:
        """Markets that pages may request carts and prices for; the first is the default."""
        first = Market(self.storefront_currency, self.storefront_country)
        return (first, *(each for each in self.storefront_markets if each != first))

    @property
    def buy_now_base(self) -> str:
        """Public URL of the buy-now pages; empty where none is configured."""
        return self.buy_now_url or self.connect_service_url or ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """Settings that work, but are probably not intended."""
        found: list[str] = []
        if not self.stripe_webhook_signing_secret:
            found.append(
                "STRIPE_WEBHOOK_SIGNING_SECRET is not set: webhooks answer 503 until it is."
            )
        if self.stripe_api_version not in {None, API_VERSION}:
            found.append(
                f"STRIPE_API_VERSION differs from {API_VERSION}: it is used for ephemeral keys"
                " alone. Remove it unless a mobile client needs that version."
            )
        if self.stripe_payment_intent_setup_future_usage == "off_session":
            found.extend(
                f"STRIPE_PAYMENT_BEHAVIOR_RULES: rule {key!r} leaves out the off_session of"
                " STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE."
                for key, rule in self.stripe_payment_behavior_rules.items()
                if rule.setup_future_usage is None
            )
        return tuple(found)


@cache
def variables() -> tuple[Variable, ...]:
    """Every variable that the processor reads, group by group."""
    return tuple(variable for group in GROUPS.values() for variable in declared_variables(group))


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from an environment such as `os.environ`.

    Raises ConfigurationError with all problems at once. No problem shows a secret.
    """
    values: dict[str, Any] = {}
    problems: list[str] = []
    for variable in variables():
        name, text = variable.find(environ)
        if text is None:
            if variable.required:
                problems.append(f"{name} is missing. Set it: {variable.meaning}")
            values[variable.attribute] = variable.absent
            continue
        try:
            values[variable.attribute] = variable.parse(text)
        except ValueError as error:
            problems += [f"{name} {message}" for message in error.args]
    problems += _contradictions(values)
    if problems:
        raise ConfigurationError(problems)
    return Settings(**values)


def _contradictions(values: Mapping[str, Any]) -> Iterator[str]:
    """Problems of values that are valid alone and wrong together; without values that failed."""
    secret, publishable = values.get("stripe_secret_key"), values.get("stripe_publishable_key")
    if secret and publishable and _mode(secret) != _mode(publishable):
        yield (
            f"STRIPE_PUBLISHABLE_KEY is a {_mode(publishable)} key, but STRIPE_SECRET_KEY is a"
            f" {_mode(secret)} key: take both from the same mode of the same account"
        )
    if secret and _mode(secret) == "live":
        yield from unsafe(values, variables())
    if values.get("checkout_link_secret") and not values.get("connect_service_url"):
        yield "CHECKOUT_LINK_SECRET needs CONNECT_SERVICE_URL: payment links lead there"
    if values.get("buy_now_enabled"):
        if "buy_now_cookie_secret" in values and values["buy_now_cookie_secret"] is None:
            yield "BUY_NOW_ENABLED needs BUY_NOW_COOKIE_SECRET, which signs visitors' cookies"
        if not values.get("buy_now_url") and not values.get("connect_service_url"):
            yield "BUY_NOW_ENABLED needs BUY_NOW_URL or CONNECT_SERVICE_URL, where its pages are"
    markets = values.get("storefront_markets")
    currency, country = values.get("storefront_currency"), values.get("storefront_country")
    if markets and currency and country and Market(currency, country) not in markets:
        yield (
            f"STOREFRONT_MARKETS lacks {currency}:{country}, which STOREFRONT_CURRENCY and"
            " STOREFRONT_COUNTRY name: add it, or change these"
        )
    region = _region(values.get("ctp_api_url", ""))
    for name in (
        "ctp_auth_url",
        "ctp_session_url",
        "ctp_checkout_url",
        "ctp_jwks_url",
        "ctp_jwt_issuer",
    ):
        other = _region(values.get(name, ""))
        if region and other and other != region:
            yield (
                f"{name.upper()} is of region {other}, but CTP_API_URL is of region {region}:"
                " set all hosts to the region of the project"
            )


def _mode(api_key: str) -> Environment:
    """Stripe writes the mode into its keys: sk_test_..., pk_live_..."""
    return "live" if api_key.split("_")[1] == "live" else "test"


def _region(url: str) -> str | None:
    """The region of a host of commercetools' cloud, or None for any other host."""
    found = re.fullmatch(r"https?://[a-z-]+\.([a-z0-9.-]+)\.commercetools\.com(?:[:/].*)?", url)
    return found[1] if found else None
