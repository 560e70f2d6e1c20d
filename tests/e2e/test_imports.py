"""Each command imports what it needs and nothing that only another one does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.demo.processes import inherited
from tests.e2e.conftest import free_ports
from tests.unit.repository.test_connect import REQUIRED

PACKAGE = "stripe_connector"
OTHERS = (
    "stripe_connector.deploy",
    "stripe_connector.ops.doctor",
    "stripe_connector.ops.reconcile",
)
NOT_FOR_SERVING = {
    *("jinja2", "markupsafe"),  # pages, until somebody asks for one
    *("opentelemetry", "prometheus_client"),  # only where they are configured
    *("jwt", "cryptography"),  # until a signed token comes
    *("httpx", "requests", "urllib3", "rich", "pygments"),  # what Stripe's SDK would import itself
    *("commercetools", "marshmallow", "hatchling", "yaml", "pytest"),
}
MODULES = 620
"""Of the standard library, of others and our own: each takes half a millisecond."""

TELLING = """
import atexit, json, pathlib, sys
before, file = set(sys.modules), pathlib.Path(sys.argv.pop(1))
atexit.register(lambda: file.write_text(json.dumps(sorted(set(sys.modules) - before))))
from stripe_connector.__main__ import main
main()
"""
"""Runs the command line, and tells at its end which modules have been imported."""


def imported(told: Path, arguments: list[str], environment: dict[str, str]) -> set[str]:
    """The full names of all modules that a command has imported by its end."""
    process = subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", TELLING, str(told), *arguments],
        env={**inherited(), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if "PORT" in environment:
        address = f"http://127.0.0.1:{environment['PORT']}"
        transport = httpx.HTTPTransport(retries=8)
        with httpx.Client(transport=transport, base_url=address, trust_env=False) as client:
            assert client.get("/health/live").status_code == 200
            assert client.get("/operations/config").status_code == 401
        process.terminate()
    printed, _ = process.communicate(timeout=60)
    assert process.returncode == 0, printed
    return set(json.loads(told.read_text()))


def third_parties(modules: set[str]) -> set[str]:
    ours = {PACKAGE, "sandbox"}
    return {name.partition(".")[0] for name in modules} - sys.stdlib_module_names - ours


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    (port,) = free_ports(1)
    told = tmp_path_factory.mktemp("serving") / "modules.json"
    return imported(
        told,
        ["serve"],
        {**REQUIRED, "HOST": "127.0.0.1", "PORT": str(port), "SHUTDOWN_DRAIN_S": "0"},
    )


def test_serving_imports_nothing_of_other_commands(serving: set[str]) -> None:
    assert "stripe_connector.app" in serving
    assert not [name for name in serving if name.startswith(OTHERS)]


def test_serving_imports_no_more_packages_than_it_uses(serving: set[str]) -> None:
    assert third_parties(serving) & NOT_FOR_SERVING == set()
    assert third_parties(serving) >= {"aiohttp", "msgspec", "starlette", "stripe", "uvicorn"}


def test_serving_imports_no_more_modules_than_it_did(serving: set[str]) -> None:
    assert len(serving) <= MODULES


def test_asking_for_help_imports_the_command_line_alone(tmp_path: Path) -> None:
    assert third_parties(imported(tmp_path / "modules.json", ["--help"], {})) == {"click"}


def test_deploying_imports_no_server(tmp_path: Path) -> None:
    modules = imported(tmp_path / "modules.json", ["post-deploy", "--help"], {})
    assert "stripe_connector.deploy.command" in modules
    assert not third_parties(modules) & {"uvicorn", "jinja2", "opentelemetry", "commercetools"}
    assert "stripe_connector.app" not in modules
