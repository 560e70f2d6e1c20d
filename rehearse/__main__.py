"""`make rehearse`: the demo's walk in a real test account and project, beside the stand-ins."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from pathlib import Path

import click

from rehearse.configuration import configuration
from rehearse.report import markdown
from rehearse.run import rehearse
from rehearse.sides import real_side, stand_in_side
from sandbox.demo.people import StepFailed
from stripe_connector.settings import ConfigurationError
from stripe_connector.settings.env_file import read_env_file


@click.command()
@click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=Path(".env"),
    show_default=True,
    help="Settings of the real side; variables of the environment take precedence.",
)
@click.option(
    "--report",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/rehearsal.md"),
    show_default=True,
    help="File for the report.",
)
def main(env_file: Path, report: Path) -> None:
    """Walk in a real Stripe test account and commercetools project, and compare with the stand-ins.

    Exits with 0 if nothing differs, with 1 if something does, and with 2 if it cannot begin.
    """
    logging.getLogger("stripe_connector").addHandler(logging.NullHandler())
    try:
        environ = {**(read_env_file(env_file) if env_file.exists() else {}), **os.environ}
        settings, walker = configuration(environ)
    except ConfigurationError as error:
        click.echo(f"The rehearsal cannot begin with {env_file} and the environment:", err=True)
        for problem in error.problems:
            click.echo(f"  - {problem}", err=True)
        sys.exit(2)
    try:
        outcome = asyncio.run(
            rehearse(real_side(settings, walker), stand_in_side(environ), click.echo)
        )
    except StepFailed as error:
        click.echo(f"The project cannot be prepared: {error}", err=True)
        sys.exit(2)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(markdown(outcome))
    verdict = "nothing differs" if outcome.agrees else "something differs"
    click.echo(f"{outcome.exchanges} calls compared, {verdict}: {report}")
    sys.exit(0 if outcome.agrees else 1)


if __name__ == "__main__":
    main()
