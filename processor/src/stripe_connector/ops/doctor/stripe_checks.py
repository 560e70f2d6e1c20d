"""Checks of Stripe: both keys and their permissions, the account, Stripe.js and wallet domains."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from stripe_connector.deploy.domains import shop_domains
from stripe_connector.errors import ConnectorError, NotFound
from stripe_connector.gateways.stripe.administration import (
    KeyRefused,
    ListedIntent,
    ReadForbidden,
    StripeAdministration,
)
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.gateways.stripe.errors import StripeUnavailable
from stripe_connector.ops.doctor.checks import (
    Check,
    Finding,
    Peer,
    broken,
    doubtful,
    skipped,
    sound,
)
from stripe_connector.settings import Settings, variables

GROUP = "Stripe"

_KEYS = "in Stripe's Dashboard under Developers, API keys"
WITHOUT_RELEASE_REFUNDS = "2025-03-31"
"""From this version on, cancelled and partly captured authorizations have no Refund object."""
_STRIPE_JS_HOST = "js.stripe.com"
_NOWHERE = ListedIntent("pi_doctor", "pi_doctor_secret_none")


def stripe_peer(settings: Settings) -> Peer:
    """Stripe, as the peer of all these checks."""
    return Peer(
        f"Stripe ({settings.stripe_api_base})",
        "Allow this machine to reach STRIPE_API_BASE; https://status.stripe.com shows outages.",
    )


class StripeChecks:
    """All checks that call Stripe, with the secret or the publishable key."""

    def __init__(
        self, settings: Settings, stripe: StripeAdministration, browser: StripeAdministration
    ) -> None:
        """`browser` uses the publishable key."""
        self._settings = settings
        self._stripe = stripe
        self._browser = browser

    def all(self) -> list[Check]:
        peer = stripe_peer(self._settings)
        return [
            Check(GROUP, "API key", self.api_key, peer),
            Check(GROUP, "Permissions", self.permissions, peer, ("API key",)),
            Check(GROUP, "Account", self.account, peer, ("API key",)),
            Check(GROUP, "Publishable key", self.publishable_key, peer, ("Permissions",)),
            Check(GROUP, "Stripe.js", self.stripe_js, peer),
            Check(GROUP, "Apple Pay domains", self.apple_pay, peer, ("API key",)),
        ]

    async def api_key(self) -> Finding:
        kind = "restricted" if self._restricted else "secret"
        try:
            version = await self._stripe.require_readable("payment_intents")
        except KeyRefused as error:
            if error.code == "api_key_expired":
                return broken(
                    "STRIPE_SECRET_KEY has expired.",
                    f"Set STRIPE_SECRET_KEY to the key that has replaced it, {_KEYS}.",
                )
            return broken(
                "Stripe does not know STRIPE_SECRET_KEY.",
                f"Set STRIPE_SECRET_KEY to a key of the account, {_KEYS}.",
            )
        except ReadForbidden:
            return sound(f"{kind} key, {self._settings.environment} mode")
        if version not in {"", API_VERSION}:
            return broken(
                f"Stripe answers in API version {version} though asked for {API_VERSION}.",
                "Make sure that no proxy between the processor and Stripe changes the"
                " Stripe-Version header.",
            )
        return sound(f"{kind} key, {self._settings.environment} mode, API {API_VERSION}")

    async def permissions(self) -> Finding:
        """A secret key may do everything; for a restricted key, reading is tested."""
        if not self._restricted:
            return sound("a secret key has all permissions")
        missing: list[str] = []
        for resource in ("payment_intents", "refunds", "disputes", "customers", "checkout"):
            try:
                await self._stripe.require_readable(resource)
            except ReadForbidden:
                missing.append(resource)
        try:
            await self._stripe.list_endpoints()
        except ReadForbidden:
            missing.append("webhook_endpoints")
        if missing:
            return broken(
                f"The restricted key may not read {', '.join(missing)}.",
                f"Give STRIPE_SECRET_KEY these permissions {_KEYS}: write for payment_intents,"
                " refunds, customers and checkout, read for the others.",
            )
        return sound("may read all that is needed")

    async def account(self) -> Finding:
        try:
            account = await self._stripe.get_account()
        except ReadForbidden:
            return skipped(
                "The restricted key may not read the account: payments of other accounts in the"
                " project"
                " can be distinguished by their mode only."
            )
        if not account.charges_enabled:
            verdict = broken if self._settings.live_mode else doubtful
            return verdict(
                f"The account {account.id} cannot take payments (charges_enabled is false).",
                "Complete the account's activation in Stripe's Dashboard.",
            )
        if not account.payouts_enabled:
            return doubtful(
                f"The account {account.id} takes payments, but Stripe makes no payouts"
                " (payouts_enabled is false).",
                "Complete what Stripe's Dashboard asks for under Settings, Payouts.",
            )
        return sound(f"{account.id}{await self._default_version()}")

    async def _default_version(self) -> str:
        """Accounts with an older default version have Refund objects for released authorizations.

        See docs/decisions/0025-released-authorizations.md.
        """
        try:
            version = await self._stripe.find_default_version()
        except ReadForbidden:
            return ""
        if version is None or version >= WITHOUT_RELEASE_REFUNDS:
            return f", default API version {version}" if version else ""
        return f", default API version {version}: released authorizations have a Refund object"

    async def publishable_key(self) -> Finding:
        """Both keys can read the newest payment only if they are of the same account."""
        remedy = f"Set STRIPE_PUBLISHABLE_KEY to the account's own, {_KEYS}."
        foreign = broken(
            "STRIPE_PUBLISHABLE_KEY and STRIPE_SECRET_KEY are of different accounts.", remedy
        )
        intent = await self._stripe.find_latest_intent()
        try:
            await self._browser.require_visible(intent or _NOWHERE)
        except KeyRefused:
            return broken("Stripe does not know STRIPE_PUBLISHABLE_KEY.", remedy)
        except StripeUnavailable:
            raise
        except NotFound:
            if intent is not None:
                return foreign
        except ConnectorError:
            if intent is not None:
                raise
        if intent is not None:
            return sound("of the same account")
        ours = _account_in(self._settings.stripe_secret_key)
        theirs = _account_in(self._settings.stripe_publishable_key)
        if ours and theirs and ours != theirs:
            return foreign
        return sound("known to Stripe; its account can be checked after the first payment")

    async def stripe_js(self) -> Finding:
        """A release of Stripe.js uses one API release."""
        url = self._settings.stripe_js_url
        if urlsplit(url).hostname != _STRIPE_JS_HOST:
            if self._settings.live_mode:
                return broken(
                    f"Live mode, but STRIPE_JS_URL is {url}: card data must be entered into"
                    " Stripe's own script.",
                    "Remove STRIPE_JS_URL to use the default.",
                )
            return sound(url)
        default = next(each.default for each in variables() if each.name == "STRIPE_JS_URL")
        if url != default:
            return doubtful(
                f"STRIPE_JS_URL is {url}, but API {API_VERSION} belongs to {default}.",
                "Remove STRIPE_JS_URL to use the default.",
            )
        return sound(url)

    async def apple_pay(self) -> Finding:
        wanted = {name for name, unfit in shop_domains(self._settings).items() if unfit is None}
        if not wanted:
            return skipped("No storefront has a public name and https.")
        try:
            domains = await self._stripe.list_domains()
        except ReadForbidden:
            return skipped("The restricted key may not read payment method domains.")
        active = {
            each.domain_name
            for each in domains
            if each.enabled and each.apple_pay.status == "active"
        }
        missing = sorted(wanted - active)
        if missing:
            return doubtful(
                f"Apple Pay is not shown on {', '.join(missing)}: not registered, or not active.",
                "Register the domain in Stripe's Dashboard under Settings, Payment method domains,"
                " or run stripe-connector post-deploy.",
            )
        return sound(", ".join(sorted(wanted)))

    @property
    def _restricted(self) -> bool:
        return self._settings.stripe_secret_key.startswith("rk_")


def _account_in(key: str) -> str | None:
    """The account in a key of the current form, which is not documented; None for other forms."""
    found = re.fullmatch(r"[a-z]k_(?:test|live)_5(1\w{15})\w{40,}", key)
    return found[1] if found else None
