"""The routes of payment intents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sandbox.stripe import attempts, captures, currencies, intents, methods, versions
from sandbox.stripe import intent_params as accepted
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import (
    StripeError,
    invalid_request,
    missing_parameter,
    refused,
    unauthorized,
    unexpected_state,
)
from sandbox.stripe.forms import (
    full_shipping,
    merge_metadata,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING, SEARCH, list_of, search
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState
from sandbox.stripe.tokens import redeem

_BROWSER_FIELDS = (
    "id object amount amount_details automatic_payment_methods canceled_at cancellation_reason"
    " capture_method client_secret confirmation_method created currency description"
    " last_payment_error livemode next_action payment_method payment_method_types processing"
    " receipt_email setup_future_usage shipping source status"
).split()


def _create(call: Call) -> JsonObject:
    params = call.params
    check_method_types(call)
    _check_mixture(call)
    params["currency"] = currencies.check_currency(params["currency"])
    currencies.check_amount(params["amount"], params["currency"])
    _check_customer(call)
    for needs_confirm in ("off_session", "confirmation_token", "error_on_requires_action"):
        if params.get(needs_confirm) and not params.get("confirm"):
            raise invalid_request(
                f"{needs_confirm} can only be used when confirm is true.", param=needs_confirm
            )
    method = _chosen_method(call)
    intent = intents.draft(call.state, params)
    if method is not None:
        intents.set_method(call.state, intent, method)
    _apply_token(call, intent)
    if params.get("confirm"):
        attempts.check_confirmation(call.state, intent, _confirmation(call))
    intents.keep(call.state, intent)
    if params.get("confirm"):
        attempts.confirm(call.state, intent, _confirmation(call))
    return intent


def _retrieve(call: Call) -> JsonObject:
    intent = call.named(call.state.intents)
    _check_secret(call, intent)
    return _shown(call, intent)


def _update(call: Call) -> JsonObject:
    state, params = call.state, call.params
    intent = call.named(state.intents)
    check_method_types(call)
    _check_mixture(call, intent)
    _check_customer(call)
    currency = intent["currency"]
    if params.get("currency") is not None:
        currency = currencies.check_currency(params["currency"])
    if params.get("amount") is not None or currency != intent["currency"]:
        currencies.check_amount(params.get("amount") or intent["amount"], currency)
    _check_updatable(intent, params)
    with _all_or_nothing(intent):
        method = _chosen_method(call)
        merge_metadata(intent["metadata"], params)
        for field in _PLAIN_FIELDS & params.keys():
            intent[field] = params[field]
        if "shipping" in params:
            intent["shipping"] = full_shipping(params["shipping"])
        intent["currency"] = currency
        if params.get("payment_method_configuration") is not None:
            configuration = params["payment_method_configuration"]
            intent["payment_method_configuration_details"] = {"id": configuration, "parent": None}
        if params.get("amount") is not None:
            if intent["status"] == "requires_action" and params["amount"] != intent["amount"]:
                # what was being authenticated was another amount
                intent.update(status="requires_confirmation", next_action=None)
            intent["amount"] = params["amount"]
        if "payment_method_options" in params:
            intents.set_method_options(intent, params["payment_method_options"])
        intents.offer_methods(state, intent)
        if method is not None:
            intents.set_method(state, intent, method)
        elif "payment_method" in params:
            intents.unset_method(intent)
    return intent


def _confirm(call: Call) -> JsonObject:
    state, params = call.state, call.params
    intent = call.named(state.intents)
    _check_secret(call, intent)
    check_method_types(call)
    if intent["status"] not in intents.CONFIRMABLE:
        raise unexpected_state(
            f"You cannot confirm this PaymentIntent because it has a status of {intent['status']}.",
            snapshot(intent),
        )
    with _all_or_nothing(intent):
        method = _chosen_method(call)
        for field in ("receipt_email", "setup_future_usage", "capture_method"):
            if params.get(field) is not None:
                intent[field] = params[field]
        if params.get("shipping") is not None:
            intent["shipping"] = full_shipping(params["shipping"])
        if params.get("payment_method_options") is not None:
            intents.set_method_options(intent, params["payment_method_options"])
        intents.offer_methods(state, intent)
        if method is not None:
            intents.set_method(state, intent, method)
        _apply_token(call, intent)
        attempts.check_confirmation(call.state, intent, _confirmation(call))
    try:
        attempts.confirm(state, intent, _confirmation(call))
    except StripeError as error:
        if "payment_intent" in error.error:
            error.error["payment_intent"] = _shown(call, error.error["payment_intent"])
        raise
    return _shown(call, intent)


def _capture(call: Call) -> JsonObject:
    intent = call.named(call.state.intents)
    final = call.params.get("final_capture")
    captures.capture(
        call.state,
        intent,
        call.params.get("amount_to_capture"),
        final=True if final is None else final,
    )
    merge_metadata(intent["metadata"], call.params)
    return intent


def _increment(call: Call) -> JsonObject:
    intent = call.named(call.state.intents)
    captures.increment(call.state, intent, call.params["amount"])
    merge_metadata(intent["metadata"], call.params)
    return intent


def _cancel(call: Call) -> JsonObject:
    intent = call.named(call.state.intents)
    session = call.state.sessions_by_intent.get(intent["id"])
    if session is not None and session["status"] == "open":
        raise refused(
            "The PaymentIntent of a Checkout Session cannot be canceled: expire the Checkout"
            f" Session {session['id']} instead."
        )
    captures.cancel(call.state, intent, call.params.get("cancellation_reason"))
    return intent


def _search(call: Call) -> JsonObject:
    return search(call.state, "/v1/payment_intents/search", call.state.intents, call.params)


@contextmanager
def _all_or_nothing(intent: JsonObject) -> Iterator[None]:
    """What is refused half-way leaves the intent as it was."""
    before = snapshot(intent)
    try:
        yield
    except StripeError:
        intent.update(before)
        raise


def _check_updatable(intent: JsonObject, params: dict[str, Any]) -> None:
    status = intent["status"]
    for field in _BEFORE_PAYMENT & params.keys():
        if status not in intents.CONFIRMABLE:
            raise unexpected_state(
                f"This PaymentIntent's {field} could not be updated because it has a status of"
                f" {status}. You may only update the {field} of a PaymentIntent with one of the"
                f" following statuses: {', '.join(sorted(intents.CONFIRMABLE))}.",
                snapshot(intent),
            )
    # `customer` is a parameter of the update (https://docs.stripe.com/api/payment_intents/update);
    # whether one that is set may be replaced is not documented, so the stand-in refuses it.
    customer = params.get("customer")
    if customer is not None and intent["customer"] not in (None, customer):
        raise refused(
            "The customer of a PaymentIntent cannot be changed once it is set: cancel the"
            " PaymentIntent and create a new one.",
            param="customer",
        )


def check_method_types(call: Call) -> None:
    """Refuses `payment_method_types`, which only older API versions take."""
    kinds = call.params.pop("payment_method_types", None)
    if kinds is None:
        return
    if call.version >= versions.WITHOUT_METHOD_TYPES:
        raise invalid_request(
            "payment_method_types is no longer supported: leave it out, or use"
            " allowed_payment_method_types or excluded_payment_method_types.",
            code="payment_method_types_no_longer_supported",
            param="payment_method_types",
        )
    call.params["allowed_payment_method_types"] = kinds


_KINDS = (
    "allowed_payment_method_types",
    "automatic_payment_methods",
    "excluded_payment_method_types",
    "payment_method_configuration",
)


def _check_mixture(call: Call, intent: JsonObject | None = None) -> None:
    """Types that are named exclude every other way to choose them, also of an earlier call:
    https://docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter
    That an update cannot go from one way to the other is unconfirmed; the stand-in refuses it."""
    sent = [name for name in _KINDS if call.params.get(name) is not None]
    if "allowed_payment_method_types" in sent and len(sent) > 1:
        raise invalid_request(
            f"You may only specify one of these parameters: {', '.join(sent)}.", param=sent[0]
        )
    if intent is None or not sent:
        return
    if (intent["automatic_payment_methods"] is None) != ("allowed_payment_method_types" in sent):
        raise invalid_request(
            f"{sent[0]} cannot be used with this PaymentIntent, whose payment method types were"
            " chosen in another way.",
            param=sent[0],
        )


def _check_customer(call: Call) -> None:
    customer = call.params.get("customer")
    if customer is not None:
        found = call.state.find(call.state.customers, customer, "customer")
        if found.get("deleted"):
            raise invalid_request(
                f"No such customer: '{customer}'", code="resource_missing", param="customer"
            )


def find_by_secret(state: StripeState, secret: str) -> JsonObject:
    """The intent that a client secret belongs to."""
    intent = state.find(state.intents, secret.partition("_secret_")[0], "intent")
    check_secret(intent, secret)
    return intent


def check_secret(intent: JsonObject, secret: str) -> None:
    """Refuses a client secret that is not the intent's."""
    if secret != intent["client_secret"]:
        raise unauthorized(
            "The client_secret provided does not match the client_secret associated with the"
            " PaymentIntent.",
            "payment_intent_invalid_parameter",
        )


def shown_to_browsers(intent: JsonObject) -> JsonObject:
    """The intent without metadata, customer and charge."""
    return {field: intent[field] for field in _BROWSER_FIELDS}


def _check_secret(call: Call, intent: JsonObject) -> None:
    """A browser must know the intent's client secret."""
    secret = call.params.get("client_secret")
    if secret is None and call.publishable:
        raise missing_parameter("client_secret")
    if secret is not None:
        check_secret(intent, secret)


def _chosen_method(call: Call) -> JsonObject | None:
    """The payment method of the parameters, new or known."""
    state, params = call.state, call.params
    if params.get("payment_method") is not None:
        return methods.use(state, params["payment_method"])
    if params.get("payment_method_data") is not None:
        return state.methods.add(methods.build(state, params["payment_method_data"]))
    return None


def _apply_token(call: Call, intent: JsonObject) -> None:
    key = call.params.get("confirmation_token")
    if key is None:
        return
    if call.params.get("payment_method") or call.params.get("payment_method_data"):
        raise refused(
            "Send either a confirmation_token or a payment method, not both.",
            param="confirmation_token",
        )
    token, method = redeem(call.state, key, intent["id"])
    if token["setup_future_usage"] is not None:
        intent["setup_future_usage"] = token["setup_future_usage"]
    if token["shipping"] is not None:
        intent["shipping"] = full_shipping(token["shipping"])
    intents.set_method(call.state, intent, method)


def _confirmation(call: Call) -> attempts.Confirmation:
    params = call.params
    return_url = params.get("return_url")
    token = call.state.confirmation_tokens.get(params.get("confirmation_token") or "")
    if return_url is None and token is not None:
        return_url = token["return_url"]
    return attempts.Confirmation(
        off_session=bool(params.get("off_session")),
        stripe_js=call.publishable or bool(params.get("use_stripe_sdk")),
        return_url=return_url,
        error_on_requires_action=bool(params.get("error_on_requires_action")),
    )


def _shown(call: Call, intent: JsonObject) -> JsonObject:
    return shown_to_browsers(intent) if call.publishable else intent


_PLAIN_FIELDS = {
    "allowed_payment_method_types",
    "capture_method",
    "customer",
    "description",
    "excluded_payment_method_types",
    "hooks",
    "receipt_email",
    "setup_future_usage",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
}
_BEFORE_PAYMENT = {
    "amount",
    "capture_method",
    "currency",
    "customer",
    "payment_method",
    "payment_method_data",
    "payment_method_options",
    "setup_future_usage",
}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/payment_intents",
        _create,
        accepted.CREATE,
    ),
    Operation("GET", "/v1/payment_intents/search", _search, shape(SEARCH, required=("query",))),
    Operation(
        "GET",
        "/v1/payment_intents/{id}",
        _retrieve,
        accepted.RETRIEVE,
        browser=True,
    ),
    Operation("POST", "/v1/payment_intents/{id}", _update, accepted.UPDATE),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/confirm",
        _confirm,
        accepted.CONFIRM,
        browser=True,
    ),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/capture",
        _capture,
        accepted.CAPTURE,
    ),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/increment_authorization",
        _increment,
        accepted.INCREMENT,
    ),
    Operation(
        "POST",
        "/v1/payment_intents/{id}/cancel",
        _cancel,
        accepted.CANCEL,
    ),
    Operation(
        "GET",
        "/v1/payment_intents",
        list_of("/v1/payment_intents", "intents", "customer"),
        shape({**LISTING, "customer": text}),
    ),
)
