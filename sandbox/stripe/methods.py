"""Payment methods: what a shopper pays with, from test cards to bank debits and redirects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import cards
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.cards import Card
from sandbox.stripe.errors import (
    StripeError,
    card_error,
    invalid_request,
    missing_parameter,
    refused,
)
from sandbox.stripe.forms import (
    ADDRESS,
    EXPAND,
    anything,
    full_address,
    integer,
    merge_metadata,
    metadata,
    one_of,
    shape,
    text,
)
from sandbox.stripe.listing import PAGING, page, retrieve
from sandbox.stripe.objects import JsonObject, snapshot
from sandbox.stripe.state import StripeState

CURRENCIES: dict[str, frozenset[str] | None] = {
    "card": None,
    "ideal": frozenset(("eur",)),
    "sepa_debit": frozenset(("eur",)),
    "us_bank_account": frozenset(("usd",)),
    "boleto": frozenset(("brl",)),
    "customer_balance": frozenset(("eur", "gbp", "jpy", "mxn", "usd")),
    "konbini": frozenset(("jpy",)),
    "multibanco": frozenset(("eur",)),
    "oxxo": frozenset(("mxn",)),
    "pix": frozenset(("brl",)),
    "bancontact": frozenset(("eur",)),
    "blik": frozenset(("pln",)),
    "eps": frozenset(("eur",)),
    "klarna": frozenset(("chf", "eur", "gbp", "pln", "usd")),
    "link": None,
    "p24": frozenset(("eur", "pln")),
    "paypal": frozenset(("chf", "eur", "gbp", "pln", "usd")),
    "twint": frozenset(("chf",)),
}
"""The types that the account knows and the currencies of each; None for all.

The currencies are of https://docs.stripe.com/payments/payment-methods/payment-method-support;
`configurations` says which are switched on."""
OFF_AT_FIRST = frozenset(("bancontact", "blik", "eps", "klarna", "link", "p24", "paypal", "twint"))
DELAYED = frozenset(("sepa_debit", "us_bank_account"))
"""Settled or failed days after the confirmation."""
REDIRECTS = frozenset(
    ("bancontact", "blik", "eps", "ideal", "klarna", "link", "p24", "paypal", "twint")
)
"""Authorized by the shopper elsewhere. BLIK's and Link's own dialogs are another page here, too."""

OUTSIDE = {
    "boleto": "boleto_display_details",
    "customer_balance": "display_bank_transfer_instructions",
    "konbini": "konbini_display_details",
    "multibanco": "multibanco_display_details",
    "oxxo": "oxxo_display_details",
    "pix": "pix_display_qr_code",
}
"""Paid outside of the page, minutes or days after the confirmation, and what the intent waits for
until then: https://docs.stripe.com/payments/vouchers, https://docs.stripe.com/payments/pix,
https://docs.stripe.com/payments/bank-transfers"""
EXPIRE_AFTER = {"pix": 86_400, "customer_balance": None}
"""Seconds after which nothing can be paid any more; a bank transfer may come at any time."""
VOUCHER_SECONDS = 3 * 86_400

_CARD = {
    "number": text,
    "exp_month": integer,
    "exp_year": integer,
    "cvc": text,
    "token": text,
    "networks": anything,
}
DATA = {
    "type": one_of(*CURRENCIES),
    "allow_redisplay": one_of("always", "limited", "unspecified"),
    "billing_details": shape(
        {"address": ADDRESS, "email": text, "name": text, "phone": text, "tax_id": text}
    ),
    "card": shape(_CARD),
    "ideal": shape({"bank": text}),
    **dict.fromkeys(OUTSIDE, anything),
    **dict.fromkeys(OFF_AT_FIRST, anything),
    "metadata": metadata,
    "radar_options": anything,
    "sepa_debit": shape({"iban": text}, required=("iban",)),
    "us_bank_account": shape(
        dict.fromkeys(
            (
                "account_holder_type",
                "account_number",
                "account_type",
                "financial_connections_account",
                "routing_number",
            ),
            text,
        )
    ),
}
METHOD_DATA = shape(DATA, required=("type",))


def build(state: StripeState, data: Mapping[str, Any]) -> JsonObject:
    """A payment method from `payment_method_data`, not yet kept."""
    kind = data["type"]
    billing = data.get("billing_details") or {}
    method: JsonObject = {
        "id": state.new_id("pm"),
        "object": "payment_method",
        "allow_redisplay": data.get("allow_redisplay") or "unspecified",
        "billing_details": {
            "address": full_address(billing.get("address")),
            **{field: billing.get(field) for field in ("email", "name", "phone", "tax_id")},
        },
        "created": state.now(),
        "customer": None,
        "customer_account": None,
        "livemode": state.live,
        "metadata": dict(data.get("metadata") or {}),
        "radar_options": {},
        "type": kind,
    }
    match kind:
        case "card":
            number, card = _card(state, data.get("card") or {})
            method["card"] = card
            state.card_numbers[method["id"]] = number
        case "sepa_debit":
            iban = _own_data(data, kind)["iban"].replace(" ", "")
            method[kind] = {
                "bank_code": iban[4:12],
                "branch_code": "",
                "country": iban[:2],
                "fingerprint": f"sandbox{iban[-8:]}",
                "generated_from": {"charge": None, "setup_attempt": None},
                "last4": iban[-4:],
            }
        case "us_bank_account":
            account = _own_data(data, kind)
            method[kind] = {
                "account_holder_type": account.get("account_holder_type"),
                "account_type": account.get("account_type") or "checking",
                "bank_name": "STRIPE TEST BANK",
                "financial_connections_account": None,
                "fingerprint": f"sandbox{account.get('account_number')}",
                "last4": (account.get("account_number") or "6789")[-4:],
                "networks": {"preferred": "ach", "supported": ["ach"]},
                "routing_number": account.get("routing_number") or "110000000",
                "status_details": {},
            }
        case "boleto":
            method[kind] = {"tax_id": (data.get(kind) or {}).get("tax_id") or ""}
        case _ if kind in OUTSIDE or kind in OFF_AT_FIRST:
            method[kind] = {}
        case _:
            method[kind] = {"bank": (data.get(kind) or {}).get("bank"), "bic": None}
    return method


def use(state: StripeState, key: str) -> JsonObject:
    """The payment method of an id that a parameter names; test ids make a new one each time."""
    number = cards.ALIASES.get(key)
    if number is not None:
        token = {"type": "card", "card": {"number": number}}
        return state.methods.add(build(state, token))
    return state.find(state.methods, key, "payment_method")


def card_of(state: StripeState, method: JsonObject) -> Card | None:
    """The test card behind a method; None for other types."""
    number = state.card_numbers.get(method["id"])
    return None if number is None else cards.by_number(number)


def attach(state: StripeState, method: JsonObject, customer: str) -> None:
    """Save a method for a customer."""
    if method["customer"] == customer:
        return
    if method["customer"] is not None:
        raise refused("The payment method has already been attached to another customer.")
    if method["id"] in state.spent_methods:
        raise already_used()
    before = snapshot(method)
    method["customer"] = customer
    state.emit("payment_method.attached", method, before)


def detach(state: StripeState, method: JsonObject) -> None:
    """Take a method from its customer: it can never be used again."""
    before = snapshot(method)
    method["customer"] = None
    state.spent_methods.add(method["id"])
    state.emit("payment_method.detached", method, before)


def already_used() -> StripeError:
    return refused(
        "This PaymentMethod was used before without a customer, or detached from its customer,"
        " and may not be used again.",
        param="payment_method",
    )


def _own_data(data: Mapping[str, Any], kind: str) -> dict[str, Any]:
    own: dict[str, Any] | None = data.get(kind)
    if own is None:
        raise missing_parameter(kind)
    return own


def _card(state: StripeState, data: Mapping[str, Any]) -> tuple[str, JsonObject]:
    """The number of a card and its visible details, as far as they can be checked alone."""
    number = data.get("number")
    if number is None and data.get("token") is not None:
        number = cards.ALIASES.get(f"pm_card_{data['token'].removeprefix('tok_')}")
        if number is None:
            raise invalid_request(
                f"No such token: '{data['token']}'", code="resource_missing", param="card[token]"
            )
    if number is None:
        raise missing_parameter("card[number]")
    number = number.replace(" ", "")
    today = state.clock.now()
    year = data.get("exp_year") or today.year + 4
    month = data.get("exp_month") or 12
    card = cards.by_number(number)
    if card.decline is cards.INCORRECT_NUMBER:
        raise card_error(card.decline.code, card.decline.message, param="number")
    if not 1 <= month <= 12:
        raise card_error(
            "invalid_expiry_month",
            "Your card's expiration month is invalid.",
            param="exp_month",
        )
    if (year, month) < (today.year, today.month):
        raise card_error(
            "invalid_expiry_year", "Your card's expiration year is invalid.", param="exp_year"
        )
    cvc = data.get("cvc")
    if cvc is not None and len(cvc) != (4 if card.brand == "amex" else 3):
        raise card_error("invalid_cvc", "Your card's security code is invalid.", param="cvc")
    return number, cards.details(card, month, year)


def _create(call: Call) -> JsonObject:
    return call.state.methods.add(build(call.state, call.params))


def _update(call: Call) -> JsonObject:
    method = call.named(call.state.methods)
    before = snapshot(method)
    merge_metadata(method["metadata"], call.params)
    if call.params.get("allow_redisplay") is not None:
        method["allow_redisplay"] = call.params["allow_redisplay"]
    call.state.emit("payment_method.updated", method, before)
    return method


def _attach(call: Call) -> JsonObject:
    state = call.state
    customer = state.find(state.customers, call.params["customer"], "customer")
    if call.path["id"] in cards.ALIASES:
        method = use(state, call.path["id"])
    else:
        method = call.named(state.methods)
    card = card_of(state, method)
    if card is not None and card.decline is not None and not card.attachable:
        raise card_error(
            card.decline.code, card.decline.message, decline_code=card.decline.decline_code
        )
    attach(state, method, customer["id"])
    return method


def _detach(call: Call) -> JsonObject:
    method = call.named(call.state.methods)
    if method["customer"] is None:
        raise refused(
            "The payment method you provided is not attached to a customer so detachment is"
            " impossible."
        )
    detach(call.state, method)
    return method


def _list(call: Call) -> JsonObject:
    state, params = call.state, call.params
    customer = call.path.get("id") or params.get("customer")
    matches = {field: params[field] for field in ("type", "allow_redisplay") if params.get(field)}
    if customer is not None:
        state.find(state.customers, customer, "customer")
        matches["customer"] = customer
    url = "/v1/payment_methods" if "id" not in call.path else f"/v1/customers/{customer}"
    saved = (each for each in state.methods.newest(matches) if each["customer"] is not None)
    return page(url, state.methods, saved, params)


def _of_customer(call: Call) -> JsonObject:
    method = call.named(call.state.methods, "method")
    if method["customer"] != call.path["id"]:
        raise invalid_request(
            f"No such PaymentMethod: '{method['id']}'", code="resource_missing", status=404
        )
    return method


_LIST = {
    **PAGING,
    "type": one_of(*CURRENCIES),
    "allow_redisplay": one_of("always", "limited", "unspecified"),
}

OPERATIONS = (
    Operation(
        "POST",
        "/v1/payment_methods",
        _create,
        shape({**DATA, **EXPAND}, required=("type",)),
        browser=True,
    ),
    Operation("GET", "/v1/payment_methods", _list, shape({**_LIST, "customer": text})),
    Operation("GET", "/v1/payment_methods/{id}", retrieve("methods"), shape(EXPAND)),
    Operation(
        "POST",
        "/v1/payment_methods/{id}",
        _update,
        shape({**EXPAND, "metadata": metadata, "allow_redisplay": DATA["allow_redisplay"]}),
    ),
    Operation(
        "POST",
        "/v1/payment_methods/{id}/attach",
        _attach,
        shape({**EXPAND, "customer": text}, required=("customer",)),
    ),
    Operation("POST", "/v1/payment_methods/{id}/detach", _detach, shape(EXPAND)),
    Operation("GET", "/v1/customers/{id}/payment_methods", _list, shape(_LIST)),
    Operation("GET", "/v1/customers/{id}/payment_methods/{method}", _of_customer, shape(EXPAND)),
)
