"""`stripe-connector serve`: runs the processor."""

from __future__ import annotations

import sys

import click

from stripe_connector import logs
from stripe_connector.app import create_app
from stripe_connector.connections import Bounds
from stripe_connector.server import PortTaken
from stripe_connector.server import serve as run
from stripe_connector.settings.environment import configured, env_file_option


@click.command()
@env_file_option
def serve() -> None:
    """Run the processor, configured by the environment."""
    settings = configured()
    logs.configure(settings.log_level)
    for warning in settings.warnings:
        click.echo(warning, err=True)
    try:
        code = run(
            lambda readiness: create_app(settings, readiness=readiness),
            host=settings.host,
            port=settings.port,
            grace_s=settings.shutdown_grace_s,
            drain_s=settings.shutdown_drain_s,
            keep_alive_s=settings.keep_alive_s,
            bounds=Bounds(
                connections=settings.max_connections,
                bytes=settings.max_bytes_in_flight,
                receive_s=settings.request_receive_s,
            ),
        )
    except PortTaken as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    sys.exit(code)
