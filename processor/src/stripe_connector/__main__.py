"""The command line: `stripe-connector`, also `python -m stripe_connector`."""

from __future__ import annotations

import os
import sys

import click

from stripe_connector import __version__


@click.group()
@click.version_option(__version__, prog_name="stripe-connector")
def main() -> None:
    """Stripe payment connector for commercetools."""


@main.command()
def serve() -> None:
    """Run the processor with the configuration of the environment."""
    # Imported here: other commands need no server, and --help nothing at all.
    from stripe_connector import logs
    from stripe_connector.app import create_app
    from stripe_connector.server import PortTaken
    from stripe_connector.server import serve as run
    from stripe_connector.settings import ConfigurationError, load_settings

    try:
        settings = load_settings(os.environ)
    except ConfigurationError as error:
        click.echo("The configuration is not usable:", err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
        sys.exit(2)
    logs.configure(settings.log_level)
    for warning in settings.warnings:
        click.echo(warning, err=True)
    try:
        code = run(
            lambda readiness: create_app(settings, readiness=readiness),
            host=settings.host,
            port=settings.port,
            grace_s=settings.shutdown_grace_s,
        )
    except PortTaken as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    sys.exit(code)


if __name__ == "__main__":
    main()
