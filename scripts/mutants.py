"""Mutation testing by command: `python scripts/mutants.py ledger|movement|start [--sample 30]`.

cosmic-ray changes one thing at a time in a clone of the committed code, and the tests of the group
have to notice it. Prints the survivors, and for each module how many were noticed. Mutants that
change nothing that matters stand in scripts/equivalent_mutants.toml with the reason.

A run that is cut off goes on where it stopped, and a bigger sample of the same seed contains the
smaller one: results are kept in build/mutants as long as the changed modules stay the same. At
another commit, those that survived are tried again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sqlite3
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TOOL = "cosmic-ray==8.7.0"
SOURCE = "processor/src/stripe_connector"
EQUIVALENT = ROOT / "scripts" / "equivalent_mutants.toml"
_ANNOTATIONS = "core/ReplaceBinaryOperator_BitOr_%"
"""`int | None` in an annotation: another operator there changes nothing."""


@dataclass(frozen=True)
class Group:
    """Modules that the same tests hold, the quickest of these first."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]
    """Files, and options of pytest."""
    timeout_s: float
    """A mutant whose tests take longer counts as noticed, so this is far above what they take."""


GROUPS = {
    "ledger": Group(
        ("money.py", "ledger", "payments/limits.py"),
        (
            "tests/unit/test_money.py",
            "tests/unit/payments",
            "tests/unit/ledger",
            "tests/property/test_due.py",
        ),
        180.0,
    ),
    "movement": Group(
        ("payments/movement.py", "payments/movement_records.py", "payments/modify.py"),
        (
            "tests/unit/payments/test_movement_records.py",
            "tests/behaviour/test_refund.py",
            "tests/behaviour/test_capture.py",
            "tests/behaviour/test_cancel.py",
            "tests/behaviour/test_reverse.py",
            "tests/behaviour/test_stored_failures.py",
            "tests/behaviour/test_repeated_operations.py",
            "tests/behaviour/test_identity.py",
            "tests/behaviour/test_removed_at_stripe.py",
            "tests/behaviour/test_paid_twice.py",
            "tests/behaviour/test_order_raised.py",
            "tests/behaviour/test_transactions.py",
            "-k 'not any_call and not two_crashes'",
        ),
        900.0,
    ),
    "start": Group(
        ("payments/start.py", "payments/cart_payments.py"),
        (
            "tests/behaviour/test_http_start.py",
            "tests/behaviour/test_two_ways_to_pay.py",
            "tests/behaviour/test_prices_that_move.py",
            "tests/behaviour/test_partly_covered.py",
            "tests/behaviour/test_covered_elsewhere.py",
            "tests/behaviour/test_start_with_stored.py",
            "tests/behaviour/test_http_start_options.py",
            "tests/behaviour/test_http_start_faults.py",
            "tests/behaviour/test_amount_after_our_write.py",
            "tests/behaviour/test_comfort_fields.py",
            "tests/behaviour/test_renamed_payments.py",
            "tests/behaviour/test_account_and_mode.py",
        ),
        900.0,
    ),
}


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


def prepare(name: str) -> Path:
    """The folder of a group: a clone at this commit, and a session that lists all its mutants."""
    group = GROUPS[name]
    modules = [f"{SOURCE}/{each}" for each in group.modules]
    written = hashlib.sha256(git("ls-tree", "-r", "HEAD", *modules).encode()).hexdigest()
    folder = ROOT / "build" / "mutants" / f"{name}-{written[:10]}"
    tree, session = folder / "tree", folder / "session.sqlite"
    head = git("rev-parse", "HEAD")
    if not tree.exists():
        folder.mkdir(parents=True)
        git("clone", "-q", str(ROOT), str(tree))
    git("-C", str(tree), "fetch", "-q", str(ROOT), "HEAD")
    git("-C", str(tree), "checkout", "-q", "--force", head)
    command = f"{ROOT}/.venv/bin/python -m pytest -q -x -p no:cacheprovider {' '.join(group.tests)}"
    (folder / "config.toml").write_text(
        "[cosmic-ray]\n"
        f"module-path = {json.dumps(modules)}\n"
        f"timeout = {group.timeout_s}\n"
        "excluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n"
        "[cosmic-ray.distributor]\n"
        'name = "local"\n'
    )
    if not session.exists():
        unfinished = folder / "unfinished.sqlite"
        unfinished.unlink(missing_ok=True)
        cosmic_ray(tree, "init", "../config.toml", str(unfinished))
        unfinished.rename(session)
    tried_at = folder / "commit"
    if tried_at.exists() and tried_at.read_text() != head:
        with sqlite3.connect(session) as database:
            database.execute("DELETE FROM work_results WHERE test_outcome != 'KILLED'")
    tried_at.write_text(head)
    return folder


def choose(session: Path, sample: int | None, seed: int) -> None:
    """List the mutants of a seeded sample, without those of annotations; put the others aside."""
    with sqlite3.connect(session) as database:
        for table in ("mutation_specs", "work_items"):
            database.execute(
                f"CREATE TABLE IF NOT EXISTS aside_{table} AS SELECT * FROM {table} WHERE 0"  # noqa: S608
            )
            database.execute(f"INSERT INTO {table} SELECT * FROM aside_{table}")  # noqa: S608
            database.execute(f"DELETE FROM aside_{table}")  # noqa: S608
        jobs = [
            job
            for (job,) in database.execute(
                "SELECT job_id FROM mutation_specs WHERE operator_name NOT LIKE ?"
                " ORDER BY module_path, operator_name, occurrence",
                (_ANNOTATIONS,),
            )
        ]
        random.Random(seed).shuffle(jobs)  # noqa: S311 - no secret
        database.execute("CREATE TEMPORARY TABLE chosen (job_id)")
        database.executemany("INSERT INTO chosen VALUES (?)", [(job,) for job in jobs[:sample]])
        for table in ("mutation_specs", "work_items"):
            others = "WHERE job_id NOT IN (SELECT job_id FROM chosen)"
            database.execute(f"INSERT INTO aside_{table} SELECT * FROM {table} {others}")  # noqa: S608
            database.execute(f"DELETE FROM {table} {others}")  # noqa: S608


@dataclass(frozen=True)
class Change:
    """What a mutant changes, as a reader sees it."""

    module: str
    was: str
    now: str


def change(module_path: str, diff: str) -> Change:
    lines = diff.splitlines()
    was = " ".join(each[1:].strip() for each in lines if each[:1] == "-" and each[:4] != "--- ")
    now = " ".join(each[1:].strip() for each in lines if each[:1] == "+" and each[:4] != "+++ ")
    return Change(module_path.removeprefix(f"{SOURCE}/"), was, now)


def equivalent(path: Path = EQUIVALENT) -> set[Change]:
    """The mutants that no test has to notice; each has its reason beside it."""
    listed = tomllib.loads(path.read_text())["mutant"]
    return {Change(each["module"], each["was"], each["now"]) for each in listed}


@dataclass
class Tally:
    noticed: int = 0
    survived: int = 0
    excused: int = 0

    @property
    def share(self) -> float:
        """Percent noticed, of those that change something that matters."""
        return 100 * self.noticed / max(1, self.noticed + self.survived)

    def __str__(self) -> str:
        counted = self.noticed + self.survived
        excused = f", {self.excused} equivalent" if self.excused else ""
        return f"{self.noticed} of {counted} mutants were noticed ({self.share:.1f} %{excused})"


def report(lines: Iterable[str], excused: set[Change]) -> tuple[bool, Tally]:
    """Print what survived, and the figures; whether each mutant was tried, and the sum."""
    modules: defaultdict[str, Tally] = defaultdict(Tally)
    total, done = Tally(), True
    for line in lines:
        item, result = json.loads(line)
        if result is None:
            done = False
            continue
        [mutation] = item["mutations"]
        what = change(mutation["module_path"], result["diff"] or "")
        for tally in (modules[what.module], total):
            if result["test_outcome"] == "killed":
                tally.noticed += 1
            elif what in excused:
                tally.excused += 1
            else:
                tally.survived += 1
        if result["test_outcome"] != "killed" and what not in excused:
            print(f"survived: {what.module}:{mutation['start_pos'][0]}")
            print(f"  was: {what.was}\n  now: {what.now}")
    for module, tally in sorted(modules.items()):
        print(f"{module}: {tally}")
    print(f"all: {total}")
    return done and bool(modules), total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    parser.add_argument("--sample", type=int, help="how many mutants of each; by default all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-least", type=float, default=0, help="percent that must be noticed")
    parser.add_argument("--report", action="store_true", help="only tell what was tried")
    asked = parser.parse_args()
    unknown = set(asked.groups) - set(GROUPS)
    if unknown:
        parser.error(f"no group {', '.join(sorted(unknown))}: there are {', '.join(GROUPS)}")
    passed = True
    for name in asked.groups or GROUPS:
        folder = prepare(name)
        choose(folder / "session.sqlite", asked.sample, asked.seed)
        if not asked.report:
            # Of code whose tests fail anyway, every mutant would count as noticed.
            cosmic_ray(folder / "tree", "baseline", "../config.toml")
            cosmic_ray(folder / "tree", "exec", "../config.toml", "../session.sqlite")
        print(f"\n{name}")
        dumped = cosmic_ray(folder / "tree", "dump", "../session.sqlite").splitlines()
        done, total = report(dumped, equivalent())
        passed = passed and done and total.share >= asked.at_least
    sys.exit(0 if passed else 1)


if __name__ == "__main__":
    main()
