"""Payment in the shop's own page: what the merchant's server does around the enabler.

The browser pays with a session and says that it has; the order is placed when commercetools says
so, as commercetools Checkout does.
"""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.shop import visitor
from sandbox.shop.account import Accounts
from sandbox.shop.basket import Baskets
from sandbox.shop.bff import Bff
from sandbox.shop.checkout import without_basket
from sandbox.shop.elements import Elements
from sandbox.shop.languages import Texts
from sandbox.shop.markets import of_currency
from sandbox.shop.merchant import Merchant
from sandbox.shop.rendering import Pages

SAID = {
    "loadingWays": "Loading the ways to pay…",
    "looking": "Looking at your payment…",
    "slowLoading": "This takes longer than usual. Nothing was charged.",
    "unloaded": "The ways to pay could not be loaded. Nothing was charged. Please try again.",
    "unknown": "No connection, so it is not known whether you have paid."
    " Please try again: you will not pay twice.",
    "pay": "Pay {}",
    "checking": "Checking with your bank",
    "success": "Paid",
    "pending": "Processing payment",
    "slowPayment": "This takes longer than usual. Please leave this page open: you will not"
    " pay twice.",
    "bankWorks": "Your bank is working on the payment.",
    "youPaid": "You have paid.",
    "placing": "Placing your order…",
    "slowPlacing": "Placing your order takes longer than usual. There is nothing left to pay.",
    "unplaced": "The order is not placed yet, because the shop cannot be reached."
    " Try again: nothing is paid twice.",
    "card": "Card",
    "expires": "expires {}",
    "remove": "Remove {}",
    "removed": "The card was removed.",
}
"""What the page's script says."""


class PaymentHere:
    """The page with the payment element, the return from a bank's page, and the order after it."""

    def __init__(
        self,
        bff: Bff,
        merchant: Merchant,
        accounts: Accounts,
        pages: Pages,
        baskets: Baskets,
        elements: Elements,
    ) -> None:
        self._bff = bff
        self._merchant = merchant
        self._accounts = accounts
        self._pages = pages
        self._baskets = baskets
        self._elements = elements

    def routes(self) -> list[Route]:
        return [
            Route("/checkout/payment", self.show),
            Route("/return", self.show),
            Route("/checkout/bill", self.bill),
            Route("/checkout/placed", self.place, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """The page that pays; also where a bank's page leads back to, which the enabler notices."""
        cart = await self._baskets.cart(request)
        if cart is None or not cart.line_items:
            return without_basket(request)
        payable = await self._merchant.cart(cart.id)
        if payable.is_promised:
            return await self._ordered(cart.id)
        if visitor.of(request).address is None or self._elements.bundle is None:
            return RedirectResponse("/checkout/review", HTTPStatus.SEE_OTHER)
        customer = await self._accounts.customer(request)
        say = Texts(visitor.of(request).language)
        await self._merchant.speak(cart.id, say.language)
        session = await self._merchant.session(cart.id, customer.id if customer else None)
        market = of_currency(cart.total_price.currency_code)
        return self._pages.render(
            request,
            "payment.html",
            market=market,
            basket_size=cart.quantity,
            cart=cart,
            open=payable.open,
            customer=customer,
            stored=await self._merchant.stored_cards(customer.id) if customer else 0,
            session=session,
            said={
                name: say(text, "{}") if "{}" in text else say(text) for name, text in SAID.items()
            },
            has_elements=True,
            returned="payment_intent" in request.query_params,
            unpaid=request.query_params.get("notice") == "unpaid",
        )

    async def bill(self, request: Request) -> Response:
        """What the cart holds and costs now, for a page that shows it as it was."""
        cart = await self._baskets.cart(request)
        if cart is None:
            return without_basket(request)
        market = of_currency(cart.total_price.currency_code)
        still_open = (await self._merchant.cart(cart.id)).open
        return self._pages.render(request, "bill.html", market=market, cart=cart, open=still_open)

    async def place(self, request: Request) -> Response:
        """Place the order of a cart whose payment commercetools knows of, whatever the page says.

        A repetition, as after a reload, finds the order that the first has placed.
        """
        cart_id = visitor.of(request).cart_id
        if cart_id is None:
            return without_basket(request)
        if not (await self._merchant.cart(cart_id)).is_promised:
            return RedirectResponse("/checkout/payment?notice=unpaid", HTTPStatus.SEE_OTHER)
        return await self._ordered(cart_id)

    async def _ordered(self, cart_id: str) -> Response:
        order = await self._bff.place_order(cart_id)
        response = RedirectResponse(f"/order/{order.id}?notice=placed", HTTPStatus.SEE_OTHER)
        visitor.forget_cart(response)
        visitor.keep_order(response, order.id)
        return response
