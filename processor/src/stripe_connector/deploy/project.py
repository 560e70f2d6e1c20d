"""The commercetools project as deployments see it: custom types and custom objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct

from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.administration import TypeDefinition
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.outgoing import Outgoing, segment
from stripe_connector.settings import Settings

Document = Mapping[str, Any]
"""JSON as commercetools takes it."""


class _CustomObject(Struct):
    value: Any


_type = msgspec.json.Decoder(TypeDefinition)
_custom_object = msgspec.json.Decoder(_CustomObject)


class Project:
    """Types and custom objects of one project; every error is a ConnectorError."""

    def __init__(self, settings: Settings, outgoing: Outgoing) -> None:
        tokens = TokenCache(
            outgoing,
            auth_url=settings.ctp_auth_url,
            client_id=settings.ctp_client_id,
            client_secret=settings.ctp_client_secret,
        )
        self._client = Client(outgoing, tokens)
        project = f"{settings.ctp_api_url}/{settings.ctp_project_key}"
        self._url = f"{project}/types"
        self._objects_url = f"{project}/custom-objects"

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

    async def custom_object(self, container: str, key: str) -> Any | None:
        """The value of a custom object; None where there is none."""
        url = f"{self._objects_url}/{segment(container)}/{segment(key)}"
        try:
            return (await self._client.get(url, _custom_object, subject="custom object")).value
        except NotFound:
            return None

    async def put_custom_object(self, container: str, key: str, value: Any) -> None:
        """Create it, or replace its value."""
        draft = {"container": container, "key": key, "value": value}
        await self._client.post(self._objects_url, draft, _custom_object, subject="custom object")
