"""The result of an order: the pages after payment, and the ways to pay again or start over."""

from __future__ import annotations

from enum import StrEnum
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.shop import visitor
from sandbox.shop.basket import Baskets
from sandbox.shop.bff import Bff, Order, Refused
from sandbox.shop.markets import of_currency
from sandbox.shop.merchant import Merchant
from sandbox.shop.rendering import Pages


class Standing(StrEnum):
    """The state of an order and its payment, as the shopper sees it."""

    PAID = "paid"
    AUTHORIZED = "authorized"
    PROCESSING = "processing"
    UNPAID = "unpaid"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Orders:
    """Order pages; the id in their address is the capability to see them."""

    def __init__(
        self, bff: Bff, pages: Pages, baskets: Baskets, merchant: Merchant | None = None
    ) -> None:
        self._bff = bff
        self._pages = pages
        self._baskets = baskets
        self._merchant = merchant

    def routes(self) -> list[Route]:
        return [
            Route("/order/success", self.success),
            Route("/order/canceled", self.canceled),
            Route("/order/{order_id}", self.show),
            Route("/order/{order_id}/pay", self.pay, methods=["POST"]),
            Route("/order/{order_id}/again", self.again, methods=["POST"]),
        ]

    async def success(self, request: Request) -> Response:
        """Where the payment page leads to; any visitor can open it, so Stripe is asked."""
        return await self._page(request, request.query_params.get("orderId", ""), "success")

    async def canceled(self, request: Request) -> Response:
        return await self._page(request, request.query_params.get("orderId", ""), "canceled")

    async def show(self, request: Request) -> Response:
        return await self._page(request, request.path_params["order_id"], "show")

    async def pay(self, request: Request) -> Response:
        return await to_payment(self._bff, request.path_params["order_id"])

    async def again(self, request: Request) -> Response:
        """The same things in a new basket."""
        order = await self._bff.order(request.path_params["order_id"])
        market = of_currency(order.total_price.currency_code)
        cart = await self._baskets.refill(order.line_items, market)
        response = RedirectResponse("/basket", HTTPStatus.SEE_OTHER)
        visitor.keep_cart(response, cart)
        visitor.keep_market(response, market)
        return response

    async def _page(self, request: Request, order_id: str, arrived_by: str) -> Response:
        order, standing = await self._settled(order_id)
        return self._pages.render(
            request,
            "order.html",
            market=of_currency(order.total_price.currency_code),
            order=order,
            standing=standing.value,
            arrived_by=arrived_by,
            later=request.query_params.get("notice") == "later",
        )

    async def _settled(self, order_id: str) -> tuple[Order, Standing]:
        """The order once Stripe was asked whether it is paid; webhooks may have said so before."""
        order = await self._bff.order(order_id)
        if order.order_state == "Cancelled":
            return order, Standing.CANCELLED
        if order.payment_state == "Paid":
            return order, Standing.PAID
        try:
            order, paid = await self._bff.confirm(order)
        except Refused as refused:
            if refused.status != HTTPStatus.CONFLICT:
                raise
            if self._merchant and (await self._merchant.order(order_id)).is_promised:
                return order, Standing.AUTHORIZED
            failed = order.payment_state == "Failed"
            return order, Standing.FAILED if failed else Standing.UNPAID
        return order, Standing.PAID if paid else Standing.PROCESSING


async def to_payment(bff: Bff, order_id: str) -> Response:
    """On to the payment page, or to the order where there is nothing to pay any more."""
    try:
        session = await bff.payment_session(order_id)
    except Refused as refused:
        if refused.status != HTTPStatus.CONFLICT:
            raise
        if refused.url is not None:  # a page is open already, such as one opened from elsewhere
            return RedirectResponse(refused.url, HTTPStatus.SEE_OTHER)
        return RedirectResponse(f"/order/{order_id}", HTTPStatus.SEE_OTHER)
    return RedirectResponse(session.url, HTTPStatus.SEE_OTHER)
