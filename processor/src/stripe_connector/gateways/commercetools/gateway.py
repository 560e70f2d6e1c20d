"""Calls to commercetools that payments need, one method for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, cast, overload
from urllib.parse import urlencode

import msgspec
from msgspec import Struct

from stripe_connector.clock import ServerClock
from stripe_connector.errors import (
    BackendError,
    BackendUnavailable,
    Conflict,
    DuplicateField,
    InvalidRequest,
    NotFound,
    VersionConflict,
)
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.models import (
    Cart,
    Customer,
    Introspection,
    PaymentDraft,
    Session,
)
from stripe_connector.gateways.commercetools.orders import Order, Payable, PayableCart
from stripe_connector.gateways.commercetools.payment_methods import PaymentMethodCalls
from stripe_connector.gateways.commercetools.storefront_calls import StorefrontCalls, quoted
from stripe_connector.gateways.commercetools.token import TokenCache
from stripe_connector.gateways.commercetools.update_actions import ActionOnCustomer, ActionOnOrder
from stripe_connector.gateways.outgoing import Outgoing, Retry, segment
from stripe_connector.ledger.actions import Action
from stripe_connector.ledger.payment import Payment, Reference
from stripe_connector.ledger.proof import is_of_connector

T = TypeVar("T")


_WITH_PAYMENTS = {"expand": "paymentInfo.payments[*]"}
WITH_PAYMENTS_AND_CODES: Mapping[str, list[str]] = {
    "expand": ["paymentInfo.payments[*]", "discountCodes[*].discountCode"]
}
_SAME_INTENT = 500
"""Payments of one intent that are looked through."""
_ADD_PAYMENT = Retry(tries=5, first_pause=0.1)
_MILLISECONDS = 100_000_000_000
"""A Unix time above this (the year 5138) is taken for milliseconds."""


def locked() -> Conflict:
    """The error for a cart that is locked."""
    return Conflict(
        "The cart is locked: the merchant is editing it. Try again later.",
        code="CartLocked",
    )


class _Page(Struct, Generic[T]):
    results: list[T]


class _Id(Struct):
    id: str


class _CustomObject(Struct):
    value: Any


_cart = msgspec.json.Decoder(Cart)
_payable_cart = msgspec.json.Decoder(PayableCart)
_order = msgspec.json.Decoder(Order)
_carts = msgspec.json.Decoder(_Page[Cart])
_orders = msgspec.json.Decoder(_Page[Order])
_payment = msgspec.json.Decoder(Payment)
_payments = msgspec.json.Decoder(_Page[Payment])
_customer = msgspec.json.Decoder(Customer)
_custom_object = msgspec.json.Decoder(_CustomObject)
_session = msgspec.json.Decoder(Session)
_introspection = msgspec.json.Decoder(Introspection)
_id = msgspec.json.Decoder(_Id)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class Commercetools(StorefrontCalls, PaymentMethodCalls):
    """One project of commercetools.

    Besides what a method names, all raise BackendUnavailable when commercetools is down, slow
    or busy (a write may then have happened or not) and BackendError when it refuses our
    credentials or our request. Reads are repeated where that helps, writes are sent once.
    """

    def __init__(
        self,
        *,
        project_key: str,
        api_url: str,
        auth_url: str,
        session_url: str,
        checkout_url: str,
        client_id: str,
        client_secret: str,
        payment_interface: str,
        outgoing: Outgoing,
    ) -> None:
        self.project_key = project_key
        self.payment_interface = payment_interface
        self._api = f"{api_url}/{project_key}"
        self._sessions = f"{session_url}/{project_key}/sessions"
        self._recurring_jobs = f"{checkout_url}/{project_key}/recurring-payment-jobs"
        self._introspect = f"{auth_url}/oauth/introspect"
        self._credentials = (client_id, client_secret)
        self._outgoing = outgoing
        self._client = Client(
            outgoing,
            TokenCache(
                outgoing, auth_url=auth_url, client_id=client_id, client_secret=client_secret
            ),
        )

    @property
    def clock(self) -> ServerClock:
        """commercetools' clock, which all instances share."""
        return self._client.clock

    # Carts

    async def get_cart(self, cart_id: str) -> Cart:
        """The cart with its payments expanded; raises NotFound."""
        return await self._client.call(
            f"{self._api}/carts/{segment(cart_id)}",
            _cart,
            subject="cart",
            params=_WITH_PAYMENTS,
        )

    async def get_payable_cart(self, cart_id: str) -> PayableCart:
        """The cart with its prices and payments; raises NotFound."""
        return await self._client.call(
            f"{self._api}/carts/{segment(cart_id)}",
            _payable_cart,
            subject="cart",
            params=WITH_PAYMENTS_AND_CODES,
        )

    async def find_cart_of_payment(self, payment_id: str) -> Cart | None:
        """The cart that a payment is on, with its payments expanded."""
        where = f"paymentInfo(payments(id={quoted(payment_id)}))"
        page = await self._query("carts", where, _carts, subject="cart", params=_WITH_PAYMENTS)
        return page.results[0] if page.results else None

    @overload
    async def add_payment(self, holder: Cart, payment_id: str) -> Cart: ...
    @overload
    async def add_payment(self, holder: Payable, payment_id: str) -> Payable | Cart: ...
    async def add_payment(self, holder: Cart | Payable, payment_id: str) -> Cart | Payable:
        """Add a payment to a cart or order; does nothing if it is already there.

        The answer is the cart or order with its payments, at the prices that this write has given
        it. Repeats on version conflicts a bounded number of times, then raises VersionConflict;
        raises InvalidRequest where commercetools refuses, such as a payment of another cart, and
        Conflict where the cart is locked.
        """
        subject = "order" if isinstance(holder, Order) else "cart"
        decoder = cast(
            "msgspec.json.Decoder[Cart | Payable]", _order if isinstance(holder, Order) else _cart
        )
        url, params = f"{self._api}/{subject}s/{segment(holder.id)}", _WITH_PAYMENTS
        add = {"action": "addPayment", "payment": Reference(type_id="payment", id=payment_id)}
        tries = 0
        while all(known.id != payment_id for known in holder.payment_info.payments):
            if tries:
                await self._outgoing.clock.sleep(self._outgoing.pause(_ADD_PAYMENT, tries))
            tries += 1
            body = {"version": holder.version, "actions": [add]}
            try:
                return await self._client.call(url, decoder, body, subject=subject, params=params)
            except (VersionConflict, InvalidRequest, BackendError) as error:
                holder = await self._client.call(url, decoder, subject=subject, params=params)
                if any(known.id == payment_id for known in holder.payment_info.payments):
                    break
                if getattr(holder, "lock", None) is not None:  # only carts have one
                    raise locked() from error
                if not isinstance(error, VersionConflict) or tries >= _ADD_PAYMENT.tries:
                    raise
        return holder

    # Orders

    async def get_order(self, order_id: str) -> Order:
        """With its payments; raises NotFound."""
        return await self._client.call(
            f"{self._api}/orders/{segment(order_id)}",
            _order,
            subject="order",
            params=WITH_PAYMENTS_AND_CODES,
        )

    async def find_order_of_payment(self, payment_id: str) -> Order | None:
        """The order that a payment is on, with its payments."""
        where = f"paymentInfo(payments(id={quoted(payment_id)}))"
        page = await self._query("orders", where, _orders, subject="order", params=_WITH_PAYMENTS)
        return page.results[0] if page.results else None

    async def update_order(self, order: Order, actions: Sequence[ActionOnOrder]) -> Order:
        """Raises VersionConflict, NotFound, InvalidRequest."""
        return await self._client.call(
            f"{self._api}/orders/{segment(order.id)}",
            _order,
            {"version": order.version, "actions": actions},
            subject="order",
            params=_WITH_PAYMENTS,
        )

    # Payments

    async def get_payment(self, payment_id: str) -> Payment:
        """Raises NotFound."""
        return await self._client.call(
            f"{self._api}/payments/{segment(payment_id)}", _payment, subject="payment"
        )

    async def find_payment_by_key(self, key: str) -> Payment | None:
        try:
            return await self._client.call(
                f"{self._api}/payments/key={segment(key)}", _payment, subject="payment"
            )
        except NotFound:
            return None

    async def find_payment_by_interface_id(self, intent_id: str) -> Payment | None:
        """The payment of a PaymentIntent, whatever payment interface its session named.

        interfaceId is unique within a payment interface only: payments of other connectors and of
        shoppers (https://docs.commercetools.com/api/projects/me-payments) may name the same one.
        Ours is older than its intent, so it is among the first.
        """
        where = f"interfaceId={quoted(intent_id)}"
        params: dict[str, str | int] = {"sort": "createdAt asc", "limit": _SAME_INTENT}
        page = await self._query("payments", where, _payments, subject="payment", params=params)
        return next((each for each in page.results if self.is_of_connector(each)), None)

    def is_of_connector(self, payment: Payment) -> bool:
        """Whether this connector started a payment."""
        return is_of_connector(payment, self.payment_interface)

    async def create_payment(self, draft: PaymentDraft) -> Payment:
        """The Payment under the draft's key: the new one, or the one that is there already.

        It exists when another request was faster, or an earlier try succeeded without an answer.
        Raises BackendUnavailable where neither is known.
        """
        try:
            return await self._client.call(
                f"{self._api}/payments", _payment, draft, subject="payment"
            )
        except (DuplicateField, BackendUnavailable):
            payment = await self.find_payment_by_key(draft.key)
            if payment is None:
                raise
            return payment

    async def update_payment(self, payment: Payment, actions: Sequence[Action]) -> Payment:
        """Apply actions to the version that they were computed from, all or none.

        Raises VersionConflict when another request wrote first, NotFound, InvalidRequest.
        """
        return await self._client.call(
            f"{self._api}/payments/{segment(payment.id)}",
            _payment,
            {"version": payment.version, "actions": actions},
            subject="payment",
        )

    # Customers and their custom objects

    async def get_customer(self, customer_id: str) -> Customer | None:
        """None only where commercetools says that there is no such customer."""
        try:
            return await self._client.call(
                f"{self._api}/customers/{segment(customer_id)}",
                _customer,
                subject="customer",
            )
        except NotFound:
            return None

    async def update_customer(
        self, customer: Customer, actions: Sequence[ActionOnCustomer]
    ) -> Customer:
        """Raises VersionConflict, NotFound, InvalidRequest."""
        return await self._client.call(
            f"{self._api}/customers/{segment(customer.id)}",
            _customer,
            {"version": customer.version, "actions": actions},
            subject="customer",
        )

    async def find_custom_object(self, container: str, key: str) -> Any | None:
        """The value of a custom object, or None where there is none."""
        url = f"{self._api}/custom-objects/{segment(container)}/{segment(key)}"
        try:
            return (await self._client.call(url, _custom_object, subject="custom object")).value
        except NotFound:
            return None

    async def create_custom_object(self, container: str, key: str, value: Any) -> None:
        """Create a custom object; raises VersionConflict when it exists, so one writer wins."""
        await self._client.call(
            f"{self._api}/custom-objects",
            _ignored,
            {"container": container, "key": key, "value": value, "version": 0},
            subject="custom object",
        )

    async def put_custom_object(self, container: str, key: str, value: Any) -> None:
        """Create a custom object or replace its value."""
        await self._client.call(
            f"{self._api}/custom-objects",
            _ignored,
            {"container": container, "key": key, "value": value},
            subject="custom object",
        )

    async def delete_custom_object(self, container: str, key: str) -> None:
        """Delete a custom object; does nothing if it does not exist."""
        url = f"{self._api}/custom-objects/{segment(container)}/{segment(key)}"
        try:
            await self._client.call(url, _ignored, subject="custom object", delete=True)
        except NotFound:
            return

    # Types

    async def get_type_id(self, key: str) -> str | None:
        try:
            found = await self._client.call(
                f"{self._api}/types/key={segment(key)}", _id, subject="type"
            )
        except NotFound:
            return None
        return found.id

    async def create_type(self, draft: Mapping[str, Any]) -> str:
        """The id of the new type; raises DuplicateField when its key is taken."""
        return (await self._client.call(f"{self._api}/types", _id, draft, subject="type")).id

    # Sessions and tokens

    async def get_session(self, session_id: str) -> Session:
        """A Checkout session in any state; raises NotFound."""
        return await self._client.call(
            f"{self._sessions}/{segment(session_id)}", _session, subject="session"
        )

    async def introspect_token(self, token: str) -> Introspection:
        """The authorization server's description of a caller's access token."""
        answer = await self._client.post_form(
            self._introspect,
            urlencode({"token": token}),
            _introspection,
            auth=self._credentials,
            subject="token introspection",
        )
        if answer.exp is not None and answer.exp > _MILLISECONDS:
            return msgspec.structs.replace(answer, exp=answer.exp // 1000)
        return answer

    async def get_granted_scopes(self) -> frozenset[str]:
        """The scopes of our own token, each with the project key after its colon."""
        return (await self._client.tokens.get()).scopes

    async def _query(
        self,
        resource: str,
        where: str,
        decoder: msgspec.json.Decoder[_Page[T]],
        *,
        subject: str,
        params: Mapping[str, str | int] | None = None,
    ) -> _Page[T]:
        """The first page of matches; without the total, as counting is slow."""
        return await self._client.call(
            f"{self._api}/{resource}",
            decoder,
            subject=subject,
            params={"where": where, "limit": 1, "withTotal": "false", **(params or {})},
        )
