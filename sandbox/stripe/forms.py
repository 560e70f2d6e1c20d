"""Stripe's bracketed form encoding, and the kinds of parameter that a route accepts.

`a[b][]=1&a[b][]=2` is `{"a": {"b": ["1", "2"]}}`. Everything arrives as text; a route's shape
says what each parameter is and refuses what it does not know. An empty value unsets: None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from msgspec import Struct

from sandbox.stripe.errors import (
    StripeError,
    invalid_request,
    missing_parameter,
    unknown_parameter,
)

Form: TypeAlias = dict[str, "str | Form"]
Raw: TypeAlias = "str | Form"
Kind: TypeAlias = Callable[[Raw, str], Any]
"""Turns what was sent at a path into a value, or raises StripeError."""

_METADATA_KEYS, _METADATA_KEY, _METADATA_VALUE = 50, 40, 500
_EXPANDABLE = frozenset(
    (
        "balance_transaction",
        "charge",
        "customer",
        "data",
        "failure_balance_transaction",
        "latest_charge",
        "line_items",
        "payment_intent",
        "payment_method",
        "price",
        "product",
        "refunds",
        "shipping_cost",
        "shipping_rate",
    )
)


def decode(encoded: str) -> Form:
    """Nested values of a form or query; list items are numbered in the order of appearance."""
    form: Form = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        if "[" not in name:
            form[name] = value
            continue
        *parents, last = name.replace("]", "").split("[")
        node = form
        for part in parents:
            child = node.setdefault(part or str(len(node)), {})
            if not isinstance(child, dict):
                raise invalid_request(f"Invalid form: {name} has two meanings.", param=name)
            node = child
        node[last or str(len(node))] = value
    return form


def text(raw: Raw, path: str) -> str:
    if not isinstance(raw, str):
        raise _invalid("string", path)
    return raw


class Limited(Struct, frozen=True):
    """A text of so many characters at most."""

    characters: int

    def __call__(self, raw: Raw, path: str) -> str:
        given = text(raw, path)
        if len(given) > self.characters:
            raise invalid_request(
                f"Invalid string: {given[:10]}...{given[-10:]}; must be at most"
                f" {self.characters} characters",
                param=path,
            )
        return given


person_name, phone = Limited(256), Limited(20)
"""Of customers, and of where payments go (https://docs.stripe.com/api/customers/create)."""

_EMAIL = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}"
)


def email(raw: Raw, path: str) -> str:
    """An address that Stripe takes: it refuses others (https://docs.stripe.com/error-codes)."""
    given = Limited(512)(raw, path)
    if _EMAIL.fullmatch(given) is None:
        raise invalid_request(f"Invalid email address: {given}", code="email_invalid", param=path)
    return given


def integer(raw: Raw, path: str) -> int:
    digits = raw.removeprefix("-") if isinstance(raw, str) else ""
    if not (digits.isascii() and digits.isdigit()):
        raise invalid_request(
            f"Invalid integer: {raw}", code="parameter_invalid_integer", param=path
        )
    return int(text(raw, path))


def boolean(raw: Raw, path: str) -> bool:
    if raw not in ("true", "false"):
        raise _invalid("boolean", path)
    return raw == "true"


def anything(raw: Raw, path: str) -> Raw:  # noqa: ARG001 - a Kind takes the path
    """Accepted and not looked at: nothing in the sandbox depends on it."""
    return raw


class OneOf(Struct, frozen=True):
    """One of the listed words."""

    allowed: tuple[str, ...]

    def __call__(self, raw: Raw, path: str) -> str:
        if raw not in self.allowed:
            choices = ", ".join(self.allowed)
            raise invalid_request(f"Invalid {path}: must be one of {choices}", param=path)
        return text(raw, path)


def one_of(*allowed: str) -> Kind:
    return OneOf(allowed)


class Array(Struct, frozen=True):
    """A list, which arrives as a hash with numbers for keys."""

    item: Kind

    def __call__(self, raw: Raw, path: str) -> list[Any]:
        if not isinstance(raw, dict):
            raise _invalid("array", path)
        return [self.item(value, f"{path}[{key}]") for key, value in raw.items()]


def array(item: Kind) -> Kind:
    return Array(item)


class Shape(Struct, frozen=True):
    """A hash with known fields; unset fields that are not `required` are left out."""

    fields: Mapping[str, Kind]
    required: Collection[str] = ()

    def __call__(self, raw: Raw, path: str) -> dict[str, Any]:
        if not isinstance(raw, dict):
            raise _invalid("hash", path)
        values: dict[str, Any] = {}
        for name, value in raw.items():
            inner = f"{path}[{name}]" if path else name
            field = self.fields.get(name)
            if field is None:
                raise unknown_parameter(inner)
            # metadata alone tells an empty value (forget the key) from none
            unset = value == "" and field is not metadata
            values[name] = None if unset else field(value, inner)
        for name in self.required:
            if values.get(name) is None:
                raise missing_parameter(f"{path}[{name}]" if path else name)
        return values


def shape(fields: Mapping[str, Kind], *, required: Collection[str] = ()) -> Kind:
    return Shape(fields, required)


def metadata(raw: Raw, path: str) -> dict[str, str] | None:
    """Key-value pairs; None for `metadata=`, which clears all."""
    if raw == "":
        return None
    if not isinstance(raw, dict):
        raise _invalid("hash", path)
    if len(raw) > _METADATA_KEYS:
        raise invalid_request(f"Metadata can have up to {_METADATA_KEYS} keys.", param=path)
    values = {}
    for key, value in raw.items():
        inner = f"{path}[{key}]"
        if len(key) > _METADATA_KEY:
            raise invalid_request(
                f"Metadata keys can be up to {_METADATA_KEY} characters long.", param=inner
            )
        if len(text(value, inner)) > _METADATA_VALUE:
            raise invalid_request(
                f"Metadata values can be up to {_METADATA_VALUE} characters long.", param=inner
            )
        values[key] = text(value, inner)
    return values


def merge_metadata(target: dict[str, str], params: Mapping[str, Any]) -> None:
    """Apply the `metadata` parameter, if sent: empty values forget their keys."""
    if "metadata" not in params:
        return
    changes = params["metadata"]
    if changes is None:
        target.clear()
        return
    for key, value in changes.items():
        if value == "":
            target.pop(key, None)
        else:
            target[key] = value


def expandable(raw: Raw, path: str) -> str:
    """A dotted path to expand; names that nothing has are refused before anything is done."""
    names = text(raw, path)
    if not _EXPANDABLE.issuperset(names.split(".")):
        raise invalid_request(f"This property cannot be expanded ({names}).", param="expand")
    return names


EXPAND: dict[str, Kind] = {"expand": array(expandable)}
"""The parameter that every route takes."""
ADDRESS = shape(dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), text))
_RECIPIENT: dict[str, Kind] = {"address": ADDRESS, "name": person_name, "phone": phone}
RECIPIENT = shape(_RECIPIENT, required=("address", "name"))
"""Where to: shipping of customers and confirmation tokens."""
SHIPPING = shape(
    {**_RECIPIENT, "carrier": text, "tracking_number": text}, required=("address", "name")
)
"""Where to and by whom: shipping of payments."""


def full_address(address: Mapping[str, Any] | None) -> dict[str, str | None]:
    """An address with all fields, None where nothing was sent."""
    sent = address or {}
    return {
        field: sent.get(field)
        for field in ("city", "country", "line1", "line2", "postal_code", "state")
    }


def full_recipient(recipient: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Where something goes, as customers and confirmation tokens show it."""
    if recipient is None:
        return None
    return {
        "address": full_address(recipient["address"]),
        "name": recipient["name"],
        "phone": recipient.get("phone"),
    }


def full_shipping(shipping: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Where something goes and by whom, as payments show it."""
    recipient = full_recipient(shipping)
    if shipping is None or recipient is None:
        return None
    return {
        **recipient,
        "carrier": shipping.get("carrier"),
        "tracking_number": shipping.get("tracking_number"),
    }


def _invalid(expected: str, path: str) -> StripeError:
    return invalid_request(f"Invalid {expected}: {path}", param=path)
