"""`make bench-crowd`: more shoppers at once than one core can serve, and a burst of webhooks."""

from __future__ import annotations

import asyncio
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.client import Connection, LoadFailed, Request
from bench.loop import run
from bench.operations import Workload, delivery, stored, with_session
from bench.processes import keep_apart
from bench.rig import CALLERS, Latency, Rig, latency, rig, start_backend, start_processor
from bench.server import Mode

_WIDTH = 120
_BACKEND_S = 0.2
_PATIENCE_S = 60.0

SHOPPER = Workload(
    name="POST /payments",
    kind="guest",
    build=with_session("POST", "/payments", b'"clientSecret"'),
)
PAID = Workload(name="webhook payment_intent.succeeded", kind="paid", build=stored)


class Crowd(Struct, frozen=True):
    """Shoppers who all press the button at the same moment."""

    shoppers: int
    statuses: dict[int, int]
    """How many answers had which status."""
    paying: Latency
    """Of the accepted requests, in seconds."""
    refused: Latency | None
    """Of the requests refused with Retry-After, in seconds."""
    took_s: float
    cpu_s: float
    memory_bytes: int


class Storm(Struct, frozen=True):
    """Webhooks about one payment, in fifths. CPU in seconds per 1,000."""

    webhooks: int
    cpu: list[float]
    memory_bytes: list[int]
    """After each fifth."""


async def crowd(stage: Rig, shoppers: int) -> Crowd:
    """Send one request per shopper at once, each on its own connection."""
    requests = await stage.prepared(SHOPPER, shoppers)
    await stage.mode(Mode(latency=_BACKEND_S))
    cpu, began = stage.processor.cpu_seconds(), time.perf_counter()
    async with asyncio.timeout(_PATIENCE_S):
        answers = await asyncio.gather(
            *(_press(each, wanted) for each, wanted in zip(stage.callers, requests, strict=False))
        )
    paying = [seconds for status, seconds in answers if status == 200]
    refused = [seconds for status, seconds in answers if status != 200]
    return Crowd(
        shoppers=len(answers),
        statuses=dict(Counter(status for status, _ in answers)),
        paying=latency(paying),
        refused=latency(refused) if refused else None,
        took_s=time.perf_counter() - began,
        cpu_s=stage.processor.cpu_seconds() - cpu,
        memory_bytes=stage.processor.rss_bytes(),
    )


async def _press(connection: Connection, wanted: Request) -> tuple[int, float]:
    began = time.perf_counter()
    answer = await connection.answer(wanted)
    return answer.status, time.perf_counter() - began


async def storm(stage: Rig, webhooks: int) -> Storm:
    """Send deliveries of different events about the same payment."""
    [situation] = await stage.situations(PAID, 1)
    cpu, memory = [], []
    for _ in range(5):
        fifth = [
            delivery({**situation.event, "id": f"evt_{number}"}, b"stored")
            for number in range(webhooks // 5)
        ]
        cpu.append((await stage.sent(fifth, CALLERS)).cpu)
        memory.append(stage.processor.rss_bytes())
    return Storm(webhooks, cpu, memory)


async def _measure(
    logs: Path, shoppers: Sequence[int], webhooks: int, tell: Callable[[str], None]
) -> tuple[list[Crowd], Storm]:
    with ExitStack() as stack:
        core = keep_apart()
        backend, backend_port = await start_backend(stack, logs)
        processor, port, _, _ = await start_processor(stack, backend_port, logs, core=core)
        async with rig(processor, port, backend, backend_port, max(shoppers)) as stage:
            await stage.round(SHOPPER, CALLERS, 200)  # warms up
            crowds = []
            for each in shoppers:
                tell(f"{each} shoppers at once")
                crowds.append(await crowd(stage, each))
            tell(f"{webhooks} webhooks about one payment")
            return crowds, await storm(stage, webhooks)


def tables(crowds: Sequence[Crowd], weather: Storm) -> list[Table]:
    at_once = Table(title=f"{SHOPPER.name}, backends at {_BACKEND_S * 1000:.0f} ms, one core")
    for name in ("at once", "answers", "s, p50 / p99", "refused in s", "CPU s", "memory, MB"):
        at_once.add_column(name, justify="right")
    for each in crowds:
        at_once.add_row(
            str(each.shoppers),
            ", ".join(f"{count} x {status}" for status, count in sorted(each.statuses.items())),
            f"{each.paying.p50:.2f} / {each.paying.p99:.2f}",
            "-" if each.refused is None else f"{each.refused.p50:.2f} / {each.refused.p99:.2f}",
            f"{each.cpu_s:.2f}",
            f"{each.memory_bytes / 1e6:.0f}",
        )
    about_one = Table(title=f"{weather.webhooks} webhooks about one payment, in fifths")
    for name in ("CPU s per 1,000", "memory, MB"):
        about_one.add_column(name)
    about_one.add_row(
        ", ".join(f"{each:.2f}" for each in weather.cpu),
        ", ".join(f"{each / 1e6:.0f}" for each in weather.memory_bytes),
    )
    return [at_once, about_one]


@click.command()
@click.option("--shoppers", multiple=True, default=(100, 1000, 3000), show_default=True)
@click.option("--webhooks", default=5000, show_default=True)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/crowd.json"),
    show_default=True,
)
def main(shoppers: tuple[int, ...], webhooks: int, output: Path) -> None:
    """Measure crowds of growing size that pay at once, then many webhooks about one payment."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        crowds, weather = run(
            _measure(output.parent, shoppers, webhooks, lambda name: console.print(f"  {name}"))
        )
    except LoadFailed as error:
        console.print(f"The run failed, nothing was measured. {error}", markup=False)
        sys.exit(1)
    for each in tables(crowds, weather):
        console.print(each)
    document = {"crowds": crowds, "storm": weather}
    output.write_bytes(msgspec.json.format(msgspec.json.encode(document)) + b"\n")


if __name__ == "__main__":
    main()
