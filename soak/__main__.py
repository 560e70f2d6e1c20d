"""`make soak`: half an hour of injected faults, then a verdict."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec
from rich.console import Console

from bench.loop import run
from sandbox.demo.processes import ProgramFailed
from soak.plan import STEADY
from soak.report import markdown, tables
from soak.result import Options
from soak.run import soak

_WIDTH = 120


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long faults are injected.")
@click.option("--seed", default=1, show_default=True, help="Repeats the same faults.")
@click.option("--shoppers", default=8, show_default=True, help="Shoppers who buy at once.")
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/soak/soak.json"),
    show_default=True,
    help="File for the figures; a Markdown report and the logs go to the same folder.",
)
def main(minutes: float, seed: int, shoppers: int, output: Path) -> None:
    """Run two instances behind one address with shoppers and random faults, then check all money.

    Exits with 1 if the processors broke a rule.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    output.parent.mkdir(parents=True, exist_ok=True)
    _allow_files()
    options = Options(seed=seed, pace=STEADY, shoppers=shoppers, seconds=minutes * 60)
    try:
        result = run(soak(options, output.parent, lambda text: console.print(f"  {text}")))
    except ProgramFailed as error:
        console.print(str(error), markup=False)
        sys.exit(2)
    for each in tables(result):
        console.print(each)
    output.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    output.with_suffix(".md").write_text(markdown(result))
    sys.exit(0 if result.holds else 1)


def _allow_files() -> None:
    """Raise the limit of open files: a burst needs a socket for each caller."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
