"""Rules of docs/architecture.md, each tried on a copy of the code that breaks it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.repository import rooms
from tests.unit.repository.rooms import Sources

PACKAGE = Path(__file__).parents[3] / "processor/src/stripe_connector"
SOURCES: Sources = {
    str(file.relative_to(PACKAGE)): file.read_text() for file in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize(
    "rule", [rooms.foreign_imports, rooms.misplaced_constructions, rooms.names_of_two_things]
)
def test_the_code_keeps_the_rule(rule: Callable[[Sources], Iterator[str]]) -> None:
    assert list(rule(SOURCES)) == []


@pytest.mark.parametrize(
    ("path", "line", "rule", "found"),
    [
        ("http/health_routes.py", "import httpx", rooms.foreign_imports, "imports httpx"),
        ("payments/start.py", "import stripe", rooms.foreign_imports, "imports Stripe's SDK"),
        (
            "deploy/webhook.py",
            "from commercetools import Client",
            rooms.foreign_imports,
            "imports commercetools' SDK",
        ),
        (
            "payments/confirm.py",
            "mover = Mover(stripe, recorder)",
            rooms.misplaced_constructions,
            "constructs Mover",
        ),
        (
            "http/webhook_routes.py",
            "gateway = gateways.Commercetools()",
            rooms.misplaced_constructions,
            "constructs Commercetools",
        ),
        (
            "ops/doctor/checks.py",
            "client = create_http_client()",
            rooms.misplaced_constructions,
            "builds an HTTP client",
        ),
        (
            "storefront/sales.py",
            "class Recorder: ...",
            rooms.names_of_two_things,
            "payments/record.py:Recorder, storefront/sales.py:Recorder",
        ),
    ],
)
def test_a_copy_that_breaks_the_rule_is_found(
    path: str, line: str, rule: Callable[[Sources], Iterator[str]], found: str
) -> None:
    changed = {**SOURCES, path: f"{SOURCES[path]}\n{line}\n"}
    assert [problem for problem in rule(changed) if found in problem]
    assert not [problem for problem in rule(SOURCES) if found in problem]


def test_a_module_of_the_same_name_is_found() -> None:
    changed = {**SOURCES, "payments/money.py": ""}
    assert "money: money.py, payments/money.py" in rooms.names_of_two_things(changed)
