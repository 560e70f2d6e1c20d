"""Concurrent callers share one call: a second caller waits for the answer to the first."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Hashable
from typing import Any, Generic, TypeVar

from stripe_connector import context

Key = TypeVar("Key", bound=Hashable)
T = TypeVar("T")


class SingleFlight(Generic[Key, T]):
    """Shares running calls by their key; keeps nothing once they have ended.

    The call belongs to none of its callers: one that is cancelled or times out does not disturb
    the others. An error is raised in all of them.
    """

    def __init__(self) -> None:
        self._flights: dict[Key, asyncio.Task[T]] = {}
        self._waiting: dict[Key, list[str]] = {}
        """The backends that each of them waits for."""

    async def do(self, key: Key, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """The result of `call`, or of the running call with the same key."""
        flight = self._flights.get(key)
        if flight is None:
            # An empty context: the first caller's deadline must not apply to the others.
            inside = contextvars.Context()
            self._waiting[key] = []
            inside.run(context.waiting.set, self._waiting[key])
            flight = asyncio.create_task(call(), context=inside)
            self._flights[key] = flight
            flight.add_done_callback(lambda ended: self._forget(key, ended))
        waiting = self._waiting[key]
        try:
            return await asyncio.shield(flight)
        except asyncio.CancelledError:
            if (mine := context.waiting.get()) is not None:
                mine.extend(waiting)
            raise

    def _forget(self, key: Key, flight: asyncio.Task[T]) -> None:
        del self._flights[key]
        del self._waiting[key]
        if not flight.cancelled():
            # Marks the error as retrieved: all callers may have been cancelled before.
            flight.exception()
