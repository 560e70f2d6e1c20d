"""`make soak`: half an hour of everything that can go wrong, and a judgement."""

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
@click.option("--minutes", default=30.0, show_default=True, help="How long faults happen.")
@click.option("--seed", default=1, show_default=True, help="The same faults in the same order.")
@click.option("--shoppers", default=8, show_default=True, help="Who buy at the same time.")
@click.option(
    "--json",
    "output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("build/soak/soak.json"),
    show_default=True,
    help="Figures for machines; beside it a report in Markdown, and the logs.",
)
def main(minutes: float, seed: int, shoppers: int, output: Path) -> None:
    """Two instances behind one address, shoppers, faults at random, and what became of the money.

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
    """A burst needs a socket for each caller."""
    if sys.platform == "win32":
        return
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    main()
