"""The shop as an application: routes, static files, pages for what goes wrong."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from sandbox.shop import visitor
from sandbox.shop.account import Accounts
from sandbox.shop.basket import Baskets
from sandbox.shop.bff import Bff, Refused, Unavailable
from sandbox.shop.catalogue import Catalogue
from sandbox.shop.checkout import Checkout
from sandbox.shop.elements import Elements
from sandbox.shop.express import Express
from sandbox.shop.languages import Texts
from sandbox.shop.merchant import Merchant
from sandbox.shop.orders import Orders
from sandbox.shop.payment import PaymentHere
from sandbox.shop.pictures import Pictures
from sandbox.shop.playground import Playground
from sandbox.shop.rendering import Pages
from sandbox.shop.security import Protection
from sandbox.shop.static_files import Scripts, VersionedFiles

_STATIC = Path(__file__).parent / "static"
_ONE_DAY = "public, max-age=86400"


def create_app(
    bff_client: httpx.AsyncClient,
    payment_pages: Iterable[str],
    merchant: Merchant | None = None,
    elements: Elements | None = None,
) -> Starlette:
    """The shop on a BFF; `payment_pages` are the origins that shoppers are sent to for payment.

    With access to the merchant's commercetools and payment elements, shoppers can pay in the
    shop's own pages, too. The client's base address is the processor's; its maker closes it.
    """
    bff = Bff(bff_client)
    pictures = Pictures()
    pages = Pages(pictures, elements)
    baskets = Baskets(bff, pages, merchant)

    async def picture(request: Request) -> Response:
        drawing = pictures.draw(request.path_params["name"], request.path_params["colour"])
        if drawing is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        return Response(drawing, media_type="image/svg+xml", headers={"Cache-Control": _ONE_DAY})

    async def unavailable(request: Request, _: Exception) -> Response:
        response = pages.render(
            request,
            "unavailable.html",
            HTTPStatus.SERVICE_UNAVAILABLE,
            retry=_retry(request),
            paying=request.url.path.startswith(("/order/", "/return", "/checkout/p")),
        )
        response.headers["Retry-After"] = "5"
        return response

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - how handlers are typed
        if error.status == HTTPStatus.NOT_FOUND:
            return pages.render(request, "missing.html", HTTPStatus.NOT_FOUND)
        say = Texts(visitor.of(request).language)
        message = say.others(error.message, "The shop cannot do this.")
        return pages.render(request, "refused.html", error.status, message=message)

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how handlers are typed
        if error.status_code == HTTPStatus.NOT_FOUND:
            return pages.render(request, "missing.html", HTTPStatus.NOT_FOUND)
        say = Texts(visitor.of(request).language)
        message = say.others(error.detail, "The shop cannot do this.")
        return pages.render(request, "refused.html", error.status_code, message=message)

    here: list[BaseRoute] = []
    accounts = None
    if merchant is not None and elements is not None:
        accounts = Accounts(merchant, pages)
        here = [
            *accounts.routes(),
            *PaymentHere(bff, merchant, accounts, pages, baskets, elements).routes(),
            *Express(bff, merchant, accounts).routes(),
            *Playground(merchant, pages, elements).routes(),
            Mount("/enabler", Scripts(directory=elements.enabler, check_dir=False)),
        ]
    return Starlette(
        routes=[
            *Catalogue(bff, pages).routes(),
            *baskets.routes(),
            *Checkout(bff, pages, baskets, accounts, merchant).routes(),
            *Orders(bff, pages, baskets, merchant).routes(),
            *here,
            Route("/pictures/{name}/{colour}.svg", picture),
            Mount("/static", VersionedFiles(directory=_STATIC)),
        ],
        middleware=[
            Middleware(
                Protection,
                payment_pages=tuple(payment_pages),
                elements=elements.policy() if elements else None,
            )
        ],
        exception_handlers={Unavailable: unavailable, Refused: refused, HTTPException: failed},
    )


def _retry(request: Request) -> str:
    """Where to try again; what was sent is not sent again by a link."""
    path = request.url.path
    if request.method == "GET":
        return str(request.url)
    if path == "/checkout/placed":
        return "/checkout/payment"
    if path.startswith("/order/"):
        return path.rpartition("/")[0]
    return "/basket"
