"""Walks dotted paths through documents; a list on the way stands for each of its elements."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]
"""A JSON object. Documents in the store are never changed in place: an update replaces them."""


def values(document: Document, path: tuple[str, ...]) -> list[Any]:
    """Everything that a path leads to, in order; missing steps lead nowhere."""
    found: list[Any] = [document]
    for step in path:
        following: list[Any] = []
        for value in found:
            child = value.get(step) if isinstance(value, dict) else None
            if isinstance(child, list):
                following.extend(child)
            elif child is not None:
                following.append(child)
        if not following:
            return following
        found = following
    return found
