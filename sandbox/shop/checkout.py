"""Checkout: where to send the basket, a last look, and the way to the payment page."""

from __future__ import annotations

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.shop import address, visitor
from sandbox.shop.account import Accounts
from sandbox.shop.basket import Baskets
from sandbox.shop.bff import Bff, Cart, Refused, Unavailable
from sandbox.shop.delivery import settle_delivery
from sandbox.shop.forms import submitted
from sandbox.shop.languages import Texts
from sandbox.shop.markets import of_currency
from sandbox.shop.merchant import Merchant
from sandbox.shop.orders import to_payment
from sandbox.shop.rendering import Pages


class Checkout:
    """From the basket to an order and its payment."""

    def __init__(
        self,
        bff: Bff,
        pages: Pages,
        baskets: Baskets,
        accounts: Accounts | None = None,
        merchant: Merchant | None = None,
    ) -> None:
        self._bff = bff
        self._pages = pages
        self._baskets = baskets
        self._accounts = accounts
        self._merchant = merchant

    def routes(self) -> list[Route]:
        return [
            Route("/checkout", self.form),
            Route("/checkout", self.submit, methods=["POST"]),
            Route("/checkout/review", self.review),
            Route("/checkout/pay", self.pay, methods=["POST"]),
        ]

    async def form(self, request: Request) -> Response:
        cart = await self._baskets.cart(request)
        if cart is None or not cart.line_items:
            return without_basket(request)
        market = of_currency(cart.total_price.currency_code)
        kept = visitor.of(request).delivery
        values = {"country": market.countries[0]}
        customer = await self._accounts.customer(request) if self._accounts else None
        if kept is not None and kept.address.get("country") in market.countries:
            values = kept.address
        elif customer is not None and customer.address.get("country") in market.countries:
            values = customer.address
        return self._form(request, cart, values, {})

    async def submit(self, request: Request) -> Response:
        cart = await self._baskets.cart(request)
        if cart is None or not cart.line_items:
            return without_basket(request)
        market = of_currency(cart.total_price.currency_code)
        values = address.typed(await submitted(request), market)
        say = Texts(visitor.of(request).language)
        wrong = address.mistakes(values, market, say)
        if not wrong:
            try:
                await self._bff.update(cart, "SetShippingAddress", **address.given(values))
            except Refused as refused:
                wrong = {"": say.others(refused.message, "The shop cannot take this address.")}
        if wrong:
            return self._form(request, cart, values, wrong)
        if self._merchant is not None:
            await settle_delivery(self._merchant, cart.id)
        response = RedirectResponse("/checkout/review", HTTPStatus.SEE_OTHER)
        visitor.keep_address(response, cart.id, values)
        return response

    async def review(self, request: Request) -> Response:
        cart = await self._baskets.cart(request)
        if cart is None or not cart.line_items:
            return without_basket(request)
        if visitor.of(request).address is None:
            return RedirectResponse("/checkout", HTTPStatus.SEE_OTHER)
        return self._pages.render(
            request,
            "review.html",
            market=of_currency(cart.total_price.currency_code),
            basket_size=cart.quantity,
            cart=cart,
        )

    async def pay(self, request: Request) -> Response:
        """Place the order and send the shopper to its payment page.

        From here on the basket is an order: a second click, a second tab and the way back find it.
        """
        cart_id = visitor.of(request).cart_id
        if cart_id is None:
            return without_basket(request)
        if self._merchant is not None:
            await self._merchant.speak(cart_id, visitor.of(request).language)
        order = await self._bff.place_order(cart_id)
        try:
            response = await to_payment(self._bff, order.id)
        except Unavailable:
            response = RedirectResponse(f"/order/{order.id}?notice=later", HTTPStatus.SEE_OTHER)
        visitor.forget_cart(response)
        visitor.keep_order(response, order.id)
        return response

    def _form(
        self, request: Request, cart: Cart, values: dict[str, str], wrong: dict[str, str]
    ) -> Response:
        market = of_currency(cart.total_price.currency_code)
        return self._pages.render(
            request,
            "address.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if wrong else HTTPStatus.OK,
            market=market,
            basket_size=cart.quantity,
            cart=cart,
            fields=address.fields(market),
            values=values,
            mistakes=wrong,
        )


def without_basket(request: Request) -> Response:
    """To the order that the basket has become, if any."""
    order_id = visitor.of(request).order_id
    address = "/basket" if order_id is None else f"/order/{order_id}"
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)
