"""The Stripe account as deployments see it: webhook endpoints and payment method domains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct

from stripe_connector.gateways.outgoing import segment
from stripe_connector.gateways.stripe import Stripe


class EditableEndpoint(Struct, frozen=True):
    """A webhook endpoint."""

    id: str
    url: str
    status: str
    enabled_events: list[str]
    created: int
    api_version: str | None = None
    """None follows the account's default."""
    metadata: dict[str, str] = {}
    secret: str | None = None
    """Stripe tells it once, when the endpoint is created."""

    def __repr__(self) -> str:
        return f"Endpoint(id={self.id!r}, url={self.url!r}, status={self.status!r})"

    @property
    def enabled(self) -> bool:
        return self.status == "enabled"


class _Details(Struct, frozen=True):
    error_message: str = ""


class _Wallet(Struct, frozen=True):
    status: str
    status_details: _Details | None = None


class Domain(Struct, frozen=True):
    """A domain on which wallets are shown."""

    id: str
    domain_name: str
    enabled: bool
    apple_pay: _Wallet

    @property
    def problem(self) -> str | None:
        """Why Apple Pay does not work there, in Stripe's words; None where it does."""
        if self.apple_pay.status == "active":
            return None
        details = self.apple_pay.status_details
        return (details and details.error_message) or "Stripe gives no reason."


class _Endpoints(Struct):
    data: list[EditableEndpoint]


class _Domains(Struct):
    data: list[Domain]


_endpoint = msgspec.json.Decoder(EditableEndpoint)
_endpoints = msgspec.json.Decoder(_Endpoints)
_domain = msgspec.json.Decoder(Domain)
_domains = msgspec.json.Decoder(_Domains)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class AccountEditor(Stripe):
    """The gateway with what only deployments ask; errors are the gateway's."""

    async def endpoints(self) -> list[EditableEndpoint]:
        """All webhook endpoints of the account's mode: sixteen at most."""
        params = {"limit": 100}
        return (await self._call(_endpoints, "get", "/v1/webhook_endpoints", params)).data

    async def create_endpoint(self, params: Mapping[str, Any]) -> EditableEndpoint:
        return await self._call(_endpoint, "post", "/v1/webhook_endpoints", params)

    async def update_endpoint(
        self, endpoint_id: str, params: Mapping[str, Any]
    ) -> EditableEndpoint:
        return await self._call(_endpoint, "post", _endpoint_path(endpoint_id), params)

    async def delete_endpoint(self, endpoint_id: str) -> None:
        await self._call(_ignored, "delete", _endpoint_path(endpoint_id))

    async def domain(self, name: str) -> Domain | None:
        params = {"domain_name": name, "limit": 1}
        page = await self._call(_domains, "get", "/v1/payment_method_domains", params)
        return page.data[0] if page.data else None

    async def create_domain(self, name: str) -> Domain:
        return await self._call(
            _domain, "post", "/v1/payment_method_domains", {"domain_name": name}
        )

    async def enable_domain(self, domain_id: str) -> Domain:
        return await self._call(_domain, "post", _domain_path(domain_id), {"enabled": True})

    async def validate_domain(self, domain_id: str) -> Domain:
        """Let Stripe look at the domain again."""
        return await self._call(_domain, "post", f"{_domain_path(domain_id)}/validate")


def _endpoint_path(endpoint_id: str) -> str:
    return f"/v1/webhook_endpoints/{segment(endpoint_id)}"


def _domain_path(domain_id: str) -> str:
    return f"/v1/payment_method_domains/{segment(domain_id)}"
