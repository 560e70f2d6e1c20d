"""The merchant's own access to commercetools: what the shop's server may do and no browser."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from sandbox.shop.bff import Address, Money, Refused, Shape, Unavailable, read_problem

T = TypeVar("T")
Action = dict[str, Any]

_TRIES = 4


class ApiClient(Struct, frozen=True):
    """An API client of the project; its secret stays on the server."""

    project: str
    client_id: str
    secret: str


class Transaction(Shape, frozen=True):
    type: str
    amount: Money
    state: str


class Payment(Shape, frozen=True):
    id: str
    transactions: tuple[Transaction, ...] = ()

    def total(self, kind: str, *states: str) -> int:
        """The sum of its transactions of a type in one of these states, in minor units."""
        return sum(
            each.amount.cent_amount
            for each in self.transactions
            if each.type == kind and each.state in states
        )

    @property
    def promised(self) -> int:
        """What is held, taken or on its way, and has not gone back; in minor units."""
        come = max(
            self.total("Authorization", "Success", "Pending"),
            self.total("Charge", "Success", "Pending"),
        )
        gone = self.total("CancelAuthorization", "Success", "Pending")
        return come - gone - self.total("Refund", "Success", "Pending")


class _Expanded(Shape, frozen=True):
    obj: Payment | None = None


class _PaymentInfo(Shape, frozen=True):
    payments: tuple[_Expanded, ...] = ()


class ShippingMethodReference(Shape, frozen=True):
    id: str


class ShippingInfo(Shape, frozen=True):
    shipping_method: ShippingMethodReference | None = None


class _Taxed(Shape, frozen=True):
    total_gross: Money


class Paid(Shape, frozen=True, kw_only=True):
    """A cart or an order with its payments."""

    id: str
    version: int
    total_price: Money
    taxed_price: _Taxed | None = None
    payment_info: _PaymentInfo = _PaymentInfo()
    customer_id: str | None = None
    locale: str | None = None
    shipping_info: ShippingInfo | None = None
    shipping_address: Address | None = None

    @property
    def payments(self) -> tuple[Payment, ...]:
        return tuple(each.obj for each in self.payment_info.payments if each.obj is not None)

    @property
    def shipping_method_id(self) -> str | None:
        method = self.shipping_info.shipping_method if self.shipping_info else None
        return method.id if method else None

    @property
    def due(self) -> int:
        """What it costs with all taxes, in minor units."""
        gross = self.taxed_price.total_gross if self.taxed_price else self.total_price
        return gross.cent_amount

    @property
    def open(self) -> int:
        """What its payments do not bring of what it costs, in minor units."""
        return self.due - sum(each.promised for each in self.payments)

    @property
    def is_promised(self) -> bool:
        """Whether its payments bring what it costs, be it that a bank still works on it."""
        return bool(self.payments) and self.open <= 0


class _Rate(Shape, frozen=True):
    price: Money
    free_above: Money | None = None
    is_matching: bool = False


class _ZoneRate(Shape, frozen=True):
    shipping_rates: tuple[_Rate, ...] = ()


class ShippingMethod(Shape, frozen=True):
    """A way to deliver that a cart may have."""

    id: str
    name: str
    description: str = ""
    is_default: bool = False
    zone_rates: tuple[_ZoneRate, ...] = ()

    def price(self, lines_total: int) -> Money | None:
        """What it costs for things worth `lines_total` (minor units)."""
        for zone in self.zone_rates:
            for rate in zone.shipping_rates:
                if rate.is_matching:
                    free = rate.free_above
                    is_free = free is not None and lines_total >= free.cent_amount
                    return Money(rate.price.currency_code, 0) if is_free else rate.price
        return None


class _Methods(Shape, frozen=True):
    results: tuple[ShippingMethod, ...]


class Customer(Shape, frozen=True):
    """A customer who has an account."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    addresses: tuple[Mapping[str, str], ...] = ()

    @property
    def address(self) -> dict[str, str]:
        """The first address, by the names of the address form."""
        first = dict(self.addresses[0]) if self.addresses else {}
        return {"email": self.email, **first}


class _Counted(Shape, frozen=True):
    total: int


class _Session(Shape, frozen=True):
    id: str


class _Token(Struct, frozen=True):
    access_token: str


class Merchant:
    """Calls commercetools; every call may raise Unavailable or Refused.

    The client's base address is that of commercetools; its maker closes it.
    """

    def __init__(self, client: httpx.AsyncClient, api_client: ApiClient) -> None:
        self._client = client
        self._api_client = api_client
        self._token: str | None = None

    async def session(self, cart_id: str, customer_id: str | None = None) -> str:
        """A session that lets a browser pay for one cart: its id.

        The cart becomes the customer's, or a guest's where there is none.
        """
        cart = await self.cart(cart_id)
        if cart.customer_id != customer_id:
            action: Action = {"action": "setCustomerId"}
            await self.update(
                cart_id, [action | ({"customerId": customer_id} if customer_id else {})]
            )
        draft = {"cart": {"cartRef": {"id": cart_id}}, "metadata": {}}
        return (await self._ask(_Session, "POST", "sessions", body=draft)).id

    async def speak(self, cart_id: str, language: str) -> None:
        """Have the cart speak the shopper's language, and with it the order and its payment page.

        Where the project does not know the language, the cart stays as it is.
        """
        cart = await self.cart(cart_id)
        if (cart.locale or "en").partition("-")[0] != language:
            with suppress(Refused):
                await self.update(cart_id, [{"action": "setLocale", "locale": language}])

    async def create_cart(self, draft: Action) -> Paid:
        return await self._ask(Paid, "POST", "carts", body=draft)

    async def cart(self, cart_id: str) -> Paid:
        """A cart as it is now, with its payments."""
        return await self._ask(Paid, "GET", f"carts/{quote(cart_id, safe='')}?{_WITH_PAYMENTS}")

    async def order(self, order_id: str) -> Paid:
        """An order as it is now, with its payments."""
        return await self._ask(Paid, "GET", f"orders/{quote(order_id, safe='')}?{_WITH_PAYMENTS}")

    async def update(self, cart_id: str, actions: Sequence[Action]) -> Paid:
        """Changes a cart, on the newest version where it has changed meanwhile."""
        for tries in range(1, _TRIES + 1):
            cart = await self.cart(cart_id)
            body = {"version": cart.version, "actions": list(actions)}
            try:
                return await self._ask(Paid, "POST", f"carts/{quote(cart_id, safe='')}", body=body)
            except Refused as refused:
                if refused.status != httpx.codes.CONFLICT or tries == _TRIES:
                    raise
        raise AssertionError("unreachable")

    async def shipping_methods(self, cart_id: str) -> tuple[ShippingMethod, ...]:
        """What a cart can be delivered with, the default first."""
        path = f"shipping-methods/matching-cart?cartId={quote(cart_id, safe='')}"
        found = (await self._ask(_Methods, "GET", path)).results
        return tuple(sorted(found, key=lambda each: not each.is_default))

    async def customer(self, key: str) -> Customer:
        return await self._ask(Customer, "GET", f"customers/key={quote(key, safe='')}")

    async def stored_cards(self, customer_id: str) -> int:
        """How many cards of a customer may be paid with, so that a page can keep their place."""
        where = f'customer(id="{customer_id}") and method="card" and paymentMethodStatus="Active"'
        path = f"payment-methods?limit=1&where={quote(where, safe='')}"
        return (await self._ask(_Counted, "GET", path)).total

    async def _ask(self, shape: type[T], method: str, path: str, *, body: object = None) -> T:
        answer = await self._send(method, path, body)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
            answer = await self._send(method, path, body)
        if answer.is_client_error:
            raise Refused(answer.status_code, read_problem(answer))
        return _read(answer, shape)

    async def _send(self, method: str, path: str, body: object) -> httpx.Response:
        self._token = self._token or await self._new_token()
        try:
            return await self._client.request(
                method,
                f"/{self._api_client.project}/{path}",
                json=body,
                headers={"Authorization": f"Bearer {self._token}"},
            )
        except httpx.TransportError as error:
            raise Unavailable(str(error)) from error

    async def _new_token(self) -> str:
        known = self._api_client
        try:
            answer = await self._client.post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(known.client_id, known.secret),
            )
        except httpx.TransportError as error:
            raise Unavailable(str(error)) from error
        return _read(answer, _Token).access_token


_WITH_PAYMENTS = "expand=paymentInfo.payments%5B*%5D"


def _read(answer: httpx.Response, shape: type[T]) -> T:
    """The answer's content; Unavailable where it is none, as when the shop itself is refused."""
    request = answer.request
    if not answer.is_success:
        raise Unavailable(f"{request.method} {request.url.path} answered {answer.status_code}")
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except msgspec.DecodeError as error:
        raise Unavailable(f"{request.url.path} answered something unknown") from error
