"""The enabler is built with its dependencies alone, as `make demo` and Connect install them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.conftest import free_ports

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


def served(folder: Path, port: int, path: str) -> httpx.Response:
    """What `npm start` answers."""
    process = subprocess.Popen(
        ["npm", "start", "--silent"],  # noqa: S607
        cwd=folder,
        env={**os.environ, "PORT": str(port)},
        start_new_session=True,
    )
    transport = httpx.HTTPTransport(retries=10)
    try:
        with httpx.Client(transport=transport, trust_env=False) as client:
            return client.get(f"http://127.0.0.1:{port}{path}", timeout=120)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(120)


def test_it_is_built_pruned_and_served_without_what_only_testing_needs(pruned: Path) -> None:
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
    shutil.rmtree(pruned / "node_modules")  # `npm prune` leaves nothing that serving needs
    (port,) = free_ports(1)
    answer = served(pruned, port, "/connector-enabler.umd.js")
    assert answer.content == (pruned / "public/connector-enabler.umd.js").read_bytes()
    assert answer.headers["access-control-allow-origin"] == "*"
