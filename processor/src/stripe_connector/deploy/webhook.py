"""Finds our webhook endpoint, and compares it with the configuration that it should have.

Ours is the endpoint that STRIPE_WEBHOOK_ID names, or one at our address whose metadata mark it as
ours. Its API version is fixed when it is created: another version needs a second endpoint, and the
first is disabled once the processor is known to accept the second one's signatures.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence

from msgspec import Struct

from stripe_connector.gateways.stripe.account_editor import EndpointParams
from stripe_connector.gateways.stripe.administration import WebhookEndpoint
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.http.webhook_routes import PATH
from stripe_connector.ledger.facts import PROJECT_KEY
from stripe_connector.settings import Settings
from stripe_connector.storefront.events import HANDLED

EVENTS = tuple(sorted(HANDLED))
"""What an endpoint of ours subscribes to."""

MANAGED_BY = "managed_by"
MANAGER = "stripe-connector"
FINGERPRINT = "signing_secret_fingerprint"
"""Metadata that show whether a configured secret is the endpoint's, without revealing it."""


class Target(Struct, frozen=True):
    """The endpoint as it should be."""

    url: str
    project_key: str
    named: str | None
    """Its id, where the configuration names it."""
    secrets: tuple[str, ...]
    """The signing secrets that the processor accepts."""

    @property
    def mark(self) -> dict[str, str]:
        return {MANAGED_BY: MANAGER, PROJECT_KEY: self.project_key}

    def params(self) -> EndpointParams:
        """Parameters for the creation of the endpoint."""
        return {
            "url": self.url,
            "enabled_events": list(EVENTS),
            "api_version": API_VERSION,
            "description": f"Stripe connector of the commercetools project {self.project_key}",
            "metadata": self.mark,
        }

    def marked(self, endpoint: WebhookEndpoint) -> bool:
        return self.mark.items() <= endpoint.metadata.items()

    def of_other_project(self, endpoint: WebhookEndpoint) -> bool:
        """Whether its metadata name another project."""
        return endpoint.metadata.get(PROJECT_KEY, self.project_key) != self.project_key

    def ours(self, endpoint: WebhookEndpoint) -> bool:
        return endpoint.id == self.named or (endpoint.url == self.url and self.marked(endpoint))

    def accepts(self, endpoint: WebhookEndpoint) -> bool | None:
        """Whether the endpoint's secret is configured; None where that is not known."""
        if not self.secrets:
            return False
        known = endpoint.metadata.get(FINGERPRINT)
        return None if known is None else known in map(fingerprint, self.secrets)


def target(settings: Settings) -> Target | None:
    """None where CONNECT_SERVICE_URL is not set."""
    if settings.connect_service_url is None:
        return None
    return Target(
        url=settings.connect_service_url + PATH,
        project_key=settings.ctp_project_key,
        named=settings.stripe_webhook_id,
        secrets=settings.stripe_webhook_signing_secret,
    )


def endpoint_to_keep(
    wanted: Target, endpoints: Collection[WebhookEndpoint]
) -> WebhookEndpoint | None:
    """The endpoint of ours to keep, among those of the pinned API version.

    The configured one comes first, then one whose secret is known to be configured, then one
    that is enabled, then the oldest, as its secret is the likeliest to be configured.
    """
    candidates = [e for e in endpoints if wanted.ours(e) and e.api_version == API_VERSION]
    return min(
        candidates,
        key=lambda e: (
            e.id != wanted.named,
            wanted.accepts(e) is not True,
            not e.enabled,
            e.created,
            e.id,
        ),
        default=None,
    )


def earlier(
    wanted: Target, endpoints: Collection[WebhookEndpoint], created: WebhookEndpoint
) -> WebhookEndpoint | None:
    """The endpoint that another run has created at the same time, where that one stays: the oldest,
    of equally old ones the first by id, so that all runs choose the same."""
    alike = [
        e
        for e in endpoints
        if e.url == wanted.url
        and wanted.marked(e)
        and e.enabled
        and e.api_version == API_VERSION
        and wanted.accepts(e) is not True
    ]
    first = min([*alike, created], key=lambda e: (e.created, e.id))
    return None if first.id == created.id else first


def superseded(
    wanted: Target, endpoints: Sequence[WebhookEndpoint], stays: WebhookEndpoint | None
) -> list[WebhookEndpoint]:
    """Other enabled endpoints of ours: of another version, or duplicates."""
    stays_id = stays.id if stays is not None else None
    return [e for e in endpoints if wanted.ours(e) and e.enabled and e.id != stays_id]


def corrections(wanted: Target, endpoint: WebhookEndpoint) -> tuple[EndpointParams, list[str]]:
    """Parameters of the update that corrects an endpoint, and a description of each change."""
    params: EndpointParams = {}
    words: list[str] = []
    if endpoint.url != wanted.url:
        params["url"] = wanted.url
        words.append(f"address from {endpoint.url} to {wanted.url}")
    missing, extra = set(EVENTS) - set(endpoint.enabled_events), set(endpoint.enabled_events)
    extra -= set(EVENTS)
    if missing or extra:
        params["enabled_events"] = list(EVENTS)
        words += [f"subscribe to {', '.join(sorted(missing))}"] if missing else []
        words += [f"no longer subscribe to {', '.join(sorted(extra))}"] if extra else []
    if not endpoint.enabled:
        params["disabled"] = False
        words.append("enable it")
    if not wanted.marked(endpoint):
        params["metadata"] = wanted.mark
        words.append("mark it as ours")
    return params, words


def fingerprint(secret: str) -> str:
    """Identifies a secret of 32 random characters; does not help to guess it."""
    return hashlib.sha256(secret.encode()).hexdigest()[:16]
