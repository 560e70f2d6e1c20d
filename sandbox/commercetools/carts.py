"""Carts: filled, priced, paid, frozen, locked and in the end ordered.

An ordered cart cannot be changed any more, a frozen one only where its price stays the same, and a
locked one only with a scope of its own (https://docs.commercetools.com/api/projects/carts).

Every update of a cart takes prices, discounts, taxes and shipping anew, whatever its actions say;
a read never does (release note of 12 September 2018, https://docs.commercetools.com/release-notes).
So does an update that only adds a payment.
"""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.cart_lines import (
    LINE_ACTIONS,
    add_custom_line_item,
    add_line_item,
    reprice,
)
from sandbox.commercetools.catalogue import matching_rate
from sandbox.commercetools.errors import ApiError, invalid_operation
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.holders import add_payment, remove_payment
from sandbox.commercetools.money import ROUNDING, cents, currency_code
from sandbox.commercetools.paths import Document
from sandbox.commercetools.pricing import price_cart
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store

_BLOCKED_WHEN_FROZEN = frozenset(
    "addLineItem addCustomLineItem changeLineItemQuantity removeLineItem removeCustomLineItem"
    " setCountry recalculate".split()
)
_BLOCKED_WHEN_HARD_FROZEN = _BLOCKED_WHEN_FROZEN | frozenset(
    "addDiscountCode removeDiscountCode setShippingMethod setShippingAddress".split()
)
LOCKING = ("manage_locked_carts",)
"""The scope without which a locked cart is neither changed nor unlocked."""

_LOCK_ACTIONS = frozenset({"lockCart", "unlockCart"})
_PRICED_FROM = (
    "lineItems",
    "customLineItems",
    "shippingAddress",
    "shippingInfo",
    "discountCodes",
)


def create(store: Store, draft: Document) -> Document:
    """A cart of a CartDraft."""
    currency = currency_code(draft, "currency")
    customer_id = fields.text(draft, "customerId")
    if customer_id is not None:
        store.resolve("customer", {"id": customer_id})
    cart = present(
        key=fields.key(draft),
        customerId=customer_id,
        customerEmail=fields.text(draft, "customerEmail"),
        anonymousId=fields.text(draft, "anonymousId"),
        store=fields.obj(draft, "store"),
        country=fields.text(draft, "country"),
        locale=fields.text(draft, "locale"),
        billingAddress=fields.address(draft, "billingAddress"),
        shippingAddress=fields.address(draft, "shippingAddress"),
        custom=custom_fields.read_custom(store, fields.obj(draft, "custom"), "order"),
        purchaseOrderNumber=fields.text(draft, "purchaseOrderNumber"),
        cartState="Active",
        lineItems=[],
        customLineItems=[],
        totalPrice=cents(0, currency),
        taxMode=fields.choice(draft, "taxMode", ("Platform", "Disabled")) or "Platform",
        priceRoundingMode="HalfEven",
        taxRoundingMode=fields.choice(draft, "taxRoundingMode", tuple(ROUNDING)) or "HalfEven",
        taxCalculationMode=fields.choice(
            draft, "taxCalculationMode", ("LineItemLevel", "UnitPriceLevel")
        )
        or "LineItemLevel",
        inventoryMode=fields.choice(draft, "inventoryMode", ("None", "TrackOnly", "ReserveOnOrder"))
        or "None",
        shippingMode="Single",
        shipping=[],
        itemShippingAddresses=[],
        discountCodes=[],
        directDiscounts=[],
        refusedGifts=[],
        origin=fields.choice(draft, "origin", ("Customer", "Merchant", "Quote")) or "Customer",
    )
    for line in fields.objects(draft, "lineItems"):
        add_line_item(store, cart, line)
    for line in fields.objects(draft, "customLineItems"):
        add_custom_line_item(store, cart, line)
    for code in fields.strings(draft, "discountCodes"):
        _add_discount_code(store, cart, {"code": code})
    if draft.get("shippingMethod") is not None:
        _set_shipping_method(store, cart, draft)
    price_cart(store, cart)
    return store.insert("cart", cart)


def _guard(_: Store, cart: Document, action: str) -> None:
    if cart["cartState"] == "Ordered":
        raise invalid_operation(f"The cart with ID '{cart['id']}' is not in active state.")
    if cart["cartState"] == "Frozen":
        hard = cart["freezeStrategy"] == "HardFreeze"
        if action in (_BLOCKED_WHEN_HARD_FROZEN if hard else _BLOCKED_WHEN_FROZEN):
            raise invalid_operation(f"The cart is frozen: '{action}' is not allowed.")


def _settle(store: Store, cart: Document) -> None:
    before = store.collection("cart").get(cart["id"])
    if cart == before:
        return
    state = cart["cartState"]
    if state == "Active":
        # What freezing keeps as it is: https://docs.commercetools.com/api/releases/2026-01-21-introduced-cart-freeze-strategies
        reprice(store, cart)
        cart["discountCodes"] = [_current(store, entry) for entry in cart["discountCodes"]]
    touched = before is None or any(cart.get(name) is not before.get(name) for name in _PRICED_FROM)
    if touched or state == "Active":
        price_cart(store, cart)


def _set_shipping_address(_: Store, cart: Document, action: Document) -> None:
    given = fields.address(action, "address")
    assign(cart, "shippingAddress", given)
    if given is None:
        cart.pop("shippingInfo", None)


def _set_billing_address(_: Store, cart: Document, action: Document) -> None:
    assign(cart, "billingAddress", fields.address(action, "address"))


def _set_shipping_method(store: Store, cart: Document, action: Document) -> None:
    identifier = fields.obj(action, "shippingMethod")
    if identifier is None:
        cart.pop("shippingInfo", None)
        return
    if "shippingAddress" not in cart:
        raise invalid_operation("The shipping address is not set.")
    method = store.resolve("shipping-method", identifier)
    rate = matching_rate(store, method, cart)
    if rate is None:
        raise invalid_operation(
            f"The shipping method with ID '{method['id']}' has no rate for the cart's"
            " shipping address and currency."
        )
    cart["shippingInfo"] = {
        "shippingMethodName": method["name"],
        "price": rate["price"],
        "shippingRate": rate,
        "taxCategory": method["taxCategory"],
        "shippingMethod": {"typeId": "shipping-method", "id": method["id"]},
        "shippingMethodState": "MatchesCart",
        "deliveries": [],
    }


def _set_text(field: str, action_field: str, _: Store, cart: Document, action: Document) -> None:
    assign(cart, field, fields.text(action, action_field))


def _set_key(_: Store, cart: Document, action: Document) -> None:
    assign(cart, "key", fields.key(action))


def _set_customer_id(store: Store, cart: Document, action: Document) -> None:
    customer_id = fields.text(action, "customerId")
    if customer_id is not None:
        store.resolve("customer", {"id": customer_id})
        cart.pop("anonymousId", None)
    assign(cart, "customerId", customer_id)


def _set_country(store: Store, cart: Document, action: Document) -> None:
    assign(cart, "country", fields.text(action, "country"))
    reprice(store, cart)


def _recalculate(store: Store, cart: Document, _: Document) -> None:
    reprice(store, cart)


def _add_discount_code(store: Store, cart: Document, action: Document) -> None:
    text = fields.need_text(action, "code")
    found = store.collection("discount-code").find("code", text)
    if not found:
        raise ApiError(
            400,
            "DiscountCodeNonApplicable",
            f"The discount code '{text}' could not be found.",
            discountCode=text,
            reason="DoesNotExist",
        )
    entry = {
        "discountCode": {"typeId": "discount-code", "id": found[0]["id"]},
        "state": "MatchesCart" if found[0]["isActive"] else "NotActive",
    }
    if entry not in cart["discountCodes"]:
        cart["discountCodes"] = [*cart["discountCodes"], entry]


def _current(store: Store, entry: Document) -> Document:
    """A discount code of a cart, with the state that it has by now."""
    code = store.resolve("discount-code", entry["discountCode"])
    return {**entry, "state": "MatchesCart" if code["isActive"] else "NotActive"}


def _remove_discount_code(_: Store, cart: Document, action: Document) -> None:
    id_ = fields.need_text(fields.need_obj(action, "discountCode"), "id")
    kept = [entry for entry in cart["discountCodes"] if entry["discountCode"]["id"] != id_]
    if len(kept) == len(cart["discountCodes"]):
        raise invalid_operation(f"The cart has no discount code with the id '{id_}'.")
    cart["discountCodes"] = kept


def _freeze(_: Store, cart: Document, action: Document) -> None:
    strategy = fields.choice(action, "strategy", ("SoftFreeze", "HardFreeze"))
    if cart["cartState"] != "Active":
        raise invalid_operation("Only an active cart can be frozen.")
    if not cart["lineItems"] and not cart["customLineItems"]:
        raise invalid_operation("An empty cart cannot be frozen.")
    cart["cartState"] = "Frozen"
    cart["freezeStrategy"] = strategy or "SoftFreeze"


def _unfreeze(store: Store, cart: Document, _: Document) -> None:
    if cart["cartState"] != "Frozen":
        raise invalid_operation("The cart is not frozen.")
    cart["cartState"] = "Active"
    del cart["freezeStrategy"]
    reprice(store, cart)


def touches_a_lock(cart: Document, body: Document) -> bool:
    """Whether an update needs the scope for locked carts."""
    actions = fields.objects(body, "actions")
    return "lock" in cart or any(action.get("action") in _LOCK_ACTIONS for action in actions)


def locked_by(client_id: str, body: Document) -> Document:
    """The update, its locks with the API client that sets them."""
    actions = [
        {**action, "clientId": client_id} if action.get("action") == "lockCart" else action
        for action in fields.objects(body, "actions")
    ]
    return {**body, "actions": actions}


def _lock(store: Store, cart: Document, action: Document) -> None:
    cart["lock"] = {"createdAt": store.now(), "clientId": fields.need_text(action, "clientId")}


def _unlock(_: Store, cart: Document, __: Document) -> None:
    cart.pop("lock", None)


def _set_custom_type(store: Store, cart: Document, action: Document) -> None:
    custom_fields.set_type(store, cart, action, "order")


CARTS = Resource(
    type_id="cart",
    path="carts",
    view=("view_orders",),
    manage=("manage_orders",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key customerId customerEmail anonymousId store"
        " country locale billingAddress shippingAddress shippingInfo custom cartState lineItems"
        " customLineItems totalPrice taxedPrice paymentInfo discountCodes origin".split()
    ),
    create=create,
    guard=_guard,
    settle=_settle,
    deletable=True,
    actions={
        **LINE_ACTIONS,
        "addDiscountCode": _add_discount_code,
        "addPayment": add_payment,
        "freezeCart": _freeze,
        "lockCart": _lock,
        "recalculate": _recalculate,
        "removeDiscountCode": _remove_discount_code,
        "removePayment": remove_payment,
        "setAnonymousId": partial(_set_text, "anonymousId", "anonymousId"),
        "setBillingAddress": _set_billing_address,
        "setCountry": _set_country,
        "setCustomField": custom_fields.set_field,
        "setCustomType": _set_custom_type,
        "setCustomerEmail": partial(_set_text, "customerEmail", "email"),
        "setCustomerId": _set_customer_id,
        "setKey": _set_key,
        "setLocale": partial(_set_text, "locale", "locale"),
        "setShippingAddress": _set_shipping_address,
        "setShippingMethod": _set_shipping_method,
        "unfreezeCart": _unfreeze,
        "unlockCart": _unlock,
    },
)
