"""Custom fields: only what a type declares, for the resources that it is meant for."""

from __future__ import annotations

from typing import Any

from sandbox.commercetools import fields
from sandbox.commercetools.errors import (
    invalid_field,
    invalid_operation,
    required_field,
)
from sandbox.commercetools.money import read_money
from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store
from sandbox.commercetools.times import parse_timestamp


def read_custom(store: Store, draft: Document | None, resource: str) -> Document | None:
    """Custom fields of a draft: `{type, fields?}`; raises where the type forbids them."""
    if draft is None:
        return None
    type_ = store.resolve("type", fields.need_obj(draft, "type"))
    if resource not in type_["resourceTypeIds"]:
        raise invalid_operation(
            f"The type with id '{type_['id']}' is not meant for resources of type '{resource}'."
        )
    given = fields.obj(draft, "fields") or {}
    definitions = {definition["name"]: definition for definition in type_["fieldDefinitions"]}
    for name, definition in definitions.items():
        if definition["required"] and given.get(name) is None:
            raise required_field(name)
    return {
        "type": {"typeId": "type", "id": type_["id"]},
        "fields": {
            name: _checked(definitions, name, value)
            for name, value in given.items()
            if value is not None
        },
    }


def set_type(store: Store, document: Document, action: Document, resource: str) -> None:
    """Carry out `set...CustomType` on what has the custom fields; without a type they go."""
    draft = action if action.get("type") is not None else None
    fields.assign(document, "custom", read_custom(store, draft, resource))


def set_field(store: Store, document: Document, action: Document) -> None:
    """Carry out `set...CustomField`; without a value the field goes."""
    name = fields.need_text(action, "name")
    custom = document.get("custom")
    if custom is None:
        raise invalid_operation(
            f"The resource has no custom type, so its field '{name}' cannot be set."
        )
    type_ = store.resolve("type", custom["type"])
    definitions = {definition["name"]: definition for definition in type_["fieldDefinitions"]}
    value = action.get("value")
    kept = dict(custom["fields"])
    if value is None:
        _definition(definitions, name, None)
        if definitions[name]["required"]:
            raise required_field(name)
        kept.pop(name, None)
    else:
        kept[name] = _checked(definitions, name, value)
    document["custom"] = {**custom, "fields": kept}


def _definition(definitions: dict[str, Document], name: str, value: object) -> Document:
    if name not in definitions:
        raise invalid_field(f"fields.{name}", value, sorted(definitions))
    return definitions[name]


def _checked(definitions: dict[str, Document], name: str, value: Any) -> Any:
    """The value as it is stored; raises InvalidField where it is not of the field's type."""
    return _typed(_definition(definitions, name, value)["type"], f"fields.{name}", value)


def _typed(type_: Document, field: str, value: Any) -> Any:
    match type_["name"]:
        case "String":
            ok = isinstance(value, str)
        case "Boolean":
            ok = isinstance(value, bool)
        case "Number":
            ok = isinstance(value, int | float) and not isinstance(value, bool)
        case "LocalizedString":
            ok = isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        case "Enum" | "LocalizedEnum":
            ok = value in [entry["key"] for entry in type_.get("values", [])]
        case "Date" | "Time":
            ok = isinstance(value, str)
        case "DateTime":
            value = parse_timestamp(value) if isinstance(value, str) else None
            ok = value is not None
        case "Reference":
            ok = isinstance(value, dict) and value.get("typeId") == type_["referenceTypeId"]
        case "Money":
            return read_money({field: value}, field)
        case "Set":
            if not isinstance(value, list):
                raise invalid_field(field, value)
            return [_typed(type_["elementType"], field, item) for item in value]
        case unknown:
            raise invalid_field("type.name", unknown)
    if not ok:
        raise invalid_field(field, value)
    return value
