"""The page on what the real services do names, for every rule, tests that exist."""

from __future__ import annotations

import pytest

from tests.named_tests import ROOT, exists, find_named_tests, table_rows

PAGE = (ROOT / "docs" / "truth.md").read_text(encoding="utf-8")
ROWS = table_rows(PAGE)


@pytest.mark.parametrize("named", sorted(set(find_named_tests(PAGE))) or [None])
def test_every_test_that_the_page_names_exists(named: str | None) -> None:
    assert named is None or exists(named)


def test_every_row_has_a_rule_a_source_a_behaviour_and_a_test() -> None:
    incomplete = [
        row[0] for row in ROWS if len(row) != 4 or not all(row) or not find_named_tests(row[3])
    ]
    assert incomplete == []
