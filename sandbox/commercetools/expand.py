"""Reference expansion: the `expand` parameter (https://docs.commercetools.com/api/general-concepts)."""

from __future__ import annotations

import re
from typing import Any

from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store

_INDEX = re.compile(r"\[[*\d]+\]\Z")
_MASK = "****"


def expand(store: Store, document: Document, paths: list[str]) -> Document:
    """A copy with the referenced resources in `obj`; unknown paths are ignored.

    Tokens of payment methods are shown only to who asks for the resource itself, never here.
    """
    for path in paths:
        steps = [_INDEX.sub("", step) for step in path.split(".")]
        document = _follow(store, document, steps)
    return document


def _follow(store: Store, value: Any, steps: list[str]) -> Any:
    if isinstance(value, list):
        return [_follow(store, item, steps) for item in value]
    if not isinstance(value, dict):
        return value
    if "typeId" in value and "id" in value and (not steps or steps[0] != "obj"):
        value = _resolved(store, value)
        return {**value, "obj": _follow(store, value["obj"], steps)} if "obj" in value else value
    if not steps or steps[0] not in value:
        return value
    return {**value, steps[0]: _follow(store, value[steps[0]], steps[1:])}


def _resolved(store: Store, reference: Document) -> Document:
    if "obj" in reference or not store.knows(reference["typeId"]):
        return reference
    found = store.collection(reference["typeId"]).get(reference["id"])
    return reference if found is None else {**reference, "obj": _masked(found)}


def _masked(document: Document) -> Document:
    if "token" in document:
        return {**document, "token": {"value": _MASK}}
    info = document.get("paymentMethodInfo", {})
    if "token" in info:
        return {**document, "paymentMethodInfo": {**info, "token": {"value": _MASK}}}
    return document
