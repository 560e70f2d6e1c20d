"""The basket: what is in it, how many, discount codes, and moving it to another currency."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.shop import visitor
from sandbox.shop.bff import Bff, Cart, Line, Refused
from sandbox.shop.delivery import settle_delivery
from sandbox.shop.forms import submitted
from sandbox.shop.languages import LANGUAGES, Texts
from sandbox.shop.markets import MARKETS, Market, of_currency
from sandbox.shop.merchant import Merchant
from sandbox.shop.rendering import Pages

MOST = 99
"""How many of one thing go into a basket."""


class Baskets:
    """Reads and changes the visitor's cart."""

    def __init__(self, bff: Bff, pages: Pages, merchant: Merchant | None = None) -> None:
        self._bff = bff
        self._pages = pages
        self._merchant = merchant

    def routes(self) -> list[Route]:
        return [
            Route("/basket", self.show),
            Route("/basket/lines", self.add, methods=["POST"]),
            Route("/basket/lines/{line_id}", self.change, methods=["POST"]),
            Route("/basket/code", self.add_code, methods=["POST"]),
            Route("/basket/code/remove", self.remove_code, methods=["POST"]),
            Route("/market", self.move, methods=["POST"]),
            Route("/language", self.speak, methods=["POST"]),
        ]

    async def cart(self, request: Request) -> Cart | None:
        """The visitor's cart; None where there is none any more."""
        cart_id = visitor.of(request).cart_id
        if cart_id is None:
            return None
        try:
            return await self._bff.cart(cart_id)
        except Refused as refused:
            if refused.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    async def show(self, request: Request) -> Response:
        return self._page(request, await self.cart(request))

    async def add(self, request: Request) -> Response:
        form = await submitted(request)
        quantity = _quantity(form.get("quantity"), otherwise=1) or 1
        cart = await self.cart(request)
        if cart is None:
            cart = await self._new_cart(visitor.of(request).market)
        sku = str(form.get("sku", ""))
        cart = await self._bff.update(cart, "AddLineItem", variantId=sku, quantity=quantity)
        return _to_basket(cart, "?notice=added")

    async def change(self, request: Request) -> Response:
        """Another quantity, one more or one less; none removes the line."""
        cart = await self.cart(request)
        line_id = request.path_params["line_id"]
        line = (
            next((each for each in cart.line_items if each.id == line_id), None) if cart else None
        )
        if cart is None or line is None:
            return _redirect("/basket")  # removed in another tab
        form = await submitted(request)
        quantity = _quantity(form.get("quantity"), otherwise=line.quantity)
        step = {"more": 1, "less": -1}.get(str(form.get("step")), 0)
        wanted = 0 if form.get("remove") else min(quantity + step, MOST)
        if wanted > 0:
            cart = await self._bff.update(
                cart, "ChangeLineItemQuantity", lineItemId=line.id, quantity=wanted
            )
        else:
            cart = await self._bff.update(
                cart, "RemoveLineItem", lineItemId=line.id, quantity=line.quantity
            )
        return _to_basket(cart)

    async def add_code(self, request: Request) -> Response:
        cart = await self.cart(request)
        if cart is None:
            return _redirect("/basket")
        code = str((await submitted(request)).get("code", "")).strip()
        say = Texts(visitor.of(request).language)
        if not code:
            return self._page(request, cart, code, say("Enter a discount code."))
        try:
            await self._bff.check_code(code)
            cart = await self._bff.update(cart, "AddDiscountCode", code=code)
        except Refused as refused:
            said = say.others(refused.message, "This discount code cannot be used.")
            return self._page(request, cart, code, said)
        return _to_basket(cart)

    async def remove_code(self, request: Request) -> Response:
        cart = await self.cart(request)
        if cart is None:
            return _redirect("/basket")
        code_id = (await submitted(request)).get("id")
        for each in cart.discount_codes:
            reference = each.discount_code
            if reference.id == code_id:
                cart = await self._bff.update(
                    cart, "RemoveDiscountCode", typeId=reference.type_id, id=reference.id
                )
        return _to_basket(cart)

    async def move(self, request: Request) -> Response:
        """To another market: a cart keeps its currency, so what is in it goes into a new one."""
        form = await submitted(request)
        market = MARKETS.get(str(form.get("market")), visitor.of(request).market)
        back = str(form.get("back", "/"))
        response = _redirect(back if _is_ours(back) else "/")
        visitor.keep_market(response, market)
        cart = await self.cart(request)
        if cart is not None and cart.total_price.currency_code != market.currency:
            visitor.keep_cart(response, await self.refill(cart.line_items, market))
        return response

    async def speak(self, request: Request) -> Response:
        """In another language from here on."""
        form = await submitted(request)
        back = str(form.get("back", "/"))
        response = _redirect(back if _is_ours(back) else "/")
        language = str(form.get("language"))
        if language in LANGUAGES:
            visitor.keep_language(response, language)
        return response

    async def refill(self, lines: Iterable[Line], market: Market) -> Cart:
        """A new cart of a market with the same things in it, as far as they are sold there."""
        cart = await self._new_cart(market)
        for line in lines:
            try:
                cart = await self._bff.update(
                    cart, "AddLineItem", variantId=line.variant.sku, quantity=line.quantity
                )
            except Refused:
                continue  # not sold there
        return cart

    async def _new_cart(self, market: Market) -> Cart:
        """An empty cart that knows how it will be delivered."""
        cart = await self._bff.new_cart(market.region)
        if self._merchant is None:
            return cart
        await settle_delivery(self._merchant, cart.id, market.countries[0])
        return await self._bff.cart(cart.id)

    def _page(
        self, request: Request, cart: Cart | None, code: str = "", mistake: str = ""
    ) -> Response:
        response = self._pages.render(
            request,
            "basket.html",
            HTTPStatus.UNPROCESSABLE_ENTITY if mistake else HTTPStatus.OK,
            market=of_currency(cart.total_price.currency_code) if cart else None,
            has_elements=True,
            cart=cart,
            basket_size=cart.quantity if cart else 0,
            most=MOST,
            code=code,
            mistake=mistake,
            added=request.query_params.get("notice") == "added",
        )
        if cart is None:
            visitor.forget_cart(response)
        else:
            visitor.keep_cart(response, cart)
        return response


def _quantity(given: object, otherwise: int) -> int:
    text = str(given)
    return min(int(text), MOST) if text.isdecimal() and len(text) < 7 else otherwise


def _is_ours(path: str) -> bool:
    return path.startswith("/") and not path.startswith(("//", "/\\"))


def _redirect(address: str) -> RedirectResponse:
    return RedirectResponse(address, HTTPStatus.SEE_OTHER)


def _to_basket(cart: Cart, query: str = "") -> Response:
    response = _redirect(f"/basket{query}")
    visitor.keep_cart(response, cart)
    return response
