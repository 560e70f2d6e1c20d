"""What a checkout session sells: lines with their prices, shipping rates, and the sums."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.stripe import checkout_coupons as coupons
from sandbox.stripe import currencies, products
from sandbox.stripe.errors import invalid_request, no_such
from sandbox.stripe.forms import merge_metadata
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import SessionContents, StripeState

_MAX_ITEMS, _MAX_SHIPPING_OPTIONS = 100, 5


def build_items(
    state: StripeState, sent: Sequence[Mapping[str, Any]], kept: Sequence[JsonObject] = ()
) -> list[JsonObject]:
    """The lines of a session, all in one currency; an `id` keeps, and may change, an old line."""
    if not sent:
        raise invalid_request("Provide at least one line item.", param="line_items")
    if len(sent) > _MAX_ITEMS:
        raise invalid_request(
            f"A session can have up to {_MAX_ITEMS} line items.", param="line_items"
        )
    by_id = {each["id"]: each for each in kept}
    items = [_item(state, line, by_id, f"line_items[{index}]") for index, line in enumerate(sent)]
    others = {each["currency"] for each in items} - {items[0]["currency"]}
    if others:
        raise invalid_request(
            "All line items must be in the same currency:"
            f" found {items[0]['currency']} and {', '.join(sorted(others))}.",
            param="line_items",
        )
    return items


def build_shipping(
    state: StripeState, sent: Sequence[Mapping[str, Any]], currency: str
) -> list[JsonObject]:
    """The shipping options of a session; their rates are kept."""
    if len(sent) > _MAX_SHIPPING_OPTIONS:
        raise invalid_request(
            f"A session can have up to {_MAX_SHIPPING_OPTIONS} shipping options.",
            param="shipping_options",
        )
    return [
        _shipping_option(state, each["shipping_rate_data"], currency, f"shipping_options[{index}]")
        for index, each in enumerate(sent)
    ]


def price(session: JsonObject, contents: SessionContents) -> None:
    """Work out a session's sums from its lines, its shipping rate and its coupon.

    A coupon takes off lines, never shipping. Prices hold their tax: nothing is added.
    """
    subtotals = [each["amount_subtotal"] for each in contents.items]
    reductions = [0] * len(subtotals)
    if contents.coupon is not None:
        reductions = coupons.discount(contents.coupon, subtotals)
    for item, reduction in zip(contents.items, reductions, strict=True):
        item["amount_discount"] = reduction
        item["amount_total"] = item["amount_subtotal"] - reduction
    cost = session["shipping_cost"]
    shipping = cost["amount_total"] if cost else 0
    total = sum(subtotals) - sum(reductions) + shipping
    if total:
        currencies.check_amount(total, session["currency"])
    session.update(
        amount_subtotal=sum(subtotals),
        amount_total=total,
        payment_status="unpaid" if total else "no_payment_required",
        total_details={
            "amount_discount": sum(reductions),
            "amount_shipping": shipping,
            "amount_tax": 0,
        },
    )


def choose_shipping(session: JsonObject, rate: str | None) -> None:
    """Ship by the option with the given rate; None takes the first one, if there are any."""
    options = session["shipping_options"]
    chosen = next((each for each in options if rate in (None, each["shipping_rate"])), None)
    if chosen is None and rate is not None:
        raise no_such("shipping rate", rate, "shipping_rate")
    session["shipping_cost"] = chosen and {
        "amount_subtotal": chosen["shipping_amount"],
        "amount_tax": 0,
        "amount_total": chosen["shipping_amount"],
        "shipping_rate": chosen["shipping_rate"],
    }


def _item(
    state: StripeState, sent: Mapping[str, Any], kept: Mapping[str, JsonObject], path: str
) -> JsonObject:
    old = None
    if sent.get("id") is not None:
        old = kept.get(sent["id"])
        if old is None:
            raise no_such("line item", sent["id"], f"{path}[id]")
    data, quantity = sent.get("price_data"), sent.get("quantity")
    chosen = sent.get("price")
    if old is None and ((data is None) == (chosen is None) or quantity is None):
        raise invalid_request(
            "A new line item needs a quantity, and either price or price_data.",
            code="parameter_missing",
            param=path,
        )
    if data is not None:
        shown_price = products.price_of_one_line(state, data, f"{path}[price_data]")
    elif chosen is not None:
        shown_price = state.find(state.prices, chosen, f"{path}[price]")
    else:
        shown_price = (old or {})["price"]
    quantity = quantity or (old or {})["quantity"]
    item_metadata = dict((old or {}).get("metadata") or {})
    merge_metadata(item_metadata, sent)
    amount = shown_price["unit_amount"] * quantity
    return {
        "id": old["id"] if old else state.new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": shown_price["currency"],
        "description": state.products[shown_price["product"]]["name"],
        "metadata": item_metadata,
        "price": shown_price,
        "quantity": quantity,
    }


def _shipping_option(
    state: StripeState, data: Mapping[str, Any], currency: str, path: str
) -> JsonObject:
    amount = data["fixed_amount"]["amount"]
    given = currencies.check_currency(data["fixed_amount"]["currency"])
    if given != currency:
        raise invalid_request(
            f"Shipping is in {given}, but the line items are in {currency}.", param=path
        )
    currencies.check_step(amount, currency, f"{path}[shipping_rate_data][fixed_amount][amount]")
    rate: JsonObject = {
        "id": state.new_id("shr"),
        "object": "shipping_rate",
        "active": False,
        "created": state.now(),
        "delivery_estimate": None,
        "display_name": data["display_name"],
        "fixed_amount": {"amount": amount, "currency": currency},
        "livemode": state.live,
        "metadata": dict(data.get("metadata") or {}),
        "tax_behavior": data.get("tax_behavior") or "unspecified",
        "tax_code": None,
        "type": "fixed_amount",
    }
    state.shipping_rates.add(rate)
    return {"shipping_amount": amount, "shipping_rate": rate["id"]}
