"""All that the stand-in knows, in memory: documents by type, their indexes and unique fields."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.commercetools import fields
from sandbox.commercetools.auth import Tokens
from sandbox.commercetools.errors import duplicate_field, reference_not_found, required_field
from sandbox.commercetools.paths import Document, values
from sandbox.commercetools.times import timestamp

_UNIQUE: dict[str, tuple[str, ...]] = {
    "api-client": (),
    "cart": ("key",),
    "cart-discount": ("key",),
    "category": ("key",),
    "customer": ("key", "email"),
    "discount-code": ("key", "code"),
    "key-value-document": (),
    "order": ("orderNumber",),
    "payment": ("key", "transactions.interfaceId"),
    "payment-method": ("key",),
    "product": ("key",),
    "recurring-order": ("key",),
    "recurring-payment": ("key",),
    "recurring-payment-job": ("key",),
    "session": (),
    "shipping-method": ("key",),
    "tax-category": ("key",),
    "type": ("key",),
    "zone": ("key",),
}
"""Fields of each type whose values no two documents may share."""

_INDEXED: dict[str, tuple[str, ...]] = {
    "cart": ("customerId", "paymentInfo.payments.id"),
    "key-value-document": ("container", "key"),
    "order": ("customerId", "paymentInfo.payments.id", "cart.id"),
    "payment": ("interfaceId", "customer.id"),
    "payment-method": ("customer.id",),
    "product": ("masterData.current.masterVariant.sku", "masterData.current.variants.sku"),
}
"""Fields by which documents are looked up."""


class Collection:
    """Documents of one type by id.

    A document is never changed in place: `put` replaces it and keeps the indexes true.
    """

    def __init__(self, unique: Iterable[str] = (), indexed: Iterable[str] = ()) -> None:
        self._documents: dict[str, Document] = {}
        self._unique = [_path(field) for field in unique]
        self._indexes: dict[tuple[str, ...], dict[Any, dict[str, None]]] = {
            path: {} for path in [*self._unique, *map(_path, indexed)]
        }

    def __len__(self) -> int:
        return len(self._documents)

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def get(self, id_: str) -> Document | None:
        return self._documents.get(id_)

    def find(self, field: str, value: object) -> list[Document]:
        """Documents with a value at an indexed field, in order of writing."""
        holders = self._indexes[_path(field)].get(value, ())
        return [self._documents[id_] for id_ in holders]

    def candidates(self, equalities: Iterable[tuple[tuple[str, ...], Any]]) -> Iterable[Document]:
        """The documents among which all that satisfy the equalities are: an index's, or all."""
        for path, value in equalities:
            if path == ("id",):
                document = self._documents.get(value)
                return () if document is None else (document,)
            if path in self._indexes:
                return [self._documents[id_] for id_ in self._indexes[path].get(value, ())]
        return self._documents.values()

    def put(self, document: Document) -> None:
        """Store a new document or version; raises DuplicateField and then changes nothing."""
        id_ = document["id"]
        before = self._documents.get(id_)
        changes = self._changes(before, document)
        for path, _, added in changes:
            if path in self._unique:
                index = self._indexes[path]
                for value in added:
                    if any(holder != id_ for holder in index.get(value, ())):
                        raise duplicate_field(".".join(path), value)
        for path, removed, added in changes:
            self._reindex(self._indexes[path], id_, removed, added)
        self._documents[id_] = document

    def remove(self, id_: str) -> None:
        document = self._documents.pop(id_)
        for path, index in self._indexes.items():
            self._reindex(index, id_, values(document, path), [])

    def _changes(
        self, before: Document | None, after: Document
    ) -> list[tuple[tuple[str, ...], list[Any], list[Any]]]:
        changes = []
        for path in self._indexes:
            removed = [] if before is None else values(before, path)
            added = values(after, path)
            if removed != added:
                changes.append((path, removed, added))
        return changes

    @staticmethod
    def _reindex(
        index: dict[Any, dict[str, None]], id_: str, removed: list[Any], added: list[Any]
    ) -> None:
        for value in removed:
            index[value].pop(id_, None)
            if not index[value]:
                del index[value]
        for value in added:
            index.setdefault(value, {})[id_] = None


class Store:
    """One project's resources, tokens and settings."""

    def __init__(
        self,
        project_key: str = "sandbox",
        clock: SandboxClock | None = None,
        *,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
        token_lifetime: int = 172_800,
        session_lifetime: int = 3600,
    ) -> None:
        """`token_lifetime` and `session_lifetime` are seconds; `new_id` may count for tests."""
        self.project_key = project_key
        self.clock = clock or SandboxClock()
        self.new_id = new_id
        self.token_lifetime = token_lifetime
        self.session_lifetime = session_lifetime
        self.reset()

    def reset(self) -> None:
        """Forget everything, the API clients and their tokens too."""
        self._collections = {
            type_id: Collection(unique, _INDEXED.get(type_id, ()))
            for type_id, unique in _UNIQUE.items()
        }
        self.passwords: dict[str, str] = {}
        self.renewal_errors: dict[str, Document] = {}
        """Why the last order of a recurring order was not placed, by its id."""
        self.tokens = Tokens(self.project_key, self.clock, self.new_id, self.token_lifetime)

    def collection(self, type_id: str) -> Collection:
        """The documents of a type, by its reference type id such as `payment`."""
        return self._collections[type_id]

    def knows(self, type_id: str) -> bool:
        """Is there such a type of document here?"""
        return type_id in self._collections

    def summary(self) -> dict[str, int]:
        """How many documents of each type there are."""
        return {type_id: len(documents) for type_id, documents in self._collections.items()}

    def now(self) -> str:
        return timestamp(self.clock.now())

    def insert(self, type_id: str, content: Document, *, id_: str | None = None) -> Document:
        """Store a new document at version 1."""
        now = self.now()
        document = {
            "id": id_ or self.new_id(),
            "version": 1,
            "createdAt": now,
            "lastModifiedAt": now,
            **content,
        }
        self.collection(type_id).put(document)
        return document

    def replace(self, type_id: str, document: Document) -> Document:
        """Store the next version of a document and return it."""
        following = {
            **document,
            "version": document["version"] + 1,
            "lastModifiedAt": self.now(),
        }
        self.collection(type_id).put(following)
        return following

    def resolve(self, type_id: str, identifier: Document) -> Document:
        """What a resource identifier (`id` or `key`) points at; 400 where there is nothing."""
        id_, key = fields.text(identifier, "id"), fields.text(identifier, "key")
        if id_ is not None:
            document = self.collection(type_id).get(id_)
            if document is None:
                raise reference_not_found(type_id, "id", id_)
            return document
        if key is None:
            raise required_field("id")
        found = self.collection(type_id).find("key", key)
        if not found:
            raise reference_not_found(type_id, "key", key)
        return found[0]


def _path(field: str) -> tuple[str, ...]:
    return tuple(field.split("."))
