"""`make soak-scaling`: the throughput of one instance and of two, through the same balancer."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.client import load
from bench.loop import run
from bench.operations import Workload, with_session
from bench.processes import Process
from bench.rig import rig, start_backend, start_processor
from soak.balancer import balancer
from soak.instances import free_ports

SHOPPER = Workload(
    name="POST /payments",
    kind="guest",
    build=with_session("POST", "/payments", b'"clientSecret"'),
)
_CALLERS = 64
_WARM_UP = 400


class Throughput(Struct, frozen=True):
    """Instances under full load. CPU in seconds per 1,000 requests."""

    instances: int
    per_second: float
    processors_cpu: float
    backend_cpu: float
    others_cpu: float
    """Of the callers and the balancer, which share a process."""

    @property
    def cores(self) -> float:
        """How many cores all processes keep busy."""
        per_thousand = self.processors_cpu + self.backend_cpu + self.others_cpu
        return self.per_second * per_thousand / 1000


async def measure(instances: int, requests: int, logs: Path) -> Throughput:
    """Fill an empty balancer's instances with work. Raises LoadFailed."""
    with ExitStack() as stack:
        backend, backend_port = await start_backend(stack, logs)
        started = [await start_processor(stack, backend_port, logs) for _ in range(instances)]
        processors = [each[0] for each in started]
        (front,) = free_ports(1)
        async with (
            balancer(front, [each[1] for each in started]),
            rig(processors[0], front, backend, backend_port, _CALLERS) as stage,
        ):
            await load(stage.callers, await stage.prepared(SHOPPER, _WARM_UP))
            prepared = await stage.prepared(SHOPPER, requests)
            before, began = _used(processors, backend), time.perf_counter()
            await load(stage.callers, prepared)
            seconds = time.perf_counter() - began
            after = _used(processors, backend)
    used = [(end - start) / requests * 1000 for start, end in zip(before, after, strict=True)]
    return Throughput(instances, requests / seconds, *used)


def _used(processors: Sequence[Process], backend: Process) -> tuple[float, float, float]:
    return (
        sum(each.cpu_seconds() for each in processors),
        backend.cpu_seconds(),
        time.process_time(),
    )


def table(rows: Sequence[Throughput]) -> Table:
    shown = Table(title=f"{SHOPPER.name}, {_CALLERS} callers, {os.cpu_count()} cores")
    for name in (
        "instances",
        "requests/s",
        "CPU s per 1,000: instances",
        "backends",
        "callers, balancer",
        "cores busy",
    ):
        shown.add_column(name, justify="right")
    for each in rows:
        shown.add_row(
            str(each.instances),
            f"{each.per_second:.0f}",
            f"{each.processors_cpu:.2f}",
            f"{each.backend_cpu:.2f}",
            f"{each.others_cpu:.2f}",
            f"{each.cores:.2f}",
        )
    return shown


@click.command()
@click.option("--requests", default=4000, show_default=True)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/soak/scaling.json"),
    show_default=True,
)
def main(requests: int, output: Path) -> None:
    """Measure one instance, then two, behind the soak's balancer, with the benchmark's backends."""
    console = Console()
    output.parent.mkdir(parents=True, exist_ok=True)
    rows = [run(measure(instances, requests, output.parent)) for instances in (1, 2)]
    console.print(table(rows))
    output.write_bytes(msgspec.json.format(msgspec.json.encode(rows)) + b"\n")


if __name__ == "__main__":
    main()
