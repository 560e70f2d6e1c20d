"""Checks of commercetools: credentials, project, scopes and all hosts that the processor calls."""

from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from stripe_connector.errors import BackendError, BackendUnavailable, ConnectorError, NotFound
from stripe_connector.gateways.commercetools.administration import CommercetoolsAdministration
from stripe_connector.gateways.outgoing import REPEATABLE, Outgoing
from stripe_connector.health import REQUIRED_SCOPES, grants
from stripe_connector.http.auth import Jwks
from stripe_connector.ops.doctor.checks import (
    Check,
    Finding,
    Peer,
    broken,
    doubtful,
    sound,
)
from stripe_connector.payments.own_account import CONTAINER, LIVE_OWNER
from stripe_connector.settings import Settings

GROUP = "commercetools"
SCOPES = "Scopes"

STOREFRONT_SCOPES = ("view_products", "view_discount_codes")
"""Scopes that the routes under /api/v1 need in addition to those for payments."""

_CLOUD = ".commercetools.com"


class CommercetoolsChecks:
    """All checks that call commercetools' hosts."""

    def __init__(
        self, settings: Settings, commercetools: CommercetoolsAdministration, outgoing: Outgoing
    ) -> None:
        self._settings = settings
        self._commercetools = commercetools
        self._outgoing = outgoing

    def all(self) -> list[Check]:
        settings = self._settings
        auth = _host("The authorization host", "CTP_AUTH_URL", settings.ctp_auth_url)
        api = _host("The API host", "CTP_API_URL", settings.ctp_api_url)
        session = _host("The session host", "CTP_SESSION_URL", settings.ctp_session_url)
        checkout = _host("The Checkout host", "CTP_CHECKOUT_URL", settings.ctp_checkout_url)
        jwks = _host("The Merchant Center's key server", "CTP_JWKS_URL", settings.ctp_jwks_url)
        return [
            Check(GROUP, "API client", self.api_client, auth),
            Check(GROUP, "Project", self.project, auth, ("API client",)),
            Check(GROUP, SCOPES, self.scopes, auth, ("Project",)),
            Check(GROUP, "Storefront's scopes", self.storefront_scopes, auth, ("Project",)),
            Check(GROUP, "API host", self.api_host, api, (SCOPES,)),
            Check(GROUP, "Mode", self.mode, api, ("API host",)),
            Check(GROUP, "Session host", self.session_host, session, (SCOPES,)),
            Check(GROUP, "Checkout host", self.checkout_host, checkout, (SCOPES,)),
            Check(GROUP, "Merchant Center's keys", self.keys, jwks),
            Check(GROUP, "Token issuer", self.issuer, jwks),
        ]

    async def api_client(self) -> Finding:
        try:
            granted = await self._commercetools.get_granted_scopes()
        except (BackendUnavailable, NotFound):
            raise
        except BackendError as error:
            return broken(
                f"The authorization host refuses the API client ({error.detail}).",
                "Set CTP_CLIENT_ID and CTP_CLIENT_SECRET to those of an API client of the project:"
                " Merchant Center, Settings, Developer settings.",
            )
        return sound(f"{len(granted)} scopes granted")

    async def project(self) -> Finding:
        """Compare CTP_PROJECT_KEY with the project key in the granted scopes."""
        granted = await self._commercetools.get_granted_scopes()
        projects = {scope.partition(":")[2].partition(":")[0] for scope in granted}
        if self._settings.ctp_project_key in projects:
            return sound(self._settings.ctp_project_key)
        return broken(
            f"The API client belongs to project {', '.join(sorted(projects)) or 'none'},"
            f" but CTP_PROJECT_KEY is {self._settings.ctp_project_key}.",
            "Correct CTP_PROJECT_KEY, or use an API client of that project.",
        )

    async def scopes(self) -> Finding:
        missing = await self._missing(REQUIRED_SCOPES)
        if missing:
            return broken(
                f"The API client lacks {', '.join(missing)}.",
                "Create an API client with these scopes too (scopes of a client cannot be changed),"
                " and set CTP_CLIENT_ID and CTP_CLIENT_SECRET.",
            )
        return sound("all scopes that payments need")

    async def storefront_scopes(self) -> Finding:
        missing = await self._missing(STOREFRONT_SCOPES)
        if missing:
            return doubtful(
                f"The API client lacks {', '.join(missing)}: the routes under /api/v1 and buy-now"
                " cannot show products or take discount codes.",
                "Create an API client with these scopes too, unless no shop uses those routes.",
            )
        return sound("all scopes that the routes under /api/v1 need")

    async def api_host(self) -> Finding:
        try:
            await self._commercetools.require_project()
        except BackendUnavailable:
            raise
        except ConnectorError as error:
            return broken(
                f"{self._settings.ctp_api_url} does not accept project"
                f" {self._settings.ctp_project_key} or its access token ({error.detail}).",
                "Set CTP_API_URL and CTP_AUTH_URL to the hosts of the project's region.",
            )
        return sound(self._settings.ctp_api_url)

    async def mode(self) -> Finding:
        """Whether a processor with test keys runs in a project that takes real payments."""
        owner = await self._commercetools.find_custom_object(CONTAINER, LIVE_OWNER)
        if self._settings.live_mode:
            if owner is not None:
                return sound("the project is marked as taking real payments")
            return doubtful(
                "The project is not marked as taking real payments: a processor with test"
                " keys could mark its orders as paid.",
                "Run stripe-connector post-deploy with the live keys.",
            )
        if owner is None:
            return sound("test keys, and the project takes no real payments")
        if self._settings.test_mode_on_live_project:
            return doubtful(
                "Test keys may mark orders of a project that takes real payments"
                " (TEST_MODE_ON_LIVE_PROJECT=true).",
                "Remove TEST_MODE_ON_LIVE_PROJECT once the test is over.",
            )
        return broken(
            "The project takes real payments, and this processor has test keys: it opens no payment"
            " page and marks no order.",
            "Set live keys, use another project, or set TEST_MODE_ON_LIVE_PROJECT=true for a test.",
        )

    async def session_host(self) -> Finding:
        await self._commercetools.require_session_host(_unknown_id())
        return sound(self._settings.ctp_session_url)

    async def checkout_host(self) -> Finding:
        await self._commercetools.require_checkout_host(_unknown_id())
        return sound(self._settings.ctp_checkout_url)

    async def keys(self) -> Finding:
        """Fetch the keys as the processor does."""

        async def fetch() -> bytes:
            response = await self._outgoing.send(
                "GET", self._settings.ctp_jwks_url, backend="The key server", retry=REPEATABLE
            )
            return response.content

        try:
            await Jwks(fetch, self._outgoing.clock).key(None)
        except BackendUnavailable:
            raise
        except BackendError as error:
            return broken(
                f"CTP_JWKS_URL ({self._settings.ctp_jwks_url}) has no keys ({error.detail}):"
                " the Merchant Center is refused.",
                "Set CTP_JWKS_URL to https://mc-api.<region>.commercetools.com"
                "/.well-known/jwks.json.",
            )
        return sound(self._settings.ctp_jwks_url)

    async def issuer(self) -> Finding:
        """Issuer and key server must have the same host, which publishes the issuer's keys."""
        issuer, jwks = self._settings.ctp_jwt_issuer, self._settings.ctp_jwks_url
        remedy = "Set CTP_JWT_ISSUER and CTP_JWKS_URL to the same host: https://mc-api.<region>"
        remedy += f"{_CLOUD}, the latter with /.well-known/jwks.json after it."
        if urlsplit(issuer).path:
            return broken(
                f"CTP_JWT_ISSUER ({issuer}) has a path; the Merchant Center's tokens name an"
                " origin, so all of them are refused.",
                remedy,
            )
        same = urlsplit(issuer).netloc == urlsplit(jwks).netloc
        of_cloud = (urlsplit(jwks).hostname or "").endswith(_CLOUD)
        if of_cloud and not same:
            return broken(
                f"CTP_JWT_ISSUER is {issuer}, but the keys are those of {jwks}: every token of the"
                " Merchant Center is refused.",
                remedy,
            )
        if not of_cloud and self._settings.live_mode:
            return broken(
                f"Live mode, but the keys come from {jwks}, which is not a host of commercetools:"
                " its operator can issue tokens that pass for the Merchant Center's.",
                remedy,
            )
        return sound(issuer)

    async def _missing(self, wanted: tuple[str, ...]) -> list[str]:
        granted = await self._commercetools.get_granted_scopes()
        project = self._settings.ctp_project_key
        return [f"{each}:{project}" for each in wanted if not grants(granted, each, project)]


def _host(name: str, variable: str, url: str) -> Peer:
    return Peer(
        f"{name} ({url})",
        f"Set {variable} to the host of the project's region, and allow this machine to reach it;"
        " https://status.commercetools.com shows outages.",
    )


def _unknown_id() -> str:
    return str(uuid.uuid4())
