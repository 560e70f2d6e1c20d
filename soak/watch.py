"""Monitors the instances from outside: do requests work, and which resources do they hold?"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

from soak import judge
from soak.calls import Calls, fixed
from soak.disturb import Disturbed
from soak.instances import METRICS_TOKEN, Footprint, Instance
from soak.judge import Probe, Sample

_PROBE_S = 0.25
_PROBE_TIMEOUT_S = 5.0
_IDLE_S = 45.0
_IN_PROGRESS = re.compile(r"^\w+_requests_in_progress (\d+)", re.MULTILINE)


class Watcher:
    """Probes and samples of a run; `sample_s` seconds lie between two samples."""

    def __init__(self, calls: Calls, processors: Sequence[Instance], sample_s: float) -> None:
        self._calls = calls
        self._processors = processors
        self._sample_s = sample_s
        self._began = time.monotonic()
        self.shopper: list[Probe] = []
        self.merchant: list[Probe] = []
        self.samples: dict[int, list[Sample]] = {each.port: [] for each in processors}

    async def watch(self, session: str, over: asyncio.Event) -> None:
        """Probe and sample until `over`; `session` is of a cart that is never paid."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._probe_shopper(session, over))
            group.create_task(self._probe_merchant(over))
            group.create_task(self._sample(over))

    async def recovered(self, happened: Sequence[Disturbed]) -> None:
        """Wait until requests work after the last disturbance, or give up."""
        last = max((each.ended for each in happened), default=0.0)
        deadline = time.monotonic() + _IDLE_S
        while judge.recovery(self.shopper, last) is None:
            if time.monotonic() > deadline:
                return
            await asyncio.sleep(_PROBE_S)

    async def idle(self) -> dict[int, Sample | None]:
        """The resources of each idle instance, after it has released what it can."""
        deadline = time.monotonic() + _IDLE_S
        while True:
            idle = {each.port: await self._idle(each) for each in self._processors}
            if not self.leaks(idle) or time.monotonic() > deadline:
                return idle
            await asyncio.sleep(1)

    def leaks(self, idle: dict[int, Sample | None]) -> list[str]:
        """Resources that the instances have not released."""
        found = []
        for port, held in idle.items():
            name = f"the instance at {port}"
            if held is None:
                found.append(f"{name} is gone")
            else:
                found += judge.leaks(name, self.samples[port], held)
        return found

    async def _probe_shopper(self, session: str, over: asyncio.Event) -> None:
        """Probe what every shopper needs, both backends included."""
        headers = await fixed(x_session_id=session)()
        while not over.is_set():
            at = time.monotonic()
            answer = await self._calls.ask(
                "probe", "POST", "/payments", headers, within_s=_PROBE_TIMEOUT_S
            )
            self.shopper.append(Probe(at, answer is not None and answer.status_code == 200))
            await asyncio.sleep(_PROBE_S)

    async def _probe_merchant(self, over: asyncio.Event) -> None:
        """Probe the Merchant Center's request, with a newly signed token."""
        while not over.is_set():
            at = time.monotonic()
            answer = await self._calls.ask(
                "Merchant Center",
                "GET",
                "/operations/payment-components",
                await self._calls.merchant(),
                within_s=_PROBE_TIMEOUT_S,
            )
            self.merchant.append(Probe(at, answer is not None and answer.status_code == 200))
            await asyncio.sleep(4 * _PROBE_S)

    async def _sample(self, over: asyncio.Event) -> None:
        while not over.is_set():
            for each in self._processors:
                held = each.footprint()
                if held is not None:
                    self.samples[each.port].append(self._sampled(each, held))
            try:
                async with asyncio.timeout(self._sample_s):
                    await over.wait()
            except TimeoutError:
                continue

    async def _idle(self, instance: Instance) -> Sample | None:
        held = instance.footprint()
        if held is None:
            return None
        text = await self._calls.metrics(instance.port, METRICS_TOKEN)
        counted = _IN_PROGRESS.search(text)
        return self._sampled(instance, held, int(counted[1]) if counted else None)

    def _sampled(
        self, instance: Instance, held: Footprint, in_progress: int | None = None
    ) -> Sample:
        at = time.monotonic() - self._began
        return Sample(
            at, instance.life, held.rss_bytes, held.files, held.threads, in_progress=in_progress
        )
