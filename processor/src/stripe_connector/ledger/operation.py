"""The operation behind a transaction that was written ahead: who asked for it, which try it is.

A capture, refund or cancellation is written to the Payment before Stripe is called. What is needed
to recognise a repetition and to resume after a crash stays with the transaction, in custom fields.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from stripe_connector.ledger.payment import CustomFields, Reference, Transaction

TYPE_KEY = "payment-connector-stripe-operation"
IDENTITY = "stripeConnector_operation"
ACTION = "stripeConnector_action"
ATTEMPT = "stripeConnector_attempt"
ATTEMPTED_AT = "stripeConnector_attemptedAt"
FINAL = "stripeConnector_final"
REFUND_OF = "stripeConnector_refundOf"
MERCHANT_REFERENCE = "stripeConnector_merchantReference"
ERROR = "stripeConnector_error"
ERROR_MESSAGE = "stripeConnector_errorMessage"
RECEIVED = "stripeConnector_received"
REMAINING = "stripeConnector_remaining"
"""Of a bank transfer that comes in parts: shown to people, and read by nobody."""

KEY_LIFETIME = timedelta(hours=23)
"""Stripe keeps an idempotency key for at least 24 hours; an older one is not trusted."""

_NEEDED = frozenset({IDENTITY, ACTION, ATTEMPT, ATTEMPTED_AT})
_EXPLICIT = "key:"


class Operation(Struct, frozen=True):
    """What the custom fields of a written-ahead transaction hold."""

    identity: str
    action: str
    """The modification that was asked for, such as refundPayment."""
    attempt: int
    """Counts Stripe idempotency keys: a new one is needed only after a stored 5xx or a day."""
    attempted_at: datetime
    """When the current attempt was written down, in UTC."""
    final: bool = True
    """For a capture: whether the rest of the authorization is released. For the charge of a stored
    method: whether it is captured at once."""
    refund_of: str | None = None
    """For a refund: the Charge transaction it belongs to."""
    merchant_reference: str | None = None
    error: str | None = None
    error_message: str | None = None

    @property
    def explicit(self) -> bool:
        """The caller named the operation with an Idempotency-Key."""
        return self.identity.startswith(_EXPLICIT)

    def custom(self) -> CustomFields:
        """As custom fields of the transaction."""
        fields: dict[str, Any] = {
            IDENTITY: self.identity,
            ACTION: self.action,
            ATTEMPT: self.attempt,
            ATTEMPTED_AT: timestamp(self.attempted_at),
            FINAL: self.final,
        }
        if self.refund_of is not None:
            fields[REFUND_OF] = self.refund_of
        if self.merchant_reference is not None:
            fields[MERCHANT_REFERENCE] = self.merchant_reference
        return CustomFields(type=Reference(type_id="type", key=TYPE_KEY), fields=fields)


def operation_of(transaction: Transaction) -> Operation | None:
    """The operation behind a transaction; None for one that nobody asked us for.

    Nor can one be told, or resumed, of which somebody has deleted a field.
    """
    fields = transaction.custom.fields if transaction.custom else {}
    if not fields.keys() >= _NEEDED:
        return None
    return Operation(
        identity=fields[IDENTITY],
        action=fields[ACTION],
        attempt=int(fields[ATTEMPT]),
        attempted_at=datetime.fromisoformat(fields[ATTEMPTED_AT]),
        final=bool(fields.get(FINAL, True)),
        refund_of=fields.get(REFUND_OF),
        merchant_reference=fields.get(MERCHANT_REFERENCE),
        error=fields.get(ERROR),
        error_message=fields.get(ERROR_MESSAGE),
    )


def identity(
    key: str | None,
    action: str,
    cent_amount: int | None = None,
    refund_of: str | None = None,
    merchant_reference: str | None = None,
) -> str:
    """Names an operation on a payment: by the caller's key if sent, else by what is asked for."""
    if key is not None:
        return _EXPLICIT + _digest(key)
    return f"{action}:" + _digest(repr((cent_amount, refund_of, merchant_reference)))


def idempotency_key(transaction_id: str, attempt: int) -> str:
    """Stripe's key for one attempt at a written-ahead transaction."""
    return f"{transaction_id}:{attempt}"


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as commercetools writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def type_draft() -> dict[str, Any]:
    """The custom type that declares the fields, for transactions."""

    def field(name: str, type_name: str, label: str) -> dict[str, Any]:
        return {
            "name": name,
            "type": {"name": type_name},
            "label": {"en": label},
            "required": False,
        }

    return {
        "key": TYPE_KEY,
        "name": {"en": "Stripe operation"},
        "description": {"en": "Recognises and resumes an operation that was asked of Stripe"},
        "resourceTypeIds": ["transaction"],
        "fieldDefinitions": [
            field(IDENTITY, "String", "Operation"),
            field(ACTION, "String", "Action"),
            field(ATTEMPT, "Number", "Attempt"),
            field(ATTEMPTED_AT, "DateTime", "Attempted at"),
            field(FINAL, "Boolean", "Final capture"),
            field(REFUND_OF, "String", "Refund of"),
            field(MERCHANT_REFERENCE, "String", "Merchant reference"),
            field(ERROR, "String", "Stripe error code"),
            field(ERROR_MESSAGE, "String", "Stripe error message"),
            field(RECEIVED, "Money", "Received of a bank transfer"),
            field(REMAINING, "Money", "Still to come of a bank transfer"),
        ],
    }


def shown(fields: dict[str, Any]) -> CustomFields:
    """Fields for people on a transaction that no operation of ours has asked for."""
    return CustomFields(type=Reference(type_id="type", key=TYPE_KEY), fields=fields)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
