"""Charges a stored payment method at Stripe without the shopper, and finds the intent later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from stripe_connector.errors import PaymentRefused
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import Action, SetInterfaceId
from stripe_connector.ledger.facts import (
    CUSTOMER_ID,
    PAYMENT_ID,
    PROJECT_KEY,
    TRANSACTION_ID,
    intent_fact,
)
from stripe_connector.ledger.merge import merge
from stripe_connector.ledger.operation import Operation, changed, operations
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import to_stripe
from stripe_connector.payments import attempts, intents
from stripe_connector.payments.record import Recorder

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import (
        ConfirmParams,
        IntentCreateParams,
    )

ORDER_NUMBER = "ct_order_number"
"""Metadata: the number of the future order."""


class Charged(Struct, frozen=True):
    """The latest request to Stripe, and its answer."""

    asked: IntentCreateParams | ConfirmParams
    intent: PaymentIntent


class OffSession:
    """Creates an intent, records it, then confirms it: a repetition always finds the same one."""

    def __init__(self, stripe: Stripe, recorder: Recorder, project_key: str) -> None:
        self._stripe = stripe
        self._recorder = recorder
        self._project_key = project_key

    async def charge(
        self, payment: Payment, transaction: Transaction, operation: Operation, key: str
    ) -> tuple[Payment, Charged]:
        """Returns the Payment with its intent, and the result of the confirmation.

        Built only from what is recorded. Raises PaymentRefused where the bank or Stripe
        refuses, or the method is gone.
        """
        intent_id = payment.interface_id
        if intent_id is None:
            params = await self._params(payment, transaction, operation)
            if operation.added is None:
                # Begun by version 0.1.0: one call, whose key Stripe may have stored.
                charged: IntentCreateParams = {**params, "off_session": True, "confirm": True}
                return payment, Charged(charged, await self._stripe.create_intent(charged, key))
            intent = await attempts.create(
                lambda key: self._stripe.create_intent(params, key),
                lambda: self._stripe.find_intent(payment.id, intents.since(transaction.timestamp)),
                f"{key}:intent",
            )
            payment = await self._linked(payment, intent.id)
            intent_id = payment.interface_id or intent.id
        asked: ConfirmParams = {"off_session": True}
        return payment, Charged(asked, await self._stripe.confirm_intent(intent_id, asked, key))

    async def _linked(self, payment: Payment, intent_id: str) -> Payment:
        async def compute(current: Payment) -> Sequence[Action]:
            return [SetInterfaceId(intent_id)] if current.interface_id is None else []

        return await self._recorder.update(payment, compute)

    async def _params(
        self, payment: Payment, transaction: Transaction, operation: Operation
    ) -> IntentCreateParams:
        token = payment.payment_method_info.token
        method = await self._stripe.get_payment_method(token.value or "" if token else "")
        if method.customer is None:
            raise PaymentRefused(
                "The payment method was removed.", code="payment_method_not_available"
            )
        metadata = {
            PAYMENT_ID: payment.id,
            PROJECT_KEY: self._project_key,
            TRANSACTION_ID: transaction.id,
        }
        if payment.customer is not None:
            metadata[CUSTOMER_ID] = str(payment.customer.id)
        if operation.merchant_reference is not None:
            metadata[ORDER_NUMBER] = operation.merchant_reference
        params: IntentCreateParams = {
            "amount": to_stripe(transaction.amount),
            "currency": transaction.amount.currency_code.lower(),
            "customer": method.customer,
            "payment_method": method.id,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": metadata,
        }
        if not operation.final:
            params["capture_method"] = "manual"
        return params

    async def look(
        self, payment: Payment, transaction: Transaction, intent_id: str | None
    ) -> Payment:
        """Read the intent at Stripe and merge it; search by the Payment's id where it is not known.

        The list begins at the transaction's time, that of the latest try; search has older ones.
        """
        if intent_id is None:
            since = intents.since(transaction.timestamp)
            found = await self._stripe.find_intent(payment.id, since)
            if found is None:
                return payment
            intent_id = found.id
        known = intent_id

        async def compute(current: Payment) -> Sequence[Action]:
            intent = await self._stripe.get_intent(known)
            recorded = merge(current, [intent_fact(intent)], self._recorder.now())
            return [*recorded, *_reasons(current, intent)]

        return await self._recorder.update(payment, compute)


def _reasons(payment: Payment, intent: PaymentIntent) -> list[Action]:
    """Why the attempt failed, for a repeated request."""
    error = intent.last_payment_error
    if error is None:
        return []
    ours = operations(payment)
    for transaction in payment.of_type("Authorization"):
        operation = ours.get(transaction.id)
        if operation is not None and operation.error is None:
            code, message = error.code or "declined", error.message or "The payment was declined."
            failed = replace(operation, error=code, error_message=message)
            return changed(transaction, operation, failed)
    return []
