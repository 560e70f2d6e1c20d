"""`make bench`: measure the processor on this machine."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click
from msgspec.structs import replace
from rich.console import Console

from bench.client import LoadFailed
from bench.loop import run
from bench.measure import QUICK, Plan, measure
from bench.operations import OPERATIONS, Operation
from bench.reference import PLAN, Reference, beside, report
from bench.reference import to_json as to_json_beside
from bench.report import tables, this_machine, to_json

_WIDTH = 140


@click.command()
@click.option("--quick", is_flag=True, help="Fewer requests: half a minute instead of minutes.")
@click.option("--only", help="Measure only operations whose name contains this.")
@click.option(
    "--rounds", type=click.IntRange(1, 50), help="Rounds; the one with the least CPU counts."
)
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/bench.json"),
    show_default=True,
    help="File for the figures.",
)
@click.option(
    "--reference",
    help="Another processor to compare with: its address on this machine, or a command.",
)
def main(
    quick: bool, only: str | None, rounds: int | None, output: Path, reference: str | None
) -> None:
    """Measure the processor with minimal backends, and compare with the targets."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    plan = QUICK if quick else Plan()
    if rounds is not None:
        plan = replace(plan, rounds=rounds)
    operations = [each for each in OPERATIONS if only is None or only in each.name]
    if not operations:
        raise click.BadParameter("No operation has such a name.", param_hint="--only")
    output.parent.mkdir(parents=True, exist_ok=True)
    machine = this_machine()
    console.print(
        f"{machine.system}, {machine.cores} cores, Python {machine.python};"
        f" CPU time from {machine.cpu_time_from}"
    )
    if reference:
        _beside(console, reference, operations, rounds, output)
        return
    try:
        results, footprint = run(
            measure(plan, operations, output.parent, lambda name: console.print(f"  {name}"))
        )
    except LoadFailed as error:
        console.print(f"The run failed, nothing was measured. {error}", markup=False)
        sys.exit(1)
    console.print(tables(results, operations, footprint))
    output.write_bytes(to_json(plan, results, operations, footprint))
    console.print(f"Written to {output}", markup=False)


def _beside(
    console: Console,
    reference: str,
    operations: Sequence[Operation],
    rounds: int | None,
    output: Path,
) -> None:
    """Compare with the reference; exit 1 where a ratio exceeds its target."""
    plan = PLAN if rounds is None else replace(PLAN, rounds=rounds)
    try:
        findings = run(
            beside(
                plan,
                Reference.parsed(reference),
                operations,
                output.parent,
                lambda name: console.print(f"  {name}"),
            )
        )
    except (LoadFailed, ValueError, OSError) as error:
        console.print(f"The run failed, nothing was compared. {error}", markup=False)
        sys.exit(1)
    console.print(report(findings))
    written = output.with_name(f"{output.stem}-reference{output.suffix}")
    written.write_bytes(to_json_beside(plan, findings))
    console.print(f"Written to {written}", markup=False)
    sys.exit(1 if findings.missed else 0)


if __name__ == "__main__":
    main()
