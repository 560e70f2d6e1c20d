"""The stand-ins on this machine: `python -m sandbox`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys

import click

from sandbox.addresses import (
    COMMERCETOOLS,
    JWT,
    LOOPBACK,
    SHOP,
    STRIPE,
    BadPort,
    Place,
    addresses,
    listen,
    url,
)
from sandbox.runner import WEBHOOK_SECRET, Sandbox, serve
from sandbox.stripe.accounts import SIDES

_PORTS = ", ".join(
    f"{each.variable} ({each.default})" for each in (JWT, COMMERCETOOLS, STRIPE, SHOP)
)


@click.command(epilog=f"Ports come from the environment: {_PORTS}.")
@click.option(
    "--host",
    envvar="SANDBOX_HOST",
    default=LOOPBACK,
    show_default=True,
    help="Address to listen on; another than loopback lets others in.",
)
@click.option(
    "--processor-url",
    envvar="SANDBOX_PROCESSOR_URL",
    help="Processor that gets Stripe's events and serves the shop.  [default: on this machine]",
)
@click.option(
    "--browser-processor-url",
    envvar="SANDBOX_BROWSER_PROCESSOR_URL",
    help="That processor as browsers reach it.  [default: the same]",
)
@click.option(
    "--webhook-secret",
    envvar="SANDBOX_WEBHOOK_SECRET",
    default=WEBHOOK_SECRET,
    show_default=True,
    help="What those events are signed with.",
)
def main(
    host: str, processor_url: str | None, browser_processor_url: str | None, webhook_secret: str
) -> None:
    """Stand-ins for commercetools, Stripe and the Merchant Center's token issuer, and a shop."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        at = addresses(os.environ)
        wanted: dict[str, tuple[Place, int]] = {
            "jwt": (JWT, at.jwt),
            "commercetools": (COMMERCETOOLS, at.commercetools),
            "stripe": (STRIPE, at.stripe),
            "shop": (SHOP, at.shop),
        }
        listeners = {name: listen(place, port, host) for name, (place, port) in wanted.items()}
    except BadPort as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    for place, port in wanted.values():
        click.echo(f"{place.name}: {url(port)}")

    async def run() -> None:
        sandbox = Sandbox(url(at.stripe))
        processor = (processor_url or url(at.processor)).rstrip("/")
        await sandbox.send_events_to(f"{processor}/stripe/webhooks", webhook_secret)
        for name, side in SIDES.items():
            endpoint = f"{url(side.port)}/stripe/webhooks"
            await sandbox.send_events_to(endpoint, side.webhook_secret, name)
        await serve(sandbox, listeners, processor, browser_processor_url or processor)

    asyncio.run(run())


if __name__ == "__main__":
    main()
