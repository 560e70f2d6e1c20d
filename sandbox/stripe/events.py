"""The events of the last thirty days, for those whom no webhook reached."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, no_such
from sandbox.stripe.forms import EXPAND, array, boolean, shape, text
from sandbox.stripe.listing import LISTING, page
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

_KEPT_SECONDS = 30 * 86_400


def _retrieve(call: Call) -> JsonObject:
    event = call.state.events_by_id.get(call.path["id"])
    if event is None or event["created"] < call.state.now() - _KEPT_SECONDS:
        raise no_such("event", call.path["id"], in_path=True)
    return event


def _list(call: Call) -> JsonObject:
    state, params = call.state, call.params
    if params.get("type") and params.get("types"):
        raise invalid_request("You may pass either type or types, but not both.", param="types")
    return page("/v1/events", state.events_by_id, _matching(state, params), params)


def _matching(state: StripeState, params: dict[str, Any]) -> Iterator[JsonObject]:
    """Newest first."""
    patterns = params.get("types") or ([params["type"]] if params.get("type") else ["*"])
    delivered = params.get("delivery_success")
    oldest = state.now() - _KEPT_SECONDS
    for event in reversed(state.events):
        if event["created"] < oldest:
            return
        if any(fnmatchcase(event["type"], pattern) for pattern in patterns) and (
            delivered is None or delivered == _was_delivered(state, event)
        ):
            yield event


def _was_delivered(state: StripeState, event: JsonObject) -> bool:
    """Whether every endpoint that was to have it has it."""
    by_endpoint: dict[str, bool] = {}
    for delivery in state.deliveries.get(event["id"], ()):
        done = delivery.status == "delivered"
        by_endpoint[delivery.endpoint] = by_endpoint.get(delivery.endpoint, False) or done
    return all(by_endpoint.values())


OPERATIONS = (
    Operation("GET", "/v1/events/{id}", _retrieve, shape(EXPAND)),
    Operation(
        "GET",
        "/v1/events",
        _list,
        shape({**LISTING, "type": text, "types": array(text), "delivery_success": boolean}),
    ),
)
