"""What the shop keeps in the shopper's browser: basket, address, last order and market."""

from __future__ import annotations

import base64
import re

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from sandbox.shop import vouching
from sandbox.shop.bff import Cart
from sandbox.shop.languages import LANGUAGES, preferred
from sandbox.shop.markets import DEFAULT, MARKETS, Market

_BASKET, _ADDRESS, _ORDER, _MARKET = "basket", "address", "order", "market"
_LANGUAGE = "language"
_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_KEPT = re.compile(r"(?P<id>[A-Za-z0-9-]{1,64})\.(?P<size>\d{1,6})")
_KEPT_S = 30 * 24 * 3600


class Delivery(Struct, frozen=True):
    """The address that a cart was given: the BFF takes it, but does not show it on a cart."""

    cart_id: str
    address: dict[str, str]


class Visitor(Struct, frozen=True):
    """Whose request this is."""

    market: Market
    language: str
    cart_id: str | None
    basket_size: int
    order_id: str | None
    delivery: Delivery | None

    @property
    def address(self) -> dict[str, str] | None:
        """Where the cart goes; None where it has not been told."""
        known = self.delivery
        return known.address if known and known.cart_id == self.cart_id else None


def of(request: Request) -> Visitor:
    """The visitor that the cookies describe; what they cannot mean is ignored."""
    market = MARKETS.get(request.cookies.get(_MARKET, ""), DEFAULT)
    kept = _KEPT.fullmatch(vouching.read(request.cookies.get(_BASKET, "")))
    order_id = request.cookies.get(_ORDER, "")
    language = request.cookies.get(_LANGUAGE, "")
    if language not in LANGUAGES:
        language = preferred(request)
    return Visitor(
        market=market,
        language=language,
        cart_id=kept["id"] if kept else None,
        basket_size=int(kept["size"]) if kept else 0,
        order_id=order_id if _ID.fullmatch(order_id) else None,
        delivery=_delivery(request.cookies.get(_ADDRESS, "")),
    )


def keep_cart(response: Response, cart: Cart) -> None:
    """The id is the capability to a cart: scripts do not get it, and only we can write it."""
    _keep(response, _BASKET, vouching.signed(f"{cart.id}.{cart.quantity}"))


def forget_cart(response: Response) -> None:
    response.delete_cookie(_BASKET, httponly=True, samesite="lax")


def keep_address(response: Response, cart_id: str, address: dict[str, str]) -> None:
    """Until the browser is closed."""
    kept = base64.urlsafe_b64encode(msgspec.json.encode(Delivery(cart_id, address))).decode()
    response.set_cookie(_ADDRESS, kept, httponly=True, samesite="lax")


def keep_order(response: Response, order_id: str) -> None:
    """The order that the basket has become."""
    _keep(response, _ORDER, order_id)


def keep_market(response: Response, market: Market) -> None:
    _keep(response, _MARKET, market.key)


def keep_language(response: Response, language: str) -> None:
    _keep(response, _LANGUAGE, language)


def _delivery(kept: str) -> Delivery | None:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(kept), type=Delivery)
    except (ValueError, msgspec.DecodeError):
        return None


def _keep(response: Response, name: str, value: str) -> None:
    response.set_cookie(name, value, max_age=_KEPT_S, httponly=True, samesite="lax")
