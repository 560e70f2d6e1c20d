"""Orders: a cart as it was when it was ordered, and its later states.

https://docs.commercetools.com/api/projects/orders
"""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.cart_lines import outdated, sold_out
from sandbox.commercetools.errors import ApiError, invalid_operation
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.holders import add_payment, remove_payment
from sandbox.commercetools.paths import Document
from sandbox.commercetools.recurring_orders import recur
from sandbox.commercetools.resource import Resource, check_version
from sandbox.commercetools.state import Store

_ORDER_STATES = ("Open", "Confirmed", "Complete", "Cancelled")
_PAYMENT_STATES = ("BalanceDue", "Failed", "Pending", "CreditOwed", "Paid")
_SHIPMENT_STATES = (
    "Shipped",
    "Delivered",
    "Ready",
    "Pending",
    "Delayed",
    "Partial",
    "Backorder",
    "Canceled",
)
_CART_ONLY = frozenset(
    "id version createdAt lastModifiedAt key cartState freezeStrategy lock"
    " totalLineItemQuantity".split()
)


def create(store: Store, draft: Document) -> Document:
    """Place a cart: the order takes over what it holds, and the cart is Ordered from then on."""
    identifier = fields.obj(draft, "cart") or {"id": fields.need_text(draft, "id")}
    cart = store.resolve("cart", identifier)
    check_version(cart, fields.need_integer(draft, "version"))
    _check_orderable(store, cart)
    custom = fields.obj(draft, "custom")
    order = {name: value for name, value in cart.items() if name not in _CART_ONLY}
    order |= present(
        orderNumber=fields.text(draft, "orderNumber"),
        orderState=fields.choice(draft, "orderState", _ORDER_STATES) or "Open",
        paymentState=fields.choice(draft, "paymentState", _PAYMENT_STATES),
        shipmentState=fields.choice(draft, "shipmentState", _SHIPMENT_STATES),
        custom=custom_fields.read_custom(store, custom, "order") or cart.get("custom"),
        cart={"typeId": "cart", "id": cart["id"]},
        syncInfo=[],
        returnInfo=[],
    )
    placed = store.insert("order", order)
    store.replace("cart", {**cart, "cartState": "Ordered"})
    recur(store, placed)
    return placed


def _check_orderable(store: Store, cart: Document) -> None:
    if cart["cartState"] == "Ordered":
        raise invalid_operation(f"The cart with ID '{cart['id']}' is not in active state.")
    if not cart["lineItems"] and not cart["customLineItems"]:
        raise invalid_operation("An order cannot be created from an empty cart.")
    if "shippingAddress" not in cart:
        raise invalid_operation("The cart has no shipping address.")
    for entry in cart["discountCodes"]:
        if entry["state"] != "MatchesCart":
            id_ = entry["discountCode"]["id"]
            raise ApiError(
                400,
                "DiscountCodeNonApplicable",
                f"The discount code '{id_}' cannot be applied to the cart.",
                discountCodeId=id_,
                reason=entry["state"],
            )
    shipping = cart.get("shippingInfo")
    if shipping is not None and shipping["shippingMethodState"] != "MatchesCart":
        raise ApiError(
            400,
            "ShippingMethodDoesNotMatchCart",
            "The cart contains a shipping method that is not allowed for it."
            " In this case, the ShippingMethodState value is DoesNotMatchCart.",
        )
    _check_lines(store, cart)


def _check_lines(store: Store, cart: Document) -> None:
    """Prices as they are now, and stock: PriceChanged and OutOfStock of the published API.

    https://docs.commercetools.com/api/errors; a frozen cart keeps its prices.
    """
    changed = [] if cart["cartState"] == "Frozen" else outdated(store, cart)
    if changed:
        raise ApiError(
            400,
            "PriceChanged",
            "The price or tax of some line items changed at the time of placing the order.",
            lineItems=changed,
            shipping=False,
        )
    missing = sold_out(store, cart) if cart["inventoryMode"] == "ReserveOnOrder" else []
    if missing:
        raise ApiError(
            400,
            "OutOfStock",
            "Some line items are out of stock at the time of placing the order.",
            lineItems=[line["id"] for line in missing],
            skus=[line["variant"]["sku"] for line in missing],
        )


def _change_state(
    field: str, allowed: tuple[str, ...], _: Store, order: Document, action: Document
) -> None:
    order[field] = fields.need_choice(action, field, allowed)


def _change_payment_state(_: Store, order: Document, action: Document) -> None:
    assign(order, "paymentState", fields.choice(action, "paymentState", _PAYMENT_STATES))


def _set_order_number(_: Store, order: Document, action: Document) -> None:
    number = fields.text(action, "orderNumber")
    if order.get("orderNumber", number) != number:
        raise invalid_operation("The orderNumber is already set and cannot be changed.")
    assign(order, "orderNumber", number)


def _set_text(field: str, action_field: str, _: Store, order: Document, action: Document) -> None:
    assign(order, field, fields.text(action, action_field))


def _set_address(field: str, _: Store, order: Document, action: Document) -> None:
    assign(order, field, fields.address(action, "address"))


def _set_custom_type(store: Store, order: Document, action: Document) -> None:
    custom_fields.set_type(store, order, action, "order")


ORDERS = Resource(
    type_id="order",
    path="orders",
    view=("view_orders",),
    manage=("manage_orders",),
    identifiers={"order-number": "orderNumber"},
    fields=frozenset(
        "id version createdAt lastModifiedAt orderNumber customerId customerEmail anonymousId"
        " store country locale billingAddress shippingAddress custom lineItems customLineItems"
        " totalPrice taxedPrice paymentInfo orderState paymentState shipmentState cart"
        " origin".split()
    ),
    create=create,
    deletable=True,
    actions={
        "addPayment": add_payment,
        "changeOrderState": partial(_change_state, "orderState", _ORDER_STATES),
        "changePaymentState": _change_payment_state,
        "changeShipmentState": partial(_change_state, "shipmentState", _SHIPMENT_STATES),
        "removePayment": remove_payment,
        "setBillingAddress": partial(_set_address, "billingAddress"),
        "setCustomField": custom_fields.set_field,
        "setCustomType": _set_custom_type,
        "setCustomerEmail": partial(_set_text, "customerEmail", "email"),
        "setLocale": partial(_set_text, "locale", "locale"),
        "setOrderNumber": _set_order_number,
        "setShippingAddress": partial(_set_address, "shippingAddress"),
    },
)
