"""The commercetools project as deployments see it: its custom types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.administration import TypeDefinition
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.outgoing import Outgoing, segment
from stripe_connector.settings import Settings

Document = Mapping[str, Any]
"""JSON as commercetools takes it."""

_type = msgspec.json.Decoder(TypeDefinition)


class Project:
    """The types of one project; every error is a ConnectorError."""

    def __init__(self, settings: Settings, outgoing: Outgoing) -> None:
        tokens = TokenCache(
            outgoing,
            auth_url=settings.ctp_auth_url,
            client_id=settings.ctp_client_id,
            client_secret=settings.ctp_client_secret,
        )
        self._client = Client(outgoing, tokens)
        self._url = f"{settings.ctp_api_url}/{settings.ctp_project_key}/types"

    async def type(self, key: str) -> TypeDefinition | None:
        try:
            return await self._client.get(f"{self._url}/key={segment(key)}", _type, subject="type")
        except NotFound:
            return None

    async def create_type(self, draft: Document) -> None:
        """Raises DuplicateField where somebody else was faster."""
        await self._client.post(self._url, draft, _type, subject="type")

    async def add_fields(self, type_: TypeDefinition, fields: Sequence[Document]) -> None:
        """Raises VersionConflict where the type was changed meanwhile."""
        update = {
            "version": type_.version,
            "actions": [{"action": "addFieldDefinition", "fieldDefinition": f} for f in fields],
        }
        await self._client.post(f"{self._url}/{type_.id}", update, _type, subject="type")

    async def delete_type(self, type_: TypeDefinition) -> None:
        """Raises InvalidRequest with the code ReferenceExists while anything uses it."""
        url = f"{self._url}/{type_.id}?version={type_.version}"
        await self._client.delete(url, _type, subject="type")
