"""Interleaving: several requests at once, whose calls to the backends go on in a chosen order."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from tests.wire import Call, Crash, Network


class TimelessLoop(asyncio.SelectorEventLoop):
    """A loop whose time stands still: a request's deadline never passes while the machine is busy.

    Whatever waits in these worlds waits by the world's clock.
    """

    def time(self) -> float:
        return 0.0


async def interleaved(
    network: Network,
    requests: list[Coroutine[Any, Any, Any]],
    choose: Callable[[int], Awaitable[int]],
) -> list[Any]:
    """Run requests at once; `choose(n)` says which of n waiting calls goes on next.

    While it chooses, the world outside may move.

    The results are in the order of the requests, a Crash for one whose processor died.
    """
    waiting: list[asyncio.Future[None]] = []

    async def turn(_: Call) -> None:
        mine = asyncio.get_running_loop().create_future()
        waiting.append(mine)
        await mine

    network.turn = turn
    tasks = [asyncio.ensure_future(_caught(request)) for request in requests]
    try:
        while not all(task.done() for task in tasks):
            await _everybody_waits()
            if waiting:
                waiting.pop(await choose(len(waiting))).set_result(None)
    finally:
        network.turn = None  # whoever is left after a failure goes on unhindered
        for left in waiting:
            left.set_result(None)
    return [task.result() for task in tasks]


async def _everybody_waits() -> None:
    """Until the loop has nothing else to do: all else is in this process, and waits for a turn."""
    ready = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110 (nothing tells that a loop is idle)
        await asyncio.sleep(0)


async def _caught(request: Coroutine[Any, Any, Any]) -> Any:
    try:
        return await request
    except Crash as crash:
        return crash
