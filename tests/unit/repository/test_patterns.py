"""Patterns mean the whole text: `$` also matches before a line break, so that "DE\\n" passed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
FILES = sorted((*(ROOT / "processor/src").rglob("*.py"), *(ROOT / "sandbox").rglob("*.py")))


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def open_ended(source: str) -> Iterator[str]:
    """Calls with a pattern that ends in `$`, or that only the beginning of a text must match."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        if _name(node) == "re.match":
            yield ast.unparse(node)
        bounded = any(keyword.arg == "max_length" for keyword in node.keywords)
        arguments = [*node.args, *(each.value for each in node.keywords)]
        for each in arguments:
            text = each.value if isinstance(each, ast.Constant) else None
            is_pattern = _name(node).startswith("re.") or _name(node) == "Meta"
            if is_pattern and isinstance(text, str) and text.endswith("$") and not bounded:
                yield ast.unparse(node)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_pattern_lets_a_line_break_through_at_its_end(path: Path) -> None:
    assert list(open_ended(path.read_text())) == []


def test_such_a_pattern_would_be_found() -> None:
    for source in ('re.match("a", b)', 're.compile(r"^a$")', 'Meta(pattern="^[A-Z]{2}$")'):
        assert list(open_ended(source)) == [ast.unparse(ast.parse(source, mode="eval"))]
    for source in ('re.fullmatch("a", b)', 'Meta(pattern="^[A-Z]{2}$", max_length=2)'):
        assert list(open_ended(source)) == []
