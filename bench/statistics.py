"""Statistics of observations: percentiles and calls in sequence. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from bench.server import Call


def percentile(values: Sequence[float], rank: float) -> float:
    """The smallest value that at least `rank` percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(rank / 100 * len(ordered)) - 1)]


def in_sequence(calls: Iterable[Call]) -> int:
    """The longest chain of calls of which each began when the one before had ended."""
    chains: list[tuple[float, int]] = []
    for call in sorted(calls, key=lambda each: each.began):
        before = max((length for ended, length in chains if ended <= call.began), default=0)
        chains.append((call.ended, before + 1))
    return max((length for _, length in chains), default=0)


def usual(values: Iterable[int]) -> int:
    """The most frequent value; of several, the largest."""
    counted = Counter(values)
    return max(counted, key=lambda value: (counted[value], value))
