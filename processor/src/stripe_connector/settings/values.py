"""Parsers of single values: text of the environment in, a checked value or a ValueError out.

Messages are phrases that follow the variable's name. They say what the value must be and do not
repeat it: it may be a secret that was pasted into the wrong place. (Only the messages about JSON
quote a word of it.)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import SplitResult, urlsplit

import msgspec

T = TypeVar("T")

_DEFAULT_PORTS = {"http": 80, "https": 443}


def text(value: str) -> str:
    """Any text."""
    return value


def matching(pattern: str, expected: str) -> Callable[[str], str]:
    """Text that matches the whole pattern; `expected` is the message where it does not."""

    def parse(value: str) -> str:
        if not re.fullmatch(pattern, value, re.ASCII):
            raise ValueError(expected)
        return value

    return parse


key = matching(
    r"[A-Za-z0-9_-]{2,256}",
    "must be 2 to 256 letters, digits, hyphens or underscores: copy the key from commercetools",
)


def boolean(value: str) -> bool:
    """Exactly true or false."""
    if value not in {"true", "false"}:
        raise ValueError("must be exactly true or false")
    return value == "true"


def integer(least: int, most: int) -> Callable[[str], int]:
    """A whole number in a range, both ends included."""

    def parse(value: str) -> int:
        # isdecimal alone admits digits of other scripts, int() also signs and underscores.
        # The length is checked first because int() refuses very long texts in its own words.
        digits = value.isascii() and value.isdecimal() and len(value) <= len(str(most))
        if not digits or not least <= int(value) <= most:
            raise ValueError(f"must be a whole number from {least} to {most}, digits only")
        return int(value)

    return parse


def choice(*allowed: T) -> Callable[[str], T]:
    """One of a closed set of words."""
    words = {str(each): each for each in allowed}

    def parse(value: str) -> T:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return words[value]

    return parse


def separated(parse_entry: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """A comma-separated list; every invalid entry is reported with its position."""

    def parse(value: str) -> tuple[T, ...]:
        entries: list[T] = []
        problems: list[str] = []
        for position, entry in enumerate(value.split(","), start=1):
            try:
                entries.append(parse_entry(entry.strip()))
            except ValueError as error:
                problems += [f"entry {position} {message}" for message in error.args]
        if problems:
            raise ValueError(*problems)
        return tuple(entries)

    return parse


def url(value: str) -> str:
    """An absolute http or https URL, kept as it is written."""
    _split(value)
    return value


def base_url(value: str) -> str:
    """An http or https URL to which paths are appended: without query and trailing slash."""
    parts = _split(value)
    if parts.query or parts.fragment:
        raise ValueError("must be a URL without ? and #, because paths are appended to it")
    return value.rstrip("/")


def parse_origin(value: str) -> str:
    """An origin exactly as browsers send it, so that it can be compared as text."""
    if "*" in value:
        raise ValueError("must name one origin: list every storefront instead of using *")
    parts = _split(value)
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    canonical = f"{parts.scheme}://{host}{port}"
    if not canonical.isascii():
        raise ValueError("must spell its host in ASCII (punycode, xn--...), as browsers send it")
    if value != canonical:
        raise ValueError(
            "must be scheme://host[:port] exactly as browsers send it, without path or trailing"
            f" slash: write {canonical}"
        )
    return value


def _split(value: str) -> SplitResult:
    """The parts of an absolute http or https URL."""
    expected = "must be an http or https URL, such as https://shop.example.com"
    if re.search(r"[\s\\\x00-\x1f]", value):
        raise ValueError(expected)
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(expected) from None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or port == 0:
        raise ValueError(expected)
    if "@" in parts.netloc:
        raise ValueError("must be a URL without user name and password")
    return parts


def json_object(value: str) -> str:
    """A JSON object, kept as the text that was given."""
    decode_json(value, dict[str, object])
    return value


def decode_json(value: str, type_: type[T], *, hint: str = "") -> T:
    """JSON of one type; the message names the path of the wrong value, and ends with the hint."""
    try:
        return msgspec.json.decode(value, type=type_)
    except msgspec.ValidationError as error:
        raise ValueError(f"does not fit: {error}" + (hint and f". {hint}")) from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise ValueError(
            f'must be a JSON object with double quotes, such as {{"type":"tabs"}}: {error}'
        ) from error
