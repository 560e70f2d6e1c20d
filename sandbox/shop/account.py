"""Shopping as a customer: the demo's one account is opened without a password."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.shop.merchant import Customer, Merchant
from sandbox.shop.rendering import Pages

DEMO_CUSTOMER = "ada"
"""The key of the customer as whom one may shop."""

_COOKIE = "customer"


class Accounts:
    """Who is signed in: a signed cookie names the customer until the browser is closed."""

    def __init__(self, merchant: Merchant, pages: Pages) -> None:
        self._merchant = merchant
        self._pages = pages
        self._secret = secrets.token_bytes(32)

    def routes(self) -> list[Route]:
        return [
            Route("/account", self.show),
            Route("/account/sign-in", self.sign_in, methods=["POST"]),
            Route("/account/sign-out", self.sign_out, methods=["POST"]),
        ]

    def is_signed_in(self, request: Request) -> bool:
        key, _, signature = request.cookies.get(_COOKIE, "").partition(".")
        return hmac.compare_digest(signature.encode(), self._signature(key).encode())

    async def customer(self, request: Request) -> Customer | None:
        """The customer who is signed in."""
        return await self._merchant.customer(DEMO_CUSTOMER) if self.is_signed_in(request) else None

    async def show(self, request: Request) -> Response:
        return self._pages.render(request, "account.html", customer=await self.customer(request))

    async def sign_in(self, request: Request) -> Response:
        response = RedirectResponse("/account", HTTPStatus.SEE_OTHER)
        signed = f"{DEMO_CUSTOMER}.{self._signature(DEMO_CUSTOMER)}"
        response.set_cookie(
            _COOKIE, signed, httponly=True, samesite="lax", secure=request.url.scheme == "https"
        )
        return response

    async def sign_out(self, _request: Request) -> Response:
        response = RedirectResponse("/account", HTTPStatus.SEE_OTHER)
        response.delete_cookie(_COOKIE, httponly=True, samesite="lax")
        return response

    def _signature(self, key: str) -> str:
        return hmac.new(self._secret, key.encode(), hashlib.sha256).hexdigest()
