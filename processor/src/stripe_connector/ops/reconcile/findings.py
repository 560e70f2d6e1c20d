"""What a run finds: counted once, told once."""

from __future__ import annotations

from typing import Protocol

from stripe_connector.ops.reconcile.checkpoint import Counts
from stripe_connector.ops.reconcile.difference import Difference, Outcome

_REMEMBERED = 50_000


class FindingsReport(Protocol):
    """Where differences and progress are shown."""

    def show(self, difference: Difference, outcome: Outcome) -> None:
        """One difference as it is found, and again when it is known what became of it."""

    def progress(self, phase: str, fraction: float, looked_at: int) -> None:
        """How far a phase is, from 0 to 1."""

    def end(self, counts: Counts, *, complete: bool) -> None:
        """The summary."""


class Findings:
    """Several directions may lead to the same difference: only the first one counts.

    The memory of what was told is bounded; beyond it, something may be told twice.
    """

    def __init__(self, counts: Counts, report: FindingsReport) -> None:
        self.counts = counts
        self._report = report
        self._told: dict[int, None] = {}

    def found(self, difference: Difference) -> bool:
        """Tell a difference; False where it was told before."""
        key = hash(difference)
        if key in self._told:
            return False
        self._told[key] = None
        if len(self._told) > _REMEMBERED:
            del self._told[next(iter(self._told))]
        self.counts.found[difference.kind] = self.counts.found.get(difference.kind, 0) + 1
        self._report.show(difference, "found")
        return True

    def settled(self, difference: Difference, *, repaired: bool) -> None:
        """Tell what became of a difference."""
        self.counts.repaired += repaired
        self._report.show(difference, "repaired" if repaired else "remains")
