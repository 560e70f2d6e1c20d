"""The parameters of payment intents, route by route."""

from __future__ import annotations

from typing import Any

from sandbox.stripe import methods
from sandbox.stripe.errors import invalid_request, unknown_parameter
from sandbox.stripe.forms import (
    EXPAND,
    SHIPPING,
    Raw,
    anything,
    array,
    boolean,
    integer,
    metadata,
    one_of,
    shape,
    text,
)


def _off_session(raw: Raw, path: str) -> bool:
    """A boolean, or (since long ago) one of two words that mean true."""
    return raw in ("one_off", "recurring") or boolean(raw, path)


_CARD_OPTIONS = shape(
    {
        "capture_method": one_of("manual"),
        "cvc_token": text,
        "installments": anything,
        "mandate_options": anything,
        "moto": boolean,
        "network": text,
        "request_extended_authorization": one_of("if_available", "never"),
        "request_incremental_authorization": one_of("if_available", "never"),
        "request_multicapture": one_of("if_available", "never"),
        "request_overcapture": one_of("if_available", "never"),
        "request_three_d_secure": one_of("any", "automatic", "challenge"),
        "require_cvc_recollection": boolean,
        "setup_future_usage": one_of("none", "off_session", "on_session"),
        "statement_descriptor_suffix_kana": text,
        "statement_descriptor_suffix_kanji": text,
        "three_d_secure": anything,
    }
)


def _method_options(raw: Raw, path: str) -> dict[str, Any]:
    """Options by payment method type; only those of cards are looked at."""
    if not isinstance(raw, dict):
        raise invalid_request(f"Invalid hash: {path}", param=path)
    for kind in raw:
        if kind not in methods.CURRENCIES:
            raise unknown_parameter(f"{path}[{kind}]")
    return {
        kind: _CARD_OPTIONS(options, f"{path}[card]") if kind == "card" else options
        for kind, options in raw.items()
        if options != ""
    }


_COMMON = {
    **EXPAND,
    "allowed_payment_method_types": array(text),
    "amount_details": anything,
    "capture_method": one_of("automatic", "automatic_async", "manual"),
    "excluded_payment_method_types": array(text),
    "hooks": shape(
        {"inputs": shape({"tax": shape({"calculation": text}, required=("calculation",))})}
    ),
    "payment_details": anything,
    "payment_method": text,
    "payment_method_data": methods.METHOD_DATA,
    "payment_method_options": _method_options,
    # known, so that it is refused by its own error
    "payment_method_types": array(text),
    "receipt_email": text,
    "setup_future_usage": one_of("off_session", "on_session"),
    "shipping": SHIPPING,
}
_DESCRIPTIVE = {
    "amount": integer,
    "currency": text,
    "customer": text,
    "description": text,
    "metadata": metadata,
    "payment_method_configuration": text,
    "statement_descriptor": text,
    "statement_descriptor_suffix": text,
    "transfer_group": text,
}
_CONFIRMATION = {
    "confirmation_token": text,
    "error_on_requires_action": boolean,
    "mandate": text,
    "mandate_data": anything,
    "off_session": _off_session,
    "radar_options": anything,
    "return_url": text,
    "use_stripe_sdk": boolean,
}


CREATE = shape(
    {
        **_COMMON,
        **_DESCRIPTIVE,
        **_CONFIRMATION,
        "automatic_payment_methods": shape(
            {"enabled": boolean, "allow_redirects": one_of("always", "never")},
            required=("enabled",),
        ),
        "confirm": boolean,
        "confirmation_method": one_of("automatic", "manual"),
    },
    required=("amount", "currency"),
)
RETRIEVE = shape({**EXPAND, "client_secret": text})
UPDATE = shape({**_COMMON, **_DESCRIPTIVE})
CONFIRM = shape({**_COMMON, **_CONFIRMATION, "client_secret": text})
CAPTURE = shape(
    {
        **EXPAND,
        "amount_details": anything,
        "amount_to_capture": integer,
        "final_capture": boolean,
        "metadata": metadata,
        "payment_details": anything,
        "statement_descriptor": text,
        "statement_descriptor_suffix": text,
    }
)
INCREMENT = shape({**EXPAND, "amount": integer, "metadata": metadata}, required=("amount",))
CANCEL = shape(
    {
        **EXPAND,
        "cancellation_reason": one_of(
            "abandoned", "duplicate", "fraudulent", "requested_by_customer"
        ),
    }
)
