"""The parameters of checkout sessions and coupons, route by route."""

from __future__ import annotations

from urllib.parse import urlsplit

from sandbox.stripe.errors import invalid_request
from sandbox.stripe.forms import (
    ADDRESS,
    EXPAND,
    SHIPPING,
    Kind,
    Raw,
    array,
    boolean,
    email,
    integer,
    metadata,
    one_of,
    shape,
    text,
)
from sandbox.stripe.listing import LISTING

_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms mt"
    " nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
).split()


def _url(raw: Raw, path: str) -> str:
    """An address to send the shopper to."""
    parts = urlsplit(text(raw, path))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid_request(
            "Not a valid URL: an explicit scheme (such as https) must be provided.",
            code="url_invalid",
            param=path,
        )
    return text(raw, path)


def _amount(raw: Raw, path: str) -> int:
    """Minor units, possibly none."""
    return _at_least(0, raw, path)


def _count(raw: Raw, path: str) -> int:
    return _at_least(1, raw, path)


def _at_least(least: int, raw: Raw, path: str) -> int:
    value = integer(raw, path)
    if value < least:
        raise invalid_request(
            f"Invalid {path}: must be greater than or equal to {least}.",
            code="parameter_invalid_integer",
            param=path,
        )
    return value


def _percentage(raw: Raw, path: str) -> float:
    try:
        value = float(text(raw, path))
    except ValueError:
        raise invalid_request(f"Invalid decimal: {raw}", param=path) from None
    if not 0 < value <= 100:
        raise invalid_request(f"Invalid {path}: must be between 0 and 100.", param=path)
    return value


_TAX_BEHAVIOR = one_of("exclusive", "inclusive", "unspecified")
_ENABLED = shape({"enabled": boolean}, required=("enabled",))
_PRICE_DATA = shape(
    {
        "currency": text,
        "product_data": shape(
            {"description": text, "images": array(_url), "metadata": metadata, "name": text},
            required=("name",),
        ),
        "tax_behavior": _TAX_BEHAVIOR,
        "unit_amount": _amount,
    },
    required=("currency", "product_data", "unit_amount"),
)
_ITEM: dict[str, Kind] = {
    "metadata": metadata,
    "price": text,
    "price_data": _PRICE_DATA,
    "quantity": _count,
}
_SHIPPING_OPTION = shape(
    {
        "shipping_rate_data": shape(
            {
                "display_name": text,
                "fixed_amount": shape(
                    {"amount": _amount, "currency": text}, required=("amount", "currency")
                ),
                "metadata": metadata,
                "tax_behavior": _TAX_BEHAVIOR,
                "type": one_of("fixed_amount"),
            },
            required=("display_name", "fixed_amount"),
        )
    },
    required=("shipping_rate_data",),
)
_CARD_OPTIONS = shape(
    {
        "request_extended_authorization": one_of("if_available", "never"),
        "request_incremental_authorization": one_of("if_available", "never"),
        "request_multicapture": one_of("if_available", "never"),
        "request_overcapture": one_of("if_available", "never"),
        "request_three_d_secure": one_of("any", "automatic", "challenge"),
        "setup_future_usage": one_of("off_session", "on_session"),
    }
)
_SETUP_FUTURE_USAGE = one_of("off_session", "on_session")
CUSTOM_TEXTS = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
_MESSAGE = shape({"message": text}, required=("message",))

CREATE = shape(
    {
        **EXPAND,
        "adaptive_pricing": shape({"enabled": boolean}),
        "after_expiration": shape(
            {
                "recovery": shape(
                    {"allow_promotion_codes": boolean, "enabled": boolean}, required=("enabled",)
                )
            }
        ),
        "allow_promotion_codes": boolean,
        "allowed_payment_method_types": array(text),
        "automatic_tax": _ENABLED,
        "billing_address_collection": one_of("auto", "required"),
        "cancel_url": _url,
        "client_reference_id": text,
        "currency": text,
        "custom_text": shape(dict.fromkeys(CUSTOM_TEXTS, _MESSAGE)),
        "customer": text,
        "customer_creation": one_of("always", "if_required"),
        "customer_email": email,
        "discounts": array(shape({"coupon": text}, required=("coupon",))),
        "excluded_payment_method_types": array(text),
        "expires_at": integer,
        "integration_identifier": text,
        "line_items": array(shape(_ITEM, required=("quantity",))),
        "locale": one_of(*_LOCALES),
        "metadata": metadata,
        "mode": one_of("payment", "setup"),
        "payment_intent_data": shape(
            {
                "capture_method": one_of("automatic", "automatic_async", "manual"),
                "description": text,
                "metadata": metadata,
                "receipt_email": text,
                "setup_future_usage": _SETUP_FUTURE_USAGE,
                "shipping": SHIPPING,
                "statement_descriptor": text,
                "statement_descriptor_suffix": text,
                "transfer_group": text,
            }
        ),
        "payment_method_options": shape({"card": _CARD_OPTIONS}),
        # known, so that it is refused by its own error
        "payment_method_types": array(text),
        "redirect_on_completion": one_of("always", "if_required", "never"),
        "return_url": _url,
        "shipping_options": array(_SHIPPING_OPTION),
        "submit_type": one_of("auto", "book", "donate", "pay"),
        "success_url": _url,
        "ui_mode": one_of("elements", "embedded_page", "hosted_page"),
    },
    required=("mode",),
)
UPDATE = shape(
    {
        **EXPAND,
        "collected_information": shape(
            {
                "shipping_details": shape(
                    {"address": ADDRESS, "name": text}, required=("address", "name")
                )
            }
        ),
        "line_items": array(shape({**_ITEM, "id": text})),
        "metadata": metadata,
        "payment_intent_data": shape(
            {
                "description": text,
                "metadata": metadata,
                "setup_future_usage": _SETUP_FUTURE_USAGE,
                "statement_descriptor": text,
                "statement_descriptor_suffix": text,
            }
        ),
        "shipping_options": array(_SHIPPING_OPTION),
    }
)
LIST = shape(
    {
        **LISTING,
        "customer": text,
        "payment_intent": text,
        "status": one_of("complete", "expired", "open"),
    }
)
CREATE_COUPON = shape(
    {
        **EXPAND,
        "amount_off": _count,
        "currency": text,
        "duration": one_of("forever", "once"),
        "id": text,
        "max_redemptions": _count,
        "metadata": metadata,
        "name": text,
        "percent_off": _percentage,
        "redeem_by": integer,
    }
)
