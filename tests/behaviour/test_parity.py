"""The page that compares this connector with Stripe's own names tests that exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ELSEWHERE = ("deployment", "build")
"""Where rows belong that name no test."""
_NAMED = r"`((?:enabler/)?tests/[^`]+)`"


def rows() -> list[tuple[str, str, list[str]]]:
    """Number, what happens here, and the named tests of each row."""
    page = (ROOT / "docs" / "parity.md").read_text()
    table = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("|")]
    return [
        (cells[0], cells[2].rstrip(" |"), re.findall(_NAMED, " ".join(cells[3:])))
        for cells in table
        if cells[0].isdigit()
    ]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of all tests of a file."""
    if path.endswith(".ts"):
        return frozenset(re.findall(r"^ *test\('(.+?)', ", (ROOT / path).read_text(), re.MULTILINE))
    tree = ast.parse((ROOT / path).read_text())
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )


@pytest.mark.parametrize("named", sorted({test for _, _, tests in rows() for test in tests}))
def test_every_test_that_the_page_names_exists(named: str) -> None:
    path, _, name = named.partition("::")
    assert name in names_in(path)


def test_every_row_names_a_test_or_says_where_it_belongs() -> None:
    unproven = [
        number for number, here, tests in rows() if not tests and not here.startswith(ELSEWHERE)
    ]
    assert unproven == []


def test_the_rows_are_in_order_and_none_is_there_twice() -> None:
    numbers = [int(number) for number, _, _ in rows()]
    assert numbers == sorted(set(numbers))
    assert {*range(1, 28), *range(45, 74), 89, 90, 92, 93} <= set(numbers)
