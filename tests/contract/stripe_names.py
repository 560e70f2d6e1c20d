"""Names in the annotations of Stripe's SDK, most of which it imports for type checkers only."""

from __future__ import annotations

import ast
import typing
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import stripe


class _Imports(dict[str, Any]):
    """What a module of the SDK imports, type checkers' imports too, each when it is asked for."""

    def __init__(self, tree: ast.Module) -> None:
        super().__init__()
        self._origins = {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }

    def __missing__(self, name: str) -> Any:
        if name in self._origins:
            module, original = self._origins[name]
            return getattr(import_module(module), original)
        for home in (stripe, typing):  # what only the bases of a class refer to
            if hasattr(home, name):
                return getattr(home, name)
        raise KeyError(name)


@cache
def imported_names(module: str) -> dict[str, Any]:
    """Local names with which the annotations of a module can be evaluated."""
    return _Imports(ast.parse(Path(str(import_module(module).__file__)).read_text()))
