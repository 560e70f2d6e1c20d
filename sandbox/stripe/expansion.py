"""Expansion: ids in an answer replaced by the objects that they stand for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.stripe.errors import StripeError, invalid_request
from sandbox.stripe.objects import JsonObject, Table
from sandbox.stripe.state import StripeState

_DEEPEST = 4


def expand(state: StripeState, answer: JsonObject, paths: Iterable[str]) -> JsonObject:
    """A copy of `answer` with the fields of dotted `paths` expanded; `data.` means list items."""
    for path in paths:
        parts = path.split(".")
        if len(parts) > _DEEPEST + (parts[0] == "data"):
            raise invalid_request(
                f"You cannot expand more than {_DEEPEST} levels of a property.", param="expand"
            )
        answer = _expanded(state, answer, parts, path)
    return answer


def _expanded(state: StripeState, value: JsonObject, parts: list[str], path: str) -> JsonObject:
    field, *rest = parts
    if field == "data" and isinstance(value.get("data"), list):
        items = [_expanded(state, item, rest, path) if rest else item for item in value["data"]]
        return {**value, "data": items}
    if field == "refunds" and value.get("object") == "charge":
        inner: Any = _refunds_of(state, value)
    elif field == "line_items" and value.get("object") == "checkout.session":
        inner = _items_of(state, value)
    else:
        inner = value.get(field)
        if isinstance(inner, str):
            table = _tables(state).get(field)
            found = None if table is None else table.get(inner)
            if found is None:
                raise _not_expandable(path)
            inner = found
        elif field not in value:
            raise _not_expandable(path)
    if rest and isinstance(inner, dict):
        inner = _expanded(state, inner, rest, path)
    return {**value, field: inner}


def _tables(state: StripeState) -> dict[str, Table]:
    return {
        "balance_transaction": state.balance_transactions,
        "charge": state.charges,
        "customer": state.customers,
        "failure_balance_transaction": state.balance_transactions,
        "latest_charge": state.charges,
        "payment_intent": state.intents,
        "payment_method": state.methods,
        "product": state.products,
        "shipping_rate": state.shipping_rates,
    }


def _refunds_of(state: StripeState, charge: JsonObject) -> JsonObject:
    newest = list(state.refunds.newest({"charge": charge["id"]}))
    return {
        "object": "list",
        "data": newest[:10],
        "has_more": len(newest) > 10,
        "url": f"/v1/charges/{charge['id']}/refunds",
    }


def _items_of(state: StripeState, session: JsonObject) -> JsonObject:
    """The first ten lines: more are listed on their own route."""
    items = state.session_contents[session["id"]].items
    return {
        "object": "list",
        "data": items[:10],
        "has_more": len(items) > 10,
        "url": f"/v1/checkout/sessions/{session['id']}/line_items",
    }


def _not_expandable(path: str) -> StripeError:
    return invalid_request(f"This property cannot be expanded ({path}).", param="expand")
