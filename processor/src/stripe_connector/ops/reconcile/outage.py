"""Retries work during an outage of a backend."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable

T = TypeVar("T")

_PAUSES_S = (1, 2, 5, 15, 30)
_LONGEST_PAUSE_S = 120


async def through_outage(clock: Clock, work: Callable[[], Awaitable[T]]) -> T:
    """Repeat work for up to a minute of outage, or for as long as the backend asks to wait.

    The work must be safe to repeat. Raises BackendUnavailable after that.
    """
    for pause in _PAUSES_S:
        try:
            return await work()
        except BackendUnavailable as error:
            await clock.sleep(min(max(pause, error.retry_after or 0), _LONGEST_PAUSE_S))
    return await work()
