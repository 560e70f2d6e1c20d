"""A test run proves something only if tests ran."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
problems = runpy.run_path(str(ROOT / "scripts/require_tests.py"))["problems"]
PASSED = '<testcase classname="tests.unit.test_money" name="test_adds"/>'


def skipped(classname: str, reason: str) -> str:
    return (
        f'<testcase classname="{classname}" name="test_it">'
        f'<skipped type="pytest.skip" message="{reason}"/></testcase>'
    )


@pytest.mark.parametrize(
    ("cases", "expected"),
    [
        ([PASSED], []),
        ([], ["no test ran"]),
        (
            [PASSED, skipped("tests.e2e.test_demo", "no curl")],
            ["skipped: tests.e2e.test_demo::test_it (no curl)"],
        ),
        ([PASSED, skipped("tests.contract.test_bodies", "the published contract is not here")], []),
        (
            [skipped("tests.contract.test_bodies", "the published contract is not here")],
            ["no test ran"],
        ),
        (
            [PASSED, skipped("tests.contract.test_bodies", "flaky")],
            ["skipped: tests.contract.test_bodies::test_it (flaky)"],
        ),
    ],
)
def test_only_missing_contracts_excuse_a_skipped_test(
    cases: list[str], expected: list[str], tmp_path: Path
) -> None:
    report = tmp_path / "report.xml"
    report.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    assert problems(report) == expected
