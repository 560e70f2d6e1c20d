"""Checks of the webhooks at Stripe: the endpoint's configuration, and what was delivered."""

from __future__ import annotations

from collections.abc import Iterable

from stripe_connector.clock import Clock
from stripe_connector.deploy.webhook import EVENTS, FINGERPRINT, MANAGED_BY, MANAGER, fingerprint
from stripe_connector.gateways.stripe.administration import StripeAdministration, WebhookEndpoint
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.http.bff import purchase_routes as buy_now
from stripe_connector.http.webhook_routes import PATH
from stripe_connector.ops.doctor.checks import (
    Check,
    Finding,
    broken,
    doubtful,
    skipped,
    sound,
)
from stripe_connector.ops.doctor.stripe_checks import stripe_peer
from stripe_connector.settings import Settings

GROUP = "Webhooks"

_DAY_S = 86_400
_RETRIED_S = 3 * _DAY_S
"""Stripe retries a delivery for up to three days."""
_UNDER_WAY_S = 300
"""A younger event may still be in delivery."""


class WebhookChecks:
    """All checks of what Stripe knows about our endpoint."""

    def __init__(self, settings: Settings, stripe: StripeAdministration, clock: Clock) -> None:
        self._settings = settings
        self._stripe = stripe
        self._clock = clock
        self._all: list[WebhookEndpoint] = []
        self._ours: list[WebhookEndpoint] = []
        """Set by the first check; all others need it."""

    def all(self) -> list[Check]:
        peer = stripe_peer(self._settings)
        needs = ("Endpoint",)
        return [
            Check(GROUP, "Endpoint", self.endpoint, peer, ("Permissions",)),
            Check(GROUP, "Enabled", self.enabled, peer, needs),
            Check(GROUP, "Events", self.events, peer, needs),
            Check(GROUP, "API version", self.api_version, peer, needs),
            Check(GROUP, "Only one", self.only_one, peer, needs),
            Check(GROUP, "Endpoint's secret", self.secret, peer, ("Enabled",)),
            Check(GROUP, "Deliveries", self.deliveries, peer, ("Enabled",)),
        ]

    async def endpoint(self) -> Finding:
        """There is an endpoint, and its URL is this processor's."""
        base, wanted = self._settings.connect_service_url, self._settings.stripe_webhook_id
        if base is None:
            return skipped("CONNECT_SERVICE_URL is not set: the endpoint's URL is not known.")
        self._all = await self._stripe.list_endpoints()
        urls = {f"{base}{path}" for path in self._paths()}
        self._ours = sorted(
            (each for each in self._all if each.url in urls),
            # Examine the configured one, else one that is enabled.
            key=lambda each: (each.id != wanted, not each.enabled),
        )
        named = next((each for each in self._all if each.id == wanted), None)
        if wanted is not None and named is None:
            return broken(
                f"Stripe has no webhook endpoint {wanted} in {self._settings.environment} mode.",
                "Correct STRIPE_WEBHOOK_ID, or remove it: post-deploy finds or creates the"
                " endpoint.",
            )
        if named is not None and named not in self._ours:
            return broken(
                f"The webhook endpoint {named.id} leads to {named.url}, not to {base}{PATH}.",
                "Run stripe-connector post-deploy: it corrects the URL; the secret stays valid."
                " (On Connect a new deployment has a new URL.) Where it belongs to another"
                " deployment, remove STRIPE_WEBHOOK_ID first.",
            )
        if not self._ours:
            return broken(
                f"Stripe has no webhook endpoint for {base}{PATH}: payments that finish"
                " elsewhere are never recorded.",
                "Run stripe-connector post-deploy: it creates the endpoint and leaves those of"
                " other deployments alone.",
            )
        return sound(f"{self._ours[0].id} leads to {self._ours[0].url}")

    async def enabled(self) -> Finding:
        endpoint = self._ours[0]
        if endpoint.enabled:
            return sound(endpoint.id)
        return broken(
            f"The webhook endpoint {endpoint.id} is {endpoint.status}: Stripe delivers no events to"
            " it, not even later.",
            f"{self._post_deploy(endpoint)} enables it. Then recover missed events:"
            " stripe-connector reconcile --apply --since P3D.",
        )

    async def events(self) -> Finding:
        endpoint = self._ours[0]
        missing = sorted(each for each in EVENTS if not endpoint.hears(each))
        if missing:
            return broken(
                f"The webhook endpoint {endpoint.id} does not receive {', '.join(missing)}.",
                f"{self._post_deploy(endpoint)} subscribes to them.",
            )
        return sound(f"all {len(EVENTS)} types")

    async def api_version(self) -> Finding:
        """An event of another version costs a call: its object has to be read again."""
        endpoint = self._ours[0]
        if endpoint.api_version == API_VERSION:
            return sound(API_VERSION)
        version = endpoint.api_version or "the account's default"
        return doubtful(
            f"The webhook endpoint {endpoint.id} has API version {version}, not {API_VERSION}:"
            " every event costs another call.",
            f"{self._post_deploy(endpoint)} creates a second endpoint of this version, as Stripe"
            " cannot"
            " change the version of an endpoint.",
        )

    async def only_one(self) -> Finding:
        enabled = [each.id for each in self._ours if each.enabled]
        if len(enabled) <= 1:
            return sound("no event arrives twice")
        return doubtful(
            f"{len(enabled)} enabled webhook endpoints lead to this processor"
            f" ({', '.join(enabled)}): every event arrives {len(enabled)} times.",
            "Disable all but the newest in Stripe's Dashboard, unless you are changing API"
            " version or"
            " secret.",
        )

    async def secret(self) -> Finding:
        """Stripe shows a secret once; post-deploy stores a fingerprint of it in the metadata."""
        known = {each.id: each.metadata.get(FINGERPRINT) for each in self._ours if each.enabled}
        configured = set(map(fingerprint, self._settings.stripe_webhook_signing_secret))
        if None in known.values():
            return skipped(
                "Stripe does not show it, and post-deploy has stored no fingerprint of it."
            )
        foreign = [endpoint for endpoint, noted in known.items() if noted not in configured]
        if foreign:
            return doubtful(
                f"STRIPE_WEBHOOK_SIGNING_SECRET does not hold the secret that {', '.join(foreign)}"
                " was created with: its events are refused, unless the secret was rolled since.",
                "Set it to the endpoint's secret (Stripe's Dashboard, Developers, Webhooks), here"
                " and where the processor runs; deploy again.",
            )
        return sound("matches the endpoint")

    async def deliveries(self) -> Finding:
        """Events of the types that we handle and that Stripe could not deliver."""
        now = int(self._clock.time())
        failed = [
            event
            for event in await self._stripe.list_events(now - _RETRIED_S, delivered=False)
            if event.type in EVENTS and event.created < now - _UNDER_WAY_S
        ]
        if not failed:
            return sound("all events of the last three days were delivered")
        oldest = min(failed, key=lambda each: each.created)
        arrived = await self._stripe.list_events(now - _DAY_S, delivered=True)
        none = "" if any(each.type in EVENTS for each in arrived) else ", and none arrived in a day"
        cause = (
            f"{len(failed)} events of the last three days were not delivered{none}; the oldest,"
            f" {oldest.id}"
            f" ({oldest.type}), is {_age(now - oldest.created)} old."
        )
        remedy = (
            "Check the failed deliveries in Stripe's Dashboard under Developers, Webhooks: 400"
            " means"
            " another signing secret, 5xx is explained in the processor's log. Then recover missed"
            " events: stripe-connector reconcile --apply --since P3D."
        )
        if others := self._others():
            return doubtful(f"{cause} They may be for {', '.join(others)} instead.", remedy)
        return broken(cause, remedy)

    def _paths(self) -> Iterable[str]:
        return (PATH, *buy_now.WEBHOOK_PATHS) if self._settings.buy_now_enabled else (PATH,)

    def _post_deploy(self, endpoint: WebhookEndpoint) -> str:
        """The start of a remedy: post-deploy changes its own endpoints and the configured one."""
        named = endpoint.id == self._settings.stripe_webhook_id
        made = endpoint.metadata.get(MANAGED_BY) == MANAGER and endpoint in self._ours
        if named or made:
            return "Run stripe-connector post-deploy: it"
        return f"Set STRIPE_WEBHOOK_ID to {endpoint.id} and run stripe-connector post-deploy: it"

    def _others(self) -> list[str]:
        """Enabled endpoints of other programs that receive the same event types."""
        return [
            each.id
            for each in self._all
            if each not in self._ours and each.enabled and any(map(each.hears, EVENTS))
        ]


def _age(seconds: int) -> str:
    hours, minutes = seconds // 3600, seconds % 3600 // 60
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
