"""The routes of Stripe's API as Stripe's SDK knows them, read from its services' source.

Each method of a service names its verb, its path and the types of its parameters and answer, so
that no table has to be kept here: a route that the SDK loses or changes is noticed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, get_args, get_type_hints

import stripe
from msgspec import Struct
from stripe.params import EphemeralKeyCreateParams

from tests.contract.stripe_names import imported_names


class Route(Struct, frozen=True):
    """One route of Stripe's API."""

    method: str
    path: str
    """With the SDK's names for ids: `/v1/refunds/{refund}`."""
    params: Any
    """A TypedDict."""
    answer: Any
    """A class, or a list of one."""


class _Source(Struct, frozen=True):
    """Where the SDK says what a route takes and gives."""

    method: str
    path: str
    module: str
    service: str
    function: str


def route(method: str, path: str) -> Route:
    """The route of a request, or of a path with placeholders; LookupError where there is none."""
    if (method, path) == ("POST", "/v1/ephemeral_keys"):
        # Has no service method: the SDK leaves it to the class, as it needs a version of its own.
        return Route(method, path, EphemeralKeyCreateParams, stripe.EphemeralKey)
    for pattern, source in _sources():
        if source.method == method and pattern.fullmatch(path):
            return _route(source)
    raise LookupError(f"Stripe's SDK knows no {method} {path}")


@cache
def _route(source: _Source) -> Route:
    module = import_module(source.module)
    function = getattr(getattr(module, source.service), source.function)
    hints = get_type_hints(function, localns=imported_names(source.module))
    params, *_ = get_args(hints["params"]) or [hints["params"]]  # Optional where none is required
    return Route(source.method, source.path, params, hints["return"])


@cache
def _sources() -> list[tuple[re.Pattern[str], _Source]]:
    folder = Path(stripe.__file__).parent
    files = [path for path in folder.rglob("_*_service.py") if "v2" not in path.parts]
    sources = [source for path in files for source in _sources_in(path, folder)]
    # Words go before ids: /v1/payment_intents/search is not an intent.
    sources.sort(key=lambda each: each.path.count("{"))
    return [(re.compile(re.sub(r"\{\w+\}", "[^/]+", each.path)), each) for each in sources]


def _sources_in(path: Path, folder: Path) -> Iterator[_Source]:
    module = ".".join(path.relative_to(folder.parent).with_suffix("").parts)
    for service in ast.parse(path.read_text()).body:
        if not isinstance(service, ast.ClassDef):
            continue
        for function in service.body:
            if not isinstance(function, ast.FunctionDef):
                continue
            request = next(filter(_is_request, ast.walk(function)), None)
            if request is not None:
                verb, *others = _texts(request)
                template = next(text for text in others if text.startswith("/"))
                yield _Source(verb.upper(), template, module, service.name, function.name)


def _is_request(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "_request"
    )


def _texts(call: ast.AST) -> list[str]:
    """The string literals in a call, outermost first."""
    return [
        each.value
        for each in ast.walk(call)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    ]
