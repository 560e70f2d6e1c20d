"""CI tells what it does, step by step: what cannot be done is no failure, what fails is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[3]
SCRIPTS = [ROOT / ".ci/run", ROOT / ".ci/nightly"]
of_each = pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)

STEPS = """
step_good() {
  echo done well
}

step_other() {
  left_out "the moon: it is too far"
  skip "there is no rocket"
}

step_bad() {
  false
  echo never reached
}

"""


def told(script: Path, *words: str) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S603 - our own words
        ["/bin/bash", script, *words], capture_output=True, text=True, timeout=60, check=False
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(params=SCRIPTS, ids=lambda script: script.name)
def script(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """One of the two, with steps that need nothing."""
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    (tmp_path / "Makefile").write_text("setup:\n")
    original: Path = request.param
    text = original.read_text()
    parts = re.split(r"^step_\w+\(\) \{\n.*?^\}\n", text, flags=re.MULTILINE | re.DOTALL)
    changed = tmp_path / ".ci" / original.name
    changed.write_text(parts[0] + STEPS + parts[-1])
    return changed


def test_every_step_is_told_with_its_minutes(script: Path) -> None:
    code, output = told(script, "good")
    assert code == 0
    assert re.search(r"^good +0:\d\d min  ok$", output, re.MULTILINE)
    assert re.search(r"^all +0:\d\d min$", output, re.MULTILINE)


def test_a_step_that_cannot_be_done_says_so_and_is_no_failure(script: Path) -> None:
    code, output = told(script, "other", "good")
    assert code == 0
    assert "LEFT OUT: the moon: it is too far" in output
    assert "SKIPPED: there is no rocket" in output
    assert re.search(r"^other +0:\d\d min  skipped$", output, re.MULTILINE)


def test_a_step_fails_at_its_first_failure(script: Path) -> None:
    code, output = told(script, "bad")
    assert code == 1
    assert "never reached" not in output
    assert re.search(r"^bad +0:\d\d min  FAILED \(1\)$", output, re.MULTILINE)


def test_all_steps_are_done_where_none_is_named(script: Path) -> None:
    _, output = told(script)
    assert re.findall(r"^--- (\w+)$", output, re.MULTILINE)[:3] == ["good", "other", "bad"]


def test_a_step_that_does_not_exist_is_refused(script: Path) -> None:
    code, output = told(script, "good", "nonsense")
    assert code == 2
    assert "There is no step nonsense. There are: good other bad" in output
    assert "done well" not in output


@of_each
def test_every_target_of_make_exists(script: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"^ *make ([a-z][a-z-]+)", script.read_text(), re.MULTILINE))
    assert named
    assert named <= targets


def test_nightly_goes_on_after_a_failure_and_run_does_not(script: Path) -> None:
    _, output = told(script, "bad", "good")
    assert ("done well" in output) == (script.name == "nightly")


def test_nightly_has_what_run_has_no_time_for() -> None:
    text = SCRIPTS[1].read_text()
    assert 'MINORS="3.11 3.12 3.13 3.14"' in text
    assert "FUZZ_EXAMPLES=200" in text
    assert "EXAMPLES=10000" in text


def test_the_workflows_run_both_on_every_python_and_node_that_is_supported() -> None:
    ci, nightly = (
        yaml.safe_load((ROOT / ".github/workflows" / name).read_text())
        for name in ("ci.yml", "nightly.yml")
    )
    run, night = ci["jobs"]["run"], nightly["jobs"]["nightly"]
    matrix = run["strategy"]["matrix"]

    assert matrix["python"] == ["3.11", "3.12", "3.13", "3.14"]
    assert {*matrix["node"], *(each["node"] for each in matrix["include"])} == {"20", "22", "24"}
    assert "bash .ci/run" in [step.get("run") for step in run["steps"]]
    assert "bash .ci/nightly $STEPS" in [step.get("run") for step in night["steps"]]
    assert ci["permissions"] == nightly["permissions"] == {"contents": "read"}
