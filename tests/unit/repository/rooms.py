"""What each part of the processor may import and construct, as functions over its sources."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping

Sources = Mapping[str, str]
"""The code of each module by its path within the package."""

COMPOSITION = ("assembly.py", "app.py")
"""Where gateways and use cases are put together."""
USE_CASES = ("payments/", "storefront/")
GATEWAYS = "gateways/"
WIRE = {"aiohttp", "httpx"}
"""Libraries that speak HTTP."""
NAMED_TWICE = {
    # One for each backend, each command or each party, and the same thing for all of them.
    "administration", "command", "errors", "gateway", "history", "models",
    # A command of the command line, and what it starts.
    "serve", "post_deploy", "pre_undeploy",
}  # fmt: skip


def foreign_imports(sources: Sources) -> Iterator[str]:
    """Modules that speak HTTP, or an SDK, without being a gateway."""
    for path, tree in _parsed(sources):
        for name in _imported(tree):
            package = name.partition(".")[0]
            if package in WIRE and not path.startswith(GATEWAYS):
                yield f"{path} imports {package}"
            if package == "stripe" and not path.startswith("gateways/stripe/"):
                yield f"{path} imports Stripe's SDK"
            if package == "commercetools":
                yield f"{path} imports commercetools' SDK"


def misplaced_constructions(sources: Sources) -> Iterator[str]:
    """Gateways, clients and use cases that are constructed outside of the composition root."""
    composed = set(_composed(sources))
    for path, tree in _parsed(sources):
        if path in COMPOSITION or path.startswith(GATEWAYS):
            continue
        for node in ast.walk(tree):
            match node:
                case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if (
                    name in composed
                ):
                    yield f"{path} constructs {name}"
                case ast.Call(func=ast.Name(id="create_http_client")) if (
                    path != "ops/reconcile/command.py"
                ):
                    yield f"{path} builds an HTTP client"


def names_of_two_things(sources: Sources) -> Iterator[str]:
    """Public functions, classes and modules that share a name."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in _parsed(sources):
        module = path.rpartition("/")[2].removesuffix(".py")
        if not module.startswith("__"):
            found[module].add(path)
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and (
                node.name != module  # the module is about this one function
            ):
                found[node.name].add(f"{path}:{node.name}")
    for name, places in sorted(found.items()):
        if len(places) > 1 and not name.startswith("_") and name not in NAMED_TWICE:
            yield f"{name}: {', '.join(sorted(places))}"


def _composed(sources: Sources) -> Iterator[str]:
    """Classes that are given their collaborators: gateways, and use cases over them."""
    errors = _errors(sources)
    for path, tree in _parsed(sources):
        if not path.startswith((GATEWAYS, *USE_CASES)):
            continue
        for node in tree.body:
            if (
                isinstance(node, ast.ClassDef)
                and node.name not in errors
                and _takes_collaborators(node)
            ):
                yield node.name


def _errors(sources: Sources) -> set[str]:
    """Names of all exceptions."""
    bases = {
        node.name: {ast.unparse(base) for base in node.bases}
        for _, tree in _parsed(sources)
        for node in tree.body
        if isinstance(node, ast.ClassDef)
    }
    errors = {"Exception"}
    while found := {name for name, of in bases.items() if of & errors} - errors:
        errors |= found
    return errors


def _takes_collaborators(node: ast.ClassDef) -> bool:
    bases = {ast.unparse(base) for base in node.bases}
    return any(
        isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in node.body
    ) or bool(bases & {"Stripe", "Commercetools", "Outgoing"})


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), level=0):
                yield module


def _parsed(sources: Sources) -> Iterator[tuple[str, ast.Module]]:
    for path, code in sources.items():
        yield path, ast.parse(code)
