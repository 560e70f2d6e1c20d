"""Takes the measurements: operations one by one, in rounds, of which the least disturbed counts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.backend import Prepared
from bench.client import Connection, LoadFailed, Request, load, request
from bench.operations import Operation
from bench.processes import Process, free_port, processor_environment
from bench.server import Interval, Mode, Order
from bench.statistics import in_sequence, percentile, usual

CALLERS = 32
LATENCY_S = 0.05
"""What a backend takes in the second half of the latencies."""
_START_S = 30.0


class Plan(Struct, frozen=True):
    """How much is measured."""

    rounds: int = 5
    requests: int = 600
    """Of each round at 32 callers."""
    alone: int = 100
    """Of one caller."""
    slow: int = 192
    """Of 32 callers whose backends take 50 ms."""
    slow_alone: int = 8
    cold_starts: int = 5


QUICK = Plan(rounds=2, requests=200, alone=30, slow=96, slow_alone=3, cold_starts=2)


class Latency(Struct, frozen=True):
    """Seconds."""

    p50: float
    p99: float


class Result(Struct, frozen=True):
    """What an operation takes. CPU in seconds per 1,000 requests."""

    name: str
    calls: int
    """Backend calls in sequence."""
    calls_in_all: int
    cpu: float
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
    def processor_was_the_bottleneck(self) -> bool:
        return self.cpu >= max(self.backend_cpu, self.generator_cpu)


class Footprint(Struct, frozen=True):
    """The process itself."""

    cold_start_s: float
    idle_bytes: int
    loaded_bytes: int
    """The most that was seen after any round."""


class _Round(Struct, frozen=True):
    cpu: float
    backend_cpu: float
    generator_cpu: float
    requests_per_second: float
    latency: Latency


class Bench:
    """A processor and its backends, under the load of this process."""

    def __init__(
        self, plan: Plan, processor: Process, backend: Process, port: int, backend_port: int
    ) -> None:
        self._plan = plan
        self._processor = processor
        self._backend = backend
        self._port = port
        self._backend_port = backend_port
        self.loaded_bytes = 0

    async def run(
        self, operations: Sequence[Operation], tell: Callable[[str], None]
    ) -> list[Result]:
        """Measure every operation; `tell` hears which is next."""
        self._control = await Connection.open(self._backend_port)
        self._callers = [await Connection.open(self._port) for _ in range(CALLERS)]
        try:
            results = []
            for operation in operations:
                tell(operation.name)
                results.append(await self._operation(operation))
            return results
        finally:
            for each in (self._control, *self._callers):
                each.close()

    async def _operation(self, operation: Operation) -> Result:
        plan = self._plan
        await self._round(operation, CALLERS, max(64, plan.requests // 5))  # warms up
        rounds = [await self._round(operation, CALLERS, plan.requests) for _ in range(plan.rounds)]
        best = min(rounds, key=lambda each: each.cpu)
        alone = [await self._round(operation, 1, plan.alone) for _ in range(plan.rounds)]
        slow = [
            await self._round(operation, CALLERS, plan.slow, LATENCY_S) for _ in range(plan.rounds)
        ]
        traces, slow_alone = await self._traced(operation)
        return Result(
            name=operation.name,
            calls=usual(in_sequence(trace) for trace in traces),
            calls_in_all=usual(len(trace) for trace in traces),
            cpu=best.cpu,
            backend_cpu=best.backend_cpu,
            generator_cpu=best.generator_cpu,
            requests_per_second=best.requests_per_second,
            alone=_least_disturbed(alone),
            loaded=best.latency,
            alone_slow=slow_alone,
            loaded_slow=_least_disturbed(slow),
        )

    async def _round(
        self, operation: Operation, callers: int, count: int, latency_s: float = 0.0
    ) -> _Round:
        requests = await self._prepared(operation, count)
        await self._mode(Mode(latency=latency_s))
        before = self._used()
        began = time.perf_counter()
        seconds = await load(self._callers[:callers], requests)
        took = time.perf_counter() - began
        cpu = [(now - then) / count * 1000 for now, then in zip(self._used(), before, strict=True)]
        self.loaded_bytes = max(self.loaded_bytes, self._processor.rss_bytes())
        return _Round(cpu[0], cpu[1], cpu[2], count / took, _latency(seconds))

    async def _traced(self, operation: Operation) -> tuple[list[list[Interval]], Latency]:
        """One request after the other before slow backends: the calls that each has caused."""
        requests = await self._prepared(operation, self._plan.slow_alone)
        await self._mode(Mode(latency=LATENCY_S, trace=True))
        traces: list[list[Interval]] = []
        seconds: list[float] = []
        for each in requests:
            seconds += await load(self._callers[:1], [each])
            answer = await self._control.ask(request("GET", "/_bench/trace"))
            traces.append(msgspec.json.decode(answer.body, type=list[Interval]))
        return traces, _latency(seconds)

    async def _prepared(self, operation: Operation, count: int) -> list[Request]:
        await self._mode(Mode())
        order = msgspec.json.encode(Order(operation.kind, count))
        answer = await self._control.ask(request("POST", "/_bench/prepare", body=order))
        situations = msgspec.json.decode(answer.body, type=list[Prepared])
        if operation.before is not None:
            await load(self._callers, [operation.before(each) for each in situations])
        return [operation.build(each) for each in situations]

    async def _mode(self, mode: Mode) -> None:
        body = msgspec.json.encode(mode)
        await self._control.ask(request("POST", "/_bench/mode", body=body))

    def _used(self) -> tuple[float, float, float]:
        return self._processor.cpu_seconds(), self._backend.cpu_seconds(), time.process_time()


async def measure(
    plan: Plan, operations: Sequence[Operation], logs: Path, tell: Callable[[str], None]
) -> tuple[list[Result], Footprint]:
    """Start everything, measure everything; `logs` is a folder. Raises LoadFailed."""
    backend_port = free_port()
    with ExitStack() as stack:
        module = ["bench.server", str(backend_port)]
        environment = processor_environment(0, backend_port)
        backend = stack.enter_context(Process(module, environment, logs / "bench-backend.log"))
        warm_up = request("POST", "/_bench/mode", body=b"{}")
        await _first_answer(backend, backend_port, warm_up)

        tell("cold start")
        colds = []
        for _ in range(plan.cold_starts):
            with ExitStack() as one:
                _, _, cold, idle = await _start(one, backend_port, logs)
                colds.append((cold, idle))

        processor, port, _, _ = await _start(stack, backend_port, logs)
        bench = Bench(plan, processor, backend, port, backend_port)
        results = await bench.run(operations, tell)
    return results, Footprint(
        cold_start_s=min(cold for cold, _ in colds),
        idle_bytes=max(idle for _, idle in colds),
        loaded_bytes=bench.loaded_bytes,
    )


async def _start(
    stack: ExitStack, backend_port: int, logs: Path
) -> tuple[Process, int, float, int]:
    """A processor, its port, the seconds to its first answer, and the memory it holds then."""
    port = free_port()
    environment = processor_environment(port, backend_port)
    began = time.perf_counter()
    processor = stack.enter_context(
        Process(["stripe_connector", "serve"], environment, logs / "bench-processor.log")
    )
    # Takes an access token and a session: the first request of a shopper, not of a probe.
    first = request("GET", "/operations/config", {"x-session-id": "first_1"})
    await _first_answer(processor, port, first)
    return processor, port, time.perf_counter() - began, processor.rss_bytes()


async def _first_answer(process: Process, port: int, wanted: Request) -> None:
    deadline = time.monotonic() + _START_S
    while process.running and time.monotonic() < deadline:
        try:
            connection = await Connection.open(port)
        except OSError:
            await asyncio.sleep(0.002)  # it does not listen yet
            continue
        try:
            await connection.ask(wanted)
        finally:
            connection.close()
        return
    raise LoadFailed(f"A process did not start; {process.log} says why.")


def _least_disturbed(rounds: Sequence[_Round]) -> Latency:
    return min((each.latency for each in rounds), key=lambda latency: latency.p50)


def _latency(seconds: Sequence[float]) -> Latency:
    return Latency(percentile(seconds, 50), percentile(seconds, 99))
