"""Recurring orders: what an order with recurring lines leaves behind.

commercetools makes them when such a cart is ordered
(https://docs.commercetools.com/api/projects/recurring-orders, field `originOrder`). The stand-in
places no further orders, so it refers to the ordered cart in place of one of its own.
"""

from __future__ import annotations

from sandbox.commercetools import fields
from sandbox.commercetools.errors import invalid_input
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store

_STATES = {"active": "Active", "canceled": "Canceled", "expired": "Expired", "paused": "Paused"}
_MONTHLY = {"type": "standard", "value": 1, "intervalUnit": "Months"}
"""The schedule of every recurrence policy: the stand-in keeps none."""


def recur(store: Store, order: Document) -> None:
    """The recurring order of an order that was just placed, where it has recurring lines."""
    if not any("recurrenceInfo" in line for line in order["lineItems"] + order["customLineItems"]):
        return
    customer_id = order.get("customerId")
    store.insert(
        "recurring-order",
        {
            "cart": order["cart"],
            "originOrder": {"typeId": "order", "id": order["id"]},
            "startsAt": store.now(),
            "recurringOrderState": "Active",
            "schedule": _MONTHLY,
            **present(
                customer={"typeId": "customer", "id": customer_id} if customer_id else None,
                customerEmail=order.get("customerEmail"),
            ),
        },
    )


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
        " recurringOrderState schedule customer customerEmail custom".split()
    ),
    actions={"setRecurringOrderState": _set_state},
)
