"""docs/security.md names tests, routes and limits as they are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import msgspec
import pytest

from stripe_connector.http.auth import Open
from stripe_connector.settings import variables
from tests.behaviour.test_http_authentication import BUY_NOW, EXPECTED
from tests.named_tests import names_in

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/security.md").read_text()

SETTINGS = {each.name: each.default for each in variables()}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading."""
    [section] = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def limits_of(kind: msgspec.inspect.Type) -> Iterator[int]:
    """Upper bounds of a field's type."""
    match kind:
        case msgspec.inspect.UnionType(types=types):
            for each in types:
                yield from limits_of(each)
        case (
            msgspec.inspect.StrType(max_length=int(most))
            | msgspec.inspect.ListType(max_length=int(most))
        ):
            yield most
        case msgspec.inspect.IntType(le=int(most)):
            yield most


def in_force(name: str) -> str:
    """A limit by the name that the page gives it: a setting, a constant, or a field's bound."""
    if name in SETTINGS:
        return SETTINGS[name] or ""
    module, _, path = name.partition(":")
    thing, _, field = path.partition(".")
    value = getattr(import_module(f"stripe_connector.{module}"), thing)
    if not field:
        return f"{value:g}" if isinstance(value, float) else str(value)
    shape = msgspec.inspect.type_info(value)
    assert isinstance(shape, msgspec.inspect.StructType)
    [bound] = [
        m for each in shape.fields if each.encode_name == field for m in limits_of(each.type)
    ]
    return str(bound)


@pytest.mark.parametrize("named", sorted(set(re.findall(r"`(tests/[^`]+::[^`]+)`", PAGE))))
def test_every_test_that_the_page_names_exists(named: str) -> None:
    path, _, name = named.partition("::")
    assert name in names_in(path)


@pytest.mark.parametrize("heading", ["Who may call what", "Threats"])
def test_every_row_is_proven(heading: str) -> None:
    table = rows(heading)
    assert len(table) > 5
    assert [cells[:2] for cells in table if "`tests/" not in cells[-1]] == []


def test_the_open_routes_are_listed_and_no_others() -> None:
    listed = {path for cells in rows("Open routes") for path in re.findall(r"`([^`]+)`", cells[0])}
    served = {path for (_, path), auth in {**EXPECTED, **BUY_NOW}.items() if auth == Open()}
    assert listed == {path.removesuffix("/") or "/" for path in served}


@pytest.mark.parametrize("row", rows("Limits"), ids=lambda row: row[0])
def test_every_limit_is_the_one_in_force(row: list[str]) -> None:
    assert row[1] == in_force(row[2].strip("`"))
