"""`python -m soak.watched`: does each alert fire where it should, and none in a healthy world?"""

from __future__ import annotations

import asyncio
import re
import shutil
import sys
import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack, ExitStack
from pathlib import Path
from tempfile import mkdtemp

import click
import httpx

from bench.loop import run
from sandbox.addresses import Addresses
from sandbox.demo.client import open_client
from sandbox.demo.start import stand_ins
from soak.calls import Calls
from soak.instances import free_ports, instances
from soak.watched.place import Place
from soak.watched.prometheus import EXPORTER, PROMETHEUS, Prometheus, watching
from soak.watched.provoke import PROVOCATIONS, Provocation, running
from soak.watched.shortened import shortened

_RULES = Path(__file__).parents[2] / "docs/operations/alerts.yaml"
_ALERT = re.compile(r"^ +- alert: (\w+)$", re.MULTILINE)
_SETTINGS = {"MAX_CONCURRENT_REQUESTS": "20", "STRIPE_ENABLE_MULTI_OPERATIONS": "true"}
"""So that few callers are too many, and a capture may be one of several."""
_LOOK_S = 0.5
_PATIENCE_S = 600.0


class Unexpected(Exception):
    """An alert that fired, or did not fire, against what the rules promise."""


async def _until(place: Place, wanted: Collection[str], *, fire: bool) -> None:
    """Wait until all of the alerts fire, or none of them."""
    waiting = set(wanted)
    try:
        async with asyncio.timeout(_PATIENCE_S):
            while waiting:
                firing = await place.prometheus.firing()
                waiting = waiting - firing if fire else waiting & firing
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        how = "do not fire" if fire else "do not end"
        raise Unexpected(f"{', '.join(sorted(waiting))} {how}") from None


async def healthy(place: Place, seconds: int) -> None:
    """Shoppers buy, the daily run runs, and nothing fires. Raises Unexpected."""
    prometheus = place.prometheus
    ends = time.monotonic() + seconds
    async with running(place.shop()), running(place.shop()):
        while time.monotonic() < ends:
            await place.daily()
            await place.examine()
            await asyncio.sleep(_LOOK_S)
    if fired := await prometheus.fired(seconds):
        raise Unexpected(f"{', '.join(sorted(fired))} fired in a healthy world")
    seen = {
        "processors": await prometheus.value("stripe_connector_build_info"),
        "purchases": await prometheus.value(
            'stripe_connector_requests_total{route="/confirmPayments/{id}",status="200"}'
        ),
        "events": await prometheus.value("stripe_connector_webhooks_total"),
        "complete reconcile": await prometheus.value("stripe_connector_reconcile_complete"),
        "sound doctor": await prometheus.value("stripe_connector_doctor_sound"),
    }
    if not all(seen.values()):
        raise Unexpected(f"Prometheus has not seen all of a healthy world: {seen}")
    click.echo("healthy: " + ", ".join(f"{count:.0f} {name}" for name, count in seen.items()))


async def provoke(place: Place, provocation: Provocation, wanted: Collection[str]) -> float:
    """Seconds until all alerts fire that did not fire before. Raises Unexpected."""
    await _until(place, wanted, fire=False)
    began = time.monotonic()
    async with running(provocation(place)) as task:
        fired = asyncio.create_task(_until(place, wanted, fire=True))
        await asyncio.wait({task, fired}, return_when=asyncio.FIRST_COMPLETED)
        if not fired.done():  # what provokes has failed
            fired.cancel()
            await task
        await fired
    return time.monotonic() - began


async def watch(folder: Path, seconds: int, only: Collection[str]) -> None:
    """The healthy phase, then each provocation. Raises Unexpected."""
    *places, second, port, exporter = free_ports(8)
    at = Addresses(*places)
    ports: Sequence[int] = (at.processor, second)
    rules = _RULES.read_text()
    with ExitStack() as stack:
        blocking = stack.enter_context(open_client())
        await asyncio.to_thread(stack.enter_context, stand_ins(at, blocking, folder))
        processors = instances(stack, at, list(ports), blocking, folder)
        for each in processors:
            each.environment.update(_SETTINGS)
            await each.start()
        files = stack.enter_context(watching(folder, shortened(rules), port, exporter, ports))
        async with AsyncExitStack() as closing:
            client = await closing.enter_async_context(
                httpx.AsyncClient(timeout=60, trust_env=False)
            )
            place = Place(
                Prometheus(port, client), processors, Calls(at, client, 60), client, folder, files
            )
            await place.daily()
            await place.examine()
            await place.prometheus.wait_until_ready()
            if not only:
                await healthy(place, seconds)
            left = set(_ALERT.findall(rules))
            for provocation, wanted in PROVOCATIONS.items():
                if only and not wanted & set(only):
                    continue
                if "ReconcileMissing" in wanted:
                    await place.daily()
                    await place.examine()
                took = await provoke(place, provocation, wanted)
                left -= wanted
                click.echo(f"{provocation.__name__}: {', '.join(sorted(wanted))} in {took:.0f} s")
            if left and not only:
                raise Unexpected(f"nothing provokes {', '.join(sorted(left))}")


@click.command()
@click.option("--seconds", default=60, show_default=True, help="Length of the healthy phase.")
@click.option("--only", multiple=True, help="An alert; without the healthy phase and the others.")
def main(seconds: int, only: Sequence[str]) -> None:
    """Exits with 1 if an alert does not do what the rules promise."""
    for each in (PROMETHEUS, EXPORTER):
        if shutil.which(each) is None:
            raise click.ClickException(f"{each} is not installed.")
    folder = Path(mkdtemp(prefix="watched-"))
    began = time.monotonic()
    try:
        run(watch(folder, seconds, only))
    except Unexpected as error:
        click.echo(f"failed: {error}. The logs are in {folder}.")
        sys.exit(1)
    shutil.rmtree(folder)
    click.echo(f"all as it should be, in {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
