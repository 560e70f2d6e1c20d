"""Tests that a page of the documentation names, and whether they exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_NAMED = re.compile(r"`((?:enabler/)?tests/[^`]+?)`")


def find_named_tests(text: str) -> list[str]:
    """Everything like `tests/file.py::test_name` in a text."""
    return [named for named in _NAMED.findall(text) if "::" in named]


def exists(named: str) -> bool:
    """Whether the file has a test of that name, in Python or in TypeScript."""
    path, _, name = named.partition("::")
    return name in names_in(path)


def table_rows(page: str) -> list[list[str]]:
    """The cells of every row of a page's tables, head and rule lines apart."""
    lines = [line for line in page.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]
    heads = {index - 1 for index, row in enumerate(rows) if set(row[0]) <= {"-", ":"}}
    return [
        row
        for index, row in enumerate(rows)
        if index not in heads and not set(row[0]) <= {"-", ":"}
    ]


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of all tests of a file."""
    text = (ROOT / path).read_text(encoding="utf-8")
    if path.endswith(".ts"):
        return frozenset(re.findall(r"^ *test\('(.+?)', ", text, re.MULTILINE))
    return frozenset(
        node.name
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    )
