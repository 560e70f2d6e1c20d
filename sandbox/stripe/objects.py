"""How Stripe's objects are kept: plain JSON dicts in tables that remember their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

import msgspec

JsonObject: TypeAlias = dict[str, Any]


def snapshot(value: JsonObject) -> JsonObject:
    """A deep copy of an object as it is now."""
    copy: JsonObject = msgspec.json.decode(msgspec.json.encode(value))
    return copy


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> JsonObject:
    """The earlier values of what changed, as an event's `previous_attributes` shows them."""
    changed: JsonObject = {}
    for key in before.keys() | after.keys():
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if isinstance(old, dict) and isinstance(new, dict):
            changed[key] = difference(old, new)
        else:
            changed[key] = old
    return changed


class Table:
    """Objects of one kind by id, in the order of their creation.

    Looking objects up by an `indexed` field costs only as much as there are matches. Indexed
    fields must be set when the object is added and never change.
    """

    def __init__(self, noun: str, indexed: tuple[str, ...] = ()) -> None:
        self.noun = noun
        """As error messages name it: "No such refund: 're_1'"."""
        self._indexed = indexed
        self.clear()

    def clear(self) -> None:
        self._objects: dict[str, JsonObject] = {}
        self._index: dict[tuple[str, str], list[JsonObject]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[JsonObject]:
        """Oldest first."""
        return iter(self._objects.values())

    def __contains__(self, key: str) -> bool:
        return key in self._objects

    def __getitem__(self, key: str) -> JsonObject:
        return self._objects[key]

    def get(self, key: str) -> JsonObject | None:
        return self._objects.get(key)

    def add(self, value: JsonObject) -> JsonObject:
        self._objects[value["id"]] = value
        for field in self._indexed:
            if value[field] is not None:
                self._index[field, value[field]].append(value)
        return value

    def remove(self, key: str) -> None:
        """Forget an object of a table without indexes."""
        del self._objects[key]

    def newest(self, matches: Mapping[str, object]) -> Iterator[JsonObject]:
        """Newest first, those whose fields have the given values."""
        rest = dict(matches)
        for field in self._indexed:
            value = rest.get(field)
            if isinstance(value, str):
                del rest[field]
                candidates = reversed(self._index.get((field, value), []))
                break
        else:
            candidates = reversed(self._objects.values())
        return (each for each in candidates if all(each[f] == v for f, v in rest.items()))
