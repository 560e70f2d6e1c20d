"""Payment method domains: where wallets such as Apple Pay may be shown."""

from __future__ import annotations

import re

from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request
from sandbox.stripe.forms import EXPAND, boolean, shape, text
from sandbox.stripe.listing import PAGING, list_of, retrieve
from sandbox.stripe.objects import JsonObject

_NAME = re.compile(
    r"(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_WALLETS = ("amazon_pay", "apple_pay", "google_pay", "klarna", "link", "paypal")


def _wallets(name: str) -> JsonObject:
    """Apple's file is found everywhere but under .invalid, where no host can be (RFC 6761)."""
    wallets: JsonObject = {wallet: {"status": "active"} for wallet in _WALLETS}
    if name.endswith(".invalid"):
        message = "The domain association file could not be fetched."
        wallets["apple_pay"] = {
            "status": "inactive",
            "status_details": {"error_message": message},
        }
    return wallets


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    name = params["domain_name"]
    if not _NAME.fullmatch(name):
        raise invalid_request(f"Invalid domain name: {name}", param="domain_name")
    known = next(state.domains.newest({"domain_name": name}), None)
    if known is not None:
        return known
    return state.domains.add(
        {
            "id": state.new_id("pmd"),
            "object": "payment_method_domain",
            **_wallets(name),
            "created": state.now(),
            "domain_name": name,
            "enabled": True if params.get("enabled") is None else params["enabled"],
            "livemode": state.live,
        }
    )


def _update(call: Call) -> JsonObject:
    domain = call.named(call.state.domains)
    if call.params.get("enabled") is not None:
        domain["enabled"] = call.params["enabled"]
    return domain


def _validate(call: Call) -> JsonObject:
    """Looks for Apple's file at the domain."""
    domain = call.named(call.state.domains)
    domain.update(_wallets(domain["domain_name"]))
    return domain


_PATH = "/v1/payment_method_domains"

OPERATIONS = (
    Operation(
        "POST",
        _PATH,
        _create,
        shape({**EXPAND, "domain_name": text, "enabled": boolean}, required=("domain_name",)),
    ),
    Operation("GET", f"{_PATH}/{{id}}", retrieve("domains"), shape(EXPAND)),
    Operation("POST", f"{_PATH}/{{id}}", _update, shape({**EXPAND, "enabled": boolean})),
    Operation("POST", f"{_PATH}/{{id}}/validate", _validate, shape(EXPAND)),
    Operation(
        "GET",
        _PATH,
        list_of(_PATH, "domains", "domain_name", "enabled"),
        shape({**PAGING, "domain_name": text, "enabled": boolean}),
    ),
)
