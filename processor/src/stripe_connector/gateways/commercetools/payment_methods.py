"""Calls to commercetools about stored payment methods."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from stripe_connector.errors import BackendUnavailable, DuplicateField, NotFound
from stripe_connector.gateways.commercetools.client import Client
from stripe_connector.gateways.commercetools.models import (
    PaymentInfo,
    PaymentMethod,
    PaymentMethodDraft,
)
from stripe_connector.gateways.commercetools.storefront_calls import quoted
from stripe_connector.gateways.commercetools.update_actions import ActionOnMethod
from stripe_connector.gateways.outgoing import segment
from stripe_connector.ledger.payment import Reference

_PAGE = 500
"""The largest page of commercetools, and more than a customer has."""


class _Methods(Struct):
    results: list[PaymentMethod]


class _Order(Struct, frozen=True, rename="camel"):
    payment_info: PaymentInfo = PaymentInfo()


class _OriginOrder(Struct, frozen=True):
    obj: _Order | None = None


class _Allocation(Struct, frozen=True, rename="camel"):
    payment_method: Reference


class _PaymentConfiguration(Struct, frozen=True, rename="camel"):
    payment_allocations: list[_Allocation] = []


class _RecurringCart(Struct, frozen=True, rename="camel"):
    recurring_payment_configuration: _PaymentConfiguration = _PaymentConfiguration()


class _CartOfOrder(Struct, frozen=True):
    obj: _RecurringCart | None = None


class RecurringOrder(Struct, frozen=True, rename="camel"):
    """An order that comes again."""

    id: str
    origin_order: _OriginOrder = _OriginOrder()
    cart: _CartOfOrder = _CartOfOrder()

    @property
    def allocated(self) -> list[str]:
        """The ids of the stored methods that pay it; empty until Checkout has set them."""
        cart = self.cart.obj or _RecurringCart()
        allocations = cart.recurring_payment_configuration.payment_allocations
        return [each.payment_method.id for each in allocations if each.payment_method.id]

    @property
    def payments(self) -> list[str]:
        """The ids of the Payments of the order that it began with."""
        order = self.origin_order.obj
        return [each.id for each in order.payment_info.payments] if order is not None else []


class _RecurringOrders(Struct):
    results: list[RecurringOrder]


class RecurringPaymentJob(Struct, frozen=True, rename="camel"):
    """What Checkout was told of a payment whose cart recurs."""

    origin_payment: Reference
    payment_method: Reference


_OVER = ("Expired", "Canceled")
"""States of a recurring order that makes no orders any more; a failed one may go on."""

_payment_method = msgspec.json.Decoder(PaymentMethod)
_payment_methods = msgspec.json.Decoder(_Methods)
_recurring_job = msgspec.json.Decoder(RecurringPaymentJob)
_recurring_orders = msgspec.json.Decoder(_RecurringOrders)
_ignored = msgspec.json.Decoder(msgspec.Raw)


class PaymentMethodCalls:
    """The part of the gateway for customers' payment methods."""

    payment_interface: str
    _api: str
    _client: Client
    _recurring_jobs: str

    async def list_payment_methods(self, customer_id: str) -> list[PaymentMethod]:
        """The customer's stored payment methods of our interface, inactive ones too."""
        where = (
            f"customer(id={quoted(customer_id)}) and"
            f" paymentInterface={quoted(self.payment_interface)}"
        )
        page = await self._client.call(
            f"{self._api}/payment-methods",
            _payment_methods,
            subject="payment method",
            params={"where": where, "limit": _PAGE, "withTotal": "false"},
        )
        return page.results

    async def get_payment_method(self, method_id: str) -> PaymentMethod | None:
        """A stored payment method of any customer: the caller has to check whose it is."""
        try:
            return await self._client.call(
                f"{self._api}/payment-methods/{segment(method_id)}",
                _payment_method,
                subject="payment method",
            )
        except NotFound:
            return None

    async def find_payment_method_by_key(self, key: str) -> PaymentMethod | None:
        try:
            return await self._client.call(
                f"{self._api}/payment-methods/key={segment(key)}",
                _payment_method,
                subject="payment method",
            )
        except NotFound:
            return None

    async def update_payment_method(
        self, method: PaymentMethod, actions: Sequence[ActionOnMethod]
    ) -> PaymentMethod:
        """Raises VersionConflict, NotFound, InvalidRequest."""
        return await self._client.call(
            f"{self._api}/payment-methods/{segment(method.id)}",
            _payment_method,
            {"version": method.version, "actions": actions},
            subject="payment method",
        )

    async def create_payment_method(self, draft: PaymentMethodDraft) -> PaymentMethod:
        """The method under the draft's key: the new one, or the one that is there already.

        Raises InvalidRequest for an unknown customer, DuplicateField where the key belongs to
        another customer's, BackendUnavailable where it is not known to exist.
        """
        try:
            return await self._client.call(
                f"{self._api}/payment-methods",
                _payment_method,
                draft,
                subject="payment method",
            )
        except (DuplicateField, BackendUnavailable):
            found = await self.find_payment_method_by_key(draft.key)
            if found is None or found.customer is None or found.customer.id != draft.customer.id:
                raise
            return found

    async def list_recurring_orders(self, customer_id: str) -> list[RecurringOrder]:
        """A customer's recurring orders that are not over, whatever state they are in."""
        states = ", ".join(map(quoted, _OVER))
        where = f"customer(id={quoted(customer_id)}) and recurringOrderState not in ({states})"
        page = await self._client.call(
            f"{self._api}/recurring-orders",
            _recurring_orders,
            subject="recurring order",
            params={
                "where": where,
                "expand": ["originOrder", "cart"],
                "limit": _PAGE,
                "withTotal": "false",
            },
        )
        return page.results

    async def create_recurring_payment_job(self, payment_id: str, payment_method_id: str) -> None:
        """Tell Checkout which method pays the orders that recur from a payment's cart.

        The job has the payment's id as its key, so there is one. Raises ConnectorError where
        Checkout refuses it, also because there is one already.
        """
        await self._client.call(
            self._recurring_jobs,
            _ignored,
            {
                "key": payment_id,
                "originPayment": Reference(type_id="payment", id=payment_id),
                "paymentMethod": Reference(type_id="payment-method", id=payment_method_id),
            },
            subject="recurring payment job",
        )

    async def find_recurring_payment_job(self, payment_id: str) -> RecurringPaymentJob | None:
        """The job that was made for a payment."""
        try:
            return await self._client.call(
                f"{self._recurring_jobs}/key={segment(payment_id)}",
                _recurring_job,
                subject="recurring payment job",
            )
        except NotFound:
            return None
