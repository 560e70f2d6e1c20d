"""`python -m bench.reconcile`: time and memory of a run over many payments."""

from __future__ import annotations

import asyncio
import gc
import io
import resource
import sys
import time

import click
import httpx
import msgspec
from msgspec import Struct

from bench.history import History
from bench.loop import run as run_loop
from bench.samples import PROJECT, make_samples
from stripe_connector.clock import Clock
from stripe_connector.ops.reconcile.command import DIFFERS, Options, run_reconcile
from stripe_connector.settings import load_settings

_EVERY = 1_000
_EARLY = 5_000
"""Payments after which all one-time allocations have been made."""
_KIB = 1024


class Figures(Struct):
    """Time and memory of a run."""

    payments: int
    found: int = 0
    calls: int = 0
    refused: int = 0
    """Of these, with 429."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    early_blocks: int = 0
    """Most memory blocks that Python held while the first payments were read."""
    late_blocks: int = 0
    """The same for all payments after those."""
    early_rss: int = 0
    """Most bytes that the process had held by then; at the end."""
    late_rss: int = 0


async def measure(
    count: int, *, early: int = _EARLY, busy_every: int = 0, clock: Clock | None = None
) -> Figures:
    """Compare `count` payments, of which every thousandth differs, without a network.

    Every so many calls one is answered 429, unless `busy_every` is 0.
    """
    figures = Figures(count)

    def sample(read: int) -> None:
        if read % _EVERY:
            return  # a collection takes long where much else is in memory
        gc.collect()
        blocks = sys.getallocatedblocks()
        if read <= early:
            figures.early_blocks = max(figures.early_blocks, blocks)
            figures.early_rss = _peak_rss()
        else:
            figures.late_blocks = max(figures.late_blocks, blocks)

    history = History(await asyncio.to_thread(make_samples), count, sample, busy_every=busy_every)
    options = Options(since="2023-11-01", until="2025-01-01", json=True, rate=1e9)
    wall, cpu = time.monotonic(), time.process_time()
    out = _LastLine()
    async with httpx.AsyncClient(transport=history.transport()) as http:
        code = await run_reconcile(
            load_settings(_ENVIRONMENT),
            options,
            http=http,
            stop=asyncio.Event(),
            clock=clock,
            out=out,
        )
    if code != DIFFERS:
        raise RuntimeError(f"The run ended with {code}: nothing was measured.")
    figures.seconds, figures.cpu_seconds = time.monotonic() - wall, time.process_time() - cpu
    figures.calls, figures.refused = history.calls, history.refused
    figures.late_rss = _peak_rss()
    figures.found = msgspec.json.decode(out.last)["summary"]["remaining"]
    return figures


class _LastLine(io.StringIO):
    """Keeps only the last line of the output."""

    last = ""

    def write(self, text: str) -> int:
        self.last = text
        return len(text)


def _peak_rss() -> int:
    """In bytes."""
    unit = 1 if sys.platform == "darwin" else _KIB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


_ENVIRONMENT = {
    "CTP_PROJECT_KEY": PROJECT,
    "CTP_CLIENT_ID": "bench",
    "CTP_CLIENT_SECRET": "bench-secret",
    "CTP_AUTH_URL": "http://commercetools.test",
    "CTP_API_URL": "http://commercetools.test",
    "CTP_SESSION_URL": "http://commercetools.test",
    "CTP_CHECKOUT_URL": "http://commercetools.test",
    "CTP_JWKS_URL": "http://jwt.test/jwks.json",
    "CTP_JWT_ISSUER": "https://issuer.test",
    "STRIPE_SECRET_KEY": "sk_test_bench",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_bench",
    "STRIPE_WEBHOOK_SIGNING_SECRET": "whsec_bench0123456789",
    "STRIPE_API_BASE": "http://stripe.test",
    "MERCHANT_RETURN_URL": "http://localhost:3000/return",
    "ALLOWED_ORIGINS": "http://localhost:3000",
}


@click.command()
@click.argument("payments", default=1_000_000, type=click.IntRange(1_000))
@click.option("--busy-every", default=0, help="Answer one of so many calls with 429.")
def main(payments: int, busy_every: int) -> None:
    """Compare payments with Stripe, without a network in between."""
    figures = run_loop(measure(payments, busy_every=busy_every))
    click.echo(
        f"{payments:,} payments, {figures.found:,} of them wrong: {figures.seconds:,.0f} s,"
        f" {figures.cpu_seconds / payments * 1e6:,.0f} us of CPU each\n"
        f"{figures.calls:,} calls, {figures.refused:,} of them answered 429\n"
        f"memory: {figures.early_rss / _KIB**2:,.1f} MiB after {_EARLY:,},"
        f" {figures.late_rss / _KIB**2:,.1f} MiB at the end;"
        f" blocks: {figures.early_blocks:,} and {figures.late_blocks:,}"
    )


if __name__ == "__main__":
    main()
