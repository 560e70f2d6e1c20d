"""Records in commercetools of payment methods that a shopper saved while paying."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from msgspec import UNSET

from stripe_connector.errors import (
    BackendUnavailable,
    ConnectorError,
    InvalidRequest,
    NotFound,
)
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import (
    PaymentMethod,
    PaymentMethodDraft,
    TokenValue,
)
from stripe_connector.gateways.commercetools.payment_methods import RecurringPaymentJob
from stripe_connector.gateways.commercetools.update_actions import SetMethodStatus
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import StripePaymentMethod
from stripe_connector.ledger.actions import Action, SetMethodInfoToken, TokenDraft
from stripe_connector.ledger.facts import CUSTOMER_ID
from stripe_connector.ledger.payment import Payment, Reference
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.payments.interactions import Interaction
from stripe_connector.payments.record import Recorder

logger = logging.getLogger(__name__)

JOB_REFUSED = "recurring_payment_job.refused"
"""The interface interaction of a Payment whose recurring payments Checkout refused."""


class StoredMethods:
    """Records saved payment methods, and requests recurring payments with them."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        recorder: Recorder,
        *,
        interface_account: str | None = None,
        observe_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._recorder = recorder
        self._interface_account = interface_account
        self._observe_refused = observe_refused

    async def remember(self, payment: Payment, intent: PaymentIntent) -> Payment:
        """Record the method of an authorized intent if the customer saved it.

        The Payment's token is written last: if it is there, everything else is.
        """
        customer_id = intent.metadata.get(CUSTOMER_ID)
        if (
            customer_id is None
            or intent.customer is None
            or intent.payment_method is None
            or payment.payment_method_info.token is not None
        ):
            return payment
        try:
            method = await self._stripe.get_payment_method(intent.payment_method)
        except NotFound:
            return payment  # removed since
        if method.customer is None:
            return payment  # used once, not saved
        try:
            stored = await self._stored(customer_id, method)
        except InvalidRequest as error:
            if error.code != "ReferencedResourceNotFound":
                raise
            return payment  # the customer was deleted meanwhile
        refusal = None
        if intent.setup_future_usage == "off_session" and payment.checkout_transaction_item_id:
            cart = await self._commercetools.find_cart_of_payment(payment.id)
            if cart is not None and cart.is_recurring:
                refusal = await self._create_job(payment, stored)

        async def compute(current: Payment) -> Sequence[Action]:
            if current.payment_method_info.token is not None:
                return []
            told = [refusal.action(self._recorder.now())] if refusal else []
            return [SetMethodInfoToken(TokenDraft(method.id)), *told]

        return await self._recorder.update(payment, compute)

    async def detached(self, method_id: str) -> bool:
        """Deactivate a method that Stripe cannot charge any more; False where none was active.

        The record stays: past payments refer to it. Raises VersionConflict; Stripe then sends
        the event again.
        """
        stored = await self._commercetools.find_payment_method_by_key(method_id)
        if stored is None or not stored.is_active:
            return False
        await self.deactivate(stored)
        return True

    async def deactivate(self, stored: PaymentMethod) -> None:
        """Mark it as inactive; the record stays. Raises VersionConflict, NotFound."""
        await self._commercetools.update_payment_method(stored, [SetMethodStatus("Inactive")])

    async def create(self, customer_id: str, method: StripePaymentMethod) -> PaymentMethod:
        """Create the record of a method; its key lets concurrent requests create only one."""
        return await self._commercetools.create_payment_method(
            PaymentMethodDraft(
                key=method.id,
                customer=Reference("customer", customer_id),
                payment_interface=self._commercetools.payment_interface,
                interface_account=self._interface_account or UNSET,
                method=method.type,
                token=TokenValue(method.id),
            )
        )

    async def _create_job(self, payment: Payment, stored: PaymentMethod) -> Interaction | None:
        """Request the recurring payments; returns a permanent refusal of Checkout.

        Raises BackendUnavailable where a repetition may help.
        """
        try:
            await self._commercetools.create_recurring_payment_job(payment.id, stored.id)
        except BackendUnavailable:
            raise
        except ConnectorError as error:
            there = await self._job(payment)
            if there is not None and there.payment_method.id == stored.id:
                return None  # it was made before: of a repetition the answer was lost
            logger.error(  # noqa: TRY400 - Checkout's reason is enough
                "Checkout refused the recurring payments of a payment",
                extra={"fields": {"payment": payment.id, "reason": error.detail or error.message}},
            )
            self._observe_refused()
            told = {"code": error.code, "message": error.detail or error.message}
            return Interaction(JOB_REFUSED, payment.id, response=told)
        return None

    async def lacks_job(self, payment: Payment) -> bool:
        """Whether Checkout refused a payment's job, and there is still none."""
        refused = any(
            each.fields.get("type") == JOB_REFUSED for each in payment.interface_interactions
        )
        return refused and await self._job(payment) is None

    async def _job(self, payment: Payment) -> RecurringPaymentJob | None:
        """The job under the payment's key; None too where Checkout does not say."""
        try:
            return await self._commercetools.find_recurring_payment_job(payment.id)
        except BackendUnavailable:
            raise
        except ConnectorError:
            return None

    async def _stored(self, customer_id: str, method: StripePaymentMethod) -> PaymentMethod:
        """The commercetools payment method, found by token, as other programs may set no key."""
        for stored in await self._commercetools.list_payment_methods(customer_id):
            if stored.token_value == method.id:
                return stored
        return await self.create(customer_id, method)
