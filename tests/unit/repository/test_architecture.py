"""docs/architecture.md draws the rooms and the imports between them as they are."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "processor/src/stripe_connector"
PAGE = (ROOT / "docs/architecture.md").read_text()

Edges = dict[str, set[str]]

IO = {
    "aiohttp", "asyncio", "httpx", "http", "os", "pathlib", "socket", "ssl", "starlette", "stripe",
    "subprocess", "tempfile", "urllib", "uvicorn",
}  # fmt: skip


def rooms_of_the_page() -> dict[str, str]:
    """Every folder or module that is drawn, and its box: a box lists what is in it."""
    [picture] = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    boxes = re.findall(r'^ *(\w+)\["(.*)"\]', picture, re.MULTILINE)
    return {
        member: box
        for box, label in boxes
        for member in re.findall(r"[\w.]+", label.partition("<br>")[0])
    }


def edges_of_the_page() -> Edges:
    [picture] = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    edges: Edges = {}
    for left, right in re.findall(r"^ *([\w &]+) --> ([\w &]+)$", picture, re.MULTILINE):
        for one in left.split(" & "):
            edges.setdefault(one.strip(), set()).update(each.strip() for each in right.split("&"))
    return edges


def imported(file: Path) -> Iterator[str]:
    """Full names of modules that a file imports, and of those that it names in strings."""
    for node in ast.walk(ast.parse(file.read_text())):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names, level=0):
                yield module
                yield from (f"{module}.{each.name}" for each in names)
            case ast.Constant(value=str(text)) if re.fullmatch(r"stripe_connector(\.\w+)+", text):
                yield text


def modules(package: Path) -> Iterator[tuple[str, Path]]:
    """Each module of a package with the folder, or file, of the top level that it is in."""
    for file in sorted(package.rglob("*.py")):
        yield file.relative_to(package).with_suffix("").parts[0], file


def edges_of_the_code() -> Edges:
    """Between boxes, whatever lies within one being its own business."""
    boxes = rooms_of_the_page()
    edges: Edges = {}
    for room, file in modules(PACKAGE):
        for name in imported(file):
            package, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if package == "stripe_connector" and other in boxes and boxes[other] != boxes[room]:
                edges.setdefault(boxes[room], set()).add(boxes[other])
    return edges


def flat(edges: Edges) -> set[str]:
    return {f"{one} --> {other}" for one, others in edges.items() for other in others}


def test_every_room_is_drawn_once() -> None:
    assert set(rooms_of_the_page()) == {room for room, _ in modules(PACKAGE)} - {"__init__"}


def test_every_import_between_rooms_is_drawn_and_every_edge_is_one() -> None:
    assert flat(edges_of_the_page()) == flat(edges_of_the_code())


def test_imports_point_one_way() -> None:
    order = list(TopologicalSorter(edges_of_the_code()).static_order())
    assert order[-1] == rooms_of_the_page()["__main__"]


@pytest.mark.parametrize("room", ["ledger", "money"])
def test_what_counts_money_does_no_input_and_output(room: str) -> None:
    files = [file for each, file in modules(PACKAGE) if each == room]
    assert files
    names = {name.partition(".")[0] for file in files for name in imported(file)}
    assert not names & IO
    assert names <= sys.stdlib_module_names | {"msgspec", "stripe_connector"}


@pytest.mark.parametrize(
    ("package", "other"),
    [(ROOT / "sandbox", "stripe_connector"), (PACKAGE, "sandbox")],
    ids=["sandbox", "stripe_connector"],
)
def test_the_connector_and_its_sandbox_know_nothing_of_each_other(
    package: Path, other: str
) -> None:
    files = [file for _, file in modules(package)]
    assert len(files) > 50
    assert not [f for f in files for name in imported(f) if name.partition(".")[0] == other]


def test_the_files_that_the_page_names_exist() -> None:
    named = set(re.findall(r"`([\w/]+/\w+\.py)`", PAGE))
    assert len(named) > 20
    assert not [name for name in named if not ((PACKAGE / name).exists() or (ROOT / name).exists())]


def called(file: Path) -> set[str]:
    """Names that a file calls: functions and classes alike."""
    calls = [
        node.func for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Call)
    ]
    return {call.id for call in calls if isinstance(call, ast.Name)}


def test_only_the_assembly_constructs_use_cases() -> None:
    assembly = PACKAGE / "assembly.py"
    rooms = ("stripe_connector.payments.", "stripe_connector.storefront.")
    use_cases = {
        name.rpartition(".")[2]
        for name in imported(assembly)
        if name.startswith(rooms) and name.rpartition(".")[2] in called(assembly)
    }
    assert len(use_cases) > 20
    others = [file for _, file in modules(PACKAGE) if file != assembly]
    assert not {(file.name, name) for file in others for name in called(file) & use_cases}
