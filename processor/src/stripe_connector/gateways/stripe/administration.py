"""Read-only calls to Stripe for operators: account, keys, webhook endpoints, deliveries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

import msgspec
import stripe
from msgspec import Struct

from stripe_connector.errors import BackendError, BackendUnavailable
from stripe_connector.gateways.outgoing import Outgoing, segment
from stripe_connector.gateways.stripe.errors import StripeUnavailable, stripe_error
from stripe_connector.gateways.stripe.sdk import create_client

T = TypeVar("T")

_MOST_PAGES = 3


class KeyRefused(BackendError):
    """Stripe does not accept the API key; `code` is `api_key_expired` where it has expired."""

    default_code = "api_key_invalid"


class ReadForbidden(BackendError):
    """A restricted key may not do this."""

    default_code = "permission_missing"


class AccountDetails(Struct, frozen=True):
    """The account that a secret key belongs to."""

    id: str
    charges_enabled: bool = False
    payouts_enabled: bool = False


class WebhookEndpoint(Struct, frozen=True):
    """Where Stripe sends events."""

    id: str
    url: str
    status: str
    enabled_events: list[str]
    created: int
    """Unix seconds."""
    api_version: str | None = None
    """None stands for the account's own version."""
    metadata: dict[str, str] = {}
    secret: str | None = None
    """The signing secret. Stripe shows it once, when the endpoint is created."""

    def __repr__(self) -> str:
        return f"WebhookEndpoint(id={self.id!r}, url={self.url!r}, status={self.status!r})"

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"

    def hears(self, event_type: str) -> bool:
        """Whether events of a type are to be sent there."""
        return "*" in self.enabled_events or event_type in self.enabled_events


class ListedEvent(Struct, frozen=True):
    """The delivery of an event."""

    id: str
    type: str
    created: int
    """Unix seconds."""
    api_version: str | None = None
    """The account's own version when the event was created, not an endpoint's."""


class ListedIntent(Struct, frozen=True):
    id: str
    client_secret: str


class WalletDetails(Struct, frozen=True):
    error_message: str = ""


class WalletOnDomain(Struct, frozen=True):
    status: str
    status_details: WalletDetails | None = None


class PaymentMethodDomain(Struct, frozen=True):
    """A domain on which wallets may be shown."""

    id: str
    domain_name: str
    enabled: bool
    apple_pay: WalletOnDomain

    @property
    def problem(self) -> str | None:
        """Why Apple Pay does not work there, in Stripe's words; None where it does."""
        if self.apple_pay.status == "active":
            return None
        details = self.apple_pay.status_details
        return (details and details.error_message) or "Stripe gives no reason."


class _List(Struct, Generic[T]):
    data: list[T]
    has_more: bool = False


_account = msgspec.json.Decoder(AccountDetails)
_endpoints = msgspec.json.Decoder(_List[WebhookEndpoint])
_events = msgspec.json.Decoder(_List[ListedEvent])
_intents = msgspec.json.Decoder(_List[ListedIntent])
_domains = msgspec.json.Decoder(_List[PaymentMethodDomain])
_ignored = msgspec.json.Decoder(msgspec.Raw)


class StripeAdministration:
    """One Stripe account through one of its keys, read only.

    All methods raise KeyRefused, PermissionMissing, StripeUnavailable when Stripe is down, slow
    or busy, and BackendError for all other refusals.
    """

    def __init__(self, *, api_key: str, api_base: str, outgoing: Outgoing) -> None:
        self._clock = outgoing.clock
        self._client = create_client(
            secret_key=api_key, api_base=api_base, outgoing=outgoing, app_info=None
        )

    async def require_readable(
        self, resource: Literal["payment_intents", "refunds", "disputes", "customers", "checkout"]
    ) -> str:
        """Check that the key may read a resource; returns the API version of the answer."""
        path = "checkout/sessions" if resource == "checkout" else resource
        return (await self._get(_ignored, f"/v1/{path}", {"limit": 1}))[1]

    async def get_account(self) -> AccountDetails:
        return (await self._get(_account, "/v1/account"))[0]

    async def list_endpoints(self) -> list[WebhookEndpoint]:
        """All webhook endpoints: an account has sixteen at most."""
        return (await self._get(_endpoints, "/v1/webhook_endpoints", {"limit": 100}))[0].data

    async def list_events(self, since: int, *, delivered: bool) -> list[ListedEvent]:
        """Events since a time (Unix seconds), newest first; at most the newest few hundred.

        `delivered`: whether every endpoint that subscribes to them received them.
        """
        events: list[ListedEvent] = []
        params: dict[str, object] = {
            "created": {"gte": since},
            "delivery_success": "true" if delivered else "false",
            "limit": 100,
        }
        for _ in range(_MOST_PAGES):
            page, _version = await self._get(_events, "/v1/events", params)
            events += page.data
            if not page.has_more or not page.data:
                break
            params["starting_after"] = page.data[-1].id
        return events

    async def find_default_version(self) -> str | None:
        """The account's own API version, from its newest event; None where there is no event."""
        page, _version = await self._get(_events, "/v1/events", {"limit": 1})
        return page.data[0].api_version if page.data else None

    async def find_latest_intent(self) -> ListedIntent | None:
        """The newest payment intent, if there is one."""
        page, _version = await self._get(_intents, "/v1/payment_intents", {"limit": 1})
        return page.data[0] if page.data else None

    async def require_visible(self, intent: ListedIntent) -> None:
        """Read an intent as a browser does; raises NotFound for one of another account."""
        path = f"/v1/payment_intents/{segment(intent.id)}"
        await self._get(_ignored, path, {"client_secret": intent.client_secret})

    async def list_domains(self) -> list[PaymentMethodDomain]:
        """The domains that are registered for wallets, the newest hundred."""
        return (await self._get(_domains, "/v1/payment_method_domains", {"limit": 100}))[0].data

    async def _get(
        self,
        decoder: msgspec.json.Decoder[T],
        path: str,
        params: Mapping[str, object] | None = None,
    ) -> tuple[T, str]:
        try:
            response = await self._client.raw_request_async("get", path, **(params or {}))
        except stripe.AuthenticationError as error:
            said = error.error
            code = said.code if said else None
            raise KeyRefused("Stripe refuses the API key.", code=code) from None
        except stripe.PermissionError as error:
            raise ReadForbidden("The API key lacks a permission.", detail=path) from error
        except stripe.StripeError as error:
            raise stripe_error(error, self._clock) from None
        except BackendUnavailable as error:
            raise StripeUnavailable(
                error.message, detail=error.detail, retry_after=error.retry_after
            ) from error
        try:
            decoded = decoder.decode(response.body)
        except msgspec.DecodeError as error:
            raise BackendError(
                "Stripe sent an answer that the connector cannot read.",
                detail=f"{path}: {error}",
            ) from error
        headers: Mapping[str, str] = response.headers
        return decoded, headers.get("stripe-version", "")
