"""The BFF as the shop uses it: its shapes, its routes, and the two ways in which it can fail."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from sandbox.shop import vouching

T = TypeVar("T")


class Shape(Struct, frozen=True, rename="camel"):
    """What the BFF answers with, as far as the shop needs it."""


class Money(Shape, frozen=True):
    currency_code: str
    cent_amount: int


class Price(Shape, frozen=True):
    value: Money


class Label(Shape, frozen=True):
    label: str


class Attribute(Shape, frozen=True):
    name: str
    value: Label


class Availability(Shape, frozen=True):
    is_on_stock: bool = True


class Image(Shape, frozen=True):
    url: str


class Variant(Shape, frozen=True):
    sku: str
    name: str = ""
    images: tuple[Image, ...] = ()
    prices: tuple[Price, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    availability: Availability | None = None

    def price(self, currency: str) -> Money | None:
        """What it costs in a currency."""
        return next(
            (each.value for each in self.prices if each.value.currency_code == currency), None
        )

    def attribute(self, name: str) -> str:
        """The label of an attribute, or nothing."""
        return next((each.value.label for each in self.attributes if each.name == name), "")

    @property
    def on_stock(self) -> bool:
        return self.availability is None or self.availability.is_on_stock


class Parent(Shape, frozen=True):
    id: str


class Category(Shape, frozen=True):
    id: str
    name: str
    slug: str = ""
    description: str | None = None
    parent: Parent | None = None


class Product(Shape, frozen=True):
    id: str
    name: str
    master_variant: Variant
    slug: str = ""
    description: str | None = None
    categories: tuple[Category, ...] = ()
    variants: tuple[Variant, ...] = ()

    @property
    def all_variants(self) -> tuple[Variant, ...]:
        """Every variant once, the master first, whether or not the list repeats it."""
        rest = [each for each in self.variants if each.sku != self.master_variant.sku]
        return (self.master_variant, *rest)


class Products(Shape, frozen=True):
    results: tuple[Product, ...]
    total: int = 0


class IncludedDiscount(Shape, frozen=True):
    discounted_amount: Money


class DiscountedPrice(Shape, frozen=True):
    included_discounts: tuple[IncludedDiscount, ...] = ()


class DiscountedQuantity(Shape, frozen=True):
    quantity: int
    discounted_price: DiscountedPrice


class Line(Shape, frozen=True):
    id: str
    variant: Variant
    quantity: int
    total_price: int
    currency_code: str
    discounted_price_per_quantity: tuple[DiscountedQuantity, ...] = ()

    @property
    def saved(self) -> int:
        """What discounts have taken off."""
        return sum(
            each.quantity * discount.discounted_amount.cent_amount
            for each in self.discounted_price_per_quantity
            for discount in each.discounted_price.included_discounts
        )


class CodeReference(Shape, frozen=True):
    type_id: str
    id: str


class AppliedCode(Shape, frozen=True):
    discount_code: CodeReference
    code: str | None = None


class TotalDiscount(Shape, frozen=True):
    discounted_amount: Money


class Address(Shape, frozen=True):
    country: str = ""
    first_name: str = ""
    last_name: str = ""
    street_name: str = ""
    street_number: str = ""
    postal_code: str = ""
    city: str = ""
    region: str = ""
    state: str = ""
    email: str = ""


class _Totals(Shape, frozen=True, kw_only=True):
    """What carts and orders have in common."""

    id: str
    version: int
    total_price: Money
    line_items: tuple[Line, ...] = ()
    discount_on_total_price: TotalDiscount | None = None

    @property
    def quantity(self) -> int:
        return sum(line.quantity for line in self.line_items)

    @property
    def lines_total(self) -> int:
        return sum(line.total_price for line in self.line_items)

    @property
    def discount(self) -> int:
        """What is taken off the total; discounts on lines are in the lines."""
        given = self.discount_on_total_price
        return 0 if given is None else given.discounted_amount.cent_amount

    @property
    def saved(self) -> int:
        """What discounts on lines have taken off."""
        return sum(line.saved for line in self.line_items)

    @property
    def extra(self) -> int:
        """What is neither lines nor discount: delivery, and taxes that prices do not include."""
        return self.total_price.cent_amount - self.lines_total + self.discount


class Cart(_Totals, frozen=True, kw_only=True):
    discount_codes: tuple[AppliedCode, ...] = ()


class Order(_Totals, frozen=True, kw_only=True):
    order_state: str = "Open"
    payment_state: str | None = None
    created_at: str | None = None
    order_number: str | None = None
    shipping_address: Address | None = None


class Region(Struct, frozen=True):
    """Whose prices are meant."""

    currency: str
    country: str

    @property
    def names(self) -> dict[str, str]:
        return {"currency": self.currency, "country": self.country}


class PaymentSession(Shape, frozen=True):
    id: str
    url: str


class Detail(Shape, frozen=True):
    url: str | None = None


class Problem(Shape, frozen=True):
    message: str = ""
    code: str | None = None
    errors: tuple[Detail, ...] = ()


class BffError(Exception):
    """The BFF did not do what was asked."""


class Unavailable(BffError):
    """It cannot be reached, is broken or overloaded; later it may work."""


class Refused(BffError):
    """It said no (4xx); the message is for people."""

    def __init__(self, status: int, problem: Problem) -> None:
        super().__init__(problem.message)
        self.status = status
        self.message = problem.message
        self.code = problem.code
        self.url = problem.errors[0].url if problem.errors else None
        """Where to go on instead, where the BFF says so."""


SHOPPER: ContextVar[str | None] = ContextVar("SHOPPER", default=None)
"""The address of whom the shop is serving: the BFF counts requests by it."""


class Bff:
    """Calls the routes under /api/v1; every call may raise Unavailable or Refused."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def categories(self) -> tuple[Category, ...]:
        return await self._ask(tuple[Category, ...], "GET", "categories")

    async def products(
        self, region: Region, category_id: str | None, page: int, limit: int
    ) -> Products:
        """A page of products; the route's `offset` counts pages, from one."""
        parameters = {**region.names, "offset": str(page), "limit": str(limit)}
        if category_id is not None:
            parameters["categoryId"] = category_id
        return await self._ask(Products, "GET", "products", parameters=parameters)

    async def product(self, region: Region, sku: str) -> Product:
        path = f"products/{quote(sku, safe='')}"
        return await self._ask(Product, "GET", path, parameters=region.names)

    async def new_cart(self, region: Region) -> Cart:
        return await self._ask(Cart, "POST", "carts", body=region.names)

    async def cart(self, cart_id: str) -> Cart:
        return await self._ask(Cart, "GET", f"carts/{cart_id}")

    async def update(self, cart: Cart, action: str, **arguments: object) -> Cart:
        """One action on a cart; where it has changed meanwhile, on the newest version."""
        for last in (False, True):
            body = {"version": cart.version, "action": action, action: arguments}
            try:
                path = f"carts/{cart.id}"
                return await self._ask(Cart, "PUT", path, body=body, cart_id=cart.id)
            except Refused as refused:
                if last or refused.status != httpx.codes.CONFLICT:
                    raise
                cart = await self.cart(cart.id)
        raise AssertionError("unreachable")

    async def check_code(self, code: str) -> None:
        """Raises Refused where a discount code does not work."""
        await self._ask(object, "GET", "discount-codes", parameters={"code": code})

    async def place_order(self, cart_id: str) -> Order:
        """The cart's order, the same however often it is asked for."""
        return await self._ask(Order, "POST", f"carts/{cart_id}/order", body={}, cart_id=cart_id)

    async def payment_session(self, order_id: str) -> PaymentSession:
        return await self._ask(PaymentSession, "POST", "payments/sessions", body={"id": order_id})

    async def order(self, order_id: str) -> Order:
        return await self._ask(Order, "GET", f"orders/{order_id}")

    async def confirm(self, order: Order) -> tuple[Order, bool]:
        """Ask that the order be marked as paid: the order, and whether it is (202: not yet).

        Refused (409) where Stripe does not say so.
        """
        body = {
            "version": order.version,
            "actions": [
                {"action": "changePaymentState", "paymentState": "Paid"},
                {"action": "changeOrderState", "orderState": "Confirmed"},
            ],
        }
        answer = await self._send("PUT", f"orders/{order.id}", body=body)
        return _decoded(answer, Order), answer.status_code == httpx.codes.OK

    async def _ask(
        self,
        shape: type[T],
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        cart_id: str | None = None,
    ) -> T:
        """`cart_id` is the cart that the shopper may use, as the shop knows."""
        answer = await self._send(method, path, parameters=parameters, body=body, cart_id=cart_id)
        return _decoded(answer, shape)

    async def _send(
        self,
        method: str,
        path: str,
        *,
        parameters: Mapping[str, str] | None = None,
        body: object = None,
        cart_id: str | None = None,
    ) -> httpx.Response:
        shopper = SHOPPER.get()
        headers = {} if shopper is None else {"X-Forwarded-For": shopper}
        if cart_id is not None:
            headers[vouching.TOKEN_HEADER] = vouching.token(cart_id)
        try:
            answer = await self._client.request(
                method, f"/api/v1/{path}", params=parameters, json=body, headers=headers
            )
        except httpx.TransportError as error:
            raise Unavailable(str(error)) from error
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Unavailable(f"{method} {path} answered {answer.status_code}")
        if answer.is_success:
            return answer
        raise Refused(answer.status_code, read_problem(answer))


def read_problem(answer: httpx.Response) -> Problem:
    """What a 4xx says."""
    return _decoded(answer, Problem)


def _decoded(answer: httpx.Response, shape: type[T]) -> T:
    try:
        return msgspec.json.decode(answer.content, type=shape)
    except msgspec.DecodeError as error:
        raise Unavailable(f"{answer.request.url.path} answered something unknown") from error
