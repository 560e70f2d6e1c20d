"""Query predicates: the `where` parameter, compiled to functions on documents.

Grammar: https://docs.commercetools.com/api/predicates/query
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from sandbox.commercetools.errors import ApiError, invalid_input
from sandbox.commercetools.paths import Document
from sandbox.commercetools.times import parse_timestamp

Test = Callable[[Any], bool]
Path = tuple[str, ...]

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
      | (?P<number>-?\d+(?:\.\d+)?(?![\w-]))
      | (?P<variable>:[A-Za-z0-9]+)
      | (?P<word>`[^`]+`|[A-Za-z_][\w-]*)
      | (?P<symbol><>|!=|<=|>=|=|<|>|\(|\)|,)
    )""",
    re.VERBOSE,
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}


class Predicate(NamedTuple):
    """A compiled predicate."""

    test: Test
    """Does a document match?"""
    equalities: tuple[tuple[Path, Any], ...]
    """Paths that every match has a given value at; an index can find the candidates."""
    roots: frozenset[str]
    """Fields of the resource that the predicate names."""


def compile_predicate(text: str, variables: Mapping[str, str]) -> Predicate:
    """Compile `text`, taking the values of `:name` from `variables`; 400 where it is malformed."""
    if ":" in text and variables:
        return _Parser(text, variables).parse()
    return _compile_cached(text)


@lru_cache(maxsize=1024)
def _compile_cached(text: str) -> Predicate:
    return _Parser(text, {}).parse()


class _Parser:
    """Recursive descent; every rule returns a test of the value that it is relative to."""

    def __init__(self, text: str, variables: Mapping[str, str]) -> None:
        self._text = text
        self._variables = variables
        self._tokens = self._tokenize(text)
        self._position = 0
        self._roots: set[str] = set()
        self._equalities: list[tuple[Path, Any]] = []

    def parse(self) -> Predicate:
        test = self._any((), certain=True)
        if self._peek()[0] != "end":
            raise self._error(f"unexpected '{self._peek()[1]}'")
        return Predicate(test, tuple(self._equalities), frozenset(self._roots))

    def _any(self, path: Path, *, certain: bool) -> Test:
        start = len(self._equalities)
        tests = [self._all(path, certain=certain)]
        while self._accept("or"):
            tests.append(self._all(path, certain=False))
        if len(tests) == 1:
            return tests[0]
        # Either side may hold: what the first one demanded is no longer certain.
        del self._equalities[start:]
        return lambda value: any(test(value) for test in tests)

    def _all(self, path: Path, *, certain: bool) -> Test:
        tests = [self._one(path, certain=certain)]
        while self._accept("and"):
            tests.append(self._one(path, certain=certain))
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _one(self, path: Path, *, certain: bool) -> Test:
        if self._accept("not"):
            negated = self._parenthesized(path, certain=False)
            return lambda value: not negated(value)
        if self._peek() == ("symbol", "("):
            return self._parenthesized(path, certain=certain)
        return self._field(path, certain=certain)

    def _parenthesized(self, path: Path, *, certain: bool) -> Test:
        self._expect("(")
        test = self._any(path, certain=certain)
        self._expect(")")
        return test

    def _field(self, path: Path, *, certain: bool) -> Test:
        kind, word = self._next()
        if kind == "number" and not path:
            return self._constant(float(word))
        if kind != "word":
            raise self._error(f"expected a field, found '{word}'")
        name = word.strip("`")
        if not path:
            self._roots.add(name)
        path = (*path, name)
        if self._peek() == ("symbol", "("):
            inner = self._parenthesized(path, certain=certain)
            return lambda value: _on_field(value, name, inner)
        kind, symbol = self._next()
        if symbol in _COMPARE:
            return self._comparison(path, name, symbol, certain=certain)
        return self._keyword(name, symbol)

    def _constant(self, left: float) -> Test:
        """`1 = 1`, which matches everything."""
        compare = _COMPARE.get(self._next()[1])
        if compare is None:
            raise self._error("expected a comparison")
        result = compare(left, float(self._next()[1]))
        return lambda _: result

    def _comparison(self, path: Path, name: str, symbol: str, *, certain: bool) -> Test:
        expected = self._value(name)
        if symbol == "=" and certain:
            self._equalities.append((path, expected))
        compare = _COMPARE[symbol]
        # Values of different kinds have no order between them.
        kind = type(expected) if isinstance(expected, bool | str) else (int, float)

        def test(value: Any) -> bool:
            return isinstance(value, kind) and compare(value, expected)

        return lambda value: _on_field(value, name, test)

    def _keyword(self, name: str, word: str) -> Test:
        match word:
            case "in":
                return self._membership(name)
            case "not":
                self._expect("in")
                inside = self._membership(name)
                return lambda value: not inside(value)
            case "contains":
                quantifier = self._next()[1]
                if quantifier not in {"any", "all"}:
                    raise self._error("expected 'any' or 'all'")
                wanted = self._values(name)
                combine = any if quantifier == "any" else all
                return lambda value: combine(item in _elements(value, name) for item in wanted)
            case "is":
                negated = self._accept("not")
                return self._presence(name, self._next()[1], negated=negated)
            case _:
                raise self._error(f"unexpected '{word}'")

    def _membership(self, name: str) -> Test:
        allowed = frozenset(self._values(name))
        return lambda value: any(item in allowed for item in _elements(value, name))

    def _presence(self, name: str, word: str, *, negated: bool) -> Test:
        match word:
            case "defined":
                return lambda value: (value.get(name) is not None) is not negated
            case "empty":
                return lambda value: (not value.get(name)) is not negated
            case _:
                raise self._error("expected 'defined' or 'empty'")

    def _values(self, name: str) -> list[Any]:
        self._expect("(")
        found = [self._value(name)]
        while self._accept(","):
            found.append(self._value(name))
        self._expect(")")
        return found

    def _value(self, name: str) -> Any:
        kind, text = self._next()
        match kind:
            case "string":
                return _literal(name, re.sub(r"\\(.)", r"\1", text[1:-1]))
            case "number":
                return float(text) if "." in text else int(text)
            case "variable":
                if text[1:] not in self._variables:
                    raise self._error(f"no value for '{text}'")
                return _literal(name, self._variables[text[1:]])
            case "word" if text in {"true", "false"}:
                return text == "true"
            case _:
                raise self._error(f"expected a value, found '{text}'")

    def _tokenize(self, text: str) -> list[tuple[str, str]]:
        tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise self._error(f"unexpected '{text[position]}'")
            tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()
        tokens.append(("end", "end of input"))
        return tokens

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._position]

    def _next(self) -> tuple[str, str]:
        token = self._tokens[self._position]
        if token[0] != "end":
            self._position += 1
        return token

    def _accept(self, word: str) -> bool:
        if self._peek()[0] in {"word", "symbol"} and self._peek()[1] == word:
            self._position += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._error(f"expected '{word}', found '{self._peek()[1]}'")

    def _error(self, reason: str) -> ApiError:
        return invalid_input(f"Malformed parameter: where: {reason} in '{self._text}'.")


def _elements(value: Document, name: str) -> list[Any]:
    child = value.get(name)
    if child is None:
        return []
    return child if isinstance(child, list) else [child]


def _on_field(value: Any, name: str, test: Test) -> bool:
    """Does the field, or any element of it, pass?"""
    return isinstance(value, dict) and any(test(child) for child in _elements(value, name))


def _literal(name: str, text: str) -> str:
    """Times are stored with milliseconds in UTC, so that they compare as strings."""
    if not name.endswith(("At", "timestamp")):
        return text
    normalized = parse_timestamp(text)
    if normalized is None:
        raise invalid_input(f"Malformed parameter: where: '{text}' is not a date.")
    return normalized
