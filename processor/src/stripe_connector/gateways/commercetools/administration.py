"""Read-only calls to commercetools for operators: hosts, scopes, custom types, payments."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from stripe_connector.errors import NotFound
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.storefront_calls import quoted
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.outgoing import Outgoing, segment

T = TypeVar("T")


class FieldDefinition(Struct, frozen=True):
    name: str
    type: dict[str, Any]
    required: bool = False


class TypeDefinition(Struct, frozen=True, rename="camel"):
    """A custom type: what it can be assigned to, and the fields that it declares."""

    id: str
    version: int
    resource_type_ids: list[str]
    field_definitions: list[FieldDefinition] = []


class _Id(Struct):
    id: str


class _CustomObject(Struct):
    value: Any


class _Page(Struct, Generic[T]):
    results: list[T]


_type = msgspec.json.Decoder(TypeDefinition)
_ids = msgspec.json.Decoder(_Page[_Id])
_custom_object = msgspec.json.Decoder(_CustomObject)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class CommercetoolsAdministration:
    """One project of commercetools, read only.

    All methods raise BackendUnavailable when commercetools is down, slow or busy, and
    BackendError when it refuses our credentials, our scopes or our request.
    """

    def __init__(
        self,
        *,
        project_key: str,
        api_url: str,
        auth_url: str,
        session_url: str,
        checkout_url: str,
        client_id: str,
        client_secret: str,
        payment_interface: str,
        outgoing: Outgoing,
    ) -> None:
        self._api = f"{api_url}/{project_key}"
        self._session_url = f"{session_url}/{project_key}/sessions"
        self._jobs_url = f"{checkout_url}/{project_key}/recurring-payment-jobs"
        self._payment_interface = payment_interface
        self._client = Client(
            outgoing,
            TokenCache(
                outgoing, auth_url=auth_url, client_id=client_id, client_secret=client_secret
            ),
        )

    async def get_granted_scopes(self) -> frozenset[str]:
        """The scopes of our own token, each with the project key after its colon."""
        return (await self._client.tokens.get()).scopes

    async def require_project(self) -> None:
        """Check that the API host knows the project; raises NotFound where it does not."""
        await self._client.call(
            f"{self._api}/payments",
            _ignored,
            subject="project",
            params={"limit": 1, "withTotal": "false"},
        )

    async def require_session_host(self, unknown_id: str) -> None:
        """Check that the session host reads sessions, with an id that does not exist."""
        await self._read_nothing(f"{self._session_url}/{segment(unknown_id)}", "session")

    async def require_checkout_host(self, unknown_id: str) -> None:
        """Check that the Checkout host reads recurring jobs, with an id that does not exist."""
        await self._read_nothing(f"{self._jobs_url}/{segment(unknown_id)}", "recurring payment job")

    async def find_custom_type(self, key: str) -> TypeDefinition | None:
        try:
            return await self._client.call(
                f"{self._api}/types/key={segment(key)}", _type, subject="type"
            )
        except NotFound:
            return None

    async def find_custom_object(self, container: str, key: str) -> Any | None:
        """The value of a custom object; None where there is none."""
        url = f"{self._api}/custom-objects/{segment(container)}/{segment(key)}"
        try:
            return (await self._client.call(url, _custom_object, subject="custom object")).value
        except NotFound:
            return None

    async def list_payment_ids(self, predicate: str, limit: int) -> list[str]:
        """The oldest of our payments that match a query predicate, `limit` at most."""
        ours = f"paymentMethodInfo(paymentInterface={quoted(self._payment_interface)})"
        page = await self._client.call(
            f"{self._api}/payments",
            _ids,
            subject="payments",
            params={
                "where": f"{ours} and {predicate}",
                "sort": "createdAt asc",
                "limit": limit,
                "withTotal": "false",
            },
        )
        return [each.id for each in page.results]

    async def has_job(self, payment_id: str) -> bool:
        """Whether Checkout has a recurring payment job of a payment."""
        url = f"{self._jobs_url}/key={segment(payment_id)}"
        try:
            await self._client.call(url, _ignored, subject="recurring payment job")
        except NotFound:
            return False
        return True

    async def list_failed_jobs(self, limit: int) -> list[str]:
        """The ids of recurring payment jobs that Checkout has given up, `limit` at most."""
        page = await self._client.call(
            self._jobs_url,
            _ids,
            subject="recurring payment job",
            params={"status.state": "eq:Failed", "sort": "createdAt desc", "limit": limit},
        )
        return [each.id for each in page.results]

    async def _read_nothing(self, url: str, subject: str) -> None:
        try:
            await self._client.call(url, _ignored, subject=subject)
        except NotFound as error:
            # Another host answers 404 as well, but without commercetools' error body.
            _, _, said = (error.detail or "").partition(" 404")
            if not said:
                raise
