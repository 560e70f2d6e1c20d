"""Prints the results: a table with causes and remedies for people, JSON for programs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table
from rich.text import Text

from stripe_connector import __version__
from stripe_connector.ops.doctor.checks import CheckOutcome, Result
from stripe_connector.ops.result_metrics import Gauge

_SYMBOLS = {
    CheckOutcome.OK: "✓",
    CheckOutcome.WARN: "!",
    CheckOutcome.FAIL: "✗",
    CheckOutcome.SKIPPED: "-",
}
_STYLES = {
    CheckOutcome.OK: "green",
    CheckOutcome.WARN: "yellow",
    CheckOutcome.FAIL: "bold red",
    CheckOutcome.SKIPPED: "dim",
}
_WITH_REMEDY = (CheckOutcome.FAIL, CheckOutcome.WARN)
_FILE_WIDTH = 160


class DoctorReport(Struct, frozen=True, rename="camel"):
    """What `--json` prints."""

    version: str
    sound: bool
    counts: dict[str, int]
    checks: list[Result]


def as_json(results: Sequence[Result], *, sound: bool) -> str:
    """The report for programs."""
    report = DoctorReport(__version__, sound, _counts(results), list(results))
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode()


def check_gauges(results: Sequence[Result], *, sound: bool, at: float) -> list[Gauge]:
    """The result as metrics; `at` is the end, in seconds since 1970."""
    name = "stripe_connector_doctor"
    counts = {outcome: float(number) for outcome, number in _counts(results).items()}
    return [
        Gauge(f"{name}_checks", "Checks by their outcome.", counts, label="outcome"),
        Gauge(f"{name}_sound", "Whether the deployment is sound.", sound),
        Gauge(f"{name}_end_seconds", "When it was examined, in seconds since 1970.", at),
    ]


def show(console: Console, results: Sequence[Result], *, sound: bool) -> None:
    """The report for people: all checks, then causes and remedies, failures first."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    group = ""
    for result in results:
        if result.group != group:
            group = result.group
            table.add_section()
            table.add_row(Text(group, style="bold"), "", "")
        word = f"  {_SYMBOLS[result.outcome]} {result.outcome.value}"
        text = "see below" if result.outcome in _WITH_REMEDY else result.text
        table.add_row(Text(word, _STYLES[result.outcome]), Text(result.name), Text(text))
    console.print(table)
    for outcome in _WITH_REMEDY:
        for result in (each for each in results if each.outcome is outcome):
            _show_remedy(console, result)
    counts = _counts(results)
    console.print(
        "\n" + ", ".join(f"{number} {word}" for word, number in counts.items() if number),
        markup=False,
        highlight=False,
    )
    verdict = "The deployment is sound." if sound else "The deployment is not sound."
    console.print(verdict, style="bold green" if sound else "bold red", highlight=False)


def console() -> Console:
    """The console for reports; wide in files and pipes, so that addresses are not folded."""
    stdout = Console()
    return stdout if stdout.is_terminal else Console(width=_FILE_WIDTH)


class Doing:
    """Shows progress on a terminal; shows nothing elsewhere."""

    def __init__(self, console: Console, total: int) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} checks"),
            TextColumn("{task.description}", style="dim", markup=False),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task = self._progress.add_task("", total=total)

    def __enter__(self) -> Doing:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def made(self, result: Result) -> None:
        """One check is done."""
        self._progress.update(self._task, advance=1, description=result.name)


def _show_remedy(console: Console, result: Result) -> None:
    title = f"\n{_SYMBOLS[result.outcome]} {result.outcome.value}: {result.group}, {result.name}"
    console.print(title, style=_STYLES[result.outcome], markup=False, highlight=False)
    lines = [f"Cause:  {result.text}", f"Remedy: {result.remedy}"]
    if result.outcome is CheckOutcome.FAIL:
        lines.append(f"Id:     {result.request_id}")
    for line in lines:
        # Not folded: people copy it, and search logs for the id.
        console.print(f"  {line}", markup=False, highlight=False, soft_wrap=True)


def _counts(results: Sequence[Result]) -> dict[str, int]:
    found = Counter(result.outcome for result in results)
    return {outcome.value: found[outcome] for outcome in CheckOutcome}
