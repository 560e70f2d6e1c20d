"""Runs the phases one after the other, page by page, from where an earlier run stopped."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from stripe_connector.clock import Clock
from stripe_connector.errors import ConnectorError
from stripe_connector.ops.reconcile.checkpoint import Checkpoint, CheckpointFile
from stripe_connector.ops.reconcile.findings import FindingsReport
from stripe_connector.ops.reconcile.outage import through_outage
from stripe_connector.ops.reconcile.phases import Phase, PhaseItem

T = TypeVar("T")


class Run:
    """Runs all phases; stores the progress after every page."""

    def __init__(
        self,
        phases: Sequence[Phase],
        checkpoint: Checkpoint,
        file: CheckpointFile,
        report: FindingsReport,
        clock: Clock,
        *,
        at_once: int,
    ) -> None:
        self._phases = phases
        self._checkpoint = checkpoint
        self._file = file
        self._report = report
        self._clock = clock
        self._at_once = at_once

    async def go(self, stop: asyncio.Event) -> bool:
        """Run; False where `stop` was set before the end.

        Raises ConnectorError where a backend fails permanently. In either case, work that was
        begun is finished and the checkpoint is written.
        """
        names = [phase.name for phase in self._phases]
        start = names.index(self._checkpoint.phase) if self._checkpoint.phase in names else 0
        for phase in self._phases[start:]:
            self._checkpoint.phase = phase.name
            if not await self._through(phase, stop):
                return False
            self._checkpoint.cursor = None
        self._file.remove()
        return True

    async def _through(self, phase: Phase, stop: asyncio.Event) -> bool:
        checkpoint, looked_at = self._checkpoint, self._checkpoint.counts.looked_at
        more = True
        while more:
            if stop.is_set():
                self._file.save(checkpoint)
                return False
            page = await through_outage(self._clock, lambda: phase.page(checkpoint.cursor))
            error = None
            try:
                done = await in_order(page.items, _work, at_once=self._at_once, stop=stop)
            except Interrupted as interrupted:
                done, error = interrupted.done, interrupted.error
            looked_at[phase.name] = looked_at.get(phase.name, 0) + done
            if done:
                checkpoint.cursor = page.items[done - 1].id
            self._file.save(checkpoint)
            if error is not None:
                raise error
            if done < len(page.items):
                return False
            more = page.more
            self._report.progress(phase.name, page.fraction, looked_at[phase.name])
        return True


class Interrupted(Exception):
    """Work on an item failed; the first `done` items are done."""

    def __init__(self, done: int, error: ConnectorError) -> None:
        super().__init__(str(error))
        self.done = done
        self.error = error


async def in_order(
    items: Sequence[T],
    work: Callable[[T], Awaitable[None]],
    *,
    at_once: int,
    stop: asyncio.Event,
) -> int:
    """Work on items, `at_once` of them concurrently; returns how many of the first are done.

    Fewer than all only where `stop` was set. Finishes what was begun. Raises Interrupted.
    """
    done = [False] * len(items)
    errors: list[ConnectorError] = []
    waiting = iter(enumerate(items))

    async def worker() -> None:
        for position, item in waiting:
            if stop.is_set() or errors:
                return
            try:
                await work(item)
            except ConnectorError as error:
                errors.append(error)
                return
            done[position] = True

    async with asyncio.TaskGroup() as group:
        for _ in range(min(at_once, len(items))):
            group.create_task(worker())
    first = done.index(False) if False in done else len(items)
    if errors:
        raise Interrupted(first, errors[0])
    return first


async def _work(item: PhaseItem) -> None:
    if item.work is not None:
        await item.work()
