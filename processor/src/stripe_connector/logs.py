"""Logs: one JSON object per line, as Google Cloud reads it, with every secret masked."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TextIO

import msgspec

from stripe_connector import context

_SEVERITY = {
    logging.DEBUG: "DEBUG",
    logging.INFO: "INFO",
    logging.WARNING: "WARNING",
    logging.ERROR: "ERROR",
    logging.CRITICAL: "CRITICAL",
}

_QUIET = ("aiohttp", "asyncio", "httpcore", "httpx", "stripe", "urllib3")
"""Libraries that log more of each call than a log should hold, such as addresses with ids."""

_MAX_CHARACTERS = 16_000
_MARGIN = 1_024
"""Characters that are read beyond those that are kept, so that a secret which is cut is known."""

_KEY = re.compile(r"(?<![A-Za-z0-9])((?:sk|rk|ek)_(?:test|live)_|whsec_)[A-Za-z0-9+/=_-]+")
_CLIENT_SECRET = re.compile(r"_secret_[A-Za-z0-9_-]+")
_CREDENTIALS = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{16,}")
_DOTTED = re.compile(r"[A-Za-z0-9_.-]+")
_JWT_BEGINS = re.compile(r"\beyJ")
_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})+")
_DIGITS = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_SENSITIVE_FIELD = re.compile(r"(?i)authorization|password|secret|signature|cookie|token\s*\Z")


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send everything that is logged, uvicorn's and warnings included, through one handler.

    `level` is a name such as "info"; "trace" and "fatal", known from other connectors, work too.
    """
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=_level(level), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


class JsonFormatter(logging.Formatter):
    """A record, its `extra={"fields": {...}}` and the request's ids as one line."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "severity": _SEVERITY.get(record.levelno, "DEFAULT"),
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "message": mask(record.getMessage()),
            "logger": record.name,
        }
        if (correlation_id := context.correlation_id()) is not None:
            line["correlationId"] = mask(correlation_id)
        if (trace_id := context.trace_id()) is not None:
            line["trace_id"] = trace_id
        fields = getattr(record, "fields", None)
        if isinstance(fields, Mapping):
            for name, value in fields.items():
                line.setdefault(str(name), masked(value, str(name)))
        if record.exc_info:
            line["stack_trace"] = mask(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


def masked(value: object, name: str = "") -> object:
    """A value that may be logged: secrets in it, or under the name of a secret, are masked."""
    if value is not None and _SENSITIVE_FIELD.search(name):
        return "***"
    match value:
        case None | bool() | int() | float():
            return value
        case Mapping():
            return {str(key): masked(item, str(key)) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked(item) for item in value]
        case _:
            return mask(str(value))


def mask(text: str) -> str:
    """The text without API keys, client secrets, tokens, card numbers and e-mail addresses.

    It is cut before it is searched, and each pattern takes time linear in the text.
    """
    is_whole = len(text) <= _MAX_CHARACTERS + _MARGIN
    text = _mask(text[: _MAX_CHARACTERS + _MARGIN])
    # The end of a cut text may hold the first half of a secret, which no pattern matches.
    most = _MAX_CHARACTERS if is_whole else max(0, min(_MAX_CHARACTERS, len(text) - _MARGIN))
    return text if len(text) <= most else f"{text[:most]}..."


def _mask(text: str) -> str:
    # What no pattern can match is not searched: a line takes 29 us instead of 73, a twelfth of a
    # webhook's CPU (docs/performance.md, "Paths for speed").
    if "_" in text:
        text = _KEY.sub(r"\1***", text)
        text = _CLIENT_SECRET.sub("_secret_***", text)
    if " " in text:
        text = _CREDENTIALS.sub(r"\1\2***", text)
    if "eyJ" in text:
        text = _DOTTED.sub(_mask_jwt, text)
    if "@" in text:
        text = _EMAIL.sub("***@***", text)
    return _DIGITS.sub(_mask_card, text)


def _mask_jwt(found: re.Match[str]) -> str:
    """Mask a token in a text without gaps. A single pattern for all would backtrack."""
    text = found[0]
    begins = _JWT_BEGINS.search(text)
    if begins is None or "." not in text[begins.end() :].rstrip("."):
        return text
    return f"{text[: begins.start()]}***"


def _mask_card(digits: re.Match[str]) -> str:
    """Mask what passes the checksum of card numbers; other long numbers, such as times, stay."""
    number = [int(character) for character in digits[0] if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in number[-2::-2]]
    is_card = (sum(number[-1::-2]) + sum(doubled)) % 10 == 0
    return "***" if is_card else digits[0]


def _level(name: str) -> int:
    upper = name.upper()
    levels = {**logging.getLevelNamesMapping(), "TRACE": logging.DEBUG}
    return levels.get(upper, logging.INFO)
