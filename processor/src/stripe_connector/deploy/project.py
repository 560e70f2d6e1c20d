"""The commercetools project as deployments see it: custom types, through commercetools' SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import msgspec
from commercetools.platform import models
from commercetools.platform.client import Client
from marshmallow import ValidationError
from msgspec import Struct

from stripe_connector.errors import BackendError, NotFound
from stripe_connector.gateways.commercetools.client import Client as Connection
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.settings import Settings

T = TypeVar("T")
Json = dict[str, Any]

_document = msgspec.json.Decoder(Json)
_RESOURCES = frozenset(each.value for each in models.ResourceTypeId)


class Project:
    """The types of one project; every error is a ConnectorError."""

    def __init__(self, settings: Settings, outgoing: Outgoing) -> None:
        tokens = TokenCache(
            outgoing,
            auth_url=settings.ctp_auth_url,
            client_id=settings.ctp_client_id,
            client_secret=settings.ctp_client_secret,
        )
        self._connection = Connection(outgoing, tokens)
        self._api_url = settings.ctp_api_url
        self._project_key = settings.ctp_project_key

    async def type(self, key: str) -> models.Type | None:
        try:
            return await self._ask(lambda types: types.with_key(key).get())
        except NotFound:
            return None

    async def create_type(self, draft: models.TypeDraft) -> None:
        """Raises DuplicateField where somebody else was faster."""
        await self._ask(lambda types: types.post(draft))

    async def add_fields(
        self, type_: models.Type, fields: Sequence[models.FieldDefinition]
    ) -> None:
        """Raises VersionConflict where the type was changed meanwhile."""
        update = models.TypeUpdate(
            version=type_.version,
            actions=[models.TypeAddFieldDefinitionAction(field_definition=f) for f in fields],
        )
        await self._ask(lambda types: types.with_id(type_.id).post(update))

    async def delete_type(self, type_: models.Type) -> None:
        """Raises InvalidRequest with the code ReferenceExists while anything uses it."""
        await self._ask(lambda types: types.with_id(type_.id).delete(version=type_.version))

    async def _ask(self, question: Callable[[Any], T]) -> T:
        """Ask the SDK, which waits for its answers, in a thread of its own."""
        sdk = _Sdk(self._connection, self._api_url, asyncio.get_running_loop())
        types = sdk.with_project_key(self._project_key).types()
        try:
            return await asyncio.to_thread(question, types)
        except (ValidationError, ValueError) as error:  # the latter for an unknown kind of field
            raise BackendError(
                "commercetools gave an answer that its SDK does not understand.",
                detail=str(error),
            ) from error


class _Answer(Struct):
    """As much of a response as the SDK looks at; a failure has been raised before."""

    document: Json
    status_code: int = 200

    def json(self) -> Json:
        """Without what is newer than the SDK, which would refuse the document as a whole."""
        if "resourceTypeIds" not in self.document:
            return self.document
        known = [each for each in self.document["resourceTypeIds"] if each in _RESOURCES]
        return {**self.document, "resourceTypeIds": known}


class _Sdk(Client):
    """The SDK's client with its calls sent the connector's way.

    Its own session takes no plain HTTP, waits for ever, shares tokens by client id alone, and
    gives None for a status that it does not know, such as 409 and 429.
    """

    def __init__(
        self, connection: Connection, api_url: str, loop: asyncio.AbstractEventLoop
    ) -> None:
        # Not the SDK's own, which asks for a token at once.
        self._connection = connection
        self._api_url = api_url
        self._loop = loop

    def _get(
        self,
        endpoint: str,
        params: Json,  # noqa: ARG002 - none of ours has any
        headers: dict[str, str] | None = None,  # noqa: ARG002
        options: Json | None = None,  # noqa: ARG002
    ) -> _Answer:
        url = self._api_url + endpoint
        return self._wait(self._connection.get(url, _document, subject="type"))

    def _post(
        self,
        endpoint: str,
        params: Json,  # noqa: ARG002
        data: Any = None,  # noqa: ARG002
        json: Json | None = None,
        headers: dict[str, str] | None = None,  # noqa: ARG002
        options: Json | None = None,  # noqa: ARG002
    ) -> _Answer:
        url = self._api_url + endpoint
        return self._wait(self._connection.post(url, json, _document, subject="type"))

    def _delete(
        self,
        endpoint: str,
        params: Json,
        headers: dict[str, str] | None = None,  # noqa: ARG002
        options: Json | None = None,  # noqa: ARG002
    ) -> _Answer:
        url = f"{self._api_url}{endpoint}?version={params['version']}"
        return self._wait(self._connection.delete(url, _document, subject="type"))

    def _wait(self, call: Coroutine[Any, Any, Json]) -> _Answer:
        return _Answer(asyncio.run_coroutine_threadsafe(call, self._loop).result())
