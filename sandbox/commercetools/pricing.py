"""What a cart costs: line items, discounts, shipping and taxes, added up as commercetools does.

Every line is rounded on its own, so sums of taxes are sums of rounded lines. A discount on the
total price is spread over the tax rates in proportion to what each has.
"""

from __future__ import annotations

from decimal import Decimal

from sandbox.commercetools.catalogue import matching_rate, tax_rate
from sandbox.commercetools.money import allocate, cents, rounded
from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store


def price_cart(store: Store, cart: Document) -> None:
    """Recompute every amount of a working copy of a cart; 400 where a tax rate is missing."""
    currency = cart["totalPrice"]["currencyCode"]
    discounts = _discounts(store, cart)
    cart["lineItems"] = [_line(store, cart, line, discounts) for line in cart["lineItems"]]
    cart["customLineItems"] = [_custom_line(store, cart, li) for li in cart["customLineItems"]]
    priced = [*cart["lineItems"], *cart["customLineItems"]]
    subtotal = sum(line["totalPrice"]["centAmount"] for line in priced)
    if "shippingInfo" in cart:
        cart["shippingInfo"] = _shipping(store, cart, subtotal, discounts)
        subtotal += _charged(cart["shippingInfo"])
        priced.append(cart["shippingInfo"])
    off, included = _off_total(subtotal, currency, discounts)
    cart["totalPrice"] = cents(subtotal - off, currency)
    cart["totalLineItemQuantity"] = sum(line["quantity"] for line in cart["lineItems"])
    for field in ("taxedPrice", "taxedShippingPrice", "discountOnTotalPrice"):
        cart.pop(field, None)
    if priced and all("taxedPrice" in part for part in priced):
        taxes = _TaxSum(cart, priced)
        off_net, off_gross = taxes.take_off(off)
        cart["taxedPrice"] = taxes.taxed_price()
        if "shippingInfo" in cart:
            cart["taxedShippingPrice"] = cart["shippingInfo"]["taxedPrice"]
    if off:
        cart["discountOnTotalPrice"] = {
            "discountedAmount": cents(off, currency),
            "includedDiscounts": included,
        }
        if "taxedPrice" in cart:
            cart["discountOnTotalPrice"] |= {
                "discountedNetAmount": cents(off_net, currency),
                "discountedGrossAmount": cents(off_gross, currency),
            }


def _discounts(store: Store, cart: Document) -> list[Document]:
    """Active cart discounts: those of the cart's codes and those that need none, by sort order."""
    applied: dict[str, Document] = {}
    for entry in cart["discountCodes"]:
        if entry["state"] == "MatchesCart":
            code = store.resolve("discount-code", entry["discountCode"])
            for reference in code["cartDiscounts"]:
                applied[reference["id"]] = store.resolve("cart-discount", reference)
    for discount in store.collection("cart-discount"):
        if not discount["requiresDiscountCode"]:
            applied[discount["id"]] = discount
    active = [discount for discount in applied.values() if discount["isActive"]]
    return sorted(active, key=lambda discount: str(discount["sortOrder"]), reverse=True)


def _reduction(discount: Document, amount: int, currency: str) -> int:
    """How much a discount takes off an amount; never more than there is."""
    value = discount["value"]
    if value["type"] == "relative":
        return rounded(Decimal(amount) * value["permyriad"] / 10_000)
    for money in value["money"]:
        if money["currencyCode"] == currency:
            return min(amount, int(money["centAmount"]))
    return 0


def _reduced(
    target: str, amount: int, currency: str, discounts: list[Document]
) -> tuple[int, list[Document]]:
    """What is left of an amount after all discounts on its kind, and each one's share."""
    included = []
    for discount in discounts:
        if discount["target"]["type"] == target:
            off = _reduction(discount, amount, currency)
            if off:
                amount -= off
                reference = {"typeId": "cart-discount", "id": discount["id"]}
                included.append({"discount": reference, "discountedAmount": cents(off, currency)})
    return amount, included


def _off_total(
    subtotal: int, currency: str, discounts: list[Document]
) -> tuple[int, list[Document]]:
    left, included = _reduced("totalPrice", subtotal, currency, discounts)
    return subtotal - left, included


def _line(store: Store, cart: Document, line: Document, discounts: list[Document]) -> Document:
    currency, quantity = cart["totalPrice"]["currencyCode"], line["quantity"]
    unit, included = _reduced(
        "lineItems", line["price"]["value"]["centAmount"], currency, discounts
    )
    discounted = [
        {
            "quantity": quantity,
            "discountedPrice": {"value": cents(unit, currency), "includedDiscounts": included},
        }
    ]
    product = store.resolve("product", {"id": line["productId"]})
    priced = {
        **line,
        "totalPrice": cents(unit * quantity, currency),
        "discountedPricePerQuantity": discounted if included else [],
        "state": [{**line["state"][0], "quantity": quantity}],
    }
    return _with_tax(store, cart, priced, product["taxCategory"], unit, quantity)


def _custom_line(store: Store, cart: Document, line: Document) -> Document:
    unit, quantity = line["money"]["centAmount"], line["quantity"]
    priced = {**line, "totalPrice": cents(unit * quantity, line["money"]["currencyCode"])}
    return _with_tax(store, cart, priced, line.get("taxCategory"), unit, quantity)


def _shipping(store: Store, cart: Document, goods: int, discounts: list[Document]) -> Document:
    """Shipping at the rate of the cart's address; without a rate the last price stays, unusable."""
    info = cart["shippingInfo"]
    currency = cart["totalPrice"]["currencyCode"]
    method = store.resolve("shipping-method", info["shippingMethod"])
    rate = matching_rate(store, method, cart)
    state = "DoesNotMatchCart" if rate is None else "MatchesCart"
    rate = rate or info["shippingRate"]
    free_above = rate.get("freeAbove")
    free = free_above is not None and goods >= free_above["centAmount"]
    full = 0 if free else rate["price"]["centAmount"]
    price, included = _reduced("shipping", full, currency, discounts)
    priced = {
        **info,
        "price": cents(full, currency),
        "shippingRate": rate,
        "shippingMethodState": state,
    }
    priced.pop("discountedPrice", None)
    if included:
        priced["discountedPrice"] = {
            "value": cents(price, currency),
            "includedDiscounts": included,
        }
    return _with_tax(store, cart, priced, method["taxCategory"], price, 1)


def _charged(shipping: Document) -> int:
    price = shipping.get("discountedPrice", {}).get("value", shipping["price"])
    return int(price["centAmount"])


def _with_tax(
    store: Store,
    cart: Document,
    part: Document,
    category: Document | None,
    unit: int,
    quantity: int,
) -> Document:
    """The part of the cart with its tax rate and taxed price, or without where there are none."""
    part.pop("taxRate", None)
    part.pop("taxedPrice", None)
    address = cart.get("shippingAddress")
    if address is None or category is None or cart["taxMode"] != "Platform":
        return part
    rate = tax_rate(store, category, address)
    if cart["taxCalculationMode"] == "UnitPriceLevel":
        net, gross = (amount * quantity for amount in _net_and_gross(cart, rate, unit))
    else:
        net, gross = _net_and_gross(cart, rate, unit * quantity)
    currency = cart["totalPrice"]["currencyCode"]
    part["taxRate"] = rate
    part["taxedPrice"] = _taxed(currency, net, gross, [(rate, gross - net)])
    return part


def _net_and_gross(cart: Document, rate: Document, amount: int) -> tuple[int, int]:
    factor = 1 + Decimal(str(rate["amount"]))
    if rate["includedInPrice"]:
        return rounded(amount / factor, cart["taxRoundingMode"]), amount
    return amount, rounded(amount * factor, cart["taxRoundingMode"])


def _taxed(currency: str, net: int, gross: int, portions: list[tuple[Document, int]]) -> Document:
    return {
        "totalNet": cents(net, currency),
        "totalGross": cents(gross, currency),
        "taxPortions": [
            {"rate": rate["amount"], "name": rate["name"], "amount": cents(tax, currency)}
            for rate, tax in portions
        ],
        "totalTax": cents(gross - net, currency),
    }


class _TaxSum:
    """Net and gross by tax rate."""

    def __init__(self, cart: Document, parts: list[Document]) -> None:
        self._cart = cart
        self._groups: dict[str, tuple[Document, int, int]] = {}
        for part in parts:
            rate, taxed = part["taxRate"], part["taxedPrice"]
            _, net, gross = self._groups.get(rate["id"], (rate, 0, 0))
            self._groups[rate["id"]] = (
                rate,
                net + taxed["totalNet"]["centAmount"],
                gross + taxed["totalGross"]["centAmount"],
            )

    def take_off(self, amount: int) -> tuple[int, int]:
        """Spread a discount over the rates; returns its net and its gross."""
        bases = [
            gross if rate["includedInPrice"] else net for rate, net, gross in self._groups.values()
        ]
        shares = allocate(amount, bases)
        off_net = off_gross = 0
        for (id_, (rate, net, gross)), share in zip(
            list(self._groups.items()), shares, strict=True
        ):
            part_net, part_gross = _net_and_gross(self._cart, rate, share)
            self._groups[id_] = (rate, net - part_net, gross - part_gross)
            off_net += part_net
            off_gross += part_gross
        return off_net, off_gross

    def taxed_price(self) -> Document:
        groups = self._groups.values()
        return _taxed(
            self._cart["totalPrice"]["currencyCode"],
            sum(net for _, net, _ in groups),
            sum(gross for _, _, gross in groups),
            [(rate, gross - net) for rate, net, gross in groups],
        )
