"""Finds where the real side and the stand-ins answered the same call differently."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import zip_longest

from msgspec import Struct

from rehearse.record import Exchange
from rehearse.shapes import Difference, differences


class Finding(Struct, frozen=True):
    """A difference between the answers to a call."""

    backend: str
    call: str
    difference: Difference
    steps: tuple[str, ...]
    """The steps of the walk at which it shows."""


def findings(real: Iterable[Exchange], stand_in: Iterable[Exchange]) -> list[Finding]:
    """Every difference once, by backend and call."""
    here, there = _calls(real), _calls(stand_in)
    steps: defaultdict[tuple[str, str, Difference], dict[str, None]] = defaultdict(dict)
    for step, backend, call in dict.fromkeys([*here, *there]):
        key = step, backend, call
        for one, other in zip_longest(here.get(key, []), there.get(key, [])):
            for difference in _compared(one, other):
                steps[backend, call, difference][step] = None
    return [Finding(*key, tuple(found)) for key, found in sorted(steps.items(), key=_order)]


def _compared(real: Exchange | None, stand_in: Exchange | None) -> Iterator[Difference]:
    if real is None or stand_in is None:
        yield Difference(
            "",
            "call",
            "not made" if real is None else f"made, {real.status}",
            "not made" if stand_in is None else f"made, {stand_in.status}",
        )
        return
    if real.status != stand_in.status:
        yield Difference("", "status", str(real.status), str(stand_in.status))
    if (real.status < 400) == (stand_in.status < 400):
        yield from differences(real.answer, stand_in.answer)


def _calls(exchanges: Iterable[Exchange]) -> dict[tuple[str, str, str], list[Exchange]]:
    """The exchanges of each call at each step, in order; parallel calls may be in any order."""
    found: defaultdict[tuple[str, str, str], list[Exchange]] = defaultdict(list)
    for each in exchanges:
        found[each.step, each.backend, each.call].append(each)
    return dict(found)


def _order(item: tuple[tuple[str, str, Difference], object]) -> tuple[str, str, str, str]:
    (backend, call, difference), _ = item
    return backend, call, difference.path, difference.what
