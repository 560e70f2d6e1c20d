"""A bounded, short-lived cache of backends' answers; concurrent callers share one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from stripe_connector import context
from stripe_connector.clock import Clock
from stripe_connector.single_flight import SingleFlight

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Keeps at most `capacity` values, each for the seconds that `keep_for` grants it.

    A value granted no time is not kept, and neither is an error: both are given to the waiting
    callers only. The oldest value makes room for a new one.
    """

    def __init__(self, clock: Clock, *, capacity: int, keep_for: Callable[[V], float]) -> None:
        self._clock = clock
        self._capacity = capacity
        self._keep_for = keep_for
        self._kept: dict[K, tuple[V, float]] = {}
        self._flights: SingleFlight[K, V] = SingleFlight()

    def __len__(self) -> int:
        return len(self._kept)

    async def get(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """The value of `key`; calls `load` unless it is cached or being loaded already."""
        kept = self.kept(key)
        if kept is not None:
            return kept
        asker = context.current.get()
        return await self._flights.do(key, lambda: self._load(key, load, asker))

    def kept(self, key: K) -> V | None:
        """The value of `key` if it is cached."""
        kept = self._kept.get(key)
        return kept[0] if kept is not None and self._clock.monotonic() < kept[1] else None

    def put(self, key: K, value: V) -> None:
        """Store a value that was obtained in another way."""
        self._kept.pop(key, None)
        seconds = self._keep_for(value)
        if seconds <= 0:
            return
        if len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (value, self._clock.monotonic() + seconds)

    def drop(self, key: K) -> None:
        """Remove a value."""
        self._kept.pop(key, None)

    async def _load(
        self,
        key: K,
        load: Callable[[], Awaitable[V]],
        asker: context.RequestContext | None,
    ) -> V:
        if asker is not None:
            # The call is traced to the request that began it, but does not share its deadline.
            context.current.set(context.RequestContext(asker.correlation_id, trace=asker.trace))
        value = await load()
        self.put(key, value)
        return value
