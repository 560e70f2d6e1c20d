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
"""Libraries that tell more of each call, addresses with ids included, than a log should hold."""

_MAX_CHARACTERS = 16_000

_KEY = re.compile(r"(?<![A-Za-z0-9])((?:sk|rk|ek)_(?:test|live)_|whsec_)[A-Za-z0-9+/=_-]+")
_CLIENT_SECRET = re.compile(r"_secret_[A-Za-z0-9_-]+")
_CREDENTIALS = re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{16,}")
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?")
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
            line["correlationId"] = correlation_id
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
    """A value that may be logged: secrets in it, or under a name that says so, are gone."""
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
    """The text without API keys, client secrets, tokens, card numbers and e-mail addresses."""
    if "_" in text:
        text = _KEY.sub(r"\1***", text)
        text = _CLIENT_SECRET.sub("_secret_***", text)
    if " " in text:
        text = _CREDENTIALS.sub(r"\1\2***", text)
    if "eyJ" in text:
        text = _JWT.sub("***", text)
    if "@" in text:
        text = _EMAIL.sub("***@***", text)
    text = _DIGITS.sub(_mask_card, text)
    return text if len(text) <= _MAX_CHARACTERS else f"{text[:_MAX_CHARACTERS]}..."


def _mask_card(digits: re.Match[str]) -> str:
    """Hide what passes the check of card numbers; other long numbers, such as times, stay."""
    number = [int(character) for character in digits[0] if character.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in number[-2::-2]]
    is_card = (sum(number[-1::-2]) + sum(doubled)) % 10 == 0
    return "***" if is_card else digits[0]


def _level(name: str) -> int:
    upper = name.upper()
    levels = {**logging.getLevelNamesMapping(), "TRACE": logging.DEBUG}
    return levels.get(upper, logging.INFO)
