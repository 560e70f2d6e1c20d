"""Concurrent calls, rate-limited calls, and retries after version conflicts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Iterable
from typing import TypeVar

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable

A = TypeVar("A")
B = TypeVar("B")

TRIES = 8
"""How often a change is tried when other requests change the same resource."""
_PAUSE_S = 0.05


async def both(first: Awaitable[A], second: Awaitable[B]) -> tuple[A, B]:
    """Run two calls at once and wait for both, also where one fails.

    Unlike a bare gather, no call still runs when the error is raised.
    """
    one, two = await asyncio.gather(first, second, return_exceptions=True)
    if isinstance(one, BaseException):
        raise one
    if isinstance(two, BaseException):
        raise two
    return one, two


async def every(calls: Iterable[Awaitable[A]]) -> list[A]:
    """Run any number of equal calls at once; like `both`, it waits for all of them."""
    results = await asyncio.gather(*calls, return_exceptions=True)
    done: list[A] = []
    for result in results:
        if isinstance(result, BaseException):
            raise result
        done.append(result)
    return done


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


class Tries:
    """Counts the tries of a change that met version conflicts, and waits between them.

    Without a clock it does not wait: for loops that also read again after their own writes.
    """

    def __init__(self, what: str, clock: Clock | None = None) -> None:
        self._what = what
        self._clock = clock
        self._made = 0

    async def again(self) -> None:
        """Pause before the next try, longer each time; the caller then reads the resource anew.

        Raises BackendUnavailable after `TRIES`.
        """
        self._made += 1
        if self._made == TRIES:
            raise BackendUnavailable(
                f"{self._what} is being changed by others, try again.", retry_after=1
            )
        if self._clock is not None:
            # Random, so that two requests do not collide again.
            spread = random.uniform(0.5, 1.5)  # noqa: S311
            await self._clock.sleep(_PAUSE_S * self._made * spread)
