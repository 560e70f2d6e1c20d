"""The lines of a cart: variants of products at their price, and lines that a shop makes up."""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.catalogue import select_price, variant_of
from sandbox.commercetools.errors import (
    ApiError,
    invalid_field,
    invalid_operation,
    required_field,
)
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.money import read_money
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Action
from sandbox.commercetools.state import Store

_INITIAL_STATE = {"typeId": "state", "id": "5f1a3e0e-0000-4000-8000-000000000001"}
"""The state that commercetools gives every new line item."""


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


def add_line_item(store: Store, cart: Document, action: Document) -> None:
    """Carry out `addLineItem`; the same variant again only raises the quantity."""
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


def add_custom_line_item(store: Store, cart: Document, action: Document) -> None:
    """Carry out `addCustomLineItem`."""
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


def reprice(store: Store, cart: Document) -> None:
    """Take the prices of the catalogue again for the cart's country."""
    lines = []
    for line in cart["lineItems"]:
        if line["priceMode"] == "Platform":
            price = _price(cart, line["productId"], variant_of(store, _draft(line))[1])
            line = {**line, "price": price, "variant": {**line["variant"], "price": price}}
        lines.append(line)
    cart["lineItems"] = lines


def outdated(store: Store, cart: Document) -> list[str]:
    """Lines that the catalogue would price differently by now."""
    return [
        line["id"]
        for line in cart["lineItems"]
        if line["priceMode"] == "Platform"
        and _price(cart, line["productId"], variant_of(store, _draft(line))[1])["value"]
        != line["price"]["value"]
    ]


def sold_out(store: Store, cart: Document) -> list[Document]:
    """Lines of which fewer are in stock than the cart holds; without inventory all are in stock."""
    return [
        line
        for line in cart["lineItems"]
        if (stock := variant_of(store, _draft(line))[1].get("availability", {})).get(
            "availableQuantity"
        )
        is not None
        and stock["availableQuantity"] < line["quantity"]
    ]


def _draft(line: Document) -> Document:
    return {"productId": line["productId"], "variantId": line["variant"]["id"]}


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


LINE_ACTIONS: dict[str, Action] = {
    "addCustomLineItem": add_custom_line_item,
    "addLineItem": add_line_item,
    "changeLineItemQuantity": _change_quantity,
    "removeCustomLineItem": _remove_custom_line_item,
    "removeLineItem": _remove_line_item,
    "setCustomLineItemRecurrenceInfo": partial(_set_recurrence, "customLineItem"),
    "setLineItemCustomField": _set_line_custom_field,
    "setLineItemCustomType": _set_line_custom_type,
    "setLineItemRecurrenceInfo": partial(_set_recurrence, "lineItem"),
}
"""Update actions of a cart that concern its lines."""
