"""The audit tells a vulnerability from a service that did not answer."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path

import pytest

audit = runpy.run_path(str(Path(__file__).parents[3] / "scripts/audit.py"))
python_report, npm_report = audit["python_report"], audit["npm_report"]

VULNERABLE = {"name": "jinja2", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}
SOUND = {"name": "click", "version": "8.4.0", "vulns": []}
UNKNOWN = {"name": "stripe", "skip_reason": "Dependency not found on PyPI"}


def test_a_vulnerable_python_package_is_named() -> None:
    report = python_report(json.dumps({"dependencies": [VULNERABLE, SOUND, UNKNOWN]}))

    assert report.vulnerabilities == ("jinja2 2.0: PYSEC-1",)
    assert str(report) == "Python: 2 audited, 1 vulnerable, 1 not audited"


def test_a_vulnerable_npm_package_is_named() -> None:
    answer = {
        "vulnerabilities": {"vite": {"severity": "high"}},
        "metadata": {"dependencies": {"total": 80}},
    }

    report = npm_report(json.dumps(answer))

    assert report.vulnerabilities == ("vite: high",)
    assert report.audited == 80


@pytest.mark.parametrize(
    "answer", ["", "not JSON", "[]", json.dumps({"dependencies": [UNKNOWN]}), '{"error": {}}']
)
def test_a_service_that_did_not_answer_is_no_clean_report(answer: str) -> None:
    for report in (python_report(answer), npm_report(answer)):
        assert report.audited == 0
        assert "nothing was audited" in str(report)


@pytest.mark.parametrize(
    ("found", "passes", "passes_a_release"),
    [
        ([SOUND], True, True),
        ([SOUND, UNKNOWN], True, False),
        ([], True, False),
        ([VULNERABLE], False, False),
    ],
    ids=["all sound", "one unknown", "nobody answered", "one vulnerable"],
)
def test_a_release_needs_to_know_of_every_package(
    found: list[object], passes: bool, passes_a_release: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = python_report(json.dumps({"dependencies": found}))
    monkeypatch.setitem(audit["main"].__globals__, "reports", lambda: [report])
    for arguments, expected in ([], passes), (["--required"], passes_a_release):
        monkeypatch.setattr(sys, "argv", ["audit.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            audit["main"]()
        assert (ended.value.code == 0) is expected


def test_ci_runs_it() -> None:
    lines = (Path(__file__).parents[3] / ".ci/run").read_text().splitlines()
    assert any(line.split("#")[0].strip().startswith("make audit") for line in lines)
