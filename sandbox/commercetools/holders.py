"""Payments on carts and orders: each belongs to one order or one cart that can still be ordered."""

from __future__ import annotations

from sandbox.commercetools import fields
from sandbox.commercetools.errors import invalid_operation
from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store


def add_payment(store: Store, holder: Document, action: Document) -> None:
    """Carry out `addPayment` on a cart or order; one that is there already changes nothing."""
    payment_id = store.resolve("payment", fields.need_obj(action, "payment"))["id"]
    there = payment_ids(holder)
    if payment_id in there:
        return
    if any(other["id"] != holder["id"] for other in _current_holders(store, payment_id)):
        raise invalid_operation(
            f"The payment with ID '{payment_id}' is already assigned to another order"
            " or active cart."
        )
    _assign(holder, [*there, payment_id])


def remove_payment(store: Store, holder: Document, action: Document) -> None:
    """Carry out `removePayment` on a cart or order."""
    payment_id = store.resolve("payment", fields.need_obj(action, "payment"))["id"]
    _assign(holder, [id_ for id_ in payment_ids(holder) if id_ != payment_id])


def payment_ids(holder: Document) -> list[str]:
    """The payments on a cart or order, oldest first."""
    references = holder.get("paymentInfo", {}).get("payments", [])
    return [reference["id"] for reference in references]


def _assign(holder: Document, ids: list[str]) -> None:
    payments = [{"typeId": "payment", "id": id_} for id_ in ids]
    fields.assign(holder, "paymentInfo", {"payments": payments} if payments else None)


def _current_holders(store: Store, payment_id: str) -> list[Document]:
    carts = store.collection("cart").find("paymentInfo.payments.id", payment_id)
    return [
        *store.collection("order").find("paymentInfo.payments.id", payment_id),
        *(cart for cart in carts if cart["cartState"] != "Ordered"),
    ]
