"""The output of a run: a table for people or a stream of JSON lines, and a progress bar."""

from __future__ import annotations

from decimal import Decimal
from typing import TextIO

import msgspec
from msgspec import UNSET, Struct, UnsetType
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from stripe_connector.money import iso_digits
from stripe_connector.ops.reconcile.checkpoint import Counts
from stripe_connector.ops.reconcile.difference import Difference, DifferenceKind, Outcome
from stripe_connector.ops.reconcile.span import Span
from stripe_connector.ops.result_metrics import Gauge

ROWS = 200
"""Differences that the table holds; the summary counts all, and --json shows all."""
_WIDTH = 140
"""Columns where the output is not a terminal."""
_TABLE = 120
"""Columns that the table needs at least; a narrower terminal gets a block for each difference."""


class JsonLine(Struct, frozen=True, omit_defaults=True):
    """A difference as one JSON object."""

    outcome: Outcome
    kind: DifferenceKind
    remedy: str
    needs_a_person: bool
    payment: str | UnsetType = UNSET
    intent: str | UnsetType = UNSET
    order: str | UnsetType = UNSET
    subject: str | UnsetType = UNSET
    type: str | UnsetType = UNSET
    amount: int | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    recorded: str | UnsetType = UNSET
    stripe: str | UnsetType = UNSET


class Summary(Struct, frozen=True):
    """The last JSON object of a stream."""

    complete: bool
    since: str
    until: str
    looked_at: dict[str, int]
    found: dict[DifferenceKind, int]
    repaired: int
    remaining: int


class Bar:
    """Shows progress, on a terminal only."""

    def __init__(self, stream: TextIO) -> None:
        console = Console(file=stream)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[looked_at]:,}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._task = self._progress.add_task("", total=1.0, looked_at=0)
        self._phase = ""
        self._progress.start()

    def show(self, phase: str, fraction: float, looked_at: int) -> None:
        if phase != self._phase:
            self._phase = phase
            self._progress.reset(self._task, description=phase, total=1.0)
        self._progress.update(self._task, completed=fraction, looked_at=looked_at)

    def stop(self) -> None:
        self._progress.stop()


class JsonReport:
    """Writes every difference as a line at once, and the summary as the last line."""

    def __init__(self, span: Span, out: TextIO, bar: Bar) -> None:
        self._span = span
        self._out = out
        self._bar = bar

    def show(self, difference: Difference, outcome: Outcome) -> None:
        fields = {
            name: value
            for name, value in msgspec.structs.asdict(difference).items()
            if value is not None
        }
        line = JsonLine(
            outcome=outcome,
            remedy=difference.remedy,
            needs_a_person=difference.needs_a_person,
            **fields,
        )
        self._write(line)

    def progress(self, phase: str, fraction: float, looked_at: int) -> None:
        self._bar.show(phase, fraction, looked_at)

    def end(self, counts: Counts, *, complete: bool) -> None:
        self._bar.stop()
        summary = Summary(
            complete=complete,
            since=self._span.since.isoformat(),
            until=self._span.until.isoformat(),
            looked_at=counts.looked_at,
            found=counts.found,
            repaired=counts.repaired,
            remaining=counts.remaining,
        )
        self._write({"summary": summary})

    def _write(self, line: object) -> None:
        self._out.write(msgspec.json.encode(line).decode() + "\n")
        self._out.flush()


class TableReport:
    """Prints the first differences as a table at the end, then the totals."""

    def __init__(self, span: Span, out: TextIO, bar: Bar, *, width: int | None = None) -> None:
        self._span = span
        self._console = Console(
            file=out,
            width=width or (None if out.isatty() else _WIDTH),
            highlight=False,
            markup=False,
        )
        self._bar = bar
        self._rows: dict[Difference, Outcome] = {}

    def show(self, difference: Difference, outcome: Outcome) -> None:
        if difference in self._rows or len(self._rows) < ROWS:
            self._rows[difference] = outcome

    def progress(self, phase: str, fraction: float, looked_at: int) -> None:
        self._bar.show(phase, fraction, looked_at)

    def end(self, counts: Counts, *, complete: bool) -> None:
        self._bar.stop()
        if self._rows and self._console.width < _TABLE:
            self._blocks()
        elif self._rows:
            self._console.print(self._table())
        if counts.differences > len(self._rows):
            self._console.print(
                f"{len(self._rows)} of {counts.differences} shown; use --json for all."
            )
        since, until = (
            f"{each:%Y-%m-%d %H:%M:%S}" for each in (self._span.since, self._span.until)
        )
        self._console.print(f"From {since} to {until} UTC:")
        for phase, number in counts.looked_at.items():
            self._console.print(f"  {number:>9,} {phase}")
        self._console.print(
            f"{counts.differences:,} differences, {counts.repaired:,} repaired,"
            f" {counts.remaining:,} remain."
        )
        if not complete:
            self._console.print("The run is incomplete: run it again to continue.")

    def _blocks(self) -> None:
        for each, outcome in self._rows.items():
            self._console.print(each.kind.value.replace("_", " "))
            fields = {
                "payment": each.payment,
                "intent": each.intent,
                "order": each.order,
                "what": " ".join(filter(None, (each.type, each.subject))),
                "amount": _amount(each),
                "recorded": each.recorded,
                "at Stripe": each.stripe,
                outcome if outcome != "found" else "remedy": each.remedy,
            }
            for name, value in fields.items():
                if value:
                    self._console.print(f"  {name}: {value}", soft_wrap=True)

    def _table(self) -> Table:
        table = Table("difference")
        for name in ("payment, intent, order", "what"):
            table.add_column(name, no_wrap=True)  # not wrapped: ids are copied
        for name in ("amount", "recorded", "at Stripe", "remedy"):
            table.add_column(name)
        for each, outcome in self._rows.items():
            table.add_row(
                each.kind.value.replace("_", " "),
                "\n".join(filter(None, (each.payment, each.intent, each.order))),
                "\n".join(filter(None, (each.type, each.subject))),
                _amount(each),
                each.recorded or "",
                each.stripe or "",
                each.remedy if outcome == "found" else f"{outcome}: {each.remedy}",
            )
        return table


def _amount(difference: Difference) -> str:
    """In major units, as people write it."""
    if difference.amount is None or difference.currency is None:
        return ""
    digits = iso_digits(difference.currency)
    amount = Decimal(difference.amount).scaleb(-digits)
    return f"{amount:,.{digits}f} {difference.currency}"


def run_gauges(counts: Counts, *, complete: bool, at: float) -> list[Gauge]:
    """The result as metrics; `at` is the run's end, in seconds since 1970."""
    name = "stripe_connector_reconcile"
    found = {str(kind): counts.found.get(kind, 0) for kind in DifferenceKind}
    remaining = "Differences that remain after the last run."
    return [
        Gauge(
            f"{name}_differences",
            "Differences that the last run found, by kind.",
            found,
            label="kind",
        ),
        Gauge(f"{name}_remaining", remaining, counts.remaining),
        Gauge(f"{name}_complete", "Whether the last run came to its end.", complete),
        Gauge(f"{name}_end_seconds", "When the last run ended, in seconds since 1970.", at),
    ]
