"""Stand-ins for what the connector is handed: they keep the rules of what they stand for."""

from __future__ import annotations

from stripe_connector.clock import Clock


class FakeClock(Clock):
    """Time that passes only when somebody sleeps, or when the test says so."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now
        self._monotonic = 1_000.0
        self.slept: list[float] = []

    def time(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now += seconds
        self._monotonic += seconds
