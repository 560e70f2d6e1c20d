"""Lock files: what they pin, what the pinned packages ask for, and whether nothing is left open."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from packaging.markers import Marker, default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[3]
RUN = ROOT / "requirements.lock"
DEVELOP = ROOT / "requirements-dev.lock"
PROCESSOR = ROOT / "processor/requirements.txt"

Asked = Callable[[str], Iterable[Requirement]]
"""What a package of a name requires, whatever the environment."""


class Pin(NamedTuple):
    """One line of a lock file."""

    name: str
    version: str
    extras: frozenset[str]
    marker: str
    """When it holds; empty for always."""
    hashes: frozenset[str]

    @property
    def is_for_here(self) -> bool:
        return not self.marker or Marker(self.marker).evaluate(HERE)


def pins(*files: Path) -> list[Pin]:
    """Everything that the files pin, in their order."""
    return [pin for file in files for pin in _parsed(file.read_text())]


def _parsed(text: str) -> Iterator[Pin]:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", line.strip())
            asked = Requirement(requirement)
            [specifier] = asked.specifier
            assert specifier.operator == "==", line
            yield Pin(
                canonicalize_name(asked.name),
                specifier.version,
                frozenset(asked.extras),
                str(asked.marker or ""),
                frozenset(each.strip() for each in hashes),
            )


class Environment(NamedTuple):
    """A Python on a platform."""

    python: str
    platform: str

    @cache  # noqa: B019 - there are two dozen, and most markers are met again and again
    def meets(self, marker: str, extra: str = "") -> bool:
        system = {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[self.platform]
        return Marker(marker).evaluate(
            {
                **HERE,
                "python_version": self.python.rpartition(".")[0],
                "python_full_version": self.python,
                "implementation_version": self.python,
                "sys_platform": self.platform,
                "platform_system": system,
                "os_name": "nt" if self.platform == "win32" else "posix",
                "extra": extra,
            }
        )


HERE = {key: str(value) for key, value in default_environment().items()}
ENVIRONMENTS = [
    Environment(f"3.{minor}.{patch}", platform)
    for minor in (11, 12, 13, 14)
    for patch in (0, 99)
    for platform in ("linux", "darwin", "win32")
]
"""Every Python and platform that is supported, with the first and a late patch of each."""


@cache
def installed(name: str) -> tuple[Requirement, ...]:
    """What a package requires, by the metadata that are installed here."""
    return tuple(map(Requirement, importlib.metadata.distribution(name).requires or []))


def open_ends(
    roots: Iterable[Requirement], locked: Iterable[Pin], asked: Asked, *, resolving: bool
) -> set[str]:
    """What is asked for in some environment and not pinned there.

    Whoever installs by `resolving` needs a pin for each extra as well, as pip takes `name[extra]`
    for a requirement of its own, which the pin of `name` does not cover.
    """
    roots, locked = list(roots), list(locked)
    return {
        f"{requirement} of {by} ({environment.python}, {environment.platform})"
        for environment in ENVIRONMENTS
        for by, requirement in _unmet(roots, locked, asked, environment, resolving=resolving)
    }


def _unmet(
    roots: list[Requirement],
    locked: list[Pin],
    asked: Asked,
    environment: Environment,
    *,
    resolving: bool,
) -> Iterator[tuple[str, Requirement]]:
    def applies(requirement: Requirement, extra: str = "") -> bool:
        if requirement.marker is None:
            return not extra
        return environment.meets(str(requirement.marker), extra)

    there = {pin.name: pin for pin in locked if not pin.marker or environment.meets(pin.marker)}
    left = [("the project", each) for each in roots if applies(each)]
    # What is pinned is installed, and may ask, whether or not anything leads to it.
    names = {(name, extra) for name, pin in there.items() for extra in {"", *pin.extras}}
    for name, extra in names:
        left += [(name, each) for each in asked(name) if applies(each, extra)]
    while left:
        by, requirement = left.pop()
        name = canonicalize_name(requirement.name)
        pin = there.get(name)
        if pin is None or not requirement.specifier.contains(pin.version, prereleases=True):
            yield by, requirement
            continue
        exact = any(each.operator == "==" for each in requirement.specifier)
        if resolving and not exact and not requirement.extras <= pin.extras:
            yield by, requirement
        for extra in requirement.extras:
            if (name, extra) not in names:
                names.add((name, extra))
                left += [(f"{name}[{extra}]", each) for each in asked(name) if applies(each, extra)]
