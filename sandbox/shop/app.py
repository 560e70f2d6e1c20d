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
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.shop.basket import Baskets
from sandbox.shop.bff import Bff, Refused, Unavailable
from sandbox.shop.catalogue import Catalogue
from sandbox.shop.checkout import Checkout
from sandbox.shop.orders import Orders
from sandbox.shop.pictures import Pictures
from sandbox.shop.rendering import Pages
from sandbox.shop.security import Protection

_STATIC = Path(__file__).parent / "static"
_FOR_EVER = "public, max-age=31536000, immutable"
_ONE_DAY = "public, max-age=86400"


def create_app(bff_client: httpx.AsyncClient, payment_pages: Iterable[str]) -> Starlette:
    """The shop on a BFF; `payment_pages` are the origins that shoppers are sent to for payment.

    The client's base address is the processor's; whoever made it closes it.
    """
    bff = Bff(bff_client)
    pictures = Pictures()
    pages = Pages(pictures)
    baskets = Baskets(bff, pages)

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
            # What was sent is not sent again by a link: back to where the form was.
            retry=str(request.url) if request.method == "GET" else "/basket",
        )
        response.headers["Retry-After"] = "5"
        return response

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)  # noqa: S101 - how handlers are typed
        if error.status == HTTPStatus.NOT_FOUND:
            return pages.render(request, "missing.html", HTTPStatus.NOT_FOUND)
        return pages.render(request, "refused.html", error.status, message=error.message)

    async def failed(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - how handlers are typed
        if error.status_code == HTTPStatus.NOT_FOUND:
            return pages.render(request, "missing.html", HTTPStatus.NOT_FOUND)
        return pages.render(request, "refused.html", error.status_code, message=error.detail)

    return Starlette(
        routes=[
            *Catalogue(bff, pages).routes(),
            *baskets.routes(),
            *Checkout(bff, pages, baskets).routes(),
            *Orders(bff, pages, baskets).routes(),
            Route("/pictures/{name}/{colour}.svg", picture),
            Mount("/static", _Static(directory=_STATIC)),
        ],
        middleware=[Middleware(Protection, payment_pages=tuple(payment_pages))],
        exception_handlers={Unavailable: unavailable, Refused: refused, HTTPException: failed},
    )


class _Static(StaticFiles):
    """Files whose addresses name their version."""

    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]
        response.headers["Cache-Control"] = _FOR_EVER
        return response
