"""`make bench-compare`: CPU per operation of this code, as a ratio to that of an earlier commit.

Both processors answer the same requests in turn, so that whatever else the machine does falls on
both alike, and the least of several rounds counts.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from bench.client import LoadFailed
from bench.loop import run
from bench.operations import OPERATIONS, Operation
from bench.rig import CALLERS, Rig, rig, start_backend, start_processor

LIMIT = 1.15
"""How much more CPU than before an operation may take."""
_LOCK = "requirements.lock"
_REPOSITORY = Path(__file__).resolve().parent.parent


class Plan(Struct, frozen=True):
    """How much is measured. What exceeds the limit is measured again before that is believed."""

    rounds: int = 4
    requests: int = 300
    repetitions: int = 3


class Comparison(Struct, frozen=True):
    """An operation, in CPU-seconds per 1,000 requests of each round."""

    name: str
    before: Sequence[float]
    now: Sequence[float]

    @property
    def ratio(self) -> float:
        """Of the least disturbed rounds."""
        return min(self.now) / min(self.before)

    @property
    def spread(self) -> float:
        """How far the rounds of one side lie apart, as a part of the least: the noise."""
        return max(max(each) / min(each) - 1 for each in (self.before, self.now))

    @property
    def holds(self) -> bool:
        return self.ratio <= LIMIT

    def with_more(self, other: Comparison) -> Comparison:
        """The rounds of both."""
        return Comparison(self.name, [*self.before, *other.before], [*self.now, *other.now])


class NotComparable(Exception):
    """The commit cannot be measured beside this code, for the reason given."""


@contextmanager
def checkout(commit: str, repository: Path = _REPOSITORY) -> Iterator[Path]:
    """The tree of a commit in a folder of its own, gone afterwards.

    Raises NotComparable for a commit that is not there or that locks other dependencies, since it
    runs with what is installed here.
    """
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        added = _git(repository, "worktree", "add", "--detach", str(tree), commit)
        if added.returncode:
            raise NotComparable(f"There is no commit {commit} here: {added.stderr.strip()}")
        try:
            if (tree / _LOCK).read_bytes() != (repository / _LOCK).read_bytes():
                raise NotComparable(f"{commit} locks other dependencies than this code.")
            yield tree
        finally:
            _git(repository, "worktree", "remove", "--force", str(tree))


async def compare(
    plan: Plan,
    operations: Sequence[Operation],
    before: Path,
    logs: Path,
    tell: Callable[[str], None],
) -> list[Comparison]:
    """Measure this code and that of the tree `before`. Raises LoadFailed."""
    with ExitStack() as stack:
        backend, backend_port = await start_backend(stack, logs)
        earlier = logs / "before"
        earlier.mkdir(exist_ok=True)
        old, old_port, _, _ = await start_processor(
            stack, backend_port, earlier, {"PYTHONPATH": str(before / "processor/src")}
        )
        new, new_port, _, _ = await start_processor(stack, backend_port, logs)
        async with (
            rig(old, old_port, backend, backend_port) as then,
            rig(new, new_port, backend, backend_port) as now,
        ):
            results = []
            for operation in operations:
                tell(operation.name)
                results.append(await _compared(plan, operation, then, now))
    return results


async def _compared(plan: Plan, operation: Operation, then: Rig, now: Rig) -> Comparison:
    for each in (then, now):
        await each.round(operation, CALLERS, max(64, plan.requests // 5))  # warms up
    result = await _rounds(plan, operation, then, now)
    for _ in range(plan.repetitions):
        if result.holds:
            break
        result = result.with_more(await _rounds(plan, operation, then, now))
    return result


async def _rounds(plan: Plan, operation: Operation, then: Rig, now: Rig) -> Comparison:
    before, after = [], []
    for _ in range(plan.rounds):
        before.append((await then.round(operation, CALLERS, plan.requests)).cpu)
        after.append((await now.round(operation, CALLERS, plan.requests)).cpu)
    return Comparison(operation.name, before, after)


def table(results: Sequence[Comparison], commit: str) -> Table:
    """All comparisons, with what exceeds the limit marked."""
    shown = Table(title=f"CPU s per 1,000 requests, beside {commit}", title_justify="left")
    shown.add_column("Operation", no_wrap=True)
    for name in ("before", "now", "ratio", "spread"):
        shown.add_column(name, justify="right")
    for each in results:
        ratio = f"{each.ratio:.2f}"
        shown.add_row(
            each.name,
            f"{min(each.before):.2f}",
            f"{min(each.now):.2f}",
            ratio if each.holds else f"[red]{ratio} ![/red]",
            f"{each.spread:.0%}",
        )
    return shown


@click.command()
@click.option("--commit", default="HEAD~1", show_default=True, help="The commit to compare with.")
@click.option("--only", help="Only operations whose name contains this.")
def main(commit: str, only: str | None) -> None:
    """Compare with an earlier commit; exit 1 where an operation takes 15 % more CPU."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    operations = [each for each in OPERATIONS if only is None or only in each.name]
    if not operations:
        raise click.BadParameter("No operation has such a name.", param_hint="--only")
    logs = Path("build")
    logs.mkdir(exist_ok=True)
    try:
        with checkout(commit) as tree:
            results = run(
                compare(Plan(), operations, tree, logs, lambda name: console.print(f"  {name}"))
            )
    except NotComparable as error:
        console.print(f"SKIPPED: nothing was compared. {error}", markup=False)
        return
    except LoadFailed as error:
        console.print(f"The run failed, nothing was compared. {error}", markup=False)
        sys.exit(1)
    console.print(table(results, commit))
    missed = [each.name for each in results if not each.holds]
    if missed:
        console.print(f"More than {LIMIT:g} times the CPU of {commit}: {', '.join(missed)}")
        sys.exit(1)


def _git(repository: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - fixed commands, no shell
        ["git", "-C", str(repository), *arguments],  # noqa: S607
        text=True,
        capture_output=True,
        check=False,
        timeout=60,
    )


if __name__ == "__main__":
    main()
