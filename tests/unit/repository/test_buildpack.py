"""`processor/` alone is an application: it starts wherever its requirements are installed."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from sandbox.demo.processes import inherited
from tests.e2e.conftest import free_ports
from tests.patience import PATIENCE_S
from tests.unit.repository.test_connect import REQUIRED

ROOT = Path(__file__).parents[3]
DOCUMENTED = (
    "install build test start dev lint lint:fix connector:post-deploy connector:pre-undeploy"
).split()
"""The npm commands of a payment connector's processor."""


@pytest.fixture
def application(tmp_path: Path) -> Path:
    """`processor/` as a buildpack gets it: nothing of the repository around it."""
    ignore = shutil.ignore_patterns("__pycache__", ".venv", "node_modules")
    return Path(shutil.copytree(ROOT / "processor", tmp_path / "app", ignore=ignore))


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine on which `python` has the requirements installed, and not the connector.

    Without `site`, a development install of this repository is not found.
    """
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    python = bin_ / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -S "$@"\n')
    python.chmod(0o755)
    base = inherited()
    installed = sysconfig.get_paths()["purelib"]
    return {**base, "PATH": f"{bin_}:{base['PATH']}", "PYTHONPATH": installed, **REQUIRED}


def run(command: str, application: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(  # noqa: S602 - a shell runs it there as well
        command,
        shell=True,
        cwd=application,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def started(application: Path, environment: dict[str, str]) -> Iterator[str]:
    """The Procfile's web process; its address."""
    command = (application / "Procfile").read_text().strip().removeprefix("web: ")
    (port,) = free_ports(1)
    process = subprocess.Popen(  # noqa: S603 - as the Procfile has it
        shlex.split(command),
        cwd=application,
        env={**environment, "HOST": "127.0.0.1", "PORT": str(port), "SHUTDOWN_DRAIN_S": "0"},
        executable=shutil.which("python", path=environment["PATH"]),
    )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    assert process.wait(PATIENCE_S) == 0


def test_the_connector_is_not_installed_there(
    application: Path, environment: dict[str, str]
) -> None:
    code, told = run('python -c "import starlette, stripe_connector"', application, environment)
    assert code == 1
    assert "No module named 'stripe_connector'" in told


def test_the_procfile_starts_it(started: str) -> None:
    with httpx.Client(
        transport=httpx.HTTPTransport(retries=8), base_url=started, trust_env=False
    ) as client:
        assert client.get("/health/live").json() == {"status": "UP"}


@pytest.mark.parametrize("script", ["postDeploy", "preUndeploy"])
def test_connects_scripts_start_from_the_same_folder(
    script: str, application: Path, environment: dict[str, str]
) -> None:
    document = yaml.safe_load((ROOT / "connect.yaml").read_text())
    [processor] = [each for each in document["deployAs"] if each["name"] == "processor"]
    code, told = run(f"{processor['scripts'][script]} --help", application, environment)
    assert code == 0, told
    assert "--dry-run" in told


def test_a_buildpack_takes_it_for_python_before_node(application: Path) -> None:
    """Detection wants a Python file and requirements at the top, and a Procfile with `web`."""
    names = {each.name for each in application.iterdir()}
    assert {"main.py", "requirements.txt", "Procfile", ".python-version", "src"} <= names
    assert re.fullmatch(r"web: .+\n", (application / "Procfile").read_text())
    version = (application / ".python-version").read_text().strip()
    required = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert required is not None
    assert version == required[1]


def scripts() -> dict[str, str]:
    found: dict[str, str] = json.loads((ROOT / "processor/package.json").read_text())["scripts"]
    return found


def test_every_documented_npm_command_is_there() -> None:
    assert list(scripts()) == DOCUMENTED


@pytest.mark.parametrize("name", DOCUMENTED)
def test_each_npm_command_runs_something_that_exists(name: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    for command in scripts()[name].split(" && "):
        words = [word for word in shlex.split(command) if "=" not in word]
        match words:
            case ["make", "-C", "..", target]:
                assert target in targets
            case ["../.venv/bin/python", "-m", "compileall", "-q", *paths]:
                assert all((ROOT / "processor" / path).exists() for path in paths)
            case ["../.venv/bin/python", "main.py", subcommand]:
                helped = subprocess.run(  # noqa: S603 - our own script
                    [sys.executable, ROOT / "processor/main.py", subcommand, "--help"],
                    check=True,
                    capture_output=True,
                )
                assert helped.stdout
            case ["../.venv/bin/ruff", "check" | "format", *_]:
                assert shutil.which("ruff", path=str(Path(sys.executable).parent))
            case _:
                pytest.fail(f"{name} runs something unknown: {command}")
