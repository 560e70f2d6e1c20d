"""Carts: filled, priced, paid, frozen and in the end ordered.

An ordered cart cannot be changed any more, and a frozen one only where its price stays the same
(https://docs.commercetools.com/api/projects/carts).
"""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.catalogue import matching_rate, select_price, variant_of
from sandbox.commercetools.errors import (
    ApiError,
    invalid_field,
    invalid_operation,
    required_field,
)
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.holders import add_payment, remove_payment
from sandbox.commercetools.money import ROUNDING, cents, currency_code, read_money
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
_PRICED_FROM = (
    "lineItems",
    "customLineItems",
    "shippingAddress",
    "shippingInfo",
    "discountCodes",
)
_INITIAL_STATE = {"typeId": "state", "id": "5f1a3e0e-0000-4000-8000-000000000001"}
"""The state that commercetools gives every new line item."""


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
        _add_line_item(store, cart, line)
    for line in fields.objects(draft, "customLineItems"):
        _add_custom_line_item(store, cart, line)
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
    if before is None or any(cart.get(name) is not before.get(name) for name in _PRICED_FROM):
        price_cart(store, cart)


def _quantity(body: Document, default: int | None = None) -> int:
    quantity = fields.integer(body, "quantity")
    if quantity is None:
        quantity = default
    if quantity is None:
        raise required_field("quantity")
    if quantity < 0:
        raise invalid_field("quantity", quantity)
    return quantity


def _price(cart: Document, product_id: str, variant: Document) -> Document:
    currency, country = cart["totalPrice"]["currencyCode"], cart.get("country")
    price = select_price(variant, currency, country)
    if price is None:
        raise ApiError(
            400,
            "MatchingPriceNotFound",
            f"The variant '{variant['id']}' of product '{product_id}' has no price for"
            f" currency '{currency}'.",
            productId=product_id,
            variantId=variant["id"],
            currency=currency,
            **({} if country is None else {"country": country}),
        )
    return price


def _add_line_item(store: Store, cart: Document, action: Document) -> None:
    product, variant = variant_of(store, action)
    quantity = _quantity(action, default=1)
    custom = custom_fields.read_custom(store, fields.obj(action, "custom"), "line-item")
    recurrence = fields.obj(action, "recurrenceInfo")
    external = action.get("externalPrice") is not None
    if external:
        price = {"id": store.new_id(), "value": _in_currency(cart, action, "externalPrice")}
    else:
        price = _price(cart, product["id"], variant)
    for line in cart["lineItems"]:
        same = line["productId"] == product["id"] and line["variant"]["id"] == variant["id"]
        if same and not external and _plain(line) == (custom, recurrence, "Platform"):
            _replace_line(cart, line, line["quantity"] + quantity)
            return
    now = store.now()
    current = product["masterData"]["current"]
    line = present(
        id=store.new_id(),
        key=fields.key(action),
        productId=product["id"],
        productKey=product["key"],
        name=current["name"],
        productType=product["productType"],
        productSlug=current["slug"],
        variant={**variant, "price": price},
        price=price,
        quantity=quantity,
        priceMode="ExternalPrice" if external else "Platform",
        lineItemMode="Standard",
        discountedPricePerQuantity=[],
        perMethodTaxRate=[],
        taxedPricePortions=[],
        state=[{"quantity": quantity, "state": _INITIAL_STATE}],
        addedAt=now,
        lastModifiedAt=now,
        custom=custom,
        recurrenceInfo=recurrence,
    )
    cart["lineItems"] = [*cart["lineItems"], line]


def _plain(line: Document) -> tuple[Document | None, Document | None, str]:
    return line.get("custom"), line.get("recurrenceInfo"), line["priceMode"]


def _in_currency(cart: Document, body: Document, field: str) -> Document:
    money = read_money(body, field)
    if money["currencyCode"] != cart["totalPrice"]["currencyCode"]:
        raise invalid_field(f"{field}.currencyCode", money["currencyCode"])
    return money


def _add_custom_line_item(store: Store, cart: Document, action: Document) -> None:
    quantity = _quantity(action, default=1)
    category = fields.obj(action, "taxCategory")
    if category is None and cart["taxMode"] == "Platform":
        raise required_field("taxCategory")
    if category is not None:
        category = {"typeId": "tax-category", "id": store.resolve("tax-category", category)["id"]}
    line = present(
        id=store.new_id(),
        key=fields.key(action),
        name=fields.need_obj(action, "name"),
        slug=fields.need_text(action, "slug"),
        money=_in_currency(cart, action, "money"),
        quantity=quantity,
        taxCategory=category,
        priceMode=fields.choice(action, "priceMode", ("Standard", "External")) or "Standard",
        discountedPricePerQuantity=[],
        perMethodTaxRate=[],
        taxedPricePortions=[],
        state=[{"quantity": quantity, "state": _INITIAL_STATE}],
        custom=custom_fields.read_custom(store, fields.obj(action, "custom"), "custom-line-item"),
        recurrenceInfo=fields.obj(action, "recurrenceInfo"),
    )
    cart["customLineItems"] = [*cart["customLineItems"], line]


def _named_line(cart: Document, kind: str, action: Document) -> Document:
    """The line that an action names by id or key."""
    for by, field in (("Id", "id"), ("Key", "key")):
        wanted = fields.text(action, f"{kind}{by}")
        if wanted is not None:
            line: Document
            for line in cart[f"{kind}s"]:
                if line.get(field) == wanted:
                    return line
            raise invalid_operation(f"The cart has no {kind} with the {field} '{wanted}'.")
    raise required_field(f"{kind}Id")


def _replace_line(cart: Document, line: Document, quantity: int) -> None:
    """Give a line another quantity; none takes it away."""
    changed = [] if quantity <= 0 else [{**line, "quantity": quantity}]
    cart["lineItems"] = [
        kept for other in cart["lineItems"] for kept in (changed if other is line else [other])
    ]


def _change_quantity(_: Store, cart: Document, action: Document) -> None:
    _replace_line(cart, _named_line(cart, "lineItem", action), _quantity(action))


def _remove_line_item(_: Store, cart: Document, action: Document) -> None:
    line = _named_line(cart, "lineItem", action)
    _replace_line(cart, line, line["quantity"] - _quantity(action, default=line["quantity"]))


def _remove_custom_line_item(_: Store, cart: Document, action: Document) -> None:
    line = _named_line(cart, "customLineItem", action)
    cart["customLineItems"] = [other for other in cart["customLineItems"] if other is not line]


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


def _reprice(cart: Document, store: Store) -> None:
    """Take the prices of the catalogue again for the cart's country."""
    lines = []
    for line in cart["lineItems"]:
        if line["priceMode"] == "Platform":
            price = _price(cart, line["productId"], variant_of(store, _draft(line))[1])
            line = {**line, "price": price, "variant": {**line["variant"], "price": price}}
        lines.append(line)
    cart["lineItems"] = lines


def _draft(line: Document) -> Document:
    return {"productId": line["productId"], "variantId": line["variant"]["id"]}


def _set_country(store: Store, cart: Document, action: Document) -> None:
    assign(cart, "country", fields.text(action, "country"))
    _reprice(cart, store)


def _recalculate(store: Store, cart: Document, _: Document) -> None:
    _reprice(cart, store)


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
    _reprice(cart, store)


def _set_custom_type(store: Store, cart: Document, action: Document) -> None:
    custom_fields.set_type(store, cart, action, "order")


def _set_recurrence(kind: str, _: Store, cart: Document, action: Document) -> None:
    line = _named_line(cart, kind, action)
    changed = dict(line)
    assign(changed, "recurrenceInfo", fields.obj(action, "recurrenceInfo"))
    cart[f"{kind}s"] = [changed if other is line else other for other in cart[f"{kind}s"]]


def _set_line_custom_type(store: Store, cart: Document, action: Document) -> None:
    line = _named_line(cart, "lineItem", action)
    changed = dict(line)
    custom_fields.set_type(store, changed, action, "line-item")
    cart["lineItems"] = [changed if other is line else other for other in cart["lineItems"]]


def _set_line_custom_field(store: Store, cart: Document, action: Document) -> None:
    line = _named_line(cart, "lineItem", action)
    changed = dict(line)
    custom_fields.set_field(store, changed, action)
    cart["lineItems"] = [changed if other is line else other for other in cart["lineItems"]]


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
        "addCustomLineItem": _add_custom_line_item,
        "addDiscountCode": _add_discount_code,
        "addLineItem": _add_line_item,
        "addPayment": add_payment,
        "changeLineItemQuantity": _change_quantity,
        "freezeCart": _freeze,
        "recalculate": _recalculate,
        "removeCustomLineItem": _remove_custom_line_item,
        "removeDiscountCode": _remove_discount_code,
        "removeLineItem": _remove_line_item,
        "removePayment": remove_payment,
        "setAnonymousId": partial(_set_text, "anonymousId", "anonymousId"),
        "setBillingAddress": _set_billing_address,
        "setCountry": _set_country,
        "setCustomField": custom_fields.set_field,
        "setCustomLineItemRecurrenceInfo": partial(_set_recurrence, "customLineItem"),
        "setCustomType": _set_custom_type,
        "setCustomerEmail": partial(_set_text, "customerEmail", "email"),
        "setCustomerId": _set_customer_id,
        "setKey": _set_key,
        "setLineItemCustomField": _set_line_custom_field,
        "setLineItemCustomType": _set_line_custom_type,
        "setLineItemRecurrenceInfo": partial(_set_recurrence, "lineItem"),
        "setLocale": partial(_set_text, "locale", "locale"),
        "setShippingAddress": _set_shipping_address,
        "setShippingMethod": _set_shipping_method,
        "unfreezeCart": _unfreeze,
    },
)
