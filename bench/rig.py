"""A processor and its backends as processes, and rounds of requests sent to it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.backend import FIRST, Prepared
from bench.client import Connection, LoadFailed, Request, load, request
from bench.operations import Workload
from bench.processes import Measured, Process, free_port, module, processor_environment
from bench.server import Call, Mode, Order
from bench.statistics import percentile

CALLERS = 32
SERVE = module("stripe_connector", "serve")
# Needs an access token and a session: the first request of a shopper, not of a probe.
FIRST_REQUEST = request("GET", "/operations/config", {"x-session-id": f"{FIRST}_1"})
_START_S = 30.0


class Latency(Struct, frozen=True):
    """Seconds."""

    p50: float
    p99: float


class Round(Struct, frozen=True):
    """The cost of some requests. CPU in seconds per 1,000 requests."""

    cpu: float
    backend_cpu: float
    generator_cpu: float
    requests_per_second: float
    latency: Latency


class Rig:
    """A processor and its backends, under the load of this process."""

    def __init__(
        self,
        processor: Measured,
        backend: Measured,
        backend_port: int,
        control: Connection,
        callers: Sequence[Connection],
    ) -> None:
        self.processor = processor
        self.backend_port = backend_port
        self._backend = backend
        self._control = control
        self.callers = callers
        self.loaded_bytes = 0
        """The most memory that the processor held after any round."""

    async def round(
        self, workload: Workload, callers: int, count: int, latency_s: float = 0.0
    ) -> Round:
        """Prepare situations, then send the request of each; `latency_s` is a backend's."""
        return await self.sent(await self.prepared(workload, count), callers, latency_s)

    async def sent(
        self, requests: Sequence[Request], callers: int, latency_s: float = 0.0
    ) -> Round:
        """Send the prepared requests."""
        await self.mode(Mode(latency=latency_s))
        before = self._used()
        began = time.perf_counter()
        seconds = await load(self.callers[:callers], requests)
        took = time.perf_counter() - began
        count = len(requests)
        cpu = [(now - then) / count * 1000 for now, then in zip(self._used(), before, strict=True)]
        self.loaded_bytes = max(self.loaded_bytes, self.processor.rss_bytes())
        return Round(cpu[0], cpu[1], cpu[2], count / took, latency(seconds))

    async def traced(
        self, workload: Workload, count: int, latency_s: float
    ) -> tuple[list[list[Call]], Latency]:
        """Send one request after the other; returns the calls that each has caused."""
        requests = await self.prepared(workload, count)
        await self.mode(Mode(latency=latency_s, trace=True))
        traces: list[list[Call]] = []
        seconds: list[float] = []
        for each in requests:
            seconds += await load(self.callers[:1], [each])
            answer = await self._control.ask(request("GET", "/_bench/trace"))
            traces.append(msgspec.json.decode(answer.body, type=list[Call]))
        return traces, latency(seconds)

    async def situations(self, workload: Workload, count: int) -> list[Prepared]:
        """Situations that the backend prepares, one for each request."""
        await self.mode(Mode())
        order = msgspec.json.encode(Order(workload.kind, count, workload.size))
        answer = await self._control.ask(request("POST", "/_bench/prepare", body=order))
        return msgspec.json.decode(answer.body, type=list[Prepared])

    async def prepared(self, workload: Workload, count: int) -> list[Request]:
        """Requests that are ready to be measured."""
        situations = await self.situations(workload, count)
        if workload.before is not None:
            await load(self.callers, [workload.before(each) for each in situations])
        return [workload.build(each) for each in situations]

    async def mode(self, mode: Mode) -> None:
        """Change the behaviour of the backends."""
        body = msgspec.json.encode(mode)
        await self._control.ask(request("POST", "/_bench/mode", body=body))

    def _used(self) -> tuple[float, float, float]:
        return self.processor.cpu_seconds(), self._backend.cpu_seconds(), time.process_time()


@asynccontextmanager
async def rig(
    processor: Measured, port: int, backend: Measured, backend_port: int, callers: int = CALLERS
) -> AsyncIterator[Rig]:
    """Open connections to both, and close them at the end."""
    control = await Connection.open(backend_port)
    connections = [await Connection.open(port) for _ in range(callers)]
    try:
        yield Rig(processor, backend, backend_port, control, connections)
    finally:
        for each in (control, *connections):
            each.close()


async def start_backend(
    stack: ExitStack, logs: Path, port: int | None = None
) -> tuple[Process, int]:
    """Both backends in a process, and its port; `logs` is a folder. Raises LoadFailed."""
    port = port or free_port()
    environment = processor_environment(0, port)
    backend = stack.enter_context(
        Process(module("bench.server", str(port)), environment, logs / "bench-backend.log")
    )
    await _first_answer(backend, port, request("POST", "/_bench/mode", body=b"{}"))
    return backend, port


async def start_processor(
    stack: ExitStack,
    backend_port: int,
    logs: Path,
    settings: Mapping[str, str] | None = None,
    core: int | None = None,
    command: Sequence[str] = SERVE,
) -> tuple[Process, int, float, int]:
    """A processor, its port, the seconds to its first answer, and the memory it holds then.

    `settings` add to its configuration; it runs on `core` only.
    """
    port = free_port()
    environment = processor_environment(port, backend_port) | dict(settings or {})
    began = time.perf_counter()
    processor = stack.enter_context(
        Process(command, environment, logs / "bench-processor.log", core)
    )
    await _first_answer(processor, port, FIRST_REQUEST)
    return processor, port, time.perf_counter() - began, processor.rss_bytes()


async def _first_answer(process: Process, port: int, wanted: Request) -> None:
    deadline = time.monotonic() + _START_S
    while process.running and time.monotonic() < deadline:
        try:
            connection = await Connection.open(port)
        except OSError:
            await asyncio.sleep(0.002)  # it is not listening yet
            continue
        try:
            await connection.ask(wanted)
        finally:
            connection.close()
        return
    raise LoadFailed(f"A process did not start; {process.log} says why.")


def latency(seconds: Sequence[float]) -> Latency:
    return Latency(percentile(seconds, 50), percentile(seconds, 99))
