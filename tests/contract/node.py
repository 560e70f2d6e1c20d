"""Judges that are npm packages: scripts of the enabler, with the packages that it installs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ENABLER = Path(__file__).parents[2] / "enabler"


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A script's exit code and output; skips where the packages are not installed."""
    if not (ENABLER / "node_modules/@commercetools-connect/specification").is_dir():
        pytest.skip("NOT CHECKED: the enabler's packages are not installed (make setup)")
    return subprocess.run(  # noqa: S603 - a script of this repository
        [shutil.which("node") or "node", f"scripts/{script}", *arguments],
        cwd=ENABLER,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
