"""Measures operations one by one, in rounds; the least disturbed round counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from msgspec import Struct

from bench.bare import least_cpu
from bench.operations import Operation
from bench.processes import keep_apart
from bench.rig import CALLERS, Latency, Rig, Round, rig, start_backend, start_processor
from bench.server import Mode
from bench.statistics import in_sequence, usual

LATENCY_S = 0.05
"""Seconds that a backend takes in the second half of the latencies."""


class Plan(Struct, frozen=True):
    """How much is measured."""

    rounds: int = 5
    requests: int = 600
    """Requests of each round at 32 callers."""
    alone: int = 100
    """Requests of one caller."""
    slow: int = 192
    """Requests of 32 callers whose backends take 50 ms."""
    slow_alone: int = 8
    cold_starts: int = 5


QUICK = Plan(rounds=2, requests=200, alone=30, slow=96, slow_alone=3, cold_starts=2)


class Result(Struct, frozen=True):
    """The cost of an operation. CPU in seconds per 1,000 requests."""

    name: str
    calls: int
    """Backend calls in sequence."""
    calls_in_all: int
    cpu: float
    least_cpu: float | None
    """That of a bare client making the same calls; None without calls."""
    spread: float
    """How far the rounds lie apart, as a part of the least."""
    backend_cpu: float
    generator_cpu: float
    requests_per_second: float
    """As measured, at 32 callers."""
    alone: Latency
    loaded: Latency
    alone_slow: Latency
    loaded_slow: Latency

    @property
    def per_core(self) -> float:
        """Requests per second that one core can take."""
        return 1000 / self.cpu

    @property
    def multiple(self) -> float | None:
        """How many times the CPU of a bare client making the same calls."""
        return self.cpu / self.least_cpu if self.least_cpu else None

    @property
    def processor_was_the_bottleneck(self) -> bool:
        return self.cpu >= max(self.backend_cpu, self.generator_cpu)


class Footprint(Struct, frozen=True):
    """Start-up time and memory of the process."""

    cold_start_s: float
    idle_bytes: int
    loaded_bytes: int
    """The most memory seen after any round."""


async def measure(
    plan: Plan, operations: Sequence[Operation], logs: Path, tell: Callable[[str], None]
) -> tuple[list[Result], Footprint]:
    """Start everything, measure everything; `logs` is a folder. Raises LoadFailed."""
    with ExitStack() as stack:
        core = keep_apart()
        backend, backend_port = await start_backend(stack, logs)

        tell("cold start")
        colds = []
        for _ in range(plan.cold_starts):
            with ExitStack() as one:
                _, _, cold, idle = await start_processor(one, backend_port, logs, core=core)
                colds.append((cold, idle))

        processor, port, _, _ = await start_processor(stack, backend_port, logs, core=core)
        results = []
        async with rig(processor, port, backend, backend_port) as stage:
            for operation in operations:
                tell(operation.name)
                results.append(await _measured(stage, plan, operation, core))
            loaded_bytes = stage.loaded_bytes
    return results, Footprint(
        cold_start_s=min(cold for cold, _ in colds),
        idle_bytes=max(idle for _, idle in colds),
        loaded_bytes=loaded_bytes,
    )


async def _measured(stage: Rig, plan: Plan, operation: Operation, core: int | None) -> Result:
    traces, slow_alone = await stage.traced(operation, plan.slow_alone, LATENCY_S)
    await stage.round(operation, CALLERS, max(64, plan.requests // 5))  # warms up
    rounds, bare = [], []
    for _ in range(plan.rounds):
        rounds.append(await stage.round(operation, CALLERS, plan.requests))
        if traces[-1]:
            await stage.mode(Mode(replay=True))
            bare.append(
                await least_cpu(stage.backend_port, traces[-1], plan.requests, CALLERS, core)
            )
    best = min(rounds, key=lambda each: each.cpu)
    alone = [await stage.round(operation, 1, plan.alone) for _ in range(plan.rounds)]
    slow = [await stage.round(operation, CALLERS, plan.slow, LATENCY_S) for _ in range(plan.rounds)]
    return Result(
        name=operation.name,
        calls=usual(in_sequence(trace) for trace in traces),
        calls_in_all=usual(len(trace) for trace in traces),
        cpu=best.cpu,
        least_cpu=min(bare, default=None),
        spread=max(each.cpu for each in rounds) / best.cpu - 1,
        backend_cpu=best.backend_cpu,
        generator_cpu=best.generator_cpu,
        requests_per_second=best.requests_per_second,
        alone=_least_disturbed(alone),
        loaded=best.latency,
        alone_slow=slow_alone,
        loaded_slow=_least_disturbed(slow),
    )


def _least_disturbed(rounds: Sequence[Round]) -> Latency:
    return min((each.latency for each in rounds), key=lambda latency: latency.p50)
