"""Payment method configurations: which types an account offers where an intent names none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request
from sandbox.stripe.forms import EXPAND, Kind, boolean, one_of, shape, text
from sandbox.stripe.listing import PAGING, page
from sandbox.stripe.objects import JsonObject, Table
from sandbox.stripe.state import StripeState

_WALLETS = ("apple_pay", "google_pay")
"""Cards, and switched on and off apart from them
(https://docs.stripe.com/api/payment_method_configurations/object)."""
_SWITCHES = (*methods.CURRENCIES, *_WALLETS)
DEFAULT = "pmc_sandbox"
"""The configuration that every account has; what it lacks can be switched on."""


def offered(state: StripeState, key: str | None) -> frozenset[str]:
    """The types that are switched on in a configuration, or in the account's default one."""
    configuration = _configurations(state).get(key or DEFAULT)
    if configuration is None or not configuration["active"]:
        raise invalid_request(
            f"No such payment_method_configuration: '{key}'",
            code="resource_missing",
            param="payment_method_configuration",
        )
    return frozenset(
        kind for kind in methods.CURRENCIES if configuration.get(kind, {}).get("available")
    )


def _configurations(state: StripeState) -> Table:
    table = state.configurations
    if DEFAULT not in table:
        on = frozenset(_SWITCHES) - methods.OFF_AT_FIRST
        table.add(_made(state, DEFAULT, "Default", on, default=True))
    return table


def _made(
    state: StripeState, key: str, name: str, on: frozenset[str], *, default: bool
) -> JsonObject:
    return {
        "id": key,
        "object": "payment_method_configuration",
        "active": True,
        "application": None,
        "is_default": default,
        "livemode": state.live,
        "name": name,
        "parent": None,
        **{kind: _preference("on" if kind in on else "off") for kind in _SWITCHES},
    }


def _preference(value: str) -> JsonObject:
    """`available` also needs the account's capability, which the sandbox always has
    (https://docs.stripe.com/api/payment_method_configurations/object)."""
    preference = {"overridable": None, "preference": value, "value": value}
    return {"available": value == "on", "display_preference": preference}


def _set(configuration: JsonObject, params: Mapping[str, Any]) -> JsonObject:
    for kind in _SWITCHES:
        if (wanted := params.get(kind)) is not None:
            configuration[kind] = _preference(wanted["display_preference"]["preference"])
    for field in ("active", "name"):
        if params.get(field) is not None:
            configuration[field] = params[field]
    return configuration


def _create(call: Call) -> JsonObject:
    state = call.state
    made = _made(state, state.new_id("pmc"), "", frozenset(), default=False)
    return _configurations(state).add(_set(made, call.params))


def _retrieve(call: Call) -> JsonObject:
    return call.named(_configurations(call.state))


def _update(call: Call) -> JsonObject:
    return _set(call.named(_configurations(call.state)), call.params)


def _list(call: Call) -> JsonObject:
    table = _configurations(call.state)
    return page(_PATH, table, table.newest({}), call.params)


_PATH = "/v1/payment_method_configurations"
_KIND = shape({"display_preference": shape({"preference": one_of("none", "off", "on")})})
_FIELDS: dict[str, Kind] = {**EXPAND, **dict.fromkeys(_SWITCHES, _KIND), "name": text}

OPERATIONS = (
    Operation("POST", _PATH, _create, shape(_FIELDS)),
    Operation("GET", f"{_PATH}/{{id}}", _retrieve, shape(EXPAND)),
    Operation("POST", f"{_PATH}/{{id}}", _update, shape({**_FIELDS, "active": boolean})),
    Operation("GET", _PATH, _list, shape({**PAGING, "application": text})),
)
