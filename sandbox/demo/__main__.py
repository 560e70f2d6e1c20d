"""The demo: `python -m sandbox.demo`."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

import click
import httpx
from rich.console import Console

from sandbox.addresses import Addresses, BadPort, addresses, require_free, url
from sandbox.demo.commands import commands
from sandbox.demo.output import Printer
from sandbox.demo.people import ISSUER, ORIGIN, PROJECT, PUBLISHABLE_KEY, SECRET_KEY
from sandbox.demo.people import People, StepFailed
from sandbox.demo.processes import Program, ProgramFailed, inherited
from sandbox.demo.walk import Walk
from sandbox.runner import WEBHOOK_SECRET

_TIMEOUT_S = 30.0


class Stopped(Exception):
    """Somebody wants the demo to end."""


@click.command()
@click.option("--once", is_flag=True, help="End after the walk instead of staying up.")
@click.option("--attach", is_flag=True, help="Walk through what already runs; start nothing.")
@click.option(
    "--logs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("build/demo"),
    show_default=True,
    help="Folder for what the started programs print.",
)
def main(once: bool, attach: bool, logs: Path) -> None:
    """Start stand-ins and processor, walk through the main job, and stay up until stopped."""
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGHUP, _stop)
    printer = Printer(Console())
    try:
        at = addresses(os.environ)
        with ExitStack() as stack:
            client = stack.enter_context(httpx.Client(timeout=_TIMEOUT_S, trust_env=False))
            programs = [] if attach else stack.enter_context(_started(at, client, logs))
            people = People(at, client, printer.tell)
            first = Walk(people, printer).run()
            printer.done()
            if attach or once:
                return
            printer.addresses(at)
            printer.commands(commands(people, first))
            printer.line(f"Logs are in {logs}. Ctrl-C stops everything.")
            _stay(programs)
    except Stopped:
        printer.line("Stopped.")
    except (BadPort, ProgramFailed, StepFailed) as error:
        printer.failed(str(error))
        sys.exit(1)
    except httpx.TransportError as error:
        printer.failed(f"{error.request.method} {error.request.url}: {error}")
        sys.exit(1)


@contextmanager
def _started(at: Addresses, client: httpx.Client, logs: Path) -> Iterator[list[Program]]:
    """Stand-ins and processor, ready; stopped again in any case."""
    require_free(at.ports())
    environment = inherited()
    with ExitStack() as stack:

        def start(name: str, module: list[str], given: dict[str, str]) -> Program:
            log = logs / f"{module[0]}.log"
            program = Program(name, module, {**environment, **given}, log)
            stack.callback(program.stop)
            return program

        processor = start("processor", ["stripe_connector", "serve"], processor_environment(at))
        sandbox = start("sandbox", ["sandbox"], {"SANDBOX_WEBHOOK_SECRET": WEBHOOK_SECRET})
        sandbox.wait_until(client, f"{url(at.jwt)}/jwt/.well-known/jwks.json")
        sandbox.wait_until(client, f"{url(at.commercetools)}/_sandbox/commercetools/state")
        sandbox.wait_until(client, f"{url(at.stripe)}/_sandbox/clock")
        processor.wait_until(client, f"{url(at.processor)}/health/ready")
        yield [sandbox, processor]


def processor_environment(at: Addresses) -> dict[str, str]:
    """The configuration of a processor that lives in the sandbox."""
    commercetools = url(at.commercetools)
    return {
        "HOST": "127.0.0.1",
        "PORT": str(at.processor),
        "CTP_PROJECT_KEY": PROJECT,
        "CTP_CLIENT_ID": "sandbox-processor",
        "CTP_CLIENT_SECRET": "sandbox-processor-secret",
        "CTP_AUTH_URL": commercetools,
        "CTP_API_URL": commercetools,
        "CTP_SESSION_URL": commercetools,
        "CTP_CHECKOUT_URL": commercetools,
        "CTP_JWKS_URL": f"{url(at.jwt)}/jwt/.well-known/jwks.json",
        "CTP_JWT_ISSUER": ISSUER,
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_PUBLISHABLE_KEY": PUBLISHABLE_KEY,
        "STRIPE_WEBHOOK_SIGNING_SECRET": WEBHOOK_SECRET,
        "STRIPE_API_BASE": url(at.stripe),
        "STRIPE_PAYMENT_BEHAVIOR_RULES": '{"GB":{"captureMethod":"manual"}}',
        "MERCHANT_RETURN_URL": f"{ORIGIN}/return",
        "ALLOWED_ORIGINS": ORIGIN,
    }


def _stay(programs: list[Program]) -> None:
    """Until somebody stops the demo or one of its programs ends."""
    while True:
        for program in programs:
            program.require_running()
        time.sleep(0.5)


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


if __name__ == "__main__":
    main()
