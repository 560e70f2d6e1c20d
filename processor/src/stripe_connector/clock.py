"""The one clock: wall time, monotonic time and sleep, replaceable as a whole in tests."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


class Clock:
    """The machine's clock."""

    def time(self) -> float:
        """Unix time in seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never run backwards; only differences mean anything."""
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)


class ServerClock(Clock):
    """The time of a server, from the `Date` of its answers; all instances share it.

    Windows that decide about money are measured with it, so that the clock of one instance may be
    wrong. Up to `_TOLERANCE_S` the machine's own clock is used, which is finer: a `Date` header has
    whole seconds (RFC 9110, 6.6.1).
    """

    _TOLERANCE_S = 5.0

    def __init__(self, machine: Clock) -> None:
        self._machine = machine
        self._heard: str | None = None
        self._offset = 0.0

    def heard(self, date: str | None) -> None:
        """Note the `Date` of an answer that has just arrived; an invalid one is ignored."""
        if date is None or date == self._heard:
            return
        self._heard = date
        try:
            offset = parsedate_to_datetime(date).timestamp() - self._machine.time()
        except ValueError:
            return
        self._offset = offset if abs(offset) > self._TOLERANCE_S else 0.0

    def time(self) -> float:
        return self._machine.time() + self._offset

    def monotonic(self) -> float:
        return self._machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        await self._machine.sleep(seconds)
