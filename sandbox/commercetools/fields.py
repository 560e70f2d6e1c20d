"""Reads fields from request bodies: present, of the right kind and with a value that is allowed."""

from __future__ import annotations

import re
from typing import Any

from sandbox.commercetools.errors import invalid_field, invalid_json, required_field
from sandbox.commercetools.paths import Document
from sandbox.commercetools.times import parse_timestamp

_KEY = re.compile(r"[A-Za-z0-9_-]{2,256}")


def text(body: Document, field: str) -> str | None:
    """A string, or None where there is none."""
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise invalid_json(f"{field}: JSON String expected")
    return value


def need_text(body: Document, field: str) -> str:
    """A string that must be there."""
    value = text(body, field)
    if value is None:
        raise required_field(field)
    return value


def key(body: Document, field: str = "key") -> str | None:
    """A key: 2 to 256 letters, digits, hyphens and underscores."""
    value = text(body, field)
    if value is not None and not _KEY.fullmatch(value):
        raise invalid_field(field, value)
    return value


def integer(body: Document, field: str) -> int | None:
    """An integer, or None where there is none."""
    value = body.get(field)
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise invalid_json(f"{field}: JSON Number expected")
    return value


def need_integer(body: Document, field: str) -> int:
    """An integer that must be there."""
    value = integer(body, field)
    if value is None:
        raise required_field(field)
    return value


def boolean(body: Document, field: str, *, default: bool) -> bool:
    value = body.get(field, default)
    if not isinstance(value, bool):
        raise invalid_json(f"{field}: JSON Boolean expected")
    return value


def obj(body: Document, field: str) -> Document | None:
    """A JSON object, or None where there is none."""
    value = body.get(field)
    if value is not None and not isinstance(value, dict):
        raise invalid_json(f"{field}: JSON object expected")
    return value


def need_obj(body: Document, field: str) -> Document:
    """A JSON object that must be there."""
    value = obj(body, field)
    if value is None:
        raise required_field(field)
    return value


def objects(body: Document, field: str) -> list[Document]:
    """A list of JSON objects; empty where there is none."""
    value = body.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise invalid_json(f"{field}: JSON array of objects expected")
    return value


def strings(body: Document, field: str) -> list[str]:
    """A list of strings; empty where there is none."""
    value = body.get(field)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise invalid_json(f"{field}: JSON array of strings expected")
    return value


def address(body: Document, field: str) -> Document | None:
    """An address, or None where there is none."""
    given = obj(body, field)
    return None if given is None else checked_address(given)


def checked_address(given: Document) -> Document:
    """An address without its empty fields; its country must be an ISO 3166-1 alpha-2 code."""
    country = need_text(given, "country")
    if len(country) != 2 or not country.isupper():
        raise invalid_field("country", country)
    return {name: value for name, value in given.items() if value is not None}


def choice(body: Document, field: str, allowed: tuple[str, ...]) -> str | None:
    """One of a closed set, or None where there is none."""
    value = text(body, field)
    if value is not None and value not in allowed:
        raise invalid_field(field, value, list(allowed))
    return value


def need_choice(body: Document, field: str, allowed: tuple[str, ...]) -> str:
    """One of a closed set that must be there."""
    value = choice(body, field, allowed)
    if value is None:
        raise required_field(field)
    return value


def moment(body: Document, field: str) -> str | None:
    """A time, in commercetools' own form."""
    value = text(body, field)
    if value is None:
        return None
    normalized = parse_timestamp(value)
    if normalized is None:
        raise invalid_json(f"{field}: '{value}' is not a valid DateTime")
    return normalized


def assign(document: Document, field: str, value: Any) -> None:
    """Set a field of a document, or take it away where there is no value."""
    if value is None:
        document.pop(field, None)
    else:
        document[field] = value


def present(**fields: Any) -> Document:
    """A document of the fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}
