"""The sample of mutants is seeded, and what survives is told."""

from __future__ import annotations

import json
import runpy
import sqlite3
from pathlib import Path
from typing import Any

import pytest

SCRIPT = runpy.run_path(str(Path(__file__).parents[3] / "scripts/mutants.py"))


def session(path: Path) -> Path:
    """A session like cosmic-ray's: nine mutants and one of an annotation."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE work_items (job_id)")
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


def sampled(folder: Path, sample: int | None, seed: int) -> set[str]:
    path = session(folder / f"{sample}-{seed}-{len(list(folder.iterdir()))}.sqlite")
    SCRIPT["choose"](path, sample, seed)
    return kept(path)


def test_a_sample_depends_on_its_seed_alone(tmp_path: Path) -> None:
    first = sampled(tmp_path, 4, 1)
    assert len(first) == 4
    assert sampled(tmp_path, 4, 1) == first
    assert any(sampled(tmp_path, 4, seed) != first for seed in range(2, 6))


def test_annotations_are_left_out(tmp_path: Path) -> None:
    assert sampled(tmp_path, None, 1) == {str(number) for number in range(1, 10)}


def line(outcome: str | None) -> str:
    mutation = {"module_path": "money.py", "start_pos": [7, 0], "operator_name": "core/Number"}
    result: Any = None if outcome is None else {"test_outcome": outcome}
    return json.dumps([{"job_id": "1", "mutations": [mutation]}, result])


@pytest.mark.parametrize(
    ("outcomes", "done", "told"),
    [
        (["killed", "survived"], True, "1 of 2 mutants were noticed (50 %)"),
        (["killed", None], False, "1 of 1 mutants were noticed (100 %)"),
        ([], False, "0 of 0 mutants were noticed (0 %)"),
    ],
)
def test_the_report_counts_and_names(
    outcomes: list[str | None], done: bool, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert SCRIPT["report"]("\n".join(map(line, outcomes))) is done
    out = capsys.readouterr().out
    assert told in out
    assert ("survived: money.py:7 core/Number" in out) == ("survived" in outcomes)
