"""Request bodies: limited in size, then decoded strictly, with errors that name the field."""

from __future__ import annotations

import re
from types import UnionType
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.types import Message, Receive, Scope

from stripe_connector.errors import (
    ConnectorError,
    InvalidRequest,
    PayloadTooLarge,
    UnsupportedMediaType,
    invalid_field,
    invalid_json,
    required_field,
)

T = TypeVar("T")

_AT = re.compile(r" - at `\$\.?(?P<path>.*)`\Z")
_MISSING = re.compile(r"Object missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>[^`]+)`")
_INDEX = re.compile(r"\[(\d+|\.\.\.)\]")
_ECHOED_CHARACTERS = 100
_UNDECODABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def limited(scope: Scope, receive: Receive, limit: int) -> Receive:
    """`receive`, raising PayloadTooLarge as soon as the body is known to exceed `limit` bytes."""
    received = 0

    async def receive_limited() -> Message:
        nonlocal received
        if received == 0 and _declared_length(scope) > limit:
            raise _too_large(limit)
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise _too_large(limit)
        return message

    return receive_limited


async def json_body(
    request: Request, shape: type[T] | UnionType, *, any_media_type: bool = False
) -> T:
    """The body as `shape`; raises InvalidRequest, PayloadTooLarge or UnsupportedMediaType.

    An empty body counts as `{}`: it is refused only if something in it is required. With
    `any_media_type` it may be called anything: some storefronts send JSON as text, or unnamed.
    """
    body = await request.body()
    if body and not any_media_type:
        _require_json(request.headers.get("content-type"))
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except _UNDECODABLE as error:
        raise _refusal(error, body or b"{}", shape) from error


def _declared_length(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"The request body exceeds {limit} bytes.")


def _require_json(content_type: str | None) -> None:
    media_type, *parameters = (content_type or "").split(";")
    if media_type.strip().lower() == "application/json":
        charsets = [
            p.strip().lower() for p in parameters if p.strip().lower().startswith("charset")
        ]
        if all(charset.partition("=")[2].strip('"') == "utf-8" for charset in charsets):
            return
    raise UnsupportedMediaType("The request body must be JSON (Content-Type: application/json).")


def _refusal(error: Exception, body: bytes, shape: object) -> ConnectorError:
    if not isinstance(error, msgspec.ValidationError):
        return _malformed(error)
    try:
        document = msgspec.json.decode(body)
    except _UNDECODABLE as malformed:
        # What is wrong with a field counts only in a document that is JSON to its end.
        return _malformed(malformed)
    return _invalid(error, document, shape)


def _malformed(error: Exception) -> InvalidRequest:
    if isinstance(error, RecursionError):
        return invalid_json("The JSON is nested too deeply.")
    return invalid_json(str(error))


def _invalid(error: msgspec.ValidationError, document: object, shape: object) -> ConnectorError:
    text = str(error)
    at = _AT.search(text)
    steps = _steps(at["path"]) if at else []
    reason = text[: at.start()] if at else text
    if missing := _MISSING.match(reason):
        return required_field(".".join([*steps, missing["field"]]))
    if unknown := _UNKNOWN.match(reason):
        return InvalidRequest(
            f"The field '{(field := '.'.join([*steps, unknown['field']]))}' is not known.",
            code="InvalidField",
            fields={"field": field},
        )
    if not steps:
        return invalid_json(reason)
    return invalid_field(
        ".".join(steps),
        _echo(_value_at(document, steps)),
        reason=None if reason.startswith("Invalid ") else f"{reason}.",
        allowed=_allowed(msgspec.inspect.type_info(shape), steps),
    )


def _steps(path: str) -> list[str]:
    """`actions[0].amount` as `actions`, `0`, `amount`."""
    return _INDEX.sub(r".\1", path).replace("....", ".*").removeprefix(".").split(".")


def _value_at(value: object, steps: list[str]) -> object:
    for step in steps:
        match value:
            case dict() if step in value:
                value = value[step]
            case list() if step.isdecimal():
                value = value[int(step)]
            case _:
                return None
    return value


def _echo(value: object) -> object:
    """A value as it may go back to the caller: never a whole document."""
    match value:
        case str():
            return value[:_ECHOED_CHARACTERS]
        case dict():
            return "object"
        case list():
            return "array"
        case int() if abs(value) >= 2**53:
            return str(value)[:_ECHOED_CHARACTERS]
        case _:
            return value


def _allowed(shape: msgspec.inspect.Type, steps: list[str]) -> list[str] | None:
    """The values that a closed set allows at `steps`, None where the set is open."""
    match shape, steps:
        case msgspec.inspect.UnionType(types=types), _:
            found = [values for each in types if (values := _allowed(each, steps)) is not None]
            return sorted({value for values in found for value in values}) if found else None
        case msgspec.inspect.StructType(tag_field=tag_field, tag=str(tag)), [step] if (
            step == tag_field
        ):
            return [tag]
        case msgspec.inspect.StructType(fields=fields), [step, *rest]:
            return next((_allowed(f.type, rest) for f in fields if f.encode_name == step), None)
        case msgspec.inspect.ListType(item_type=item), [_, *rest]:
            return _allowed(item, rest)
        case msgspec.inspect.LiteralType(values=values), []:
            return [str(value) for value in values]
        case msgspec.inspect.EnumType(cls=cls), []:
            return [str(member.value) for member in cls]
        case _:
            return None
