"""One lock file: what the processor installs is a part of it, with the same versions and hashes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def requirements(path: Path) -> dict[str, set[str]]:
    """The hashes of each pinned requirement, by `name==version ; marker`."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    found = {}
    for line in lines:
        if line and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            found[requirement.strip()] = {each.strip() for each in hashes}
    return found


def versions(path: Path) -> dict[str, str]:
    """Version by name."""
    pins = (each.partition(" ;")[0].partition("==") for each in requirements(path))
    return {name: version for name, _, version in pins}


def test_the_processor_installs_the_versions_of_the_lock() -> None:
    locked = versions(ROOT / "requirements.lock")
    installed = versions(ROOT / "processor/requirements.txt")
    assert installed
    assert installed == {name: locked[name] for name in installed}


@pytest.mark.parametrize("name", ["requirements.lock", "processor/requirements.txt"])
def test_everything_is_pinned_with_hashes(name: str) -> None:
    for requirement, hashes in requirements(ROOT / name).items():
        assert re.match(r"[a-z0-9-]+==\S+", requirement)
        assert hashes, requirement


def test_the_processor_accepts_exactly_the_files_of_the_lock() -> None:
    locked = {
        name.partition(" ;")[0]: hashes
        for name, hashes in requirements(ROOT / "requirements.lock").items()
    }
    for requirement, hashes in requirements(ROOT / "processor/requirements.txt").items():
        assert hashes == locked[requirement.partition(" ;")[0]]
