"""The routes of checkout sessions."""

from __future__ import annotations

from sandbox.stripe import checkout, checkout_items, checkout_payment
from sandbox.stripe import checkout_params as accepted
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import StripeError, invalid_request, refused
from sandbox.stripe.forms import EXPAND, full_address, merge_metadata, shape
from sandbox.stripe.intent_routes import check_method_types
from sandbox.stripe.listing import PAGING, list_of, page, retrieve
from sandbox.stripe.objects import JsonObject, Table, snapshot

_CHANGEABLE = ("collected_information", "line_items", "payment_intent_data", "shipping_options")


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    check_method_types(call)
    if params.get("customer") is not None:
        customer = state.find(state.customers, params["customer"], "customer")
        if customer.get("deleted"):
            raise invalid_request(
                f"No such customer: '{params['customer']}'",
                code="resource_missing",
                param="customer",
            )
    session, contents = checkout.draft(state, params)
    state.session_contents[session["id"]] = contents
    checkout_payment.keep(state, session)
    return session


def _update(call: Call) -> JsonObject:
    state, params = call.state, call.params
    session = call.named(state.sessions)
    if any(params.get(name) is not None for name in _CHANGEABLE):
        _check_changeable(call, session)
    contents = state.session_contents[session["id"]]
    before, items_before = snapshot(session), contents.items
    try:
        if params.get("line_items") is not None:
            contents.items = checkout_items.build_items(state, params["line_items"], contents.items)
            if contents.items[0]["currency"] != session["currency"]:
                raise invalid_request(
                    f"The session is in {session['currency']}.", param="line_items"
                )
        if "shipping_options" in params:
            session["shipping_options"] = checkout_items.build_shipping(
                state, params["shipping_options"] or (), session["currency"]
            )
            checkout_items.choose_shipping(session, None)
        checkout_items.price(session, contents)
    except StripeError:
        session.update(before)
        contents.items = items_before
        raise
    if params.get("collected_information") is not None:
        sent = params["collected_information"].get("shipping_details")
        session["collected_information"] = {
            "business_name": None,
            "individual_name": None,
            "shipping_details": sent
            and {"address": full_address(sent["address"]), "name": sent["name"]},
        }
    if params.get("payment_intent_data") is not None:
        known = contents.params.get("payment_intent_data") or {}
        contents.params["payment_intent_data"] = {**known, **params["payment_intent_data"]}
    merge_metadata(session["metadata"], params)
    return session


def _expire(call: Call) -> JsonObject:
    session = call.named(call.state.sessions)
    checkout_payment.expire(call.state, session)
    return session


def _line_items(call: Call) -> JsonObject:
    session = call.named(call.state.sessions)
    lines = Table("line item")
    for item in reversed(call.state.session_contents[session["id"]].items):
        lines.add(item)  # a table lists backwards: the session's first line comes first
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return page(url, lines, lines.newest({}), call.params)


def _check_changeable(call: Call, session: JsonObject) -> None:
    checkout_payment.require_open(session)
    if session["ui_mode"] == "hosted_page":
        raise refused("Only the metadata of a session with a hosted page can be updated.")
    if call.params.get("payment_intent_data") is not None and session["ui_mode"] != "elements":
        raise refused(
            "payment_intent_data can only be updated if ui_mode is elements.",
            param="payment_intent_data",
        )


OPERATIONS = (
    Operation("POST", "/v1/checkout/sessions", _create, accepted.CREATE),
    Operation("GET", "/v1/checkout/sessions/{id}", retrieve("sessions"), shape(EXPAND)),
    Operation("POST", "/v1/checkout/sessions/{id}", _update, accepted.UPDATE),
    Operation("POST", "/v1/checkout/sessions/{id}/expire", _expire, shape(EXPAND)),
    Operation("GET", "/v1/checkout/sessions/{id}/line_items", _line_items, shape(PAGING)),
    Operation(
        "GET",
        "/v1/checkout/sessions",
        list_of("/v1/checkout/sessions", "sessions", "customer", "payment_intent", "status"),
        accepted.LIST,
    ),
)
