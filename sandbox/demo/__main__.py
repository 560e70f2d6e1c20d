"""The demo: `python -m sandbox.demo`."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import click
import httpx
from rich.console import Console

from sandbox.addresses import BadPort, addresses
from sandbox.demo.client import open_client
from sandbox.demo.commands import commands
from sandbox.demo.output import Printer
from sandbox.demo.people import People, StepFailed
from sandbox.demo.processes import Program, ProgramFailed
from sandbox.demo.start import everything, side_environment
from sandbox.demo.walk import Walk
from sandbox.stripe.accounts import SIDES

_TIMEOUT_S = 30.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Stopped(Exception):
    """The demo was asked to end."""


@click.command()
@click.option("--once", is_flag=True, help="End after the walk instead of staying up.")
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Also print each step's requests, both sides of its payment, and commands to copy.",
)
@click.option("--attach", is_flag=True, help="Walk through what already runs; start nothing.")
@click.option(
    "--patience",
    type=float,
    default=20.0,
    show_default=True,
    help="Seconds that Stripe's webhooks may take to arrive.",
)
@click.option(
    "--logs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/demo"),
    show_default=True,
    help="Folder for what the started programs print.",
)
@click.option(
    "--environment",
    type=click.Choice(list(SIDES)),
    help="Print the settings of a processor with other keys, for --env-file; start nothing.",
)
def main(
    once: bool,
    verbose: bool,
    attach: bool,
    patience: float,
    logs: Path,
    environment: str | None,
) -> None:
    """Start shop, stand-ins and processor, walk through the main job, and stay up until stopped.

    The exit code is 1 when a step goes wrong.
    """
    if environment is not None:
        settings = side_environment(addresses(os.environ), SIDES[environment])
        click.echo("\n".join(f"{name}='{value}'" for name, value in settings.items()))
        return
    for number in _SIGNALS:
        signal.signal(number, _stop)
    printer = Printer(Console(), verbose=verbose)
    try:
        _run(printer, patience, logs, attach=attach, stay=not (once or attach))
    except Stopped:
        printer.line("Stopped before the walk was over.")
        sys.exit(130)
    except (BadPort, ProgramFailed, StepFailed) as error:
        printer.failed(str(error))
        sys.exit(1)
    except PermissionError as error:
        printer.failed(f"{error.filename} cannot be written: choose another folder with --logs.")
        sys.exit(1)
    except httpx.TransportError as error:
        printer.failed(f"{error.request.method} {error.request.url}: {error}")
        sys.exit(1)


def _run(printer: Printer, patience_s: float, logs: Path, *, attach: bool, stay: bool) -> None:
    at = addresses(os.environ)
    with ExitStack() as stack:
        client = stack.enter_context(open_client(_TIMEOUT_S))
        programs: list[Program] = []
        if not attach:
            printer.starting()
            programs = stack.enter_context(everything(at, client, logs))
        people = People(at, client, printer.tell)
        paid = Walk(people, printer, patience_s).run()
        printer.done()
        if attach:
            printer.closing(at)
        if stay:
            try:
                printer.addresses(at)
                printer.commands(commands(people, paid))
                printer.closing(at, [("Logs", str(logs)), ("Ctrl-C", "stops everything")])
                _watch(programs)
            except Stopped:
                printer.line("Stopping.")


def _watch(programs: list[Program]) -> None:
    """Run until the demo is stopped; raises ProgramFailed where one of its programs ends."""
    while True:
        for program in programs:
            program.require_running()
        time.sleep(0.5)


def _stop(_number: int, _frame: FrameType | None) -> None:
    for number in _SIGNALS:  # once is enough: what was started is being stopped
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


if __name__ == "__main__":
    main()
