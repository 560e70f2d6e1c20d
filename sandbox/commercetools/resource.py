"""What all resources share: create, read, query, and update by versioned lists of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.commercetools import fields
from sandbox.commercetools.errors import (
    concurrent_modification,
    invalid_input,
    invalid_json,
    not_found,
)
from sandbox.commercetools.paths import Document, values
from sandbox.commercetools.query import compile_predicate
from sandbox.commercetools.state import Store

Action = Callable[[Store, Document, Document], None]
"""Carries out one update action on a working copy: (store, copy, action).

The copy's own fields may be set; what is nested in it belongs to the stored version and is
replaced, never changed.
"""

_MAX_ACTIONS = 500
_MAX_LIMIT = 500
_MAX_OFFSET = 10_000


def _unrestricted(store: Store, document: Document, action: str) -> None:
    """Allows every action in every state."""


def _settled(store: Store, document: Document) -> None:
    """Leaves the copy as the actions made it."""


def _free(store: Store, document: Document) -> None:
    """Allows every deletion."""


@dataclass(frozen=True)
class Resource:
    """A kind of resource: where it lives, who may use it and what can be done to it."""

    type_id: str
    path: str
    view: tuple[str, ...]
    """Scopes of which any allows reading."""
    fields: frozenset[str]
    """Fields that queries may name."""
    manage: tuple[str, ...] = ()
    """Scopes of which any allows writing."""
    identifiers: Mapping[str, str] = field(default_factory=lambda: {"key": "key"})
    """Unique fields by which a resource is addressed, by their names in the path."""
    create: Callable[[Store, Document], Document] | None = None
    """Makes a document of a draft; None where resources are read only."""
    created: Callable[[Document], Document] = lambda document: document
    """The answer to a creation."""
    actions: Mapping[str, Action] = field(default_factory=dict)
    guard: Callable[[Store, Document, str], None] = _unrestricted
    """Raises where an action is barred by the state of the resource."""
    settle: Callable[[Store, Document], None] = _settled
    """Recomputes what follows from the actions and raises where they make no sense together."""
    deletable: bool = False
    before_delete: Callable[[Store, Document], None] = _free


def lookup(store: Store, resource: Resource, reference: str) -> Document:
    """The resource with an id, or with `key=value`; 404 where there is none."""
    name, equals, value = reference.partition("=")
    if equals and name in resource.identifiers:
        found = store.collection(resource.type_id).find(resource.identifiers[name], value)
        if not found:
            raise not_found(f"{resource.identifiers[name]} '{value}'")
        return found[0]
    document = store.collection(resource.type_id).get(reference)
    if document is None:
        raise not_found(f"ID '{reference}'")
    return document


def update(store: Store, resource: Resource, document: Document, body: Document) -> Document:
    """Carry out all update actions or none; a stale version is refused, a no-op keeps it."""
    version = fields.need_integer(body, "version")
    actions = fields.objects(body, "actions")
    if len(actions) > _MAX_ACTIONS:
        raise invalid_input(f"actions: more than {_MAX_ACTIONS} update actions.")
    steps = [(_handler(resource, action), action) for action in actions]
    check_version(document, version)
    working = dict(document)
    for handler, action in steps:
        resource.guard(store, working, action["action"])
        handler(store, working, action)
    resource.settle(store, working)
    return document if working == document else store.replace(resource.type_id, working)


def delete(store: Store, resource: Resource, document: Document, version: int) -> Document:
    """Remove a resource and return its last version."""
    check_version(document, version)
    resource.before_delete(store, document)
    store.collection(resource.type_id).remove(document["id"])
    return document


def query(
    store: Store,
    resource: Resource,
    parameters: Mapping[str, list[str]],
    among: Iterable[Document] | None = None,
) -> Document:
    """A page of the resources that match: `where`, `sort`, `limit`, `offset`, `withTotal`.

    Searches all documents of the type, or only those of `among`.
    """
    variables = {
        name[4:]: given[-1] for name, given in parameters.items() if name.startswith("var.")
    }
    predicates = [compile_predicate(text, variables) for text in parameters.get("where", [])]
    for predicate in predicates:
        for name in predicate.roots - resource.fields:
            raise invalid_input(f"Malformed parameter: where: The field '{name}' does not exist.")
    equalities = [equality for predicate in predicates for equality in predicate.equalities]
    if among is None:
        among = store.collection(resource.type_id).candidates(equalities)
    matches = [
        document for document in among if all(predicate.test(document) for predicate in predicates)
    ]
    for expression in reversed(parameters.get("sort", [])):
        _sort(matches, expression, resource.fields)
    limit = _bounded(parameters, "limit", 20, _MAX_LIMIT)
    offset = _bounded(parameters, "offset", 0, _MAX_OFFSET)
    page = matches[offset : offset + limit]
    answer: Document = {"limit": limit, "offset": offset, "count": len(page), "results": page}
    if parameters.get("withTotal", ["true"])[-1] != "false":
        answer["total"] = len(matches)
    return answer


def check_version(document: Document, version: int) -> None:
    """Refuse a write that was computed from another version."""
    if document["version"] != version:
        raise concurrent_modification(document["id"], version, document["version"])


def _handler(resource: Resource, action: Document) -> Action:
    name = fields.need_text(action, "action")
    if name not in resource.actions:
        raise invalid_json(f"actions: Invalid type id '{name}' for {resource.type_id} actions.")
    return resource.actions[name]


def _sort(documents: list[Document], expression: str, known: frozenset[str]) -> None:
    name, _, direction = expression.strip().partition(" ")
    path = tuple(name.split("."))
    if path[0] not in known or direction.strip() not in {"", "asc", "desc"}:
        raise invalid_input(f"Malformed parameter: sort: '{expression}'.")

    def rank(document: Document) -> tuple[bool, Any]:
        found = values(document, path)
        return (bool(found), found[0] if found else "")

    documents.sort(key=rank, reverse=direction.strip() == "desc")


def _bounded(parameters: Mapping[str, list[str]], name: str, default: int, highest: int) -> int:
    given = parameters.get(name)
    if not given:
        return default
    if not given[-1].isdecimal() or int(given[-1]) > highest:
        raise invalid_input(f"Malformed parameter: {name}: must be between 0 and {highest}.")
    return int(given[-1])
