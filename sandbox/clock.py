"""The sandbox's clock: follows the machine or stands still, and can be moved forward."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class SandboxClock:
    """Unix time that the sandbox may advance, so that hours pass in no time.

    With `start` (Unix seconds) the clock stands still there until it is advanced; without it
    follows the machine's clock, ahead by what it was advanced.
    """

    def __init__(self, start: float | None = None) -> None:
        self._start = start
        self._offset = 0.0
        self.skew = 0.0
        """Seconds by which this machine's clock is ahead of (or, negative, behind) others'."""

    def time(self) -> float:
        """Unix time in seconds."""
        return (time.time() if self._start is None else self._start) + self._offset

    def outside(self) -> float:
        """Unix time to be shown to those who do not live in the sandbox, however far this is ahead.

        A fixed clock is shared by all programs of the sandbox, except for the `skew`.
        """
        now = self.time() if self._start is not None else self.time() - self._offset
        return now + self.skew

    def advance(self, seconds: float) -> None:
        """Move forward; raises ValueError for a step back, as time has no such thing."""
        if seconds < 0:
            raise ValueError("a clock cannot be moved back")
        self._offset += seconds

    def now(self) -> datetime:
        """The time in UTC."""
        return datetime.fromtimestamp(self.time(), UTC)
