"""`make bench REFERENCE=...`: CPU per operation beside another processor's, measured in turn.

The reference is a command that serves on HOST and PORT with the environment of the benchmark, or
the address of a processor of this machine that already does.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Group, RenderableType

from bench.backend import Prepared
from bench.client import Connection, LoadFailed, Request
from bench.comparison import Comparison, Plan, compared, missed, table
from bench.operations import Operation, Workload
from bench.processes import Measured, keep_apart, listener, processor_environment
from bench.rig import FIRST_REQUEST, SERVE, Rig, rig, start_backend, start_processor
from bench.statistics import in_sequence, usual

BACKEND_PORT = 8099
"""Where a processor that already runs must expect both backends."""
COLD_START = 0.5
MEMORY = 0.4
"""How much of the reference's these may be at most."""
_MEGABYTE = 1_000_000


PLAN = Plan(warm_up=1_500)
"""A processor that compiles while it runs has then compiled what it will."""


class Reference(Struct, frozen=True):
    """The other processor."""

    command: Sequence[str] = ()
    port: int = 0
    """Where it already listens, if it is not started by a command."""

    @classmethod
    def parsed(cls, text: str) -> Reference:
        """From an address or a command. Raises ValueError."""
        if not text.startswith("http://"):
            return cls(command=shlex.split(text))
        port = urlsplit(text).port
        if port is None:
            raise ValueError(f"The address {text} needs a port.")
        return cls(port=port)


class Calls(Struct, frozen=True):
    """Backend calls of an operation: the reference's and ours, in sequence; those refused."""

    theirs: int
    ours: int
    refused: Sequence[str]


class Findings(Struct, frozen=True):
    operations: Sequence[Comparison]
    calls: Sequence[Calls]
    process: Sequence[Comparison]
    """Cold start in milliseconds, memory in megabytes."""

    @property
    def missed(self) -> list[str]:
        return missed([*self.operations, *self.process])


def theirs(operation: Operation) -> Workload:
    """The operation as any processor answers it: only its status is looked at."""
    build, before = operation.reference or operation.build, operation.before
    return replace(operation, build=_any(build), before=None if before is None else _any(before))


def _any(build: Callable[[Prepared], Request]) -> Callable[[Prepared], Request]:
    return lambda prepared: replace(build(prepared), expected=b"")


async def beside(
    plan: Plan,
    reference: Reference,
    operations: Sequence[Operation],
    logs: Path,
    tell: Callable[[str], None],
) -> Findings:
    """Measure both in turn, on a core of their own if there are two. Raises LoadFailed."""
    other = logs / "reference"
    other.mkdir(exist_ok=True)
    core = keep_apart()
    with ExitStack() as stack:
        backend, backend_port = await start_backend(
            stack, logs, BACKEND_PORT if reference.port else None
        )
        process: list[Comparison] = []
        if reference.command:
            tell("cold start")
            process += await _starts(plan, reference, backend_port, logs, core)
            base: Measured
            base, base_port, _, _ = await start_processor(
                stack, backend_port, other, core=core, command=reference.command
            )
        else:
            base, base_port = await _running(reference.port, core), reference.port
        now, now_port, _, _ = await start_processor(stack, backend_port, logs, core=core)
        found, calls = [], []
        async with (
            rig(base, base_port, backend, backend_port) as then,
            rig(now, now_port, backend, backend_port) as here,
        ):
            for operation in operations:
                tell(operation.name)
                pairs = ((theirs(operation), then), (operation, here))
                found.append(await compared(plan, *pairs, operation.ratio))
                calls.append(await _calls(*pairs))
            loaded = [each.loaded_bytes / _MEGABYTE for each in (then, here)]
        process.append(Comparison("memory under load, MB", loaded[:1], loaded[1:], MEMORY))
    return Findings(found, calls, process)


async def _starts(
    plan: Plan, reference: Reference, backend_port: int, logs: Path, core: int | None
) -> list[Comparison]:
    """Cold start and idle memory of both, started in turn."""
    seconds: tuple[list[float], list[float]] = ([], [])
    cpu: tuple[list[float], list[float]] = ([], [])
    memory: tuple[list[float], list[float]] = ([], [])
    for _ in range(plan.rounds):
        for side, command in enumerate((reference.command, SERVE)):
            with ExitStack() as one:
                process, _, cold, idle = await start_processor(
                    one, backend_port, logs / ("reference", "")[side], core=core, command=command
                )
                cpu[side].append(process.cpu_seconds() * 1000)
            seconds[side].append(cold * 1000)
            memory[side].append(idle / _MEGABYTE)
    return [
        Comparison("cold start to the first answer, ms", *seconds, COLD_START),
        Comparison("CPU of a cold start, ms", *cpu, COLD_START),
        Comparison("memory idle, MB", *memory, MEMORY),
    ]


async def _running(port: int, core: int | None) -> Measured:
    """The process behind an address; it must already answer with the benchmark's backends."""
    process = listener(port)
    if process is None:
        raise LoadFailed(f"No process of yours listens on port {port}.")
    process.keep_to(core)
    connection = await Connection.open(port)
    try:
        await connection.ask(replace(FIRST_REQUEST, expected=b""))
    except LoadFailed as error:
        settings = "\n".join(
            f"{name}={value}" for name, value in processor_environment(port, BACKEND_PORT).items()
        )
        raise LoadFailed(f"{error}\nIt must run with these settings:\n{settings}") from error
    finally:
        connection.close()
    return process


async def _calls(base: tuple[Workload, Rig], now: tuple[Workload, Rig]) -> Calls:
    sides = [(await stage.traced(workload, 3, 0.02))[0] for workload, stage in (base, now)]
    theirs_, ours = [usual(in_sequence(trace) for trace in traces) for traces in sides]
    refused = {
        f"{call.method} {call.target.partition('?')[0]}: {call.status}"
        for traces in sides
        for trace in traces
        for call in trace
        if call.status >= 400
    }
    return Calls(theirs_, ours, sorted(refused))


def report(findings: Findings) -> RenderableType:
    """All figures, and the verdict."""
    lines = [
        f"{result.name}: {calls.ours} calls in sequence, the reference {calls.theirs}"
        + (f"; the backend refused {', '.join(calls.refused)}" if calls.refused else "")
        for result, calls in zip(findings.operations, findings.calls, strict=True)
    ]
    verdict = (
        ["More than the target allows:", *(f"  {each}" for each in findings.missed)]
        if findings.missed
        else ["All targets hold."]
    )
    return Group(
        table(findings.operations, "CPU s per 1,000 requests, beside the reference", "reference"),
        table(findings.process, "Process", "reference"),
        *lines,
        *verdict,
    )


def to_json(plan: Plan, findings: Findings) -> bytes:
    """All figures of all rounds as JSON."""
    document = {"plan": plan, "findings": findings, "missed": findings.missed}
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"
