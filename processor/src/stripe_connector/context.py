"""Context of the current request: its correlation id, deadline, trace and log fields."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from msgspec import Struct


class Trace(Protocol):
    """The request's place in a distributed trace."""

    @property
    def id(self) -> str:
        """The trace's id: 32 hexadecimal digits, as in W3C Trace Context."""


class RequestContext(Struct):
    """One per incoming request, carried to every outgoing call that it causes."""

    correlation_id: str
    deadline: float | None = None
    """Monotonic seconds at which the request must have been answered."""
    log: dict[str, Any] = {}
    """Fields added to the request's log line, such as payment and outcome."""
    trace: Trace | None = None
    """None where requests are not traced."""


_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

current: ContextVar[RequestContext | None] = ContextVar("request", default=None)


waiting: ContextVar[list[str] | None] = ContextVar("waiting", default=None)
"""The backends that the current request, or a call shared by several, waits for."""


@contextmanager
def waiting_for(backend: str) -> Iterator[None]:
    """While it is waited for a backend. It stays noted where the wait is cut off."""
    names = waiting.get()
    if names is None:
        yield
        return
    names.append(backend)
    try:
        yield
    except asyncio.CancelledError:
        raise
    except BaseException:
        names.remove(backend)
        raise
    names.remove(backend)


def note(**fields: Any) -> None:
    """Add fields to the log line of the current request."""
    context = current.get()
    if context is not None:
        context.log.update(fields)


def note_id(name: str, value: str) -> None:
    """Add an id that the caller chose to the log line, if it has the form of an id."""
    if _ID.fullmatch(value):
        note(**{name: value})


def correlation_id() -> str | None:
    """The correlation id of the current request."""
    context = current.get()
    return context.correlation_id if context else None


def trace_id() -> str | None:
    """The trace of the current request."""
    context = current.get()
    return context.trace.id if context and context.trace else None
