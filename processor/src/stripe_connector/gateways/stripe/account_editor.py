"""Writes of the deploy scripts to a Stripe account: webhook endpoints, payment method domains."""

from __future__ import annotations

from typing import TypedDict

import msgspec
from msgspec import Struct

from stripe_connector.gateways.outgoing import segment
from stripe_connector.gateways.stripe.administration import PaymentMethodDomain, WebhookEndpoint
from stripe_connector.gateways.stripe.gateway import Stripe


class EndpointParams(TypedDict, total=False):
    """The fields of a webhook endpoint that are set; the SDK's types know no event type as text."""

    url: str
    enabled_events: list[str]
    api_version: str
    description: str
    metadata: dict[str, str]
    disabled: bool


class _Endpoints(Struct):
    data: list[WebhookEndpoint]


class _Domains(Struct):
    data: list[PaymentMethodDomain]


_endpoint = msgspec.json.Decoder(WebhookEndpoint)
_endpoints = msgspec.json.Decoder(_Endpoints)
_domain = msgspec.json.Decoder(PaymentMethodDomain)
_domains = msgspec.json.Decoder(_Domains)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class AccountEditor(Stripe):
    """The gateway for deployments; errors are the gateway's."""

    async def list_endpoints(self) -> list[WebhookEndpoint]:
        """All webhook endpoints of the account's mode: sixteen at most."""
        params = {"limit": 100}
        return (await self._call(_endpoints, "get", "/v1/webhook_endpoints", params)).data

    async def create_endpoint(self, params: EndpointParams) -> WebhookEndpoint:
        return await self._call(_endpoint, "post", "/v1/webhook_endpoints", params)

    async def update_endpoint(self, endpoint_id: str, params: EndpointParams) -> WebhookEndpoint:
        return await self._call(_endpoint, "post", _endpoint_path(endpoint_id), params)

    async def delete_endpoint(self, endpoint_id: str) -> None:
        await self._call(_ignored, "delete", _endpoint_path(endpoint_id))

    async def find_domain(self, name: str) -> PaymentMethodDomain | None:
        params = {"domain_name": name, "limit": 1}
        page = await self._call(_domains, "get", "/v1/payment_method_domains", params)
        return page.data[0] if page.data else None

    async def create_domain(self, name: str) -> PaymentMethodDomain:
        return await self._call(
            _domain, "post", "/v1/payment_method_domains", {"domain_name": name}
        )

    async def enable_domain(self, domain_id: str) -> PaymentMethodDomain:
        return await self._call(_domain, "post", _domain_path(domain_id), {"enabled": True})

    async def validate_domain(self, domain_id: str) -> PaymentMethodDomain:
        """Let Stripe validate the domain again."""
        return await self._call(_domain, "post", f"{_domain_path(domain_id)}/validate")


def _endpoint_path(endpoint_id: str) -> str:
    return f"/v1/webhook_endpoints/{segment(endpoint_id)}"


def _domain_path(domain_id: str) -> str:
    return f"/v1/payment_method_domains/{segment(domain_id)}"
