"""Customers, kept under their id even after they were deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import methods
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import no_such
from sandbox.stripe.forms import (
    ADDRESS,
    EXPAND,
    RECIPIENT,
    Kind,
    anything,
    array,
    email,
    full_address,
    full_recipient,
    merge_metadata,
    metadata,
    one_of,
    person_name,
    phone,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING, SEARCH, page, retrieve, search
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

_PLAIN_FIELDS = ("description", "email", "name", "phone")


def create(state: StripeState, params: Mapping[str, Any]) -> JsonObject:
    """A new customer from checked parameters."""
    customer: JsonObject = {
        "id": state.new_id("cus", 14),
        "object": "customer",
        "address": full_address(params["address"]) if params.get("address") else None,
        "balance": 0,
        "created": state.now(),
        "currency": None,
        "customer_account": None,
        "default_source": None,
        "delinquent": False,
        **{field: params.get(field) for field in _PLAIN_FIELDS},
        "discount": None,
        "invoice_prefix": state.random_text(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": state.live,
        "metadata": dict(params.get("metadata") or {}),
        "next_invoice_sequence": 1,
        "preferred_locales": params.get("preferred_locales") or [],
        "shipping": full_recipient(params.get("shipping")),
        "tax_exempt": params.get("tax_exempt") or "none",
        "test_clock": None,
    }
    state.customers.add(customer)
    state.emit("customer.created", customer)
    return customer


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    customer = create(state, params)
    if params.get("payment_method") is not None:
        method = methods.use(state, params["payment_method"])
        methods.attach(state, method, customer["id"])
    return customer


def _update(call: Call) -> JsonObject:
    state, params = call.state, call.params
    customer = _living(call)
    before = snapshot(customer)
    merge_metadata(customer["metadata"], params)
    for field in (*_PLAIN_FIELDS, "preferred_locales", "tax_exempt"):
        if field in params:
            customer[field] = params[field]
    if "address" in params:
        customer["address"] = full_address(params["address"]) if params["address"] else None
    if "shipping" in params:
        customer["shipping"] = full_recipient(params["shipping"])
    state.emit("customer.updated", customer, before)
    return customer


def _delete(call: Call) -> JsonObject:
    state = call.state
    customer = _living(call)
    for method in list(state.methods.newest({"customer": customer["id"]})):
        methods.detach(state, method)
    state.emit("customer.deleted", customer)
    gone: JsonObject = {"id": customer["id"], "object": "customer", "deleted": True}
    customer.clear()
    customer.update(gone)
    return customer


def _list(call: Call) -> JsonObject:
    customers, email = call.state.customers, call.params.get("email")
    found = (
        each
        for each in customers.newest({})
        if not each.get("deleted") and email in (None, each["email"])
    )
    return page("/v1/customers", customers, found, call.params)


def _search(call: Call) -> JsonObject:
    return search(call.state, "/v1/customers/search", call.state.customers, call.params)


def _living(call: Call) -> JsonObject:
    customer = call.named(call.state.customers)
    if customer.get("deleted"):
        raise no_such("customer", call.path["id"], in_path=True)
    return customer


_FIELDS: dict[str, Kind] = {
    **EXPAND,
    "address": ADDRESS,
    "description": text,
    "email": email,
    "invoice_settings": anything,
    "metadata": metadata,
    "name": person_name,
    "phone": phone,
    "preferred_locales": array(text),
    "shipping": RECIPIENT,
    "tax": anything,
    "tax_exempt": one_of("exempt", "none", "reverse"),
}

OPERATIONS = (
    Operation("POST", "/v1/customers", _create, shape({**_FIELDS, "payment_method": text})),
    Operation("GET", "/v1/customers/search", _search, shape(SEARCH, required=("query",))),
    Operation("GET", "/v1/customers/{id}", retrieve("customers"), shape(EXPAND)),
    Operation("POST", "/v1/customers/{id}", _update, shape(_FIELDS)),
    Operation("DELETE", "/v1/customers/{id}", _delete, shape({})),
    Operation("GET", "/v1/customers", _list, shape({**LISTING, "email": text})),
)
