"""Somebody who gets at the disk of an instance, or at its image: what serves writes nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "processor/src"
WRITERS = {
    *("write_text", "write_bytes", "touch", "mkdir", "mkstemp", "mkdtemp"),
    *("NamedTemporaryFile", "TemporaryFile", "TemporaryDirectory", "SpooledTemporaryFile"),
    *("rename", "symlink_to", "copyfile", "FileHandler", "RotatingFileHandler"),
}


def served() -> list[Path]:
    """The files of all modules that a processor loads to serve."""
    script = "import sys, stripe_connector.ops.serve, stripe_connector.app\n"
    script += (
        "print(*(m.__file__ for n, m in sys.modules.items() if n[:17] == 'stripe_connector.'))"
    )
    told = subprocess.run(  # noqa: S603 - our own modules
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    return [Path(each) for each in told.stdout.split()]


def writes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        modes = [a.value for a in node.args if isinstance(a, ast.Constant)]
        modes += [k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)]
        opened = name == "open" and any(
            isinstance(mode, str) and set(mode) & set("wax+") and set(mode) <= set("rwaxbt+")
            for mode in modes
        )
        if name in WRITERS or opened:
            yield f"{name}, line {node.lineno}"


def test_what_serves_writes_nothing_to_disk() -> None:
    files = served()
    assert len(files) > 100
    found = {
        str(file.relative_to(SOURCE)): list(writes(ast.parse(file.read_text()))) for file in files
    }
    assert {file: calls for file, calls in found.items() if calls} == {}


def test_a_module_that_writes_would_be_seen() -> None:
    """`reconcile` keeps where it was: a command, which does not serve."""
    written = SOURCE / "stripe_connector/ops/reconcile/checkpoint.py"
    assert list(writes(ast.parse(written.read_text()))) != []
    assert written not in served()
