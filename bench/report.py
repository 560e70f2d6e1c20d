"""Shows results beside their targets, and writes them as JSON."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table

from bench.measure import LATENCY_S, Footprint, Plan, Result
from bench.operations import Operation
from bench.processes import source_of_cpu
from bench.rig import Latency

_MEGABYTE = 1_000_000
SLACK = 1.15
"""How far above its calls in sequence the latency at 32 callers may lie."""


class Machine(Struct, frozen=True):
    system: str
    python: str
    cores: int
    cpu_time_from: str


class Target(Struct, frozen=True):
    """A figure of the process beside its limit."""

    name: str
    measured: float
    limit: float
    unit: str

    @property
    def holds(self) -> bool:
        return self.measured <= self.limit


def this_machine() -> Machine:
    return Machine(
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
        cores=os.cpu_count() or 1,
        cpu_time_from=source_of_cpu(),
    )


def process_targets(footprint: Footprint) -> list[Target]:
    return [
        Target("cold start to the first answer", footprint.cold_start_s * 1000, 600, "ms"),
        Target("memory idle", footprint.idle_bytes / _MEGABYTE, 80, "MB"),
        Target("memory under load", footprint.loaded_bytes / _MEGABYTE, 130, "MB"),
    ]


def ratio(result: Result) -> float | None:
    """Median latency at 32 callers and slow backends, over what the calls in sequence take."""
    return result.loaded_slow.p50 / (result.calls * LATENCY_S) if result.calls else None


def missed(
    results: Sequence[Result], operations: Sequence[Operation], footprint: Footprint
) -> list[str]:
    """Every missed target, as a text."""
    found = []
    for result, target in zip(results, operations, strict=True):
        if result.calls > target.calls:
            found.append(f"{target.name}: {result.calls} calls in sequence, not {target.calls}")
        over = ratio(result)
        if over is not None and over > SLACK:
            found.append(f"{target.name}: {over:.2f} times its calls in sequence, not {SLACK:g}")
    found += [
        f"{each.name}: {each.measured:.0f} {each.unit}, not {each.limit:g}"
        for each in process_targets(footprint)
        if not each.holds
    ]
    return found


def tables(
    results: Sequence[Result], operations: Sequence[Operation], footprint: Footprint
) -> RenderableType:
    """All figures, in three tables and the list of missed targets."""
    misses = missed(results, operations, footprint)
    verdict = ["Missed:", *(f"  {each}" for each in misses)] if misses else ["All targets hold."]
    if not all(each.processor_was_the_bottleneck for each in results):
        verdict.append("* Backend or load generator took more CPU than the processor.")
    return Group(
        _work(results, operations),
        _latencies(results),
        _process(footprint),
        "\n".join(verdict),
    )


def to_json(
    plan: Plan, results: Sequence[Result], operations: Sequence[Operation], footprint: Footprint
) -> bytes:
    """All figures as JSON."""
    document: dict[str, Any] = {
        "machine": this_machine(),
        "plan": plan,
        "operations": [
            {
                **msgspec.to_builtins(result),
                "per_core": result.per_core,
                "processor_was_the_bottleneck": result.processor_was_the_bottleneck,
                "target_calls": target.calls,
                "multiple": result.multiple,
            }
            for result, target in zip(results, operations, strict=True)
        ],
        "process": footprint,
        "missed": missed(results, operations, footprint),
    }
    return msgspec.json.format(msgspec.json.encode(document)) + b"\n"


def _work(results: Sequence[Result], operations: Sequence[Operation]) -> Table:
    table = Table(title="Work of one request", title_justify="left")
    table.add_column("Operation", no_wrap=True)
    for name in ("calls", "in sequence", "at most"):
        table.add_column(name, justify="right")
    for name in ("CPU s/1,000", "spread", "bare client", "multiple", "req/s per core", "measured"):
        table.add_column(name, justify="right")
    for result, target in zip(results, operations, strict=True):
        table.add_row(
            result.name if result.processor_was_the_bottleneck else f"{result.name} *",
            str(result.calls_in_all),
            _judged(str(result.calls), holds=result.calls <= target.calls),
            str(target.calls),
            f"{result.cpu:.2f}",
            f"{result.spread:.0%}",
            _number(result.least_cpu),
            _number(result.multiple),
            f"{result.per_core:.0f}",
            f"{result.requests_per_second:.0f}",
        )
    return table


def _latencies(results: Sequence[Result]) -> Table:
    slow = f"{LATENCY_S * 1000:.0f} ms"
    table = Table(title="Latency in ms, p50 / p99, by callers and backends", title_justify="left")
    table.add_column("Operation", no_wrap=True)
    for name in ("1, 0 ms", "32, 0 ms", f"1, {slow}", f"32, {slow}", "over sequence"):
        table.add_column(name, justify="right")
    for result in results:
        over = ratio(result)
        table.add_row(
            result.name,
            *(
                _shown(each)
                for each in (result.alone, result.loaded, result.alone_slow, result.loaded_slow)
            ),
            "-" if over is None else _judged(f"{over - 1:+.0%}", holds=over <= SLACK),
        )
    return table


def _process(footprint: Footprint) -> Table:
    table = Table(title="Process", title_justify="left")
    table.add_column("Figure", no_wrap=True)
    for name in ("measured", "at most"):
        table.add_column(name, justify="right")
    for each in process_targets(footprint):
        measured = _judged(f"{each.measured:.0f} {each.unit}", holds=each.holds)
        table.add_row(each.name, measured, f"{each.limit:g} {each.unit}")
    return table


def _judged(text: str, *, holds: bool) -> str:
    return text if holds else f"[red]{text} ![/red]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _shown(latency: Latency) -> str:
    return f"{latency.p50 * 1000:.1f} / {latency.p99 * 1000:.1f}"
