"""The page that compares this connector with Stripe's own names tests that exist."""

from __future__ import annotations

import pytest

from tests.named_tests import ROOT, exists, find_named_tests, table_rows

ELSEWHERE = ("deployment", "build")
"""Where rows belong that name no test."""


def rows() -> list[tuple[str, str, list[str]]]:
    """Number, what happens here, and the named tests of each row."""
    page = (ROOT / "docs" / "parity.md").read_text(encoding="utf-8")
    return [
        (cells[0], cells[2].rstrip(" |"), find_named_tests(" ".join(cells[3:])))
        for cells in table_rows(page)
        if cells[0].isdigit()
    ]


@pytest.mark.parametrize("named", sorted({test for _, _, tests in rows() for test in tests}))
def test_every_test_that_the_page_names_exists(named: str) -> None:
    assert exists(named)


def test_every_row_names_a_test_or_says_where_it_belongs() -> None:
    unproven = [
        number for number, here, tests in rows() if not tests and not here.startswith(ELSEWHERE)
    ]
    assert unproven == []


def test_the_rows_are_in_order_and_none_is_there_twice() -> None:
    numbers = [int(number) for number, _, _ in rows()]
    assert numbers == sorted(set(numbers))
    assert {*range(1, 28), *range(45, 74), 89, 90, 92, 93} <= set(numbers)
