"""How the basket is delivered: the same way, at the same price, from the basket to the order."""

from __future__ import annotations

from sandbox.shop.bff import Refused, Unavailable
from sandbox.shop.merchant import Merchant


async def settle_delivery(merchant: Merchant, cart_id: str, country: str | None = None) -> None:
    """Give a cart its market's usual way of delivery, unless it has one already.

    With `country`, a cart without an address is taken to go there, so that its delivery has a
    price before the shopper has told where to. Where the merchant cannot be asked, or does not
    deliver, the cart stays as it is: placing the order says what is missing.
    """
    try:
        cart = await merchant.cart(cart_id)
        if cart.shipping_method_id is not None:
            return
        if country is not None and cart.shipping_address is None:
            address = {"action": "setShippingAddress", "address": {"country": country}}
            await merchant.update(cart_id, [address])
        methods = await merchant.shipping_methods(cart_id)
        if methods:
            reference = {"typeId": "shipping-method", "id": methods[0].id}
            action = {"action": "setShippingMethod", "shippingMethod": reference}
            await merchant.update(cart_id, [action])
    except (Refused, Unavailable):
        return
