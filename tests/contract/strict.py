"""Stripe's SDK's types made strict: TypedDicts of parameters and classes of answers, for pydantic.

Strict means: no unknown field, no missing one, no value of another type, and no values beyond
those that are listed where the SDK leaves a list open for the future. What a type refers to is
built only when a value is met: the SDK's types refer to one another without end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import cache
from types import GenericAlias, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Literal,
    NotRequired,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from pydantic import BeforeValidator, ConfigDict, PlainValidator, TypeAdapter, ValidationError
from stripe import SearchResultObject
from stripe._object_classes import get_object_class
from stripe._request_options import RequestOptions
from stripe._stripe_object import StripeObject, UntypedStripeObject
from typing_extensions import TypedDict, is_typeddict

from tests.contract.stripe_names import imported_names

Json = dict[str, Any]


def form_problems(params: Any, sent: Json) -> list[str]:
    """What is wrong with decoded values of a form or query; empty where nothing is."""
    return list(_problems(_adapter(params, form=True), sent))


def answer_problems(kind: Any, answer: Json) -> list[str]:
    """What is wrong with a successful answer that the SDK reads as `kind`."""
    return list(_problems(TypeAdapter(_strict(kind, form=False)), answer))


def object_problems(value: Json) -> list[str]:
    """What is wrong with an object of any kind, such as the one in an event."""
    return answer_problems(get_object_class("V1", value["object"]), value)


def fields(kind: Any) -> dict[str, Any]:
    """The fields of a TypedDict or a class of the SDK: annotations by name."""
    hints = get_type_hints(kind, localns=imported_names(kind.__module__))
    return {
        name: hint
        for name, hint in hints.items()
        if not name.startswith("_")
        and get_origin(hint) is not ClassVar
        and not (is_typeddict(kind) and name in RequestOptions.__annotations__)
    }


def members(hint: Any) -> list[Any]:
    """The members of a union, or the one annotation that there is.

    The SDK writes `Literal[...] | str` for a list of values that may grow: the `str` is dropped,
    unless '' is all that is listed, which unsets a field.
    """
    all_ = list(get_args(hint)) if get_origin(hint) in (Union, UnionType) else [hint]
    listed = [value for each in all_ if get_origin(each) is Literal for value in get_args(each)]
    return [each for each in all_ if each is not str] if any(listed) else all_


def is_hash(hint: Any) -> bool:
    """Whether an annotation is a type with known fields."""
    return is_typeddict(hint) or (isinstance(hint, type) and issubclass(hint, StripeObject))


def _hash(name: str, annotations: Mapping[str, Any]) -> Any:
    make: Any = TypedDict
    typed = make(name, annotations)
    typed.__pydantic_config__ = ConfigDict(extra="forbid", strict=True)
    return typed


_DELETED = _hash("Deleted", {"id": str, "object": str, "deleted": Literal[True]})


@cache
def _adapter(kind: Any, *, form: bool) -> TypeAdapter[Any]:
    annotations = {}
    for name, hint in fields(kind).items():
        if is_typeddict(kind):
            required = name in kind.__required_keys__
        else:
            required = type(None) not in members(hint)
        strict = _strict(hint, form=form)
        annotations[name] = strict if required else NotRequired[strict]
    return TypeAdapter(_hash(kind.__name__, annotations))


def _strict(hint: Any, *, form: bool) -> Any:
    """An annotation that pydantic can check."""
    alternatives = members(hint)
    if len(alternatives) > 1:
        return Union[tuple(_strict(each, form=form) for each in alternatives)]  # noqa: UP007
    (hint,) = alternatives
    if is_hash(hint):
        return Annotated[Any, PlainValidator(lambda value: _checked(hint, value, form=form))]
    origin = get_origin(hint)
    if origin is not None and origin is not Literal:
        item = _strict(get_args(hint)[-1], form=form)
        if origin is list:
            return Annotated[
                GenericAlias(list, item), BeforeValidator(_numbered if form else _as_is)
            ]
        if origin in (dict, UntypedStripeObject):
            return GenericAlias(dict, (str, item))
        return _page(origin, item)
    read = _READ if form else _DECODED
    return Annotated[hint, BeforeValidator(read.get(hint, _as_is))]


def _page(kind: Any, item: Any) -> Any:
    """ListObject[T] and SearchResultObject[T]."""
    common = {
        "object": Literal[kind.OBJECT_NAME],
        "data": GenericAlias(list, item),
        "has_more": bool,
        "url": str,
    }
    if kind is SearchResultObject:
        common["next_page"] = str | None
    return _hash(kind.__name__, common)


def _checked(kind: Any, value: Any, *, form: bool) -> Any:
    deleted = not form and isinstance(value, dict) and value.get("deleted")
    adapter = TypeAdapter(_DELETED) if deleted else _adapter(kind, form=form)
    problems = list(_problems(adapter, value))
    if problems:
        raise ValueError("; ".join(problems))
    return value


def _problems(adapter: TypeAdapter[Any], value: object) -> Iterator[str]:
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        for each in error.errors(include_url=False, include_context=False):
            place = [str(part) for part in each["loc"] if "function-" not in str(part)]
            yield f"{'.'.join(place)}: {each['msg'].removeprefix('Value error, ')}"


def _as_is(value: object) -> object:
    return value


def _numbered(value: object) -> object:
    """A form's list is a hash with numbers for keys."""
    return list(value.values()) if isinstance(value, dict) else value


def _number(value: object) -> object:
    is_number = isinstance(value, str) and re.fullmatch(r"-?[0-9]+", value)
    return int(str(value)) if is_number else value


def _truth(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _decimal(value: object) -> object:
    is_decimal = isinstance(value, str) and re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", value)
    return Decimal(str(value)) if is_decimal else value


_DECODED: dict[Any, Callable[[object], object]] = {Decimal: _decimal}
"""The SDK reads exact decimals from text."""
_READ: dict[Any, Callable[[object], object]] = {int: _number, bool: _truth, **_DECODED}
"""All that a form holds is text."""
