"""The description of the interface as a page to read."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from msgspec import Struct

Json = dict[str, Any]

_PACKAGE = "stripe_connector.http.openapi"


class OperationAddress(Struct, frozen=True):
    """A method and path at which an operation is found."""

    id: str
    method: str
    path: str


class SchemaRow(Struct, frozen=True):
    """A parameter or field."""

    name: str
    schema: Json
    required: bool
    meaning: str


class Section(Struct, frozen=True):
    """An operation with all its addresses."""

    addresses: list[OperationAddress]
    operation: Json
    """As at the last of the addresses, which takes a body if any of them does."""

    @property
    def title(self) -> str:
        return str(self.operation["summary"])

    @property
    def parameters(self) -> list[SchemaRow]:
        return [
            SchemaRow(
                f"{each['name']} ({each['in']})",
                each["schema"],
                each["required"],
                each.get("description", ""),
            )
            for each in self.operation["parameters"]
        ]

    @property
    def answers(self) -> Json:
        """Its own, by status."""
        responses = self.operation["responses"]
        return {status: each for status, each in responses.items() if "$ref" not in each}

    @property
    def shared(self) -> dict[str, str]:
        """Names of the answers that it has in common with others, by status."""
        responses = self.operation["responses"]
        return {
            status: each["$ref"].rpartition("/")[2]
            for status, each in responses.items()
            if "$ref" in each
        }


class HtmlPage(Struct, frozen=True):
    """HTML, and the policy under which a browser shows it."""

    html: str
    policy: str


def page(document: Json) -> HtmlPage:
    """The page of an OpenAPI document: one file, without scripts, nothing loaded."""
    style = resources.files(_PACKAGE).joinpath("pages", "docs.css").read_text("utf-8")
    templates = Environment(
        autoescape=True,
        loader=PackageLoader(_PACKAGE, "pages"),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    templates.filters |= {"phrase": _phrase, "rows": _rows, "text": _text, "type": _type}
    sections = _sections(document)
    html = templates.get_template("docs.html").render(
        document=document,
        groups={
            tag["name"]: [each for each in sections if tag["name"] in each.operation["tags"]]
            for tag in document["tags"]
        },
        schemas={
            name: schema
            for name, schema in document["components"]["schemas"].items()
            if "properties" in schema or "enum" in schema
        },
        style=Markup(style),  # noqa: S704  ours
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return HtmlPage(
        html,
        f"default-src 'none'; style-src 'sha256-{digest}';"
        " base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    )


def _sections(document: Json) -> list[Section]:
    """Operations in order; those that say the same of themselves are one."""
    found: dict[tuple[str, str], Section] = {}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method == "parameters":
                continue
            address = OperationAddress(operation["operationId"], method.upper(), path)
            key = operation["tags"][0], operation["summary"]
            before = found[key].addresses if key in found else []
            found[key] = Section([*before, address], operation)
    return list(found.values())


def _rows(schema: Json) -> list[SchemaRow]:
    """The fields of an object."""
    required = schema.get("required", [])
    return [
        SchemaRow(name, each, name in required, each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    ]


def _phrase(status: str) -> str:
    """What a status is called, such as `Not Found`."""
    return HTTPStatus(int(status)).phrase


def _text(source: str) -> Markup:
    """A description; what stands between backticks is code."""
    parts = source.split("`")
    return Markup().join(
        Markup("<code>{}</code>").format(part) if index % 2 else part
        for index, part in enumerate(parts)
    )


def _type(schema: Json) -> Markup:
    """A schema in a few words, those with a name as links to their tables."""
    match schema:
        case {"$ref": str(reference)}:
            name = reference.rpartition("/")[2]
            return Markup('<a href="#schema-{0}">{0}</a>').format(name)
        case {"anyOf": [*alternatives]}:
            return Markup(" or ").join(_type(each) for each in alternatives)
        case {"type": "array"}:
            return Markup("list of {}").format(_type(schema.get("items", {})))
        case {"type": "object", "additionalProperties": dict(values)}:
            return Markup("object of {}").format(_type(values))
        case {"const": value}:
            return _values([value])
        case {"enum": [*values]}:
            return _values(values)
        case {"type": str(kind)}:
            return Markup("{}{}").format(kind, _limits(schema))
        case _:
            return Markup("anything")


def _values(values: list[object]) -> Markup:
    return Markup(", ").join(Markup("<code>{}</code>").format(value) for value in values)


_LIMITS = {
    "format": "{}",
    "minimum": "at least {}",
    "maximum": "at most {}",
    "minLength": "length at least {}",
    "maxLength": "length at most {}",
    "pattern": "{}",
}


def _limits(schema: Json) -> str:
    found = [text.format(schema[name]) for name, text in _LIMITS.items() if name in schema]
    return f" ({', '.join(found)})" if found else ""
