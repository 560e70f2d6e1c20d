"""Carries out the plan: faults of the backends and of the instances, each in its own lane."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from soak import plan
from soak.burst import Burst, burst
from soak.calls import Calls, Json
from soak.instances import VERSIONS, Instance
from soak.plan import Disturbance, Plan


class Disturbed(Struct, frozen=True):
    """A disturbance that happened. Times in seconds of the monotonic clock."""

    kind: str
    began: float
    ended: float
    ready_after: float | None = None
    """Seconds until the stopped instance accepted requests again."""
    port: int | None = None


class Disturber:
    """Carries out a plan until it is stopped."""

    def __init__(self, calls: Calls, instances: Sequence[Instance], burst_session: str) -> None:
        self._calls = calls
        self._instances = instances
        self._burst_session = burst_session
        self.happened: list[Disturbed] = []
        self.bursts: list[Burst] = []
        self.troubles: list[str] = []

    async def go(self, what: Plan, stop: asyncio.Event) -> None:
        """Run both lanes; each finishes its current disturbance when stopped."""
        async with asyncio.TaskGroup() as group:
            for lane in (what.backends, what.instances):
                group.create_task(self._lane(lane, stop))

    async def _lane(self, lane: Sequence[Disturbance], stop: asyncio.Event) -> None:
        for each in lane:
            if await _told(stop, each.pause):
                return
            await self._happen(each)

    async def _happen(self, each: Disturbance) -> None:
        began = time.monotonic()
        ready_after = port = None
        match each.kind:
            case plan.SIGTERM | plan.SIGKILL:
                instance = self._instances[each.instance]
                port = instance.port
                await self._restart(instance, kill=each.kind == plan.SIGKILL)
                ready_after = time.monotonic() - began
            case plan.UPGRADE:
                for instance in self._instances:
                    instance.version = (instance.version + 1) % len(VERSIONS)
                    await self._restart(instance, kill=False)
            case plan.BURST:
                port = self._instances[each.instance].port
                await self._burst(port, each.callers)
            case plan.REVOKE:
                await self._calls.revoke_tokens()
            case plan.ROTATE:
                await self._calls.rotate_keys()
            case plan.SKEW_WITHIN | plan.SKEW_BEYOND:
                await self._calls.sandbox("POST", "clock/skew", {"seconds": each.seconds})
                await asyncio.sleep(each.lasts)
                await self._calls.sandbox("POST", "clock/skew", {"seconds": 0})
            case _:
                await self._trouble(each)
        # A process that dies does so at once; the recovery begins here.
        ended = began if each.kind in (plan.SIGTERM, plan.SIGKILL) else time.monotonic()
        self.happened.append(Disturbed(each.kind, began, ended, ready_after, port))

    async def _trouble(self, each: Disturbance) -> None:
        """Set a rule of the fault desk, or of Stripe's own errors, for a time."""
        rule = each.rule or {}
        place = "faults" if "backend" in rule else "stripe/errors"
        made: Json = await self._calls.sandbox("POST", place, rule)
        await asyncio.sleep(each.lasts)
        await self._calls.sandbox_quietly("DELETE", f"{place}/{made['id']}")

    async def _restart(self, instance: Instance, *, kill: bool) -> None:
        if kill:
            await instance.kill()
        elif (code := await instance.stop()) != 0:
            self.troubles.append(f"the instance at {instance.port} ended with {code} on SIGTERM")
        await instance.start()

    async def _burst(self, port: int, callers: int) -> None:
        """Send more callers than an instance accepts, while the backends answer slowly."""
        slow = {
            "backend": "commercetools",
            "kind": "delay",
            "method": "GET",
            "path": "*/carts/*",
            "times": None,
            "seconds": 2.0,
        }
        made = await self._calls.sandbox("POST", "faults", slow)
        try:
            seen = await burst(port, self._burst_session, callers)
        finally:
            await self._calls.sandbox_quietly("DELETE", f"faults/{made['id']}")
        self.bursts.append(seen)
        self.troubles += seen.troubles


async def _told(stop: asyncio.Event, seconds: float) -> bool:
    """Wait until the time is over or it is stopped; returns whether it was stopped."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return False
    return True
