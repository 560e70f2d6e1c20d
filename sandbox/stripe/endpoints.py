"""Webhook endpoints: where events go, signed with which secrets."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.stripe import versions
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, refused
from sandbox.stripe.forms import (
    EXPAND,
    array,
    boolean,
    merge_metadata,
    metadata,
    one_of,
    shape,
    text,
)
from sandbox.stripe.listing import PAGING, list_of, retrieve
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

_MOST = 16


def roll_secret(state: StripeState, endpoint: JsonObject, keep_seconds: float) -> str:
    """A new signing secret; the old ones sign along for `keep_seconds` more at most."""
    expires = state.clock.time() + keep_seconds
    secret = f"whsec_{state.random_text(32)}"
    older = [
        (old, expires if until is None else min(until, expires))
        for old, until in state.endpoint_secrets[endpoint["id"]]
    ]
    state.endpoint_secrets[endpoint["id"]] = [(secret, None), *older]
    return secret


def secrets_of(state: StripeState, endpoint: str) -> list[str]:
    """The secrets that sign for an endpoint now, newest first."""
    now = state.clock.time()
    return [
        secret for secret, until in state.endpoint_secrets[endpoint] if until is None or until > now
    ]


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    _check_url(params["url"])
    if len(state.endpoints) >= _MOST:
        raise refused(f"You have reached the maximum of {_MOST} test webhook endpoints.")
    endpoint: JsonObject = {
        "id": state.new_id("we"),
        "object": "webhook_endpoint",
        "api_version": params.get("api_version"),
        "application": None,
        "created": state.now(),
        "description": params.get("description"),
        "enabled_events": params["enabled_events"],
        "livemode": state.live,
        "metadata": dict(params.get("metadata") or {}),
        "status": "enabled",
        "url": params["url"],
    }
    state.endpoints.add(endpoint)
    state.endpoint_secrets[endpoint["id"]] = []
    return {**endpoint, "secret": roll_secret(state, endpoint, 0)}


def _update(call: Call) -> JsonObject:
    params = call.params
    endpoint = call.named(call.state.endpoints)
    if params.get("url") is not None:
        _check_url(params["url"])
        endpoint["url"] = params["url"]
    if params.get("enabled_events") is not None:
        endpoint["enabled_events"] = params["enabled_events"]
    if params.get("disabled") is not None:
        endpoint["status"] = "disabled" if params["disabled"] else "enabled"
    if "description" in params:
        endpoint["description"] = params["description"]
    merge_metadata(endpoint["metadata"], params)
    return endpoint


def _delete(call: Call) -> JsonObject:
    endpoint = call.named(call.state.endpoints)
    call.state.endpoints.remove(endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def _check_url(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid_request(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param="url",
        )


_FIELDS = {
    **EXPAND,
    "description": text,
    "enabled_events": array(text),
    "metadata": metadata,
    "url": text,
}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/webhook_endpoints",
        _create,
        shape(
            {**_FIELDS, "api_version": one_of(*versions.KNOWN), "connect": boolean},
            required=("enabled_events", "url"),
        ),
    ),
    Operation("GET", "/v1/webhook_endpoints/{id}", retrieve("endpoints"), shape(EXPAND)),
    Operation(
        "POST", "/v1/webhook_endpoints/{id}", _update, shape({**_FIELDS, "disabled": boolean})
    ),
    Operation("DELETE", "/v1/webhook_endpoints/{id}", _delete, shape({})),
    Operation(
        "GET",
        "/v1/webhook_endpoints",
        list_of("/v1/webhook_endpoints", "endpoints"),
        shape(PAGING),
    ),
)
