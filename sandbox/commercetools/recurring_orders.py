"""Recurring orders: what an order with recurring lines leaves behind.

commercetools makes them when such a cart is ordered, with a cart of their own for the orders to
come (https://docs.commercetools.com/api/projects/recurring-orders, fields `originOrder`, `cart`).
"""

from __future__ import annotations

import calendar
from datetime import datetime

from sandbox.commercetools import fields
from sandbox.commercetools.errors import invalid_input
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.pricing import price_cart
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store
from sandbox.commercetools.times import timestamp

ORIGIN = "RecurringOrder"
"""The `origin` of their carts."""
_STATES = {"active": "Active", "canceled": "Canceled", "expired": "Expired", "paused": "Paused"}
_MONTHLY = {"type": "standard", "value": 1, "intervalUnit": "Months"}
"""The schedule of every recurrence policy: the stand-in keeps none."""
_ONCE = frozenset(
    "id version createdAt lastModifiedAt key cartState freezeStrategy lock paymentInfo"
    " recurringPaymentConfiguration".split()
)


def recur(store: Store, order: Document) -> None:
    """The recurring order of an order that was just placed, where it has recurring lines."""
    if order["origin"] == ORIGIN or not _recurring(order["lineItems"] + order["customLineItems"]):
        return
    customer_id, now = order.get("customerId"), store.now()
    cart = store.collection("cart").get(order["cart"]["id"]) or {}
    lines = {name: _recurring(cart[name]) for name in ("lineItems", "customLineItems")}
    template = copy_of(store, {**cart, **lines, "discountCodes": []})
    store.insert(
        "recurring-order",
        {
            "cart": {"typeId": "cart", "id": template["id"]},
            "originOrder": {"typeId": "order", "id": order["id"]},
            "startsAt": now,
            "nextOrderAt": a_month_after(now),
            "recurringOrderState": "Active",
            "schedule": _MONTHLY,
            **present(
                customer={"typeId": "customer", "id": customer_id} if customer_id else None,
                customerEmail=order.get("customerEmail"),
            ),
        },
    )


def copy_of(store: Store, cart: Document) -> Document:
    """A new cart with the same lines at today's sums, for orders that come again."""
    kept = {name: value for name, value in cart.items() if name not in _ONCE}
    copied = {**kept, "cartState": "Active", "origin": ORIGIN}
    price_cart(store, copied)
    return store.insert("cart", copied)


def a_month_after(moment: str) -> str:
    """The same day of the following month, or its last."""
    before = datetime.fromisoformat(moment)
    year, month = before.year + before.month // 12, before.month % 12 + 1
    day = min(before.day, calendar.monthrange(year, month)[1])
    return timestamp(before.replace(year=year, month=month, day=day))


def _recurring(lines: list[Document]) -> list[Document]:
    return [line for line in lines if "recurrenceInfo" in line]


def _set_state(_: Store, recurring: Document, action: Document) -> None:
    named = fields.need_text(fields.need_obj(action, "recurringOrderState"), "type")
    if named not in _STATES:
        raise invalid_input(f"recurringOrderState: '{named}' is none.")
    recurring["recurringOrderState"] = _STATES[named]


RECURRING_ORDERS = Resource(
    type_id="recurring-order",
    path="recurring-orders",
    view=("view_recurring_orders",),
    manage=("manage_recurring_orders",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key cart originOrder startsAt expiresAt"
        " lastOrderAt nextOrderAt recurringOrderState schedule customer customerEmail"
        " custom".split()
    ),
    actions={"setRecurringOrderState": _set_state},
)
