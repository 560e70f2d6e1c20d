"""The report of a run: what it found, changed and could not change, row by row."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stripe_connector.errors import BackendUnavailable, ConnectorError, VersionConflict

T = TypeVar("T")


class ChangeOutcome(StrEnum):
    """The result of one step."""

    RIGHT = "right already"
    DONE = "done"
    PLANNED = "would be done"
    LEFT = "left alone"
    OPEN = "to do"
    FAILED = "failed"


_STYLE = {
    ChangeOutcome.RIGHT: "green",
    ChangeOutcome.DONE: "green",
    ChangeOutcome.PLANNED: "cyan",
    ChangeOutcome.LEFT: "dim",
    ChangeOutcome.OPEN: "yellow",
    ChangeOutcome.FAILED: "bold red",
}


class ReportRow(Struct, frozen=True):
    """One line of the table."""

    subject: str
    outcome: ChangeOutcome
    text: str
    remedy: str | None = None
    """What a person has to do; only with OPEN and FAILED."""


class DeployReport:
    """Collects rows; in a dry run, makes no change."""

    def __init__(self, *, dry_run: bool = False) -> None:
        self.dry_run = dry_run
        self.rows: list[ReportRow] = []

    @property
    def failed(self) -> bool:
        return any(row.outcome is ChangeOutcome.FAILED for row in self.rows)

    def right(self, subject: str, text: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.RIGHT, text))

    def left(self, subject: str, text: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.LEFT, text))

    def to_do(self, subject: str, text: str, remedy: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.OPEN, text, remedy))

    def fail(self, subject: str, text: str, remedy: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.FAILED, text, remedy))

    async def change(self, subject: str, text: str, write: Callable[[], Awaitable[T]]) -> T | None:
        """Make a change and return its result; in a dry run, only report it and return None."""
        if self.dry_run:
            self.rows.append(ReportRow(subject, ChangeOutcome.PLANNED, text))
            return None
        result = await write()
        self.rows.append(ReportRow(subject, ChangeOutcome.DONE, text))
        return result

    @contextmanager
    def guarded(self, subject: str, remedy: str) -> Iterator[None]:
        """Reports an error as a row, so that the next steps still run.

        `remedy` is for a refusal; where the backend did not answer, the remedy is to run again.
        """
        try:
            yield
        except ConnectorError as error:
            again = isinstance(error, BackendUnavailable | VersionConflict)
            self.fail(
                subject,
                f"{error.message} ({error.detail})" if error.detail else error.message,
                "Run this again: it continues where this run stopped." if again else remedy,
            )

    def as_json(self) -> str:
        """The report for programs."""
        said = {"dryRun": self.dry_run, "failed": self.failed, "steps": self.rows}
        return msgspec.json.format(msgspec.json.encode(said), indent=2).decode()

    def show(self, console: Console) -> None:
        """Print the table, then each remedy on a line of its own."""
        table = Table("What", "Result", "How", highlight=False)
        for row in self.rows:
            table.add_row(Text(row.subject), Text(row.outcome, _STYLE[row.outcome]), Text(row.text))
        console.print(table)
        for row in self.rows:
            if row.remedy is not None:
                # Not wrapped: people copy commands and addresses.
                line = Text.assemble((f"{row.outcome}: ", _STYLE[row.outcome]), row.remedy)
                console.print(line, soft_wrap=True)
