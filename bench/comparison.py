"""Two processors measured in turn, so that whatever else the machine does falls on both alike."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from rich.table import Table

from bench.operations import Workload
from bench.rig import CALLERS, Rig


class Plan(Struct, frozen=True):
    """How much is measured. What exceeds its limit is measured again before that is believed."""

    rounds: int = 4
    requests: int = 300
    repetitions: int = 3
    warm_up: int = 64
    """Requests before the first round of each operation."""


class Comparison(Struct, frozen=True):
    """A figure of both in each round; for an operation, CPU-seconds per 1,000 requests."""

    name: str
    base: Sequence[float]
    now: Sequence[float]
    limit: float | None = None
    """What the ratio may be at most."""

    @property
    def ratio(self) -> float:
        """Of the least disturbed rounds."""
        return min(self.now) / min(self.base)

    @property
    def spread(self) -> float:
        """How far the rounds of one side lie apart, as a part of the least: the noise."""
        return max(max(each) / min(each) - 1 for each in (self.base, self.now))

    @property
    def holds(self) -> bool:
        return self.limit is None or self.ratio <= self.limit

    def with_more(self, other: Comparison) -> Comparison:
        """The rounds of both."""
        return Comparison(self.name, [*self.base, *other.base], [*self.now, *other.now], self.limit)


def missed(results: Sequence[Comparison]) -> list[str]:
    """Each figure that exceeds its limit, as a text."""
    return [
        f"{each.name}: {each.ratio:.2f} of {each.limit:g}" for each in results if not each.holds
    ]


async def compared(
    plan: Plan, base: tuple[Workload, Rig], now: tuple[Workload, Rig], limit: float | None
) -> Comparison:
    """Measure a workload at two processors, each with its own requests. Raises LoadFailed."""
    for workload, rig in (base, now):
        await rig.round(workload, CALLERS, plan.warm_up)
    result = await _rounds(plan, base, now, limit)
    for _ in range(plan.repetitions):
        if result.holds:
            break
        result = result.with_more(await _rounds(plan, base, now, limit))
    return result


async def _rounds(
    plan: Plan, base: tuple[Workload, Rig], now: tuple[Workload, Rig], limit: float | None
) -> Comparison:
    figures: tuple[list[float], list[float]] = ([], [])
    for _ in range(plan.rounds):
        for (workload, rig), found in zip((base, now), figures, strict=True):
            found.append((await rig.round(workload, CALLERS, plan.requests)).cpu)
    return Comparison(now[0].name, *figures, limit)


def table(results: Sequence[Comparison], title: str, base: str) -> Table:
    """All comparisons, with what exceeds its limit marked."""
    shown = Table(title=title, title_justify="left")
    shown.add_column("Operation", no_wrap=True)
    for name in (base, "now", "ratio", "at most", "spread"):
        shown.add_column(name, justify="right")
    for each in results:
        ratio = f"{each.ratio:.2f}"
        shown.add_row(
            each.name,
            f"{min(each.base):.2f}",
            f"{min(each.now):.2f}",
            ratio if each.holds else f"[red]{ratio} ![/red]",
            "-" if each.limit is None else f"{each.limit:g}",
            f"{each.spread:.0%}",
        )
    return shown
