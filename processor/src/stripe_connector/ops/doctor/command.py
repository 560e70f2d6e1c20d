"""`stripe-connector doctor`: examines the deployment that the environment describes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from stripe_connector.assembly import outgoing_of_command
from stripe_connector.clock import Clock
from stripe_connector.ops.doctor import output
from stripe_connector.ops.doctor.checks import CheckOutcome, Result, run_checks
from stripe_connector.ops.doctor.examination import all_checks
from stripe_connector.ops.result_metrics import (
    NOT_TAKEN,
    collector_url,
    metrics_file_option,
    metrics_otlp_option,
    publish,
)
from stripe_connector.settings import Settings
from stripe_connector.settings.environment import configured, env_file_option


@click.command()
@env_file_option
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.option("--strict", is_flag=True, help="Exit with 1 for warnings too.")
@click.option(
    "--timeout",
    "limit_s",
    type=click.FloatRange(1, 300),
    default=20,
    show_default=True,
    help="Seconds that one check may take.",
)
@metrics_file_option
@metrics_otlp_option
def doctor(
    *,
    as_json: bool,
    strict: bool,
    limit_s: float,
    metrics_file: Path | None,
    metrics_otlp: bool,
) -> None:
    """Check configuration, credentials and delivery; name cause and remedy of each problem.

    Changes nothing. Exits with 0 when the deployment is sound, with 1 when something has
    failed, with 2 when the configuration is not usable.
    """
    settings = configured()
    collector = collector_url(settings, otlp=metrics_otlp)
    results = asyncio.run(_examined(settings, limit_s))
    sound = is_sound(results, strict=strict)
    gauges = output.check_gauges(results, sound=sound, at=Clock().time())
    if not publish(gauges, metrics_file, collector):
        click.echo(f"Error: {NOT_TAKEN}", err=True)
    if as_json:
        click.echo(output.as_json(results, sound=sound))
    else:
        output.show(output.console(), results, sound=sound)
    sys.exit(0 if sound else 1)


def is_sound(results: Sequence[Result], *, strict: bool) -> bool:
    """Whether no check failed; with `strict`, whether there is no warning either."""
    bad = {CheckOutcome.FAIL, CheckOutcome.WARN} if strict else {CheckOutcome.FAIL}
    return not any(result.outcome in bad for result in results)


async def _examined(settings: Settings, limit_s: float) -> list[Result]:
    async with outgoing_of_command() as outgoing:
        checks = all_checks(settings, outgoing)
        with output.Doing(Console(stderr=True), len(checks)) as doing:
            return await run_checks(checks, limit_s=limit_s, on_result=doing.made)
