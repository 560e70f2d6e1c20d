"""Shows, chooses and removes a customer's stored payment methods, as Stripe has them now.

Stripe decides what can be charged, commercetools holds what the shop may refer to. Whatever is
alive at Stripe gets a record, and a record whose method is gone becomes inactive. It stays, for
past payments and recurring orders refer to it.

A card is one card however often it was saved: the newest token counts. Older ones are detached,
unless a recurring order that is not over may charge them: Checkout says on its cart which method
it charges, and until it has, the order keeps them all, hidden.
"""

from __future__ import annotations

import logging

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.concurrency import Tries, both, every
from stripe_connector.errors import (
    BackendUnavailable,
    Conflict,
    ConnectorError,
    InvalidRequest,
    NotFound,
    PaymentRefused,
    VersionConflict,
    required_field,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Cart, PaymentMethod
from stripe_connector.gateways.commercetools.payment_methods import RecurringOrder
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import StripePaymentMethod
from stripe_connector.payments.asked import UnusableMethod
from stripe_connector.payments.behaviour import behaviour_of
from stripe_connector.payments.offer import Offer
from stripe_connector.payments.shopper import Shopper
from stripe_connector.payments.stored.customers import Customers
from stripe_connector.payments.stored.method_records import StoredMethods
from stripe_connector.settings import Settings

logger = logging.getLogger(__name__)


class Brand(Struct, frozen=True):
    key: str
    """As Stripe names it, such as visa."""


class DisplayOptions(Struct, frozen=True, rename="camel"):
    """The details by which a shopper recognises a method."""

    end_digits: str | UnsetType = UNSET
    brand: Brand | UnsetType = UNSET
    expiry_month: int | UnsetType = UNSET
    expiry_year: int | UnsetType = UNSET


class ShownMethod(Struct, frozen=True, rename="camel"):
    """A stored method as browsers see it: by its id in commercetools, without Stripe's."""

    id: str
    type: str
    token: str
    """The id again: the template's schema requires a token, and Stripe's stays on the server."""
    is_default: bool
    created_at: str
    display_options: DisplayOptions


class CustomerMethods:
    """The stored methods of carts' customers."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        customers: Customers,
        stored_methods: StoredMethods,
        offer: Offer,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._customers = customers
        self._stored_methods = stored_methods
        self._offer = offer
        self._settings = settings

    def require_enabled(self) -> None:
        """Raises InvalidRequest where stored methods are not enabled."""
        if not self._settings.stored_payment_methods_enabled:
            raise InvalidRequest("Stored payment methods are not enabled.")

    async def list_usable(self, shopper: Shopper) -> list[ShownMethod]:
        """What a cart's customer can pay with, newest first; the records follow on the way.

        Raises Conflict where session, rules and account leave no payment method.
        """
        self.require_enabled()
        session, cart = await both(
            shopper.read_session(), self._commercetools.get_cart(shopper.cart_id)
        )
        customer_id = customer_of(cart)
        methods = await self._offer.choose(session.metadata, behaviour_of(cart, self._settings))
        types = await self._offer.allowed_types(methods)
        alive, records = await both(
            self._alive(customer_id), self._commercetools.list_payment_methods(customer_id)
        )
        # Of two records of one method, an active one wins.
        by_token = {each.token_value: each for each in sorted(records, key=_is_active)}
        missing = [each for each in alive if each.id not in by_token]
        alive_ids = {each.id for each in alive}
        stale = [each for each in records if each.is_active and each.token_value not in alive_ids]
        created, _ = await both(
            every(self._stored_methods.create(customer_id, each) for each in missing),
            every(self._retire_if_dead(each) for each in stale),
        )
        by_token |= {each.token_value: each for each in created}
        usable = [each for each in alive if self._can_be_used(by_token[each.id], customer_id)]
        kept = _once_per_card(usable)
        older = [by_token[each.id] for each in usable if each not in kept]
        if older:
            await self._try_to_take_away(customer_id, older, records)
        return [
            _shown(by_token[each.id], each) for each in kept if types is None or each.type in types
        ]

    async def find(self, method_id: str | None) -> PaymentMethod | None:
        """The record with an id, of any customer; None where there is none."""
        return await self._commercetools.get_payment_method(method_id) if method_id else None

    def require_usable(
        self, cart: Cart, record: PaymentMethod | None, method_id: str
    ) -> PaymentMethod:
        """A record that pays for a cart; raises UnusableMethod unless it is its customer's own."""
        customer_id = customer_of(cart)
        if record is None or not self._can_be_used(record, customer_id):
            raise UnusableMethod(method_id)
        return record

    async def remove(self, cart_id: str, method_id: str) -> None:
        """Take a method from the customer for good; repeated, it completes what is missing.

        Stripe first: after a crash the record still says what can be charged no more, and is
        hidden with it. The other way round a chargeable method would be left that is not shown, and
        that the next look at Stripe would bring back. Raises NotFound for another's record,
        Conflict with the ids of recurring orders that are paid with it.
        """
        self.require_enabled()
        cart, record = await both(self._commercetools.get_cart(cart_id), self.find(method_id))
        customer_id = customer_of(cart)
        if record is None or not self._is_own(record, customer_id):
            raise NotFound("The payment method was not found.")
        recurring, records = await both(
            self._recurring(customer_id), self._commercetools.list_payment_methods(customer_id)
        )
        await self._require_not_recurring(record, recurring, records)
        card, alive = await both(self._take_away(record), self._alive(customer_id))
        # The same card under other tokens: it was seen once, and is removed once.
        same = [each for each in alive if card is not None and _card(each) == card]
        others = [each for each in same if each.id != record.token_value]
        if not others:
            return
        by_token = {each.token_value: each for each in records}
        for other in others:
            known = by_token.get(other.id) or await self._stored_methods.create(customer_id, other)
            if _is_free(known, recurring, records):
                await self._take_away(known)
            elif not any(_charges(each, known, records) for each in recurring or []):
                await self._deactivate(known)  # one that is charged is refused by itself

    async def _require_not_recurring(
        self,
        record: PaymentMethod,
        recurring: list[RecurringOrder] | None,
        records: list[PaymentMethod],
    ) -> None:
        """Raises Conflict where recurring orders are paid with a record's token."""
        using = [
            each.id for each in recurring or [] if await self._is_paid_with(each, record, records)
        ]
        if using:
            raise Conflict(
                "A recurring order is paid with this payment method.",
                code="RecurringOrder",
                fields={"recurringOrders": using},
            )

    async def _is_paid_with(
        self, order: RecurringOrder, record: PaymentMethod, records: list[PaymentMethod]
    ) -> bool:
        """Whether Checkout has set the record's token to pay a recurring order.

        Until it has set any, the method of the payment that the order began with counts. Such
        payments are read for themselves: in expanded references the token is masked.
        """
        if order.allocated:
            return _charges(order, record, records)
        for payment_id in order.payments:
            try:
                payment = await self._commercetools.get_payment(payment_id)
            except NotFound:
                continue
            token = payment.payment_method_info.token
            if token is not None and token.value == record.token_value:
                return True
        return False

    async def _recurring(self, customer_id: str) -> list[RecurringOrder] | None:
        """The customer's recurring orders that are not over; None where we may not ask."""
        try:
            return await self._commercetools.list_recurring_orders(customer_id)
        except BackendUnavailable:
            raise
        except ConnectorError as error:
            told = {"code": error.code, "detail": error.detail or error.message}
            logger.warning("Recurring orders cannot be read", extra={"fields": told})
            return None

    async def _try_to_take_away(
        self, customer_id: str, older: list[PaymentMethod], records: list[PaymentMethod]
    ) -> None:
        """Detach the older tokens of cards; what hinders that is left to the next look at them."""
        try:
            recurring = await self._recurring(customer_id)
            free = [each for each in older if _is_free(each, recurring, records)]
            await every(self._take_away(each) for each in free)
        except ConnectorError as error:
            told = {"code": error.code, "detail": error.detail or error.message}
            logger.warning("Older tokens of a card stay attached", extra={"fields": told})

    async def _take_away(self, record: PaymentMethod) -> str | None:
        """Remove it at Stripe, then the record; returns the card, where Stripe names it."""
        detached = await self._detach(record.token_value) if record.token_value else None
        await self._deactivate(record)
        return _card(detached) if detached is not None else None

    async def _alive(self, customer_id: str) -> list[StripePaymentMethod]:
        stripe_id = await self._customers.find_known(customer_id)
        return await self._stripe.list_payment_methods(stripe_id) if stripe_id else []

    async def _retire_if_dead(self, record: PaymentMethod) -> None:
        """Methods of another Stripe customer stay active: not shown, but possibly charged."""
        if record.token_value is None or await self._attached(record.token_value):
            return
        await self._deactivate(record)

    async def _attached(self, token: str) -> bool:
        try:
            return (await self._stripe.get_payment_method(token)).customer is not None
        except NotFound:
            return False

    async def _detach(self, token: str) -> StripePaymentMethod | None:
        """The method as Stripe knows it afterwards; None where it does not."""
        try:
            try:
                return await self._stripe.detach_payment_method(token)
            except PaymentRefused:
                method = await self._stripe.get_payment_method(token)
                if method.customer is not None:
                    raise
                return method
        except NotFound:
            return None

    async def _deactivate(self, record: PaymentMethod) -> None:
        current: PaymentMethod | None = record
        tries = Tries("The payment method", self._commercetools.clock)
        while current is not None and current.is_active:
            try:
                await self._stored_methods.deactivate(current)
            except (VersionConflict, NotFound):
                await tries.again()
                current = await self._commercetools.get_payment_method(record.id)
            else:
                return

    def _can_be_used(self, record: PaymentMethod, customer_id: str) -> bool:
        return (
            record.is_active
            and record.token_value is not None
            and self._is_own(record, customer_id)
        )

    def _is_own(self, record: PaymentMethod, customer_id: str) -> bool:
        """Whether it is the customer's, of our interface, and of our account if configured."""
        account = self._settings.stored_payment_methods_interface_account
        return (
            record.customer is not None
            and record.customer.id == customer_id
            and record.payment_interface == self._settings.payment_interface
            and account in (None, record.interface_account)
        )


def customer_of(cart: Cart) -> str:
    """The cart's customer; raises InvalidRequest for a guest's cart."""
    if cart.customer_id is None:
        raise required_field("customerId")
    return cart.customer_id


def _is_free(
    record: PaymentMethod, recurring: list[RecurringOrder] | None, records: list[PaymentMethod]
) -> bool:
    """Whether no recurring order charges a record, as far as Checkout has said of all of them."""
    return recurring is not None and all(
        each.allocated and not _charges(each, record, records) for each in recurring
    )


def _charges(order: RecurringOrder, record: PaymentMethod, records: list[PaymentMethod]) -> bool:
    """Whether Checkout has set the record, or another one of the same token, to pay an order."""
    return record.id in order.allocated or record.token_value in {
        each.token_value for each in records if each.id in order.allocated
    }


def _card(method: StripePaymentMethod) -> str | None:
    """What identifies a card, whatever its token."""
    return method.card.fingerprint if method.card else None


def _once_per_card(newest_first: list[StripePaymentMethod]) -> list[StripePaymentMethod]:
    """Of a card that was saved several times, only the newest token."""
    seen: set[str] = set()
    kept = []
    for method in newest_first:
        card = _card(method)
        if card is None or card not in seen:
            kept.append(method)
        if card is not None:
            seen.add(card)
    return kept


def _is_active(record: PaymentMethod) -> bool:
    return record.is_active


def _shown(record: PaymentMethod, method: StripePaymentMethod) -> ShownMethod:
    return ShownMethod(
        id=record.id,
        type=method.type,
        token=record.id,
        is_default=record.default,
        created_at=record.created_at,
        display_options=_display_options(method),
    )


def _display_options(method: StripePaymentMethod) -> DisplayOptions:
    if (card := method.card) is not None:
        return DisplayOptions(
            card.last4 or UNSET,
            Brand(card.brand) if card.brand else UNSET,
            card.exp_month or UNSET,
            card.exp_year or UNSET,
        )
    account = method.sepa_debit or method.us_bank_account
    return DisplayOptions(end_digits=(account.last4 if account else None) or UNSET)
