"""A stored payment method at Stripe: charged without the shopper, and looked for afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from stripe_connector.errors import PaymentRefused
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.ledger.actions import Action, SetTransactionCustomField
from stripe_connector.ledger.facts import (
    CUSTOMER_ID,
    PAYMENT_ID,
    PROJECT_KEY,
    TRANSACTION_ID,
    intent_fact,
)
from stripe_connector.ledger.merge import merge
from stripe_connector.ledger.operation import ERROR, ERROR_MESSAGE, Operation, operation_of
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import to_stripe
from stripe_connector.payments import intents
from stripe_connector.payments.record import Recorder

ORDER_NUMBER = "ct_order_number"
"""Metadata: the number that the order will have."""


class OffSession:
    """Intents that are confirmed as they are made."""

    def __init__(self, stripe: Stripe, recorder: Recorder, project_key: str) -> None:
        self._stripe = stripe
        self._recorder = recorder
        self._project_key = project_key

    async def charge(
        self, payment: Payment, transaction: Transaction, operation: Operation, key: str
    ) -> tuple[dict[str, Any], PaymentIntent]:
        """What Stripe was asked, and its intent; built from nothing but what is written down.

        Raises PaymentRefused where the bank or Stripe refuses, or the method is gone.
        """
        token = payment.payment_method_info.token
        method = await self._stripe.payment_method(token.value or "" if token else "")
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
        params: dict[str, Any] = {
            "amount": to_stripe(transaction.amount),
            "currency": transaction.amount.currency_code.lower(),
            "customer": method.customer,
            "payment_method": method.id,
            "off_session": True,
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "metadata": metadata,
        }
        if not operation.final:
            params["capture_method"] = "manual"
        return params, await self._stripe.create_intent(params, key)

    async def look(
        self, payment: Payment, transaction: Transaction, intent_id: str | None
    ) -> Payment:
        """Merge what Stripe says of the intent, found by the Payment's id where it is not known.

        The transaction's time is that of the latest try: of earlier ones a search knows.
        """
        if intent_id is None:
            since = intents.since(transaction.timestamp)
            found = await self._stripe.find_intent(payment.id, since)
            if found is None:
                return payment
            intent_id = found.id
        known = intent_id

        async def compute(current: Payment) -> Sequence[Action]:
            intent = await self._stripe.intent(known)
            recorded = merge(current, [intent_fact(intent)], self._recorder.now())
            return [*recorded, *_reasons(current, intent)]

        return await self._recorder.update(payment, compute)


def _reasons(payment: Payment, intent: PaymentIntent) -> list[Action]:
    """Why the attempt failed, for whoever asks again."""
    error = intent.last_payment_error
    if error is None:
        return []
    for transaction in payment.of_type("Authorization"):
        operation = operation_of(transaction)
        if operation is not None and operation.error is None:
            code, message = error.code or "declined", error.message or "The payment was declined."
            return [
                SetTransactionCustomField(transaction.id, ERROR, code),
                SetTransactionCustomField(transaction.id, ERROR_MESSAGE, message),
            ]
    return []
