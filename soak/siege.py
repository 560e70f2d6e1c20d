"""`make siege`: do payments and health checks work during an attack, and afterwards?"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path

import click
import httpx
import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.client import Connection, LoadFailed, Request, request
from bench.loop import run
from bench.processes import Process, free_port, module, rss_bytes
from bench.rig import Latency, latency
from sandbox.addresses import Addresses
from sandbox.demo.people import People
from sandbox.demo.processes import Program, ProgramFailed
from sandbox.demo.start import processor, stand_ins
from soak.besieger import ATTACKS

_WIDTH = 120
_PAYERS = 8
_MOST_BYTES = 250 * 10**6
_PROBE_EVERY_S = 0.1
_CARTS = 64
_PROBES = (request("GET", "/health/live"), request("GET", "/health/ready"))


class Phase(Struct, frozen=True):
    """What legitimate callers saw during one phase."""

    name: str
    payments: int
    failures: list[str]
    """Wrong answers to payments and probes."""
    payments_per_second: float
    paying: Latency
    """Seconds."""
    probing: Latency
    memory_bytes: int
    """The most memory used."""


async def _ask(port: int, wanted: Request) -> float:
    """Seconds for one request on its own connection."""
    began = time.perf_counter()
    connection = await Connection.open(port)
    try:
        async with asyncio.timeout(30):
            await connection.ask(wanted)
    finally:
        connection.close()
    return time.perf_counter() - began


class Town(Struct, frozen=True):
    """The processor under attack and its surroundings."""

    processor: Program
    port: int
    payments: Sequence[Request]
    """Each starts or resumes the payment of a cart."""


async def phase(town: Town, name: str, seconds: float) -> Phase:
    """Payers one payment after the other, probes ten times a second."""
    waiting = cycle(town.payments)
    paying: list[float] = []
    probing: list[float] = []
    failures: list[str] = []
    memory = [rss_bytes(town.processor.pid)]
    until = time.perf_counter() + seconds

    async def ask(wanted: Request, took: list[float]) -> None:
        try:
            took.append(await _ask(town.port, wanted))
        except (LoadFailed, OSError, TimeoutError) as error:
            failures.append(f"{wanted.wire.partition(b' HTTP')[0].decode()}: {error!r}"[:200])

    async def pay() -> None:
        while time.perf_counter() < until:
            await ask(next(waiting), paying)

    async def probe() -> None:
        while time.perf_counter() < until:
            for wanted in _PROBES:
                await ask(wanted, probing)
            memory.append(rss_bytes(town.processor.pid))
            await asyncio.sleep(_PROBE_EVERY_S)

    began = time.perf_counter()
    await asyncio.gather(probe(), *(pay() for _ in range(_PAYERS)))
    took = time.perf_counter() - began
    return Phase(
        name,
        len(paying),
        failures,
        len(paying) / took,
        latency(paying or [took]),
        latency(probing or [took]),
        max(memory),
    )


def _town(stack: ExitStack, logs: Path) -> Town:
    """A processor as it is deployed, with its default bounds, and carts to pay for."""
    at = Addresses(*(free_port() for _ in range(5)))
    client = stack.enter_context(httpx.Client(timeout=30, trust_env=False))
    stack.enter_context(stand_ins(at, client, logs))
    program = stack.enter_context(processor(at, client, logs))
    people = People(at, client, lambda _: None)
    sessions = [people.session(people.cart("DE", "EUR", stoneware_mug_1=1)) for _ in range(_CARTS)]
    payments = [
        request("POST", "/payments", {"x-session-id": each}, expected=b'"clientSecret"')
        for each in sessions
    ]
    return Town(program, at.processor, payments)


async def _measure(
    town: Town, logs: Path, seconds: float, tell: Callable[[str], None]
) -> list[Phase]:
    await phase(town, "warms up", 3)
    phases = [await phase(town, "before", seconds)]
    for name in ATTACKS:
        tell(name)
        command = module("soak.besieger", name, str(town.port))
        attacker = Process(command, os.environ, logs / "siege-attacker.log")
        with attacker:
            await asyncio.sleep(1)
            phases.append(await phase(town, name, seconds))
    tell("afterwards")
    return [*phases, await phase(town, "afterwards", seconds)]


def table(phases: Sequence[Phase]) -> Table:
    shown = Table(title=f"POST /payments by {_PAYERS} callers, health checks, and an attacker")
    for name in ("", "payments/s", "of before", "s, p50 / p99", "probe s, p99", "failed", "MB"):
        shown.add_column(name, justify="right" if name else "left")
    before = phases[0].payments_per_second or 1
    for each in phases:
        shown.add_row(
            each.name,
            f"{each.payments_per_second:.0f}",
            f"{each.payments_per_second / before:.2f}",
            f"{each.paying.p50:.3f} / {each.paying.p99:.3f}",
            f"{each.probing.p99:.3f}",
            str(len(each.failures)),
            f"{each.memory_bytes / 1e6:.0f}",
        )
    return shown


def broken(phases: Sequence[Phase]) -> list[str]:
    """Violations."""
    found = [
        f"{each.name}: {len(each.failures)} failed, such as {each.failures[0]}"
        for each in phases
        if each.failures
    ]
    found += [f"{each.name}: no payment was answered" for each in phases if not each.payments]
    return found + [
        f"{each.name}: {each.memory_bytes / 1e6:.0f} MB"
        for each in phases
        if each.memory_bytes >= _MOST_BYTES
    ]


@click.command()
@click.option("--seconds", default=30.0, show_default=True, help="Duration of each attack.")
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/siege.json"),
    show_default=True,
)
def main(seconds: float, output: Path) -> None:
    """Attack a processor in eight ways, one after the other, while shoppers pay."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    output.parent.mkdir(parents=True, exist_ok=True)
    logs = output.parent
    try:
        with ExitStack() as stack:
            town = _town(stack, logs)
            phases = run(_measure(town, logs, seconds, lambda name: console.print(f"  {name}")))
    except ProgramFailed as error:
        console.print(f"The run failed, nothing was measured. {error}", markup=False)
        sys.exit(1)
    console.print(table(phases))
    output.write_bytes(msgspec.json.format(msgspec.json.encode(phases)) + b"\n")
    problems = broken(phases)
    for each in problems:
        console.print(each, markup=False)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
