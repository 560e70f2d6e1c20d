"""Loads the settings of a command; ends it with a list of all problems."""

from __future__ import annotations

import os
import sys
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


def configured() -> Settings:
    """The environment's settings; exits with 2 after listing all problems."""
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
