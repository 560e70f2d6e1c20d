"""Decides which carts the storefront routes may write to: the cart's id is not enough for all.

A browser has the cart's id, which is also in addresses and logs. So a customer's cart needs a token
of the shop's server, and a cart with payments cannot be changed.
"""

from __future__ import annotations

from stripe_connector.errors import Conflict, Forbidden, NotFound
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.commercetools.orders import PayableCart
from stripe_connector.ledger.due import covered_amount
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.storefront.order_state import is_payable, our_payments

TOKEN_REQUIRED = "StorefrontTokenRequired"


class CartGuard:
    """Refuses what a caller may not do with a cart.

    `customers_need_token`: whether a customer's cart needs a token of the shop's server; guests'
    carts never do.
    """

    def __init__(
        self, commercetools: Commercetools, account: OwnAccount, *, customers_need_token: bool
    ) -> None:
        self._commercetools = commercetools
        self._account = account
        self._customers_need_token = customers_need_token

    async def require_changeable(self, cart_id: str, *, vouched: bool) -> None:
        """Raises NotFound, Forbidden, and Conflict where the cart holds money or may receive it.

        `vouched`: the shop's server has signed that the caller may use this cart.
        """
        cart = await self._cart(cart_id, vouched=vouched)
        currency = cart.gross_total.currency_code
        if any(covered_amount(payment, currency) > 0 for payment in cart.payments):
            raise Conflict("The cart is paid and cannot be changed.", code="CartPaid")
        await self._require_no_open_payment(cart, vouched=vouched)

    async def require_orderable(self, cart_id: str, *, vouched: bool) -> None:
        """Raises NotFound, Forbidden, and Conflict while the cart may be being paid.

        A paid cart may be ordered.
        """
        cart = await self._cart(cart_id, vouched=vouched)
        if not cart.is_ordered:
            await self._require_no_open_payment(cart, vouched=vouched)

    async def _cart(self, cart_id: str, *, vouched: bool) -> PayableCart:
        if not is_id(cart_id):
            raise NotFound("The cart was not found.")
        cart = await self._commercetools.get_payable_cart(cart_id)
        if cart.customer_id is not None and self._customers_need_token and not vouched:
            raise Forbidden("This cart requires a token of the shop's server.", code=TOKEN_REQUIRED)
        return cart

    async def _require_no_open_payment(self, cart: PayableCart, *, vouched: bool) -> None:
        """A payment on a cart was opened elsewhere: these routes open theirs on the order."""
        if vouched:
            return
        for payment in our_payments(cart, await self._account.ours()):
            if is_payable(payment):
                raise Conflict("The cart is being paid in another way.", code="PaymentOpen")
