"""Fails when a locked dependency has a known vulnerability: `python scripts/audit.py`.

Queries the advisory services of PyPI (with pip-audit) and npm. If one cannot be reached, its result
is unknown, and the report says so; with --required that fails, too.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Report:
    """The result of one advisory service; `audited` counts the packages it knows."""

    of: str
    audited: int
    vulnerabilities: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    """Packages that it does not know."""

    def __str__(self) -> str:
        if not self.audited:
            return f"{self.of}: the advisory service did not answer; nothing was audited"
        skipped = f", {len(self.skipped)} not audited" if self.skipped else ""
        return f"{self.of}: {self.audited} audited, {len(self.vulnerabilities)} vulnerable{skipped}"


def python_report(answer: str) -> Report:
    """Read the JSON of pip-audit; without JSON nothing was audited."""
    packages = _object(answer).get("dependencies", [])
    known = [package for package in packages if "vulns" in package]
    return Report(
        "Python",
        len(known),
        tuple(
            f"{package['name']} {package['version']}: {found['id']}"
            for package in known
            for found in package["vulns"]
        ),
        tuple(str(package["name"]) for package in packages if "vulns" not in package),
    )


def npm_report(answer: str) -> Report:
    """Read the JSON of npm audit; without JSON nothing was audited."""
    document = _object(answer)
    counted = document.get("metadata", {}).get("dependencies", {}).get("total", 0)
    found = document.get("vulnerabilities", {})
    return Report(
        "npm",
        counted,
        tuple(f"{name}: {each['severity']}" for name, each in sorted(found.items())),
    )


def _object(answer: str) -> dict[str, Any]:
    try:
        document = json.loads(answer)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def _asked(command: Sequence[str], folder: Path) -> str:
    # Their exit code is 1 for a vulnerability and for a failure; the JSON distinguishes them.
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, capture_output=True, check=False, text=True, timeout=300
    )
    return done.stdout


def reports() -> list[Report]:
    """Audit everything that is locked."""
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit("npm is needed to audit the enabler.")
    pip_audit = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"]
    locks = ["-r", "requirements.lock", "-r", "requirements-dev.lock"]
    return [
        python_report(_asked([*pip_audit, "-f", "json", *locks], ROOT)),
        npm_report(_asked([npm, "audit", "--json"], ROOT / "enabler")),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--required", action="store_true", help="fail where nothing is known")
    required = parser.parse_args().required
    found = reports()
    for report in found:
        print(report)
        for vulnerability in report.vulnerabilities:
            print(f"  {vulnerability}")
    unknown = required and any(not report.audited or report.skipped for report in found)
    sys.exit(1 if unknown or any(report.vulnerabilities for report in found) else 0)


if __name__ == "__main__":
    main()
