"""Lists and searches: Stripe's pagination, `created` filters and query language."""

from __future__ import annotations

import itertools
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from sandbox.stripe.calls import Call
from sandbox.stripe.errors import invalid_request, no_such
from sandbox.stripe.forms import EXPAND, Kind, Raw, integer, shape, text
from sandbox.stripe.objects import JsonObject, Table
from sandbox.stripe.state import StripeState

_DEFAULT_LIMIT, _MAX_LIMIT = 10, 100
_RANGE: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_created_range = shape(dict.fromkeys(_RANGE, integer))


def created(raw: Raw, path: str) -> dict[str, int]:
    """A time, or a range of times."""
    if isinstance(raw, str):
        exact = integer(raw, path)
        return {"gte": exact, "lte": exact}
    bounds: dict[str, int] = _created_range(raw, path)
    return bounds


def limit(raw: Raw, path: str) -> int:
    number = integer(raw, path)
    if not 1 <= number <= _MAX_LIMIT:
        raise invalid_request(
            f"Invalid {path}: must be between 1 and {_MAX_LIMIT}.",
            code="parameter_invalid_integer",
            param=path,
        )
    return number


PAGING: dict[str, Kind] = {
    "ending_before": text,
    **EXPAND,
    "limit": limit,
    "starting_after": text,
}
"""Parameters of every list."""

LISTING: dict[str, Kind] = {**PAGING, "created": created}
"""Parameters of most lists."""

SEARCH: dict[str, Kind] = {**EXPAND, "limit": limit, "page": integer, "query": text}


def retrieve(table: str) -> Callable[[Call], JsonObject]:
    """What answers with the object that the URL names; `table` is the name of a table."""

    def run(call: Call) -> JsonObject:
        found: Table = getattr(call.state, table)
        return call.named(found)

    return run


def list_of(url: str, table: str, *filters: str) -> Callable[[Call], JsonObject]:
    """What lists a table, newest first; `filters` are parameters named like the fields."""

    def run(call: Call) -> JsonObject:
        wanted = {name: call.params.get(name) for name in filters}
        matches = {name: value for name, value in wanted.items() if value not in (None, "")}
        found: Table = getattr(call.state, table)
        return page(url, found, found.newest(matches), call.params)

    return run


def page(
    url: str, table: Table, candidates: Iterable[JsonObject], params: Mapping[str, Any]
) -> JsonObject:
    """One page of `candidates`, which come newest first."""
    size = params.get("limit") or _DEFAULT_LIMIT
    found = _created_within(candidates, params.get("created") or {})
    for param in ("starting_after", "ending_before"):
        cursor = params.get(param)
        if cursor is not None and cursor not in table:
            raise no_such(table.noun, cursor, param)
    if params.get("starting_after") is not None:
        after = params["starting_after"]
        found = itertools.islice(
            itertools.dropwhile(lambda each: each["id"] != after, found), 1, None
        )
    if params.get("ending_before") is not None:
        before = params["ending_before"]
        newer = list(itertools.takewhile(lambda each: each["id"] != before, found))
        return _listed(url, newer[-size:], has_more=len(newer) > size)
    items = list(itertools.islice(found, size + 1))
    return _listed(url, items[:size], has_more=len(items) > size)


def search(state: StripeState, url: str, table: Table, params: Mapping[str, Any]) -> JsonObject:
    """Objects that match the query; the newest may still be missing, as at Stripe."""
    matches = _query(params["query"])
    size = params.get("limit") or _DEFAULT_LIMIT
    skip = params.get("page") or 0
    indexed_until = state.clock.time() - state.search_seconds
    found = [
        each
        for each in table.newest({})
        if not each.get("deleted") and each["created"] <= indexed_until and matches(each)
    ]
    has_more = len(found) > skip + size
    return {
        "object": "search_result",
        "data": found[skip : skip + size],
        "has_more": has_more,
        "next_page": str(skip + size) if has_more else None,
        "url": url,
    }


def _listed(url: str, items: list[JsonObject], *, has_more: bool) -> JsonObject:
    return {"object": "list", "data": items, "has_more": has_more, "url": url}


def _created_within(
    candidates: Iterable[JsonObject], bounds: Mapping[str, int]
) -> Iterator[JsonObject]:
    if not bounds:
        return iter(candidates)
    checks = [(_RANGE[name], bound) for name, bound in bounds.items()]
    return (
        each
        for each in candidates
        if all(compare(each["created"], bound) for compare, bound in checks)
    )


_CLAUSE = re.compile(
    r"""\s*(?P<negated>-)?(?P<field>\w+)(?:\[(?P<q>["'])(?P<key>.+?)(?P=q)\])?"""
    r"""(?P<operator>>=|<=|:|~|>|<)"""
    r"""(?:(?P<v>["'])(?P<quoted>(?:\\.|(?!(?P=v)).)*)(?P=v)|(?P<number>\d+)|(?P<null>null))\s*"""
)
_JOIN = re.compile(r"(AND|OR)\s", re.IGNORECASE)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_Matcher = Callable[[JsonObject], bool]


def _query(query: str) -> _Matcher:
    """Clauses such as metadata['key']:'value', joined by AND or by OR but not by both."""
    clauses: list[_Matcher] = []
    joins: set[str] = set()
    position = 0
    while True:
        clause = _CLAUSE.match(query, position)
        if clause is None:
            raise invalid_request(
                f"We were unable to parse your search query: {query}", param="query"
            )
        clauses.append(_clause(clause))
        position = clause.end()
        if position == len(query):
            break
        join = _JOIN.match(query, position)
        if join is not None:
            joins.add(join[1].upper())
            position = join.end()
        else:
            joins.add("AND")
    if len(joins) > 1:
        raise invalid_request("A search query cannot mix AND and OR.", param="query")
    combine = any if joins == {"OR"} else all
    return lambda each: combine(clause(each) for clause in clauses)


def _clause(match: re.Match[str]) -> _Matcher:
    field, key, symbol = match["field"], match["key"], match["operator"]
    wanted: str | int | None
    if match["quoted"] is not None:
        wanted = re.sub(r"\\(.)", r"\1", match["quoted"])
    else:
        wanted = int(match["number"]) if match["number"] else None
    negated = match["negated"] is not None

    def matches(each: JsonObject) -> bool:
        value = each.get(field)
        if key is not None:
            value = (value or {}).get(key)
        if symbol == ":":
            # text matches in any case; a number may be written with or without quotes
            found = value == wanted or (
                value is not None
                and wanted is not None
                and str(value).lower() == str(wanted).lower()
            )
        elif symbol == "~":
            found = str(wanted).lower() in str(value or "").lower()
        else:
            found = value is not None and _COMPARE[symbol](int(value), int(wanted or 0))
        return found != negated

    return matches
