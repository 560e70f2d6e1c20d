"""connect.yaml as commercetools' own package reads it, and our rules beside it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import yaml

from tests.contract.node import run
from tests.unit.repository.connect_rules import problems

ROOT = Path(__file__).parents[2]
JUDGE = "connect-specification.js"


def judged(path: Path) -> subprocess.CompletedProcess[str]:
    return run(JUDGE, str(path))


def test_connect_takes_the_file() -> None:
    done = judged(ROOT / "connect.yaml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("applicationType: service", "applicationType: servant"),
        ("deployAs:", "deployTo:"),
        ("    - key: ", "    - name: "),
        ("description: ", "describes: "),
    ],
)
def test_what_connect_refuses_our_own_rules_refuse(tmp_path: Path, before: str, after: str) -> None:
    text = (ROOT / "connect.yaml").read_text()
    assert before in text
    changed = tmp_path / "connect.yaml"
    changed.write_text(text.replace(before, after, 1))
    assert judged(changed).returncode == 1
    assert problems(yaml.safe_load(changed.read_text()))
