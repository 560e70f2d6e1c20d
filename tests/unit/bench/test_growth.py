"""What counts as linear."""

from __future__ import annotations

import pytest

from bench.growth import Grown


def grown(*cpu: float) -> Grown:
    small, middle, large = cpu
    return Grown("POST /payments", "lines", (0, 100, 200), (small, middle, large))


@pytest.mark.parametrize(
    ("cpu", "linear"),
    [
        ((1.0, 2.0, 3.0), True),
        ((1.0, 2.0, 2.5), True),
        ((1.0, 1.0, 1.04), True),
        ((1.0, 2.0, 5.0), False),
        ((1.0, 1.0, 1.5), False),
    ],
)
def test_a_unit_of_the_upper_half_may_cost_little_more_than_one_of_the_lower(
    cpu: tuple[float, float, float], linear: bool
) -> None:
    assert grown(*cpu).is_linear is linear


def test_what_a_unit_costs_is_told_over_the_whole_range() -> None:
    assert grown(1.0, 2.0, 3.0).per_unit == pytest.approx(0.01)
