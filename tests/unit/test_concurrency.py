"""Tries while others change the same thing."""

from __future__ import annotations

import itertools

import pytest

from stripe_connector.concurrency import TRIES, Tries
from stripe_connector.errors import BackendUnavailable
from tests.fakes import FakeClock


async def test_the_pauses_between_tries_grow_and_differ_between_callers() -> None:
    clock = FakeClock()
    tries = Tries("The order", clock)
    starts = [clock.monotonic()]
    for _ in range(TRIES - 1):
        await tries.again()
        starts.append(clock.monotonic())

    pauses = [later - earlier for earlier, later in itertools.pairwise(starts)]
    assert all(0.025 * n <= pause <= 0.075 * n for n, pause in enumerate(pauses, start=1))
    assert len(set(pauses)) == len(pauses)


async def test_after_enough_tries_the_caller_is_told_what_to_do() -> None:
    tries = Tries("The order")
    for _ in range(TRIES - 1):
        await tries.again()

    with pytest.raises(BackendUnavailable, match=r"The order .* try again") as caught:
        await tries.again()
    assert caught.value.retry_after == 1
