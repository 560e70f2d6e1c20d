"""Custom objects: small documents by container and key, written as a whole.

A version of 0 asks for creation only, so that of two writers only one can win
(https://docs.commercetools.com/api/projects/custom-objects).
"""

from __future__ import annotations

import re
from typing import Any

from sandbox.commercetools import fields
from sandbox.commercetools.errors import (
    concurrent_modification,
    invalid_field,
    not_found,
    required_field,
)
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource, check_version
from sandbox.commercetools.state import Store

_NAME = re.compile(r"[-_~.a-zA-Z0-9]{1,256}")

CUSTOM_OBJECTS = Resource(
    type_id="key-value-document",
    path="custom-objects",
    view=("view_key_value_documents",),
    manage=("manage_key_value_documents",),
    fields=frozenset("id version createdAt lastModifiedAt container key value".split()),
)


def get(store: Store, container: str, key: str) -> Document:
    """The object at a container and key; 404 where there is none."""
    found = _find(store, container, key)
    if found is None:
        raise not_found(f"container '{container}' and key '{key}'")
    return found


def upsert(store: Store, draft: Document) -> tuple[Document, bool]:
    """Create or replace an object; returns it and whether it is new."""
    container, key = _name(draft, "container"), _name(draft, "key")
    if draft.get("value") is None:
        raise required_field("value")
    version = fields.integer(draft, "version")
    value = _without_nulls(draft["value"])
    found = _find(store, container, key)
    if found is None:
        if version:
            raise concurrent_modification(f"{container}/{key}", version, 0)
        created = {"container": container, "key": key, "value": value}
        return store.insert("key-value-document", created), True
    if version is not None:
        check_version(found, version)
    if found["value"] == value:
        return found, False
    return store.replace("key-value-document", {**found, "value": value}), False


def delete(store: Store, container: str, key: str, version: int | None) -> Document:
    """Remove an object; only at that version, if one is given."""
    found = get(store, container, key)
    if version is not None:
        check_version(found, version)
    store.collection("key-value-document").remove(found["id"])
    return found


def _find(store: Store, container: str, key: str) -> Document | None:
    for document in store.collection("key-value-document").find("key", key):
        if document["container"] == container:
            return document
    return None


def _name(draft: Document, field: str) -> str:
    value = fields.need_text(draft, field)
    if not _NAME.fullmatch(value):
        raise invalid_field(field, value)
    return value


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(child) for name, child in value.items() if child is not None}
    if isinstance(value, list):
        return [_without_nulls(child) for child in value]
    return value
