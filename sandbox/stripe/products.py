"""Products and prices: those of a catalogue, and those that exist for one line of a session only.

https://docs.stripe.com/api/products, https://docs.stripe.com/api/prices
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.stripe import currencies
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, missing_parameter
from sandbox.stripe.forms import EXPAND, array, boolean, integer, metadata, one_of, shape, text
from sandbox.stripe.listing import LISTING, page
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState

_MAX_IMAGES = 8
_TAX_BEHAVIOUR = one_of("exclusive", "inclusive", "unspecified")


def price_of_one_line(state: StripeState, data: Mapping[str, Any], path: str) -> JsonObject:
    """A price that exists for one line only, with its product."""
    currency = currencies.check_currency(data["currency"])
    currencies.check_step(data["unit_amount"], currency, f"{path}[unit_amount]")
    product = _product(state, data["product_data"], f"{path}[product_data]", active=False)
    return _price(state, data, product["id"], currency, active=False)


def _product(state: StripeState, sent: Mapping[str, Any], path: str, *, active: bool) -> JsonObject:
    images = sent.get("images") or []
    if len(images) > _MAX_IMAGES:
        raise invalid_request(
            f"A product can have up to {_MAX_IMAGES} images.",
            param=f"{path}[images]" if path else "images",
        )
    product: JsonObject = {
        "id": state.new_id("prod", 14),
        "object": "product",
        "active": active,
        "created": state.now(),
        "default_price": None,
        "description": sent.get("description"),
        "images": images,
        "livemode": state.live,
        "marketing_features": [],
        "metadata": dict(sent.get("metadata") or {}),
        "name": sent["name"],
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "type": "service",
        "unit_label": None,
        "updated": state.now(),
        "url": None,
    }
    state.products.add(product)
    return product


def _price(
    state: StripeState, sent: Mapping[str, Any], product: str, currency: str, *, active: bool
) -> JsonObject:
    return {
        "id": state.new_id("price"),
        "object": "price",
        "active": active,
        "billing_scheme": "per_unit",
        "created": state.now(),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": state.live,
        "lookup_key": None,
        "metadata": dict(sent.get("metadata") or {}),
        "nickname": sent.get("nickname"),
        "product": product,
        "recurring": None,
        "tax_behavior": sent.get("tax_behavior") or "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": sent["unit_amount"],
        "unit_amount_decimal": str(sent["unit_amount"]),
    }


def _create_product(call: Call) -> JsonObject:
    active = call.params.get("active") is not False
    product = _product(call.state, call.params, "", active=active)
    call.state.emit("product.created", product)
    return product


def _create_price(call: Call) -> JsonObject:
    state, params = call.state, call.params
    currency = currencies.check_currency(params["currency"])
    if params.get("unit_amount") is None:
        raise missing_parameter("unit_amount")
    currencies.check_step(params["unit_amount"], currency, "unit_amount")
    product = state.find(state.products, params["product"], "product")
    active = params.get("active") is not False
    price = _price(state, params, product["id"], currency, active=active)
    state.prices.add(price)
    state.emit("price.created", price)
    return price


def _list_products(call: Call) -> JsonObject:
    products = call.state.products
    active = [each for each in products.newest({}) if each["active"]]
    return page("/v1/products", products, active, call.params)


def _list_prices(call: Call) -> JsonObject:
    prices = call.state.prices
    return page("/v1/prices", prices, prices.newest({}), call.params)


OPERATIONS = (
    Operation(
        "POST",
        "/v1/products",
        _create_product,
        shape(
            {
                **EXPAND,
                "active": boolean,
                "description": text,
                "images": array(text),
                "metadata": metadata,
                "name": text,
            },
            required=("name",),
        ),
    ),
    Operation("GET", "/v1/products", _list_products, shape(LISTING)),
    Operation(
        "GET", "/v1/products/{id}", lambda call: call.named(call.state.products), shape(EXPAND)
    ),
    Operation(
        "POST",
        "/v1/prices",
        _create_price,
        shape(
            {
                **EXPAND,
                "active": boolean,
                "currency": text,
                "metadata": metadata,
                "nickname": text,
                "product": text,
                "tax_behavior": _TAX_BEHAVIOUR,
                "unit_amount": integer,
            },
            required=("currency", "product"),
        ),
    ),
    Operation("GET", "/v1/prices", _list_prices, shape(LISTING)),
    Operation("GET", "/v1/prices/{id}", lambda call: call.named(call.state.prices), shape(EXPAND)),
)
