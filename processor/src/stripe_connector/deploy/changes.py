"""What a run found, did and could not do: the rows of its table, and its exit code."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct
from rich.console import Console
from rich.table import Table
from rich.text import Text

from stripe_connector.errors import BackendUnavailable, ConnectorError, VersionConflict

T = TypeVar("T")


class ChangeOutcome(StrEnum):
    """What became of one thing."""

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
    mend: str | None = None
    """What a person has to do; only with OPEN and FAILED."""


class DeployReport:
    """Collects rows; in a dry run, no change that passes through it happens."""

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

    def to_do(self, subject: str, text: str, mend: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.OPEN, text, mend))

    def fail(self, subject: str, text: str, mend: str) -> None:
        self.rows.append(ReportRow(subject, ChangeOutcome.FAILED, text, mend))

    async def change(self, subject: str, text: str, write: Callable[[], Awaitable[T]]) -> T | None:
        """Make a change, or only say so in a dry run, which gives None."""
        if self.dry_run:
            self.rows.append(ReportRow(subject, ChangeOutcome.PLANNED, text))
            return None
        result = await write()
        self.rows.append(ReportRow(subject, ChangeOutcome.DONE, text))
        return result

    @contextmanager
    def guarded(self, subject: str, mend: str) -> Iterator[None]:
        """Turns an error into a row, so that whatever comes after is done all the same.

        `mend` is for a backend that refuses; one that does not answer is to be asked again.
        """
        try:
            yield
        except ConnectorError as error:
            again = isinstance(error, BackendUnavailable | VersionConflict)
            self.fail(
                subject,
                f"{error.message} ({error.detail})" if error.detail else error.message,
                "Run this again: what is done already stays done." if again else mend,
            )

    def show(self, console: Console) -> None:
        """Print the table, then what is left for a person to do, in full lines."""
        table = Table("What", "Result", "How", highlight=False)
        for row in self.rows:
            table.add_row(Text(row.subject), Text(row.outcome, _STYLE[row.outcome]), Text(row.text))
        console.print(table)
        for row in self.rows:
            if row.mend is not None:
                # Not wrapped: commands and addresses are to be copied.
                line = Text.assemble((f"{row.outcome}: ", _STYLE[row.outcome]), row.mend)
                console.print(line, soft_wrap=True)
