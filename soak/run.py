"""One run: start everything, inject faults, drain, reconcile, and read both sides."""

from __future__ import annotations

import asyncio
import os
import platform
import random
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import httpx

from sandbox.addresses import Addresses
from sandbox.demo.client import open_client
from sandbox.demo.start import stand_ins
from soak import judge, reading
from soak.balancer import Balancer, balancer
from soak.book import Book
from soak.calls import Calls
from soak.disturb import Disturbed, Disturber
from soak.instances import Instance, free_ports, instances
from soak.judge import Probe
from soak.plan import plan
from soak.reconcile import reconcile
from soak.result import Options, Reconciled, Result, Watched
from soak.traffic import Shopper
from soak.watch import Watcher

_CONNECTIONS = 200
_TIMEOUT_S = 60.0
_PATIENCE_S = 180.0
"""How long callers repeat a request: longer than any fault lasts."""
_MINUTE = 60.0
_BANKS_S = 120.0
"""Longer than any refund takes."""
_DRAIN_TRIES = 60


async def soak(options: Options, logs: Path, tell: Callable[[str], None]) -> Result:
    """Carry out a run; raises ProgramFailed if a process does not start."""
    *places, first, second = free_ports(7)
    at, ports = Addresses(*places), [first, second]
    with ExitStack() as stack:
        blocking = stack.enter_context(open_client())
        await asyncio.to_thread(stack.enter_context, stand_ins(at, blocking, logs))
        processors = instances(stack, at, ports, blocking, logs)
        limits = httpx.Limits(max_connections=_CONNECTIONS)
        client = httpx.AsyncClient(timeout=_TIMEOUT_S, trust_env=False, limits=limits)
        async with client, balancer(at.processor, ports) as front:
            for each in processors:
                await each.start()
            calls = Calls(at, client, _PATIENCE_S)
            run = _Run(options, calls, processors, logs, tell)
            return await run.go(front, lambda: reading.events(at, client))


class _Run:
    """State that the phases of a run share."""

    def __init__(
        self,
        options: Options,
        calls: Calls,
        processors: Sequence[Instance],
        logs: Path,
        tell: Callable[[str], None],
    ) -> None:
        self._options = options
        self._calls = calls
        self._processors = processors
        self._logs = logs
        self._tell = tell
        self._book = Book()
        self._watcher = Watcher(calls, processors, options.sample_s)
        self._began = time.monotonic()

    async def go(self, front: Balancer, read_events: reading.Reader) -> Result:
        began = datetime.now(UTC)
        disturber = await self._traffic()
        self._tell("Draining deliveries")
        await self._drain()
        idle = await self._watcher.idle()
        self._tell("Comparing both sides")
        before = await reading.truth(self._calls)
        events = await read_events()
        reconciled = [await self._reconcile(number) for number in ("first", "second")]
        after = await reading.truth(self._calls)
        purchases = self._book.purchases
        acknowledged = sum(each.acknowledged for each in events)
        return Result(
            options=self._options,
            machine=_machine(),
            began=began,
            took_s=time.monotonic() - self._began,
            book=self._book,
            traffic=self._calls.traffic,
            happened=disturber.happened,
            bursts=disturber.bursts,
            cuts=len(front.cuts),
            shopper=self._watcher.shopper,
            merchant=self._watcher.merchant,
            watched=[
                Watched(
                    each.port,
                    each.life,
                    front.forwarded[each.port],
                    self._watcher.samples[each.port],
                    idle[each.port],
                )
                for each in self._processors
            ],
            events=len(events),
            acknowledged=acknowledged,
            undelivered=len(events) - acknowledged,
            differences_before=judge.differences(before),
            reconciled=reconciled,
            verdict={
                "answers that nothing excuses": self._book.troubles + disturber.troubles,
                "acknowledged without effect": judge.acknowledged_in_vain(before, events),
                "money moved twice": judge.moved_twice(after, purchases),
                "differences after reconcile": judge.differences(after),
                "reconcile finds nothing more": not_reconciled(reconciled),
                "one live payment": judge.not_one_payment(after, purchases),
                "nothing leaks": self._watcher.leaks(idle),
                "it recovers by itself": not_recovered(disturber.happened, self._watcher.shopper),
            },
        )

    async def _traffic(self) -> Disturber:
        """Run shoppers under disturbances; at the end each has finished its purchase."""
        options = self._options
        cart = await self._calls.cart("DE", "EUR", {"brass-pen-1": 1})
        session = await self._calls.session(cart)
        disturber = Disturber(self._calls, self._processors, session)
        calm, closing, over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watcher.watch(session, over))
            shoppers = [
                group.create_task(self._shopper(number).go(closing))
                for number in range(options.shoppers)
            ]
            drawn = plan(options.seed, options.pace, options.seconds)
            disturbing = group.create_task(disturber.go(drawn, calm))
            if options.seconds is not None:
                await self._until(options.seconds)
                calm.set()
            await disturbing
            await self._calls.sandbox("DELETE", "faults")
            await self._calls.sandbox("DELETE", "stripe/errors")
            closing.set()
            self._tell("Faults are off; shoppers finish their purchases")
            await asyncio.gather(*shoppers)
            await self._watcher.recovered(disturber.happened)
            over.set()
        return disturber

    async def _until(self, seconds: float) -> None:
        while (left := seconds - (time.monotonic() - self._began)) > 0:
            await asyncio.sleep(min(_MINUTE, left))
            bought, troubles = len(self._book.purchases), len(self._book.troubles)
            gone = (time.monotonic() - self._began) / _MINUTE
            self._tell(f"{gone:.0f} min: {bought} purchases, {troubles} violations")

    def _shopper(self, number: int) -> Shopper:
        dice = random.Random(f"{self._options.seed} shopper {number}")
        return Shopper(self._calls, self._book, dice, self._options.think_s)

    async def _drain(self) -> None:
        """Advance the stand-ins' clock until banks are done and no delivery waits for a try."""
        await self._calls.sandbox("POST", "clock", {"advance": _BANKS_S})
        for _ in range(_DRAIN_TRIES):
            await asyncio.sleep(1)
            if not (await self._calls.sandbox("GET", "stripe/activity"))["waiting"]:
                return
            await self._calls.sandbox("POST", "clock", {"advance": _MINUTE})

    async def _reconcile(self, number: str) -> Reconciled:
        self._tell(f"Running reconcile --apply, {number} time")
        minutes = int((time.monotonic() - self._began) / _MINUTE) + 10
        log = self._logs / f"reconcile-{number}.jsonl"
        return await reconcile(self._processors[0].environment, minutes, log)


def not_reconciled(runs: Sequence[Reconciled]) -> list[str]:
    """What the last of several runs still found."""
    last = runs[-1]
    found = [f"the last run finds {count} of {kind}" for kind, count in last.found.items()]
    return found + ([f"it ends with {last.exit_code}"] if last.exit_code else [])


def not_recovered(happened: Sequence[Disturbed], probes: Sequence[Probe]) -> list[str]:
    """Disturbances after which requests never worked again."""
    return [
        f"after {each.kind} no request worked again"
        for each in happened
        if judge.recovery(probes, each.ended) is None
    ]


def _machine() -> str:
    cores, python = os.cpu_count(), platform.python_version()
    return f"{platform.system()} {platform.machine()}, {cores} cores, Python {python}"
