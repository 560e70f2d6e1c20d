"""commercetools' published contracts (OpenAPI), made strict enough to tell what it would refuse.

Read as plain JSON Schema they say little: a base type does not lead to its variants, required
names may be regular expressions, and unknown fields are welcome. So the discriminators are
resolved, inheritance is flattened, and what is no map takes its own fields only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

Json = dict[str, Any]

_REFERENCE = "#/components/schemas/"
_HOME = "urn:contract"
_DEFINITION = f"{_HOME}#/$defs/"
_ANNOTATIONS = frozenset(("description", "discriminator", "example", "format"))


class Contract:
    """One OpenAPI document."""

    def __init__(self, source: Path) -> None:
        document: Json = msgspec.json.decode(source.read_bytes())
        self._schemas: dict[str, Json] = document["components"]["schemas"]
        self._paths = [
            (re.compile(re.sub(r"\{\w+\}", "[^/=]+", template)), methods)
            for template, methods in sorted(
                document["paths"].items(), key=lambda item: item[0].count("{")
            )
        ]

    def body_type(self, method: str, path: str) -> str | None:
        """The type of the JSON body of a route; raises LookupError for an unknown route."""
        return _json_type(self._operation(method, path).get("requestBody", {}))

    def answer_type(self, method: str, path: str) -> str | None:
        """The type of a successful answer; raises LookupError for an unknown route."""
        answers = self._operation(method, path)["responses"]
        return _json_type(answers.get("200") or answers.get("201", {}))

    def query_parameters(self, method: str, path: str) -> set[str]:
        """The names that a route takes in its query; raises LookupError for an unknown route."""
        parameters = self._operation(method, path).get("parameters", [])
        return {each["name"] for each in parameters if each["in"] == "query"}

    def required(self, type_: str) -> set[str]:
        """The fields that an object of a type always has."""
        parts = self._parts(self._schemas[type_])
        return {name for part in parts for name in part.get("required", [])}

    def words(self, type_: str) -> set[str]:
        """The values of an enumeration."""
        return set(self._schemas[type_]["enum"])

    def problems(self, type_: str, body: Json) -> list[str]:
        """What is wrong with a body; empty where nothing is."""
        validator = self._validator.evolve(schema={"$ref": _DEFINITION + type_})
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]

    def _operation(self, method: str, path: str) -> Json:
        for pattern, methods in self._paths:
            if method.lower() in methods and pattern.fullmatch(path):
                operation: Json = methods[method.lower()]
                return operation
        raise LookupError(f"The published contract knows no {method} {path}")

    @cached_property
    def _validator(self) -> Draft202012Validator:
        definitions = {name: self._definition(name) for name in self._schemas}
        resource = DRAFT202012.create_resource({"$defs": definitions})
        return Draft202012Validator({}, registry=Registry().with_resource(_HOME, resource))

    def _definition(self, name: str) -> Json:
        schema = self._schemas[name]
        if "discriminator" in schema:
            return self._choice(schema)
        parts = list(self._parts(schema))
        if not any("properties" in part or part.get("type") == "object" for part in parts):
            plain: Json = _plain(schema)
            return plain
        return _closed(parts, self._discriminators.get(name, {}))

    def _choice(self, schema: Json) -> Json:
        """A base type: the discriminator says by which variant a value is judged."""
        field = schema["discriminator"]["propertyName"]
        variants = self._variants(schema)
        return {
            "type": "object",
            "required": [field],
            "properties": {field: {"enum": list(variants)}},
            "allOf": [
                {
                    "if": {"properties": {field: {"const": value}}, "required": [field]},
                    "then": {"$ref": _DEFINITION + variant},
                }
                for value, variant in variants.items()
            ],
        }

    def _parts(self, schema: Json) -> Iterator[Json]:
        """What a type says itself and what it inherits; values of discriminators are not."""
        for part in schema.get("allOf", [schema]):
            if "$ref" in part:
                yield from self._parts(self._schemas[part["$ref"].removeprefix(_REFERENCE)])
            else:
                yield part

    @cached_property
    def _discriminators(self) -> Mapping[str, dict[str, str]]:
        """The values of the discriminators that a type stands for: {"action": "addPayment"}."""
        values: dict[str, dict[str, str]] = {}
        for schema in self._schemas.values():
            if "discriminator" in schema:
                field = schema["discriminator"]["propertyName"]
                for value, variant in self._variants(schema).items():
                    values.setdefault(variant, {})[field] = value
        return values

    def _variants(self, schema: Json) -> dict[str, str]:
        mapping = schema["discriminator"]["mapping"].items()
        return {value: reference.removeprefix(_REFERENCE) for value, reference in mapping}


def _json_type(message: Json) -> str | None:
    """The type of the JSON in a request or an answer."""
    schema = message.get("content", {}).get("application/json", {}).get("schema", {})
    return schema["$ref"].removeprefix(_REFERENCE) if "$ref" in schema else None


def _closed(parts: list[Json], fixed: Mapping[str, str]) -> Json:
    """One object type made of all its parts; a map stays open, with values of any kind."""
    properties: Json = {}
    required: list[str] = []
    for part in parts:
        properties |= part.get("properties", {})
        required += part.get("required", [])
    names = {name for name in required if not name.startswith("/")}
    is_map = len(names) < len(set(required)) or any("additionalProperties" in p for p in parts)
    known = {name: _plain(value) for name, value in properties.items()}
    known |= {name: {"const": value} for name, value in fixed.items()}
    return {
        "type": "object",
        "properties": known,
        "required": sorted(names),
        "additionalProperties": is_map or not known,
    }


def _plain(schema: Any) -> Any:
    """A schema with its references and inner objects turned into what they are here."""
    if isinstance(schema, list):
        return [_plain(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if "properties" in schema:
        return _closed([schema], {})
    return {
        key: value.replace(_REFERENCE, _DEFINITION) if key == "$ref" else _plain(value)
        for key, value in schema.items()
        if key not in _ANNOTATIONS
    }
