"""The differences that a run finds: each is counted and reported once."""

from __future__ import annotations

from typing import Protocol

from stripe_connector.ops.reconcile.checkpoint import Counts
from stripe_connector.ops.reconcile.difference import Difference, Outcome

_REMEMBERED = 50_000


class FindingsReport(Protocol):
    """Shows differences and progress."""

    def show(self, difference: Difference, outcome: Outcome) -> None:
        """Show a difference when it is found, and again with its outcome."""

    def progress(self, phase: str, fraction: float, looked_at: int) -> None:
        """Show how much of a phase is done, from 0 to 1."""

    def end(self, counts: Counts, *, complete: bool) -> None:
        """The summary."""


class Findings:
    """Several directions may lead to the same difference: only the first one counts.

    The memory of reported differences is bounded; beyond it, one may be reported twice.
    """

    def __init__(self, counts: Counts, report: FindingsReport) -> None:
        self.counts = counts
        self._report = report
        self._told: dict[int, None] = {}

    def found(self, difference: Difference) -> bool:
        """Report a difference; False where it was reported before."""
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
        """Report the outcome of a difference."""
        self.counts.repaired += repaired
        self._report.show(difference, "repaired" if repaired else "remains")
