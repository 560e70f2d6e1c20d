"""`make bench-growth`: how the cost of a request grows with the size of its objects."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import click
import httpx
import msgspec
from msgspec import Struct
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

from bench.backend import Prepared, Size
from bench.client import Connection, LoadFailed, Request, load, request
from bench.loop import run
from bench.operations import Workload, refunded, stored, with_session
from bench.processes import free_port, keep_apart
from bench.rig import CALLERS, Latency, Rig, latency, rig, start_backend, start_processor
from sandbox.addresses import Addresses
from sandbox.demo.people import SECRET_KEY
from sandbox.demo.start import stand_ins

SETTINGS = {
    "STORED_PAYMENT_METHODS_ENABLED": "true",
    "BFF_REQUESTS_PER_MINUTE": "0",
    "BFF_PAYMENT_PAGES_PER_MINUTE": "0",
}
_WIDTH = 120
_BEND = 1.5
"""How much more a unit of the upper half may cost than one of the lower half."""
_NOISE = 0.05
"""CPU-seconds per 1,000 requests: a smaller difference does not count as growth."""


class Growth(Struct, frozen=True):
    """One dimension: a workload at growing sizes."""

    unit: str
    workload: Workload
    sizes: tuple[int, int, int]
    """Small, in the middle, large."""
    size: Callable[[int], Size]


def _payment_session(prepared: Prepared) -> Request:
    body = msgspec.json.encode({"id": prepared.order})
    path = "/api/v1/payments/sessions"
    return request("POST", path, {"content-type": "application/json"}, body, expected=b'"url"')


START = Workload(
    name="POST /payments",
    kind="guest",
    build=with_session("POST", "/payments", b'"clientSecret"'),
)
SESSION = Workload(name="POST /api/v1/payments/sessions", kind="ordered", build=_payment_session)
REFUNDED = Workload(name="webhook charge.refunded", kind="paid", build=refunded, before=stored)
RETURNING = Workload(
    name="POST /payments",
    kind="customer",
    build=with_session("POST", "/payments", b'"clientSecret"'),
)
METHODS = Workload(
    name="GET /stored-payment-methods",
    kind="customer",
    build=with_session("GET", "/stored-payment-methods", b'"storedPaymentMethods"'),
)

GROWTHS = (
    Growth("lines of the cart", START, (1, 250, 500), lambda n: Size(lines=n)),
    Growth("lines of the order", SESSION, (1, 50, 100), lambda n: Size(lines=n)),
    Growth("payments on the cart", START, (0, 10, 20), lambda n: Size(payments=n)),
    Growth("customer's payments", RETURNING, (0, 5_000, 10_000), lambda n: Size(history=n)),
    Growth("refunds of the payment", REFUNDED, (2, 100, 200), lambda n: Size(refunds=n)),
    Growth("methods of the customer", METHODS, (0, 50, 100), lambda n: Size(methods=n)),
)


class Grown(Struct, frozen=True):
    """CPU-seconds of the processor per 1,000 requests at each size."""

    name: str
    unit: str
    sizes: tuple[int, int, int]
    cpu: tuple[float, float, float]

    @property
    def per_unit(self) -> float:
        """CPU-seconds per 1,000 requests that one more unit takes, over the whole range."""
        return (self.cpu[2] - self.cpu[0]) / (self.sizes[2] - self.sizes[0])

    @property
    def is_linear(self) -> bool:
        """Whether a unit of the upper half costs no more than one of the lower, within noise."""
        small, middle, large = self.cpu
        lower = (middle - small) / (self.sizes[1] - self.sizes[0])
        upper = (large - middle) / (self.sizes[2] - self.sizes[1])
        noise = _NOISE / (self.sizes[2] - self.sizes[1])
        return upper <= max(lower, 0.0) * _BEND + noise


async def _measure(
    logs: Path, requests: int, rounds: int, tell: Callable[[str], None]
) -> list[Grown]:
    with ExitStack() as stack:
        core = keep_apart()
        backend, backend_port = await start_backend(stack, logs)
        processor, port, _, _ = await start_processor(stack, backend_port, logs, SETTINGS, core)
        async with rig(processor, port, backend, backend_port) as stage:
            found = []
            for growth in GROWTHS:
                tell(f"{growth.workload.name}, {growth.unit}")
                found.append(await _grown(stage, growth, requests, rounds))
            return found


async def _grown(stage: Rig, growth: Growth, requests: int, rounds: int) -> Grown:
    async def cpu(n: int) -> float:
        workload = replace(growth.workload, size=growth.size(n))
        await stage.round(workload, CALLERS, CALLERS)  # warms up
        measured = [await stage.round(workload, CALLERS, requests) for _ in range(rounds)]
        return min(each.cpu for each in measured)

    small, middle, large = growth.sizes
    figures = (await cpu(small), await cpu(middle), await cpu(large))
    return Grown(growth.workload.name, growth.unit, growth.sizes, figures)


async def kept_alive(logs: Path, calls: int = 500) -> Latency:
    """What a caller waits for the sandbox on a connection that stays open, one call at a time."""
    at = Addresses(*(free_port() for _ in range(5)))
    with httpx.Client(timeout=30, trust_env=False) as client, stand_ins(at, client, logs):
        connection = await Connection.open(at.stripe)
        try:
            headers = {"authorization": f"Bearer {SECRET_KEY}"}
            account = request("GET", "/v1/account", headers, expected=b"acct_")
            return latency(await load([connection], [account] * calls))
        finally:
            connection.close()


def table(found: Sequence[Grown]) -> Table:
    shown = Table(title="CPU seconds per 1,000 requests", title_justify="left")
    shown.add_column("Operation", no_wrap=True)
    shown.add_column("by")
    for name in ("small", "middle", "large", "1,000 units more", "grows"):
        shown.add_column(name, justify="right")
    for each in found:
        cells = [f"{n}: {cpu:.2f}" for n, cpu in zip(each.sizes, each.cpu, strict=True)]
        verdict = "linearly" if each.is_linear else "[red]faster ![/red]"
        shown.add_row(each.name, each.unit, *cells, f"{each.per_unit * 1000:.2f}", verdict)
    return shown


@click.command()
@click.option("--requests", default=320, show_default=True, help="Requests of each round.")
@click.option(
    "--rounds", default=3, show_default=True, help="Rounds; the one with the least CPU counts."
)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/growth.json"),
    show_default=True,
)
def main(requests: int, rounds: int, output: Path) -> None:
    """Measure each dimension at three sizes; the cost must grow linearly at most."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    output.parent.mkdir(parents=True, exist_ok=True)
    try:
        sandbox = run(kept_alive(output.parent))
        found = run(
            _measure(output.parent, requests, rounds, lambda name: console.print(f"  {name}"))
        )
    except LoadFailed as error:
        console.print(f"The run failed, nothing was measured. {error}", markup=False)
        sys.exit(1)
    console.print(table(found))
    console.print(
        f"The sandbox answers a kept-alive call in {sandbox.p50 * 1000:.2f} ms (p50),"
        f" {sandbox.p99 * 1000:.2f} ms (p99)."
    )
    output.write_bytes(msgspec.json.format(msgspec.json.encode(found)) + b"\n")
    sys.exit(0 if all(each.is_linear for each in found) else 1)


if __name__ == "__main__":
    main()
