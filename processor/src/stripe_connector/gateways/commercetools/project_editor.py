"""Writes of the deploy scripts to a commercetools project: custom types and custom objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stripe_connector.gateways.commercetools.administration import (
    CommercetoolsAdministration,
    TypeDefinition,
)

Document = Mapping[str, Any]
"""JSON as commercetools accepts it."""

_type = msgspec.json.Decoder(TypeDefinition)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class ProjectEditor(CommercetoolsAdministration):
    """Types and custom objects of one project; every error is a ConnectorError."""

    async def create_type(self, draft: Document) -> None:
        """Raises DuplicateField where the key was taken meanwhile."""
        await self._client.call(f"{self._api}/types", _type, draft, subject="type")

    async def add_fields(self, type_: TypeDefinition, fields: Sequence[Document]) -> None:
        """Raises VersionConflict where the type was changed meanwhile."""
        update = {
            "version": type_.version,
            "actions": [{"action": "addFieldDefinition", "fieldDefinition": f} for f in fields],
        }
        await self._client.call(f"{self._api}/types/{type_.id}", _type, update, subject="type")

    async def delete_type(self, type_: TypeDefinition) -> None:
        """Raises InvalidRequest with the code ReferenceExists while anything uses it."""
        url = f"{self._api}/types/{type_.id}?version={type_.version}"
        await self._client.call(url, _type, subject="type", delete=True)

    async def put_custom_object(self, container: str, key: str, value: Any) -> None:
        """Create it, or replace its value."""
        draft = {"container": container, "key": key, "value": value}
        await self._client.call(
            f"{self._api}/custom-objects", _ignored, draft, subject="custom object"
        )
