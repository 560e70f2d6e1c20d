"""`make bench-compare`: CPU per operation of this code, as a ratio to that of an earlier commit."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from rich.console import Console

from bench.client import LoadFailed
from bench.comparison import Comparison, Plan, compared, missed, table
from bench.loop import run
from bench.operations import OPERATIONS, Operation
from bench.processes import keep_apart
from bench.rig import rig, start_backend, start_processor

LIMIT = 1.1
"""How much more CPU than before an operation may show: that of the same code has shown 1.12 at most
before it was measured again, and 15 % more would hide behind 1.15."""
_LOCK = "requirements.lock"
_REPOSITORY = Path(__file__).resolve().parent.parent


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
        core = keep_apart()
        backend, backend_port = await start_backend(stack, logs)
        earlier = logs / "before"
        earlier.mkdir(exist_ok=True)
        old, old_port, _, _ = await start_processor(
            stack, backend_port, earlier, {"PYTHONPATH": str(before / "processor/src")}, core
        )
        new, new_port, _, _ = await start_processor(stack, backend_port, logs, core=core)
        async with (
            rig(old, old_port, backend, backend_port) as then,
            rig(new, new_port, backend, backend_port) as now,
        ):
            results = []
            for operation in operations:
                tell(operation.name)
                results.append(await compared(plan, (operation, then), (operation, now), LIMIT))
    return results


@click.command()
@click.option("--commit", default="HEAD~1", show_default=True, help="The commit to compare with.")
@click.option("--only", help="Only operations whose name contains this.")
def main(commit: str, only: str | None) -> None:
    """Compare with an earlier commit; exit 1 where an operation takes 10 % more CPU."""
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
    console.print(table(results, f"CPU s per 1,000 requests, beside {commit}", "before"))
    if exceeding := missed(results):
        console.print(f"More CPU than {commit} allows: {', '.join(exceeding)}", markup=False)
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
