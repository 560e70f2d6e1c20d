"""The shape of a JSON document, keys, types and enum words, and how two shapes differ.

A shape holds none of the document's values but words of WORDS: it may be published.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from typing import Any

from msgspec import Struct

WORDS = frozenset(
    """
    action brand cancellation_reason capture_method cartState code confirmation_method currency
    currencyCode decline_code error funding livemode network_status next_action object orderState
    origin outcome priceRoundingMode reason setup_future_usage state status taxCalculationMode
    taxMode taxRoundingMode token_type type typeId
    """.split()
)
"""Keys whose values are words of a closed set, never what a person entered."""

_WORD = re.compile(r"[A-Za-z][A-Za-z_.-]{0,60}")
_KEY = re.compile(r"[A-Za-z_][A-Za-z_0-9.-]{0,60}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_ID = re.compile(r"([a-z]{2,8})_(test_)?[A-Za-z0-9]{8,}")


class Shape(Struct, frozen=True):
    """What may stand at one place of a document."""

    kinds: frozenset[str]
    """Such as `text`, `number`, `null`, `id pi_`, `time`, `object`, `list`."""
    words: frozenset[str] = frozenset()
    keys: dict[str, Shape] = {}
    """Of an object."""
    items: Shape | None = None
    """Of a list: all its elements as one; None where it is empty."""


class Difference(Struct, frozen=True):
    """One place where two documents do not have the same shape."""

    path: str
    """Keys with dots between them, `[]` for the elements of a list; empty for the whole."""
    what: str
    real: str
    stand_in: str


def shape(document: Any, key: str = "") -> Shape:
    """The shape of a decoded JSON document; `key` is the one at which it stands."""
    match document:
        case dict():
            keys = {_shown_key(each): shape(value, each) for each, value in document.items()}
            return Shape(frozenset({"object"}), keys=keys)
        case list():
            return Shape(
                frozenset({"list"}),
                items=reduce(_either, (shape(each, key) for each in document))
                if document
                else None,
            )
        case None:
            return Shape(frozenset({"null"}))
        case bool():
            words = {str(document).lower()} if key in WORDS else set()
            return Shape(frozenset({"boolean"}), frozenset(words))
        case int() | float():
            return Shape(frozenset({"number"}))
        case _:
            return _text(str(document), key)


def differences(real: Shape, stand_in: Shape, path: str = "") -> Iterator[Difference]:
    """Where the real document and the stand-in's are not of one shape."""
    if real.kinds != stand_in.kinds:
        yield Difference(path, "type", _listed(real.kinds), _listed(stand_in.kinds))
    elif real.words != stand_in.words:
        yield Difference(path, "word", _listed(real.words), _listed(stand_in.words))
    if "object" in real.kinds & stand_in.kinds:
        for key in sorted(real.keys.keys() | stand_in.keys.keys()):
            there = f"{path}.{key}".lstrip(".")
            if key not in stand_in.keys:
                yield Difference(there, "key", _listed(real.keys[key].kinds), "absent")
            elif key not in real.keys:
                yield Difference(there, "key", "absent", _listed(stand_in.keys[key].kinds))
            else:
                yield from differences(real.keys[key], stand_in.keys[key], there)
    if real.items is not None and stand_in.items is not None:
        yield from differences(real.items, stand_in.items, f"{path}[]")


def _text(value: str, key: str) -> Shape:
    if _TIME.fullmatch(value):
        return Shape(frozenset({"time"}))
    if found := _ID.fullmatch(value):
        return Shape(frozenset({f"id {found[1]}_"}))
    words = {value} if key in WORDS and _WORD.fullmatch(value) else set()
    return Shape(frozenset({"text"}), frozenset(words))


def _either(one: Shape, other: Shape) -> Shape:
    """The shape of what is like one or the other."""
    keys = dict(one.keys)
    for key, found in other.keys.items():
        keys[key] = _either(keys[key], found) if key in keys else found
    items = one.items or other.items
    if one.items is not None and other.items is not None:
        items = _either(one.items, other.items)
    return Shape(one.kinds | other.kinds, one.words | other.words, keys, items)


def _shown_key(key: str) -> str:
    """A key as a program writes it; one that looks like data is not shown."""
    return key if _KEY.fullmatch(key) and not _ID.fullmatch(key) else "(a key)"


def _listed(names: frozenset[str]) -> str:
    return " or ".join(sorted(names)) or "none"
