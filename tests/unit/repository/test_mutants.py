"""The sample of mutants is seeded, what survives is told, and excuses are of today's code."""

from __future__ import annotations

import json
import runpy
import sqlite3
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = runpy.run_path(str(ROOT / "scripts/mutants.py"))


def session(path: Path) -> Path:
    """A session like cosmic-ray's: nine mutants and one of an annotation."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE work_items (job_id)")
        database.execute("CREATE TABLE work_results (job_id)")
        database.execute(
            "CREATE TABLE mutation_specs (job_id, module_path, operator_name, occurrence)"
        )
        for number in range(10):
            name = "NumberReplacer" if number else "ReplaceBinaryOperator_BitOr_Add"
            row = (str(number), "money.py", f"core/{name}", number)
            database.execute("INSERT INTO work_items VALUES (?)", row[:1])
            database.execute("INSERT INTO mutation_specs VALUES (?, ?, ?, ?)", row)
    return path


def kept(path: Path) -> set[str]:
    with sqlite3.connect(path) as database:
        items = {job for (job,) in database.execute("SELECT job_id FROM work_items")}
        specs = {job for (job,) in database.execute("SELECT job_id FROM mutation_specs")}
    assert items == specs
    return items


def chosen(path: Path, sample: int | None, seed: int = 1) -> set[str]:
    SCRIPT["choose"](path, sample, seed)
    return kept(path)


def test_a_sample_depends_on_its_seed_alone(tmp_path: Path) -> None:
    first = chosen(session(tmp_path / "one"), 4)
    assert len(first) == 4
    again = session(tmp_path / "other")
    assert chosen(again, 4) == first
    assert any(chosen(again, 4, seed) != first for seed in range(2, 6))
    assert chosen(again, 4) == first


def test_a_bigger_sample_contains_the_smaller_one(tmp_path: Path) -> None:
    path = session(tmp_path / "one")
    assert chosen(path, 3) < chosen(path, 5) < chosen(path, None)


def test_annotations_are_left_out(tmp_path: Path) -> None:
    assert chosen(session(tmp_path / "one"), None) == {str(number) for number in range(1, 10)}


DIFF = """--- mutation diff ---
--- aprocessor/src/stripe_connector/money.py
+++ bprocessor/src/stripe_connector/money.py
@@ -1,3 +1,3 @@
 def total():
-    return 1
+    return 2
"""
CHANGE = SCRIPT["Change"]("money.py", "return 1", "return 2")


def test_a_change_is_read_from_the_diff_of_cosmic_ray() -> None:
    assert SCRIPT["change"]("processor/src/stripe_connector/money.py", DIFF) == CHANGE


def line(outcome: str | None) -> str:
    path = "processor/src/stripe_connector/money.py"
    mutation = {"module_path": path, "start_pos": [7, 0]}
    result: Any = None if outcome is None else {"test_outcome": outcome, "diff": DIFF}
    return json.dumps([{"job_id": "1", "mutations": [mutation]}, result])


@pytest.mark.parametrize(
    ("outcomes", "done", "share", "told"),
    [
        (["killed", "survived"], True, 50, "money.py: 1 of 2 mutants were noticed (50.0 %)"),
        (["killed", None], False, 100, "all: 1 of 1 mutants were noticed (100.0 %)"),
        (["killed", "incompetent"], True, 50, "all: 1 of 2 mutants were noticed (50.0 %)"),
        ([], False, 0, "all: 0 of 0 mutants were noticed (0.0 %)"),
    ],
)
def test_the_report_counts_and_names(
    outcomes: list[str | None],
    done: bool,
    share: float,
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tried, total = SCRIPT["report"](map(line, outcomes), set())
    assert (tried, total.share) == (done, share)
    out = capsys.readouterr().out
    assert told in out
    survived = "survived: money.py:7\n  was: return 1\n  now: return 2\n"
    assert (survived in out) == (share == 50)


def test_an_equivalent_mutant_is_neither_noticed_nor_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    done, total = SCRIPT["report"](map(line, ["killed", "survived"]), {CHANGE})
    assert (done, total.share) == (True, 100)
    out = capsys.readouterr().out
    assert "survived:" not in out
    assert "all: 1 of 1 mutants were noticed (100.0 %, 1 equivalent)" in out


def test_every_equivalent_mutant_has_a_reason_and_is_of_the_code_of_today() -> None:
    listed = tomllib.loads((ROOT / "scripts/equivalent_mutants.toml").read_text())["mutant"]
    for each in listed:
        assert each.keys() == {"module", "was", "now", "reason"}
        assert len(each["reason"].split()) > 3, each
        assert each["was"] != each["now"]
        code = (ROOT / "processor/src/stripe_connector" / each["module"]).read_text()
        there = " ".join(code.split())
        assert each["was"] in there, each
    assert len({json.dumps(each) for each in listed}) == len(listed)
    assert len(SCRIPT["equivalent"]()) == len(listed)


def test_every_module_and_test_of_a_group_exists() -> None:
    for group in SCRIPT["GROUPS"].values():
        for each in group.modules:
            assert (ROOT / "processor/src/stripe_connector" / each).exists(), each
        for each in group.tests:
            assert each.startswith("-k ") or (ROOT / each).exists(), each
