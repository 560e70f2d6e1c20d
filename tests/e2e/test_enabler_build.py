"""The enabler is built with its dependencies alone, as `make demo` and Connect install them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

ENABLER = Path(__file__).parents[2] / "enabler"
MODULES = ENABLER / "node_modules"


@pytest.fixture
def pruned(tmp_path: Path) -> Path:
    """The enabler's folder after `npm prune --omit=dev`: what only testing needs is not there."""
    ignore = shutil.ignore_patterns("node_modules", "public", "tests")
    enabler = Path(shutil.copytree(ENABLER, tmp_path / "enabler", ignore=ignore))
    locked = json.loads((ENABLER / "package-lock.json").read_text())["packages"]
    for name, package in locked.items():
        needed = name.count("node_modules/") == 1 and not package.get("dev")
        if needed and (ENABLER / name).exists():
            (enabler / name).parent.mkdir(parents=True, exist_ok=True)
            (enabler / name).symlink_to(ENABLER / name)
    commands = enabler / "node_modules/.bin"
    commands.mkdir()
    for command in ("vite", "tsc"):
        (commands / command).symlink_to((MODULES / ".bin" / command).resolve())
    return enabler


def test_it_is_built_without_what_only_testing_needs(pruned: Path) -> None:
    assert not (pruned / "node_modules/vitest").exists()
    done = subprocess.run(
        ["npm", "run", "--silent", "build"],  # noqa: S607
        cwd=pruned,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (pruned / "public/connector-enabler.es.js").exists()
    assert (pruned / "public/types/index.d.ts").exists()
