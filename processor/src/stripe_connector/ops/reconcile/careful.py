"""The way out for a run beside live traffic: paced, and without writes unless they are allowed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import httpx

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, ConnectorError
from stripe_connector.gateways.outgoing import REPEATABLE, Outgoing, Retry

T = TypeVar("T")

_PAUSES_S = (1, 2, 5, 15, 30)
_LONGEST_PAUSE_S = 120


class WriteRefused(ConnectorError):
    """A write that this run must not make: the record is not as it should be."""


class Pace:
    """At most so many calls per second, evenly spread."""

    def __init__(self, clock: Clock, per_second: float) -> None:
        self._clock = clock
        self._interval = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait for the next free moment."""
        now = self._clock.monotonic()
        mine = max(now, self._next)
        self._next = mine + self._interval
        if mine > now:
            await self._clock.sleep(mine - now)


class CarefulOutgoing(Outgoing):
    """Sends at a pace. Raises WriteRefused for writes, unless `may_write`."""

    def __init__(
        self, client: httpx.AsyncClient, clock: Clock, pace: Pace, *, may_write: bool
    ) -> None:
        super().__init__(client, clock)
        self._pace = pace
        self._may_write = may_write

    async def send(
        self, method: str, url: str, *, backend: str, retry: Retry, **options: Any
    ) -> httpx.Response:
        # Asking for an access token is a POST, too; it is declared to have no effect.
        harmless = method == "GET" or retry is REPEATABLE
        if not (harmless or self._may_write):
            raise WriteRefused(f"A {method} to {backend} is not for this run.")
        await self._pace.turn()
        return await super().send(method, url, backend=backend, retry=retry, **options)


async def patiently(clock: Clock, work: Callable[[], Awaitable[T]]) -> T:
    """Work that may be repeated, through an outage of a minute or as long as a backend asks for.

    Raises BackendUnavailable after that.
    """
    for pause in _PAUSES_S:
        try:
            return await work()
        except BackendUnavailable as error:
            await clock.sleep(min(max(pause, error.retry_after or 0), _LONGEST_PAUSE_S))
    return await work()
