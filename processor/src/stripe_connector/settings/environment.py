"""The settings of a command, or the end of it with every problem named."""

from __future__ import annotations

import os
import sys

import click

from stripe_connector.settings import ConfigurationError, Settings, load_settings


def configured() -> Settings:
    """The environment's settings; exits with 2 after listing all that is wrong with them."""
    try:
        return load_settings(os.environ)
    except ConfigurationError as error:
        click.echo("The configuration is not usable:", err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
        sys.exit(2)
