"""Mutation testing of ledger, money and due: `python scripts/mutants.py [--sample 30] [--seed 1]`.

cosmic-ray changes one thing at a time in a clone of the committed code, and the unit and property
tests of these modules have to notice it. Prints the survivors. A run that is cut off goes on where
it stopped: the session is kept in build/mutants by commit, sample and seed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOL = "cosmic-ray==8.7.0"
SOURCE = "processor/src/stripe_connector"
MODULES = (
    "money.py",
    "ledger/due.py",
    "ledger/facts.py",
    "ledger/merge.py",
    "ledger/operation.py",
    "ledger/proof.py",
)
TESTS = "tests/unit/ledger tests/unit/test_money.py tests/property/test_due.py"
_ANNOTATIONS = "core/ReplaceBinaryOperator_BitOr_%"
"""`int | None` in an annotation: another operator there changes nothing."""


def git(*arguments: str) -> str:
    done = subprocess.run(  # noqa: S603 - git, by its name
        ["git", *arguments],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def cosmic_ray(tree: Path, *arguments: str) -> str:
    """Run the tool, which uv installs for itself, in the clone."""
    done = subprocess.run(  # noqa: S603 - uv of this environment
        [ROOT / ".venv/bin/uv", "tool", "run", "-q", "--from", TOOL, "cosmic-ray", *arguments],
        cwd=tree,
        env={**os.environ, "PYTHONPATH": f"{tree}/processor/src:{tree}"},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout


def prepare(folder: Path, sample: int | None, seed: int) -> Path:
    """The clone with a session that lists the mutants to try."""
    tree = folder / "tree"
    if (folder / "session.sqlite").exists():
        git("-C", str(tree), "checkout", "-q", ".")  # what a run that was cut off left changed
        return tree
    folder.mkdir(parents=True, exist_ok=True)
    git("clone", "-q", str(ROOT), str(tree))
    python = ROOT / ".venv/bin/python"
    modules = [f"{SOURCE}/{each}" for each in MODULES]
    (folder / "config.toml").write_text(
        "[cosmic-ray]\n"
        f"module-path = {json.dumps(modules)}\n"
        "timeout = 120.0\n"
        "excluded-modules = []\n"
        f'test-command = "{python} -m pytest -q -x -p no:cacheprovider {TESTS}"\n'
        "[cosmic-ray.distributor]\n"
        'name = "local"\n'
    )
    unfinished = folder / "unfinished.sqlite"
    unfinished.unlink(missing_ok=True)
    cosmic_ray(tree, "init", "../config.toml", str(unfinished))
    choose(unfinished, sample, seed)
    unfinished.rename(folder / "session.sqlite")
    return tree


def choose(session: Path, sample: int | None, seed: int) -> None:
    """Keep the mutants of a seeded sample, without those of annotations."""
    with sqlite3.connect(session) as database:
        listed = database.execute(
            "SELECT job_id FROM mutation_specs WHERE operator_name NOT LIKE ?"
            " ORDER BY module_path, operator_name, occurrence",
            (_ANNOTATIONS,),
        ).fetchall()
        jobs = sorted({job for (job,) in listed}, key=[job for (job,) in listed].index)
        if sample is not None and sample < len(jobs):
            jobs = random.Random(seed).sample(jobs, sample)  # noqa: S311 - no secret
        database.execute("CREATE TEMPORARY TABLE chosen (job_id)")
        database.executemany("INSERT INTO chosen VALUES (?)", [(job,) for job in jobs])
        for table in ("mutation_specs", "work_items"):
            database.execute(
                f"DELETE FROM {table} WHERE job_id NOT IN (SELECT job_id FROM chosen)"  # noqa: S608
            )


def report(dumped: str) -> bool:
    """Print what survived; whether each mutant was tried."""
    killed = tried = lines = 0
    for line in dumped.splitlines():
        item, result = json.loads(line)
        lines += 1
        if result is None:
            continue
        tried += 1
        if result["test_outcome"] == "killed":
            killed += 1
            continue
        for each in item["mutations"]:
            print(f"survived: {each['module_path']}:{each['start_pos'][0]} {each['operator_name']}")
    print(f"{killed} of {tried} mutants were noticed ({100 * killed // max(tried, 1)} %)")
    return tried == lines > 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, help="how many mutants; by default all")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    name = f"{git('rev-parse', '--short', 'HEAD')}-{asked.sample or 'all'}-{asked.seed}"
    folder = ROOT / "build" / "mutants" / name
    tree = prepare(folder, asked.sample, asked.seed)
    cosmic_ray(tree, "exec", "../config.toml", "../session.sqlite")
    sys.exit(0 if report(cosmic_ray(tree, "dump", "../session.sqlite")) else 1)


if __name__ == "__main__":
    main()
