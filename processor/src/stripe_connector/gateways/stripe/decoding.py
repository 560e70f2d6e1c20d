"""Decodes Stripe's JSON: the one place that decides what happens with objects of unexpected form.

An object that is not ours is decoded only as far as needed to see that, and the items of a list one
by one: objects of another integration in the account cannot make ours fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Raw, Struct, field

from stripe_connector.errors import BackendError
from stripe_connector.ledger.stripe_objects import Metadata

T = TypeVar("T")


class Unreadable(BackendError):
    """An object of Stripe's does not have the form that its API version documents."""


class Named(Struct, frozen=True):
    """Any object: the fields that show whose it is."""

    id: str
    created: int = 0
    payment_intent: Any = None
    own_metadata: Metadata | None = field(default=None, name="metadata")

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}

    @property
    def intent_id(self) -> str | None:
        """The intent that it belongs to, expanded or not."""
        value = self.payment_intent
        if isinstance(value, dict):
            value = value.get("id")
        return value if isinstance(value, str) else None


class ListedItem(Struct, Generic[T], frozen=True):
    """One object of a list: its names, and all of it where it has the expected form."""

    named: Named
    whole: T | None


class StripeList(Struct, frozen=True):
    """A page of a list, its items not decoded yet."""

    data: Sequence[Raw]
    has_more: bool = False

    def named(self) -> Iterator[tuple[Named, Raw]]:
        """The items that have an id, in their order."""
        for raw in self.data:
            try:
                yield _named.decode(raw), raw
            except msgspec.DecodeError:
                continue

    def items(self, decoder: msgspec.json.Decoder[T]) -> list[ListedItem[T]]:
        """The same, with each item decoded where it has the expected form."""
        return [ListedItem(named, _or_none(raw, decoder)) for named, raw in self.named()]

    def last_id(self) -> str | None:
        """The id after which the next page begins; None where there is no next page."""
        if not self.has_more:
            return None
        return next((named.id for named, _ in reversed(list(self.named()))), None)


_named = msgspec.json.Decoder(Named)


def decode(body: bytes | Raw, decoder: msgspec.json.Decoder[T], what: str) -> T:
    """Decode an object that must have the expected form; raises Unreadable, which names `what`."""
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise Unreadable(
            "Stripe sent an answer that the connector cannot read.",
            detail=f"{what}: {error}",
        ) from error


def convert(value: dict[str, Any], type_: type[T]) -> T:
    """Decode an event's object that is ours and of the pinned version; raises Unreadable."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise Unreadable("Stripe's event has an unexpected form.", detail=str(error)) from error


def _or_none(raw: Raw, decoder: msgspec.json.Decoder[T]) -> T | None:
    try:
        return decoder.decode(raw)
    except msgspec.DecodeError:
        return None
