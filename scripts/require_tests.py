"""Fails unless tests ran and none was skipped: `python scripts/require_tests.py REPORT.xml`.

A passing run without tests proves nothing. Only contract tests may be skipped: they need the
published contracts, which are not part of the repository.
"""

from __future__ import annotations

import argparse
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

_MAY_BE_SKIPPED = "tests.contract"
_EXCUSE = "published contract"


def problems(report: Path) -> list[str]:
    """Problems that make a JUnit report of pytest no proof; prints tests that may be skipped."""
    cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
    skipped = {
        f"{case.get('classname')}::{case.get('name')}": skip.get("message", "")
        for case in cases
        for skip in case.iter("skipped")
    }
    excused = {
        name: reason
        for name, reason in skipped.items()
        if name.startswith(_MAY_BE_SKIPPED) and _EXCUSE in reason
    }
    for name, reason in excused.items():
        print(f"not run: {name} ({reason})")
    found = [
        f"skipped: {name} ({reason})" for name, reason in skipped.items() if name not in excused
    ]
    ran = len(cases) - len(skipped)
    if ran == 0:
        found.append("no test ran")
    print(f"{ran} tests ran")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("report", type=Path)
    found = problems(parser.parse_args().report)
    for problem in found:
        print(problem, file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
