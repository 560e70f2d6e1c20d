"""The lock files pin all that is asked for, so what is published later changes nothing."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.unit.repository.locks import (
    DEVELOP,
    PROCESSOR,
    ROOT,
    RUN,
    Pin,
    installed,
    open_ends,
    pins,
)

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RUNNING = [Requirement(each) for each in PROJECT["project"]["dependencies"]]
GROUPS = {
    name: [Requirement(each) for each in group]
    for name, group in PROJECT["dependency-groups"].items()
}
ALL = [*RUNNING, *GROUPS["run"], *GROUPS["dev"]]
FOR_HERE = {pin.name for pin in pins(RUN, DEVELOP) if pin.is_for_here}


def asked(name: str) -> Sequence[Requirement]:
    """Known of what this Python installs; the others ask when the tests run on theirs."""
    return installed(name) if name in FOR_HERE else ()


def without(name: str, locked: Iterable[Pin]) -> list[Pin]:
    return [pin for pin in locked if pin.name != name]


def test_the_demo_finds_everything_that_it_asks_for() -> None:
    assert open_ends([*RUNNING, *GROUPS["run"]], pins(RUN), asked, resolving=False) == set()


def test_developing_finds_everything_that_it_asks_for() -> None:
    assert open_ends(ALL, pins(RUN, DEVELOP), asked, resolving=False) == set()


def test_a_buildpack_which_resolves_finds_everything_that_it_asks_for() -> None:
    assert open_ends(RUNNING, pins(PROCESSOR), asked, resolving=True) == set()


@pytest.mark.parametrize("name", ["h11", "starlette", "multidict", "typing-extensions"])
def test_a_pin_that_is_missing_is_noticed(name: str) -> None:
    for file, resolving in ((RUN, False), (PROCESSOR, True)):
        found = open_ends(RUNNING, without(name, pins(file)), asked, resolving=resolving)
        assert any(each.startswith(name) for each in found)


def test_a_pin_for_other_pythons_alone_is_noticed() -> None:
    opened = [
        p._replace(marker="python_version < '3.13'") if p.name == "h11" else p for p in pins(RUN)
    ]
    found = open_ends(RUNNING, opened, asked, resolving=False)
    assert {re.search(r"\((3\.\d+)", each)[1] for each in found} == {"3.13", "3.14"}  # type: ignore[index]


def test_a_version_that_somebody_does_not_take_is_noticed() -> None:
    opened = [p._replace(version="0.1") if p.name == "httpcore" else p for p in pins(RUN)]
    assert any(
        each.startswith("httpcore") for each in open_ends([], opened, asked, resolving=False)
    )


def test_what_an_extra_asks_for_is_noticed() -> None:
    """As pip-audit's `CacheControl[filecache]` needs filelock, which nobody else asks for."""
    found = open_ends(ALL, without("filelock", pins(RUN, DEVELOP)), asked, resolving=False)
    assert any("of cachecontrol[filecache]" in each for each in found)


def test_an_extra_without_a_pin_of_its_own_is_noticed_where_pip_resolves() -> None:
    """As pytest-cov's `coverage[toml]`, for which pip looks among all versions there are."""
    found = open_ends(ALL, pins(RUN, DEVELOP), asked, resolving=True)
    assert any(each.startswith("coverage[toml]") for each in found)


def test_no_package_is_locked_twice() -> None:
    names = [pin.name for pin in pins(RUN, DEVELOP)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("file", [RUN, DEVELOP, PROCESSOR], ids=lambda file: file.name)
def test_everything_is_pinned_with_hashes(file: Path) -> None:
    assert all(pin.hashes for pin in pins(file))


@pytest.mark.parametrize("file", [RUN, DEVELOP, PROCESSOR], ids=lambda file: file.name)
def test_no_registry_is_named(file: Path) -> None:
    assert "://" not in file.read_text()


def test_the_processor_installs_the_versions_and_files_of_the_lock() -> None:
    locked = {pin.name: pin for pin in pins(RUN)}
    alone = {pin.name: pin for pin in pins(PROCESSOR)}
    assert alone == {name: locked[name] for name in alone}


def test_running_installs_no_tool_of_development() -> None:
    tools = {each.name for each in GROUPS["dev"]}
    assert not tools & {pin.name for pin in pins(RUN)}
