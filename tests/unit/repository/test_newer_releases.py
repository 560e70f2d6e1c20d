"""What is published tomorrow changes nothing of what is installed, whatever the pip.

A folder stands in for the index. It has a package of every locked version, made from the metadata
of what is installed here, and beside each one a newer release that asks for more.
"""

from __future__ import annotations

import ensurepip
import hashlib
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.repository.locks import DEVELOP, PROCESSOR, RUN, Pin, installed, pins

NEWER = "9999"
NO_DEPS = "--no-deps"


class Outcome(NamedTuple):
    """What pip would install, by name, or why it would not."""

    versions: dict[str, str]
    told: str


class Index:
    """A folder of packages, and the requirements that pin some of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hashes: dict[tuple[str, str], str] = {}
        folder.mkdir()

    def publish(
        self, name: str, version: str, requires: Iterable[str] = (), extras: Iterable[str] = ()
    ) -> None:
        file = self.folder / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
        about = f"{name.replace('-', '_')}-{version}.dist-info"
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {each}" for each in requires]
        metadata += [f"Provides-Extra: {each}" for each in extras]
        with zipfile.ZipFile(file, "w") as wheel:
            wheel.writestr(f"{about}/METADATA", "\n".join(metadata) + "\n")
            wheel.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr(f"{about}/RECORD", "")
        self._hashes[name, version] = hashlib.sha256(file.read_bytes()).hexdigest()

    def pinned(self, folder: Path, *locked: Pin) -> Path:
        """A file of requirements like a lock's, with the hashes that the packages have here."""
        file = folder / "requirements.txt"
        lines = [
            f"{pin.name}{extras(pin)}=={pin.version}{f' ; {pin.marker}' if pin.marker else ''}"
            f" --hash=sha256:{self._hashes[pin.name, pin.version]}"
            for pin in locked
        ]
        file.write_text("\n".join(lines) + "\n")
        return file


def extras(pin: Pin) -> str:
    return f"[{','.join(sorted(pin.extras))}]" if pin.extras else ""


FOLDERS = (Path(ensurepip.__file__).parent / "_bundled", Path("/usr/share/python-wheels"))
OF_PYTHON = [str(wheel / "pip") for folder in FOLDERS for wheel in folder.glob("pip-*.whl")][:1]
"""The pip that this Python brings along, as a program: 3.11.7 has 23.2.1."""
PIPS = {"newest": ["-m", "pip"], **({"of Python": OF_PYTHON} if OF_PYTHON else {})}
"""Arguments that start each; the newest is the one that is locked for the audit."""


@pytest.fixture(params=list(PIPS))
def pip(request: pytest.FixtureRequest) -> list[str]:
    return [sys.executable, "-I", *PIPS[request.param]]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """All that is locked, and a newer release of each, which needs yet another package."""
    found = Index(tmp_path_factory.mktemp("newer") / "index")
    for pin in pins(RUN, DEVELOP):
        asked = installed(pin.name) if pin.is_for_here else ()
        texts = [str(each) for each in asked]
        names = {name for each in asked for name in each.extras}
        own = extras_offered(texts)
        for version in (pin.version, NEWER):
            more = ["brand-new"] if version == NEWER else []
            found.publish(pin.name, version, [*texts, *more], own | names)
    found.publish("brand-new", NEWER)
    return found


def extras_offered(requires: list[str]) -> set[str]:
    return {
        part.strip("\"' )")
        for each in requires
        for part in each.partition("extra ==")[2].split(" or extra ==")
        if part
    }


def install(pip: list[str], index: Index, requirements: Path, *options: str) -> Outcome:
    report = requirements.with_suffix(".json")
    done = subprocess.run(  # noqa: S603 - our own words
        [
            *(*pip, "install", "--dry-run", "--ignore-installed", "--no-index", "--no-cache-dir"),
            *("--find-links", str(index.folder), "--report", str(report), *options),
            *("-r", str(requirements)),
        ],
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode:
        return Outcome({}, done.stderr)
    found = [each["metadata"] for each in json.loads(report.read_text())["install"]]
    return Outcome({each["name"]: each["version"] for each in found}, done.stderr)


def here(locked: Iterable[Pin]) -> dict[str, str]:
    return {pin.name: pin.version for pin in locked if pin.is_for_here}


def test_a_buildpack_installs_what_is_locked(pip: list[str], index: Index, tmp_path: Path) -> None:
    """As it is done there: `pip install -r`, which resolves."""
    locked = pins(PROCESSOR)
    outcome = install(pip, index, index.pinned(tmp_path, *locked))
    assert outcome.versions == here(locked), outcome.told


def test_set_up_installs_what_is_locked(pip: list[str], index: Index, tmp_path: Path) -> None:
    locked = pins(RUN, DEVELOP)
    outcome = install(pip, index, index.pinned(tmp_path, *locked), NO_DEPS, "--require-hashes")
    assert outcome.versions == here(locked), outcome.told


def test_a_pin_that_is_missing_breaks_what_a_buildpack_does(
    pip: list[str], index: Index, tmp_path: Path
) -> None:
    opened = [pin for pin in pins(PROCESSOR) if pin.name != "h11"]
    outcome = install(pip, index, index.pinned(tmp_path, *opened))
    assert outcome.versions == {}
    assert "h11" in outcome.told
