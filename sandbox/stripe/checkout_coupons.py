"""Coupons: what they take off, and how that is spread over the lines of a session."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from sandbox.stripe import checkout_params as accepted
from sandbox.stripe import currencies
from sandbox.stripe.calls import Call, Operation
from sandbox.stripe.errors import invalid_request, missing_parameter, refused
from sandbox.stripe.forms import EXPAND, shape
from sandbox.stripe.listing import LISTING, page
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.state import StripeState


def redeemable(state: StripeState, key: str, currency: str) -> JsonObject:
    """The coupon that a session names; refuses one that is used up or does not fit."""
    coupon = state.find(state.coupons, key, "discounts[0][coupon]")
    if not is_valid(state, coupon):
        raise refused(
            f"Coupon {key} is expired or used up and cannot be applied.",
            code="coupon_expired",
            param="discounts[0][coupon]",
        )
    if coupon["currency"] not in (None, currency):
        raise refused(
            f"Coupon {key} takes off {coupon['currency']}, but the line items are in {currency}.",
            param="discounts[0][coupon]",
        )
    return coupon


def is_valid(state: StripeState, coupon: JsonObject) -> bool:
    """Whether a coupon can still be redeemed."""
    expired = coupon["redeem_by"] is not None and coupon["redeem_by"] <= state.now()
    used_up = (
        coupon["max_redemptions"] is not None
        and coupon["times_redeemed"] >= coupon["max_redemptions"]
    )
    return not expired and not used_up


def redeem(state: StripeState, coupon: JsonObject) -> None:
    """A session with the coupon was completed."""
    coupon["times_redeemed"] += 1
    coupon["valid"] = is_valid(state, coupon)


def discount(coupon: JsonObject, amounts: Sequence[int]) -> list[int]:
    """What the coupon takes off each of `amounts`, exact to the minor unit."""
    subtotal = sum(amounts)
    if coupon["amount_off"] is not None:
        total = min(int(coupon["amount_off"]), subtotal)
    else:
        percentage = Fraction(str(coupon["percent_off"]))
        total = int(subtotal * percentage / 100 + Fraction(1, 2))
    return _spread(total, amounts)


def _spread(total: int, weights: Sequence[int]) -> list[int]:
    """Shares of `total` in proportion to `weights`; the largest remainders get what is left."""
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: -(total * weights[i] % whole))
    for index in by_remainder[: total - sum(shares)]:
        shares[index] += 1
    return shares


def _create(call: Call) -> JsonObject:
    state, params = call.state, call.params
    if (params.get("amount_off") is None) == (params.get("percent_off") is None):
        raise invalid_request("You must pass either amount_off or percent_off, but not both.")
    currency = None
    if params.get("amount_off") is not None:
        if params.get("currency") is None:
            raise missing_parameter("currency")
        currency = currencies.check_currency(params["currency"])
        currencies.check_step(params["amount_off"], currency, "amount_off")
    key = params.get("id") or state.random_text(8)
    if key in state.coupons:
        raise refused(f"Coupon already exists: {key}.", code="resource_already_exists", param="id")
    if params.get("redeem_by") is not None and params["redeem_by"] <= state.now():
        raise invalid_request("redeem_by must be in the future.", param="redeem_by")
    coupon: JsonObject = {
        "id": key,
        "object": "coupon",
        "amount_off": params.get("amount_off"),
        "created": state.now(),
        "currency": currency,
        "duration": params.get("duration") or "once",
        "duration_in_months": None,
        "livemode": state.live,
        "max_redemptions": params.get("max_redemptions"),
        "metadata": dict(params.get("metadata") or {}),
        "name": params.get("name"),
        "percent_off": params.get("percent_off"),
        "redeem_by": params.get("redeem_by"),
        "times_redeemed": 0,
        "valid": True,
    }
    state.coupons.add(coupon)
    state.emit("coupon.created", coupon)
    return coupon


def _shown(state: StripeState, coupon: JsonObject) -> JsonObject:
    return {**coupon, "valid": is_valid(state, coupon)}


def _retrieve(call: Call) -> JsonObject:
    return _shown(call.state, call.named(call.state.coupons))


def _delete(call: Call) -> JsonObject:
    coupon = call.named(call.state.coupons)
    call.state.coupons.remove(coupon["id"])
    call.state.emit("coupon.deleted", coupon)
    return {"id": coupon["id"], "object": "coupon", "deleted": True}


def _list(call: Call) -> JsonObject:
    table = call.state.coupons
    shown = (_shown(call.state, each) for each in table.newest({}))
    return page("/v1/coupons", table, shown, call.params)


OPERATIONS = (
    Operation("POST", "/v1/coupons", _create, accepted.CREATE_COUPON),
    Operation("GET", "/v1/coupons/{id}", _retrieve, shape(EXPAND)),
    Operation("DELETE", "/v1/coupons/{id}", _delete, shape({})),
    Operation("GET", "/v1/coupons", _list, shape(LISTING)),
)
