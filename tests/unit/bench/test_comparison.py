"""What the rounds of two processors, measured in turn, say."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from rich.console import Console

from bench.comparison import Comparison, missed, table

OPERATION = "capture"
LIMIT = 1.15


def comparison(base: Sequence[float], now: Sequence[float]) -> Comparison:
    return Comparison(OPERATION, base, now, LIMIT)


def test_the_least_disturbed_rounds_are_compared() -> None:
    found = comparison(base=[1.0, 1.9], now=[2.4, 1.1])

    assert found.ratio == pytest.approx(1.1)
    assert found.spread == pytest.approx(2.4 / 1.1 - 1)
    assert found.holds


@pytest.mark.parametrize(("now", "holds"), [(LIMIT, True), (LIMIT + 0.01, False), (0.5, True)])
def test_a_figure_may_reach_its_limit_and_no_more(now: float, holds: bool) -> None:
    assert comparison(base=[1.0], now=[now]).holds is holds


def test_a_figure_without_a_limit_holds() -> None:
    assert Comparison(OPERATION, [1.0], [9.0]).holds


def test_more_rounds_may_show_that_one_was_disturbed() -> None:
    disturbed = comparison(base=[1.0], now=[1.3])

    assert disturbed.with_more(comparison(base=[1.0], now=[1.02])).holds


def test_what_exceeds_its_limit_is_named_with_both() -> None:
    results = [comparison([2.0], [2.0]), comparison([2.0], [2.6])]

    assert missed(results) == ["capture: 1.30 of 1.15"]


def test_the_table_marks_what_exceeds_the_limit() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(
            table(
                [
                    Comparison("slower", [1.0], [1.2], LIMIT),
                    Comparison("same", [1.0], [1.0], LIMIT),
                    Comparison("free", [1.0], [2.0]),
                ],
                "CPU",
                "before",
            )
        )

    rows = {line.split()[1]: line for line in capture.get().splitlines() if "│" in line}
    assert "1.20 !" in rows["slower"]
    assert "!" not in rows["same"] + rows["free"]
