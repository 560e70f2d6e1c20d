"""Loads the settings of a command; ends it with a list of all problems."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import click

from stripe_connector.settings import ConfigurationError, Settings, load_settings
from stripe_connector.settings.env_file import read_env_file

_FILE = "stripe_connector.env_file"


def _remember(context: click.Context, _option: click.Parameter, value: Path | None) -> None:
    context.meta[_FILE] = value


env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    callback=_remember,
    expose_value=False,
    help="Read settings from this file, too; variables of the environment take precedence.",
)
"""The option of each command that reads the configuration."""


def unused_proxies(environ: Mapping[str, str]) -> str | None:
    """What to say where the environment names a proxy for outgoing calls; without its address,
    which may hold a password."""
    named = [
        name
        for name in sorted(environ)
        if name.lower() in {"http_proxy", "https_proxy", "all_proxy"} and environ[name]
    ]
    if not named:
        return None
    return (
        f"{' and '.join(named)} {'is' if len(named) == 1 else 'are'} not used: calls to Stripe and"
        " commercetools go out directly. Where the network forbids that, let a transparent proxy or"
        " gateway pass https to their hosts."
    )


def configured() -> Settings:
    """The environment's settings; exits with 2 after listing all problems."""
    if (told := unused_proxies(os.environ)) is not None:
        click.echo(told, err=True)
    try:
        file = click.get_current_context().meta[_FILE]
        if file is not None:
            # For other readers of the environment, such as OpenTelemetry's SDK.
            os.environ.update({**read_env_file(file), **os.environ})
        return load_settings(os.environ)
    except ConfigurationError as error:
        click.echo("The configuration is not usable:", err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
        sys.exit(2)
