"""`stripe-connector reconcile`: compares our Payments with Stripe, and repairs differences."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import aclosing
from datetime import timedelta
from pathlib import Path
from typing import TextIO

import click
from msgspec import Struct

from stripe_connector import logs
from stripe_connector.assembly import paced_outgoing
from stripe_connector.clock import Clock
from stripe_connector.concurrency import Pace
from stripe_connector.errors import ConnectorError
from stripe_connector.gateways.outgoing import HttpClient, create_http_client
from stripe_connector.ops.reconcile.checkpoint import (
    Asked,
    Checkpoint,
    CheckpointFile,
    Counts,
    Unusable,
)
from stripe_connector.ops.reconcile.examine import Examiner
from stripe_connector.ops.reconcile.findings import Findings, FindingsReport
from stripe_connector.ops.reconcile.phases import phases
from stripe_connector.ops.reconcile.report import Bar, JsonReport, TableReport, run_gauges
from stripe_connector.ops.reconcile.run import Run
from stripe_connector.ops.reconcile.span import duration, span
from stripe_connector.ops.reconcile.wiring import Parts, reconcile_parts
from stripe_connector.ops.result_metrics import (
    NOT_TAKEN,
    collector_url,
    metrics_file_option,
    metrics_otlp_option,
    publish,
)
from stripe_connector.settings import Settings
from stripe_connector.settings.environment import configured, env_file_option

AGREES, DIFFERS, UNUSABLE, UNFINISHED = range(4)
"""Exit codes."""

_ORPHANS = timedelta(days=30)
"""For so long before the span, money without a Payment is looked for."""

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Options(Struct, frozen=True, kw_only=True):
    """Options of a run. Durations and times are ISO 8601."""

    since: str = "P1D"
    until: str | None = None
    apply: bool = False
    events_only: bool = False
    abandoned_after: str = "P1D"
    json: bool = False
    rate: float = 20.0
    """Calls per second to each backend."""
    at_once: int = 8
    """Payments compared concurrently."""
    checkpoint: Path | None = None
    metrics_file: Path | None = None
    metrics_otlp: bool = False


@click.command()
@env_file_option
@click.option(
    "--since", default="P1D", show_default=True, help="Start: a date, or a duration before now."
)
@click.option("--until", help="End, excluded: a date, or a duration before now.  [default: now]")
@click.option("--apply", is_flag=True, help="Repair what can be repaired; moves no money.")
@click.option("--events", "events_only", is_flag=True, help="Only replay undelivered events.")
@click.option(
    "--abandoned-after",
    default="P1D",
    show_default=True,
    help="Age after which an operation that Stripe does not have counts as failed.",
)
@click.option("--json", is_flag=True, help="One JSON object per line instead of a table.")
@click.option(
    "--rate",
    default=20.0,
    show_default=True,
    type=click.FloatRange(0.1, 1000),
    help="Calls per second to each of the two backends.",
)
@click.option(
    "--at-once",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    help="Payments compared concurrently.",
)
@click.option(
    "--checkpoint",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File from which an interrupted run resumes.",
)
@metrics_file_option
@metrics_otlp_option
def reconcile(
    since: str,
    until: str | None,
    apply: bool,
    events_only: bool,
    abandoned_after: str,
    json: bool,
    rate: float,
    at_once: int,
    checkpoint: Path | None,
    metrics_file: Path | None,
    metrics_otlp: bool,
) -> None:
    """Compare payments with Stripe over a time span, and repair the differences.

    Times are ISO 8601 in UTC, such as 2026-01-31 or 2026-01-31T12:00, or a duration before now
    such as PT12H.
    Exits with 0 if nothing differs or all was repaired, 1 if differences remain, 2 if settings or
    options are unusable, 3 if the run is incomplete.
    """
    settings = configured()
    logs.configure("warning", sys.stderr)
    options = Options(
        since=since,
        until=until,
        apply=apply,
        events_only=events_only,
        abandoned_after=abandoned_after,
        json=json,
        rate=rate,
        at_once=at_once,
        checkpoint=checkpoint,
        metrics_file=metrics_file,
        metrics_otlp=metrics_otlp,
    )
    sys.exit(asyncio.run(_until_signalled(settings, options)))


async def _until_signalled(settings: Settings, options: Options) -> int:
    """Run to the end, or until a signal stops it; a second signal ends it at once."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()

    def ask_to_stop() -> None:
        stop.set()
        for each in _SIGNALS:
            loop.remove_signal_handler(each)

    for each in _SIGNALS:
        loop.add_signal_handler(each, ask_to_stop)
    async with aclosing(create_http_client()) as http:
        return await run_reconcile(settings, options, http=http, stop=stop)


async def run_reconcile(
    settings: Settings,
    options: Options,
    *,
    http: HttpClient,
    stop: asyncio.Event,
    clock: Clock | None = None,
    out: TextIO | None = None,
    err: TextIO | None = None,
) -> int:
    """Run with the options; returns the exit code, raises UsageError."""
    clock, out, err = clock or Clock(), out or sys.stdout, err or sys.stderr
    collector = collector_url(settings, otlp=options.metrics_otlp)
    file = CheckpointFile(options.checkpoint)
    try:
        checkpoint, is_stored = _checkpoint(settings, options, file, clock)
        abandoned_after = duration(options.abandoned_after)
    except (Unusable, ValueError) as error:
        click.echo(f"Error: {error}", file=err)
        return UNUSABLE
    if is_stored:
        begun = f"{checkpoint.span.until:%Y-%m-%d %H:%M}"
        click.echo(
            f"Continuing the run that began at {begun} UTC; nothing later is compared. To start"
            f" anew, delete {options.checkpoint}.",
            file=err,
        )
    report: FindingsReport
    if options.json:
        report = JsonReport(checkpoint.span, out, Bar(err))
    else:
        report = TableReport(checkpoint.span, out, Bar(err))
    runner = _runner(
        settings, options, checkpoint, file, report, http, clock, abandoned_after=abandoned_after
    )
    complete = False
    try:
        complete = await runner.go(stop)
    except ConnectorError as error:
        click.echo(f"Error: {error.message} {error.detail or ''}".rstrip(), file=err)
    finally:
        report.end(checkpoint.counts, complete=complete)
        gauges = run_gauges(checkpoint.counts, complete=complete, at=clock.time())
        if not await asyncio.to_thread(publish, gauges, options.metrics_file, collector):
            click.echo(f"Error: {NOT_TAKEN}", file=err)
    if not complete:
        return UNFINISHED
    return DIFFERS if checkpoint.counts.remaining else AGREES


def _checkpoint(
    settings: Settings, options: Options, file: CheckpointFile, clock: Clock
) -> tuple[Checkpoint, bool]:
    """The checkpoint, and whether it was stored by an earlier run; raises Unusable, ValueError."""
    asked = Asked(
        project=settings.ctp_project_key,
        since=options.since,
        until=options.until,
        apply=options.apply,
        events_only=options.events_only,
        abandoned_after=options.abandoned_after,
    )
    found = file.load(asked)
    if found is not None:
        return found, True
    asked_span = span(options.since, options.until, clock.now())
    begun = Checkpoint(asked=asked, span=asked_span, counts=Counts())
    try:
        file.save(begun)
    except OSError as error:
        raise Unusable(f"{options.checkpoint} cannot be written: {error.strerror}") from error
    return begun, False


def _runner(
    settings: Settings,
    options: Options,
    checkpoint: Checkpoint,
    file: CheckpointFile,
    report: FindingsReport,
    http: HttpClient,
    clock: Clock,
    *,
    abandoned_after: timedelta,
) -> Run:
    """Construct all parts of a run. None of them can write to Stripe."""
    to_commercetools, to_stripe = Pace(clock, options.rate), Pace(clock, options.rate)

    def over(*, may_write: bool) -> Parts:
        return reconcile_parts(
            settings,
            paced_outgoing(http, clock, to_commercetools, may_write=may_write),
            paced_outgoing(http, clock, to_stripe, may_write=False),
        )

    reading = over(may_write=False)
    examiner = Examiner(
        reading,
        over(may_write=True) if options.apply else None,
        Findings(checkpoint.counts, report),
        clock,
        project_key=settings.ctp_project_key,
        abandoned_after=abandoned_after,
    )
    directions = phases(
        reading,
        examiner,
        checkpoint.span,
        settings.ctp_project_key,
        events_only=options.events_only,
        orphans=_ORPHANS,
    )
    return Run(directions, checkpoint, file, report, clock, at_once=options.at_once)
