"""The two packages: the processor without the sandbox, the sandbox with the enabler's bundle."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both, by the first part of their names."""
    folder = tmp_path_factory.mktemp("wheels")
    for source in (ROOT, ROOT / "sandbox"):
        subprocess.run(  # noqa: S603 - our own build
            [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
            cwd=source,
            check=True,
            capture_output=True,
            timeout=60,
        )
    return {file.name.partition("-")[0]: file for file in folder.glob("*.whl")}


def test_each_has_its_own_files_and_the_sandbox_brings_the_bundle(wheels: dict[str, Path]) -> None:
    assert wheels.keys() == {"stripe_connector", "stripe_connector_sandbox"}
    packages = {
        name: {entry.partition("/")[0] for entry in zipfile.ZipFile(file).namelist()}
        for name, file in wheels.items()
    }
    assert {each for each in packages["stripe_connector"] if not each.endswith(".dist-info")} == {
        "stripe_connector"
    }
    assert {
        each for each in packages["stripe_connector_sandbox"] if not each.endswith(".dist-info")
    } == {"sandbox"}
    entries = zipfile.ZipFile(wheels["stripe_connector_sandbox"]).namelist()
    assert "sandbox/enabler/connector-enabler.es.js" in entries
    assert any(entry.startswith("sandbox/shop/templates/") for entry in entries)


def test_both_run_from_their_wheels_alone(wheels: dict[str, Path], tmp_path: Path) -> None:
    for file in wheels.values():
        zipfile.ZipFile(file).extractall(tmp_path)
    # What is measured is the repository, not copies of it.
    environment = {name: value for name, value in os.environ.items() if "COV" not in name}
    environment["PYTHONPATH"] = str(tmp_path)
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            "import stripe_connector.app, sandbox.demo.__main__, sandbox.shop.elements as e;"
            "print(stripe_connector.app.__file__); print(e.__file__); print(e.ENABLER)",
        ],
        cwd=tmp_path,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    ).stdout.split()
    assert told == [
        str(tmp_path / "stripe_connector/app.py"),
        str(tmp_path / "sandbox/shop/elements.py"),
        str(tmp_path / "sandbox/enabler"),
    ]
