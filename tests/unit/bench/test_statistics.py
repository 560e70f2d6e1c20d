"""Percentiles and calls in sequence."""

from __future__ import annotations

import pytest

from bench.processes import seconds_of
from bench.server import Call
from bench.statistics import in_sequence, percentile, usual


def calls(*intervals: tuple[float, float]) -> list[Call]:
    return [Call("GET", "/", began, ended) for began, ended in intervals]


@pytest.mark.parametrize(("rank", "expected"), [(50, 50), (99, 99), (100, 100), (1, 1), (0, 1)])
def test_a_percentile_is_a_value_that_was_observed(rank: float, expected: int) -> None:
    assert percentile([*range(100, 0, -1)], rank) == expected


def test_of_few_values_the_99th_percentile_is_the_largest() -> None:
    assert percentile([3.0, 1.0, 2.0], 99) == 3.0
    assert percentile([7.0], 50) == 7.0


def test_no_call_has_no_sequence() -> None:
    assert in_sequence([]) == 0


def test_calls_one_after_the_other_all_count() -> None:
    assert in_sequence(calls((0, 1), (1, 2), (2.5, 3))) == 3


def test_calls_side_by_side_count_once() -> None:
    assert in_sequence(calls((0, 5), (1, 6), (0.5, 5.5))) == 1
    assert in_sequence(calls((0, 5), (6, 11), (6.1, 11.1), (12, 17))) == 3


def test_the_longest_of_several_chains_counts_in_whatever_order_calls_end() -> None:
    long_call, *chain = calls((0, 20), (0, 5), (6, 10), (11, 15))
    assert in_sequence([*reversed(chain), long_call]) == 3


def test_the_usual_value_is_the_most_frequent_and_of_several_the_largest() -> None:
    assert usual([5, 5, 6]) == 5
    assert usual([5, 6]) == 6


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0:01.25\n", 1.25), (" 02:03:04", 7384.0), ("1-00:00:01", 86_401.0), ("12:00.5", 720.5)],
)
def test_cpu_time_is_read_as_ps_prints_it(text: str, expected: float) -> None:
    assert seconds_of(text) == expected
