"""The operation behind a transaction that was written ahead: its identity and its attempts.

A capture, refund or cancellation is written to the Payment before Stripe is called. What is needed
to recognise a repetition and to resume after a crash is an interface interaction of our own type
(`ledger.proof`), appended in the same update: the transaction's own custom type is the merchant's
to replace. The same fields are written as custom fields, for people and for version 0.1.0.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from typing import Any

from msgspec import UNSET, Struct
from msgspec.structs import replace

from stripe_connector.ledger import proof
from stripe_connector.ledger.actions import Action, SetTransactionCustomField, TransactionDraft
from stripe_connector.ledger.payment import (
    CustomFields,
    Payment,
    Reference,
    Transaction,
    TransactionType,
)
from stripe_connector.ledger.proof import (
    ACTION,
    ADDED_AT,
    ATTEMPT,
    ATTEMPTED_AT,
    CENT_AMOUNT,
    CURRENCY,
    ERROR,
    ERROR_MESSAGE,
    FINAL,
    IDENTITY,
    MERCHANT_REFERENCE,
    REFUND_OF,
    TRANSACTION_ID,
    TRANSACTION_TYPE,
    UNKNOWN_SINCE,
    field,
)

TYPE_KEY = "payment-connector-stripe-operation"
RECEIVED = "stripeConnector_received"
REMAINING = "stripeConnector_remaining"
"""Of a bank transfer that arrives in parts: shown to people, never read by the connector."""

KEY_LIFETIME = timedelta(hours=23)
"""Stripe keeps an idempotency key for at least 24 hours; an older one is not trusted."""

_NEEDED = frozenset({IDENTITY, ACTION, ATTEMPT, ATTEMPTED_AT})
_EXPLICIT = "key:"
_CHARGED_BY_0_1_0 = "_recurring"
"""The end of the key of a Payment with which version 0.1.0 charged a stored method."""


class Added(Struct, frozen=True):
    """A transaction as it was added: identifies it before its commercetools id is known.

    No other transaction of the Payment had the same values when it was written.
    """

    type: TransactionType
    cent_amount: int
    currency_code: str
    at: str
    """Its timestamp, ISO 8601 in UTC with milliseconds."""

    def is_of(self, transaction: Transaction) -> bool:
        return self.is_like(transaction) and _moment(transaction.timestamp) == _moment(self.at)

    def is_like(self, transaction: Transaction) -> bool:
        """The same without the timestamp, which other programs may change."""
        return (transaction.type, *_money(transaction)) == (
            self.type,
            self.cent_amount,
            self.currency_code,
        )


class Operation(Struct, frozen=True):
    """What is stored with a written-ahead transaction."""

    identity: str
    action: str
    """The requested modification, such as refundPayment."""
    attempt: int
    """Counts Stripe idempotency keys: a new one is needed only after a stored 5xx or a day."""
    attempted_at: datetime
    """When the current attempt was recorded, in UTC."""
    final: bool = True
    """For a capture: whether the rest of the authorization is released. For the charge of a stored
    method: whether it is captured at once."""
    refund_of: str | None = None
    """For a refund: the Charge transaction it belongs to."""
    merchant_reference: str | None = None
    unknown_since: datetime | None = None
    """Since when Stripe repeats a stored failure: the operation may still take effect."""
    error: str | None = None
    error_message: str | None = None
    added: Added | None = None
    """None where version 0.1.0 wrote it ahead: then the request body must be as that version's."""

    @property
    def last_tried_at(self) -> datetime:
        """When Stripe was last called, as far as is recorded."""
        return max(self.attempted_at, self.unknown_since or self.attempted_at)

    @property
    def explicit(self) -> bool:
        """The caller named the operation with an Idempotency-Key."""
        return self.identity.startswith(_EXPLICIT)

    def custom(self) -> CustomFields:
        """As custom fields of the transaction."""
        fields = {name: value for name, value in self._fields().items() if name not in _PROOF_ALONE}
        return CustomFields(type=Reference(type_id="type", key=TYPE_KEY), fields=fields)

    def interaction(self, transaction_id: str | None = None) -> CustomFields:
        """As an interface interaction; with the transaction's id once that is known."""
        fields = self._fields()
        if transaction_id is not None:
            fields[TRANSACTION_ID] = transaction_id
        if self.added is not None:
            fields |= {
                TRANSACTION_TYPE: self.added.type,
                CENT_AMOUNT: self.added.cent_amount,
                CURRENCY: self.added.currency_code,
                ADDED_AT: self.added.at,
            }
        return proof.proof("operation", fields)

    def _fields(self) -> dict[str, Any]:
        unknown = self.unknown_since
        fields = {
            IDENTITY: self.identity,
            ACTION: self.action,
            ATTEMPT: self.attempt,
            ATTEMPTED_AT: timestamp(self.attempted_at),
            FINAL: self.final,
            REFUND_OF: self.refund_of,
            MERCHANT_REFERENCE: self.merchant_reference,
            UNKNOWN_SINCE: None if unknown is None else timestamp(unknown),
            ERROR: self.error,
            ERROR_MESSAGE: self.error_message,
        }
        return {name: value for name, value in fields.items() if value is not None}


_PROOF_ALONE = frozenset({UNKNOWN_SINCE})
"""Fields that the custom type of version 0.1.0 does not declare."""


def operations(payment: Payment) -> dict[str, Operation]:
    """The operations behind a Payment's transactions, by the transaction's id.

    A transaction that is not in it is not ours: another connector's, or a shopper's.
    """
    found: dict[str, Operation] = {}
    unbound: list[Operation] = []
    known: set[Added] = set()
    for fields in proof.proofs(payment, "operation"):
        operation = _read(fields)
        if operation is None:
            continue
        if (transaction_id := fields.get(TRANSACTION_ID)) is not None:
            found[transaction_id] = operation  # the latest interaction counts
            if operation.added is not None:
                known.add(operation.added)
        else:
            unbound.append(operation)
    for operation in unbound:
        if operation.added in known:
            continue
        transaction = _transaction_of(payment, operation, found)
        if transaction is not None:
            found[transaction.id] = operation
    for position, transaction in enumerate(payment.transactions):
        custom = _read(transaction.custom.fields) if transaction.custom else None
        if custom is None:
            continue
        ours = found.get(transaction.id)
        if ours is None:
            if _written_by_0_1_0(payment, position):
                found[transaction.id] = custom
        elif custom.identity == ours.identity:
            found[transaction.id] = _latest_fields(ours, custom)
    return found


def pretended(payment: Payment) -> list[Transaction]:
    """Transactions with our custom fields that we did not write ahead.

    That is certain only before a Payment has its first authorization.
    """
    if any(each.state != "Initial" for each in payment.transactions):
        return []
    ours = operations(payment)
    return [
        each
        for each in payment.transactions
        if each.type != "Authorization"
        and each.id not in ours
        and each.custom is not None
        and IDENTITY in each.custom.fields
    ]


def operation_of(payment: Payment, transaction: Transaction) -> Operation | None:
    """The operation behind one transaction; None for one that was not requested through us."""
    return operations(payment).get(transaction.id)


def changed(transaction: Transaction, before: Operation, after: Operation) -> list[Action]:
    """Actions that change the operation behind a transaction to `after`.

    Custom fields are changed only where the transaction still has our type.
    """
    actions: list[Action] = [proof.add_interaction(after.interaction(transaction.id))]
    if transaction.custom is not None and IDENTITY in transaction.custom.fields:
        known, wanted = before.custom().fields, after.custom().fields
        actions += [
            SetTransactionCustomField(transaction.id, name, value)
            for name, value in wanted.items()
            if known.get(name) != value
        ]
    return actions


def with_distinct_time(
    payment: Payment | None, draft: TransactionDraft
) -> tuple[TransactionDraft, Added]:
    """A draft whose timestamp distinguishes it from all existing transactions, and its identity."""
    there = payment.transactions if payment is not None else []
    at = "" if draft.timestamp is UNSET else draft.timestamp
    amount = draft.amount
    while True:
        result = Added(draft.type, amount.cent_amount, amount.currency_code, at)
        if not any(result.is_of(each) for each in there):
            return replace(draft, timestamp=at), result
        at = timestamp(datetime.fromisoformat(at) + timedelta(milliseconds=1))


def _transaction_of(
    payment: Payment, operation: Operation, taken: dict[str, Operation]
) -> Transaction | None:
    """Find the transaction that was written with an operation and whose id is not recorded yet.

    commercetools never removes a transaction, and adds at the end: of several, the first is the
    oldest. Where another program changed its timestamp, it must be the only one like it.
    """
    if operation.added is None:
        return None
    free = [each for each in payment.transactions if each.id not in taken]
    for transaction in free:
        if operation.added.is_of(transaction):
            return transaction
    alike = [each for each in free if operation.added.is_like(each)]
    return alike[0] if len(alike) == 1 else None


def _written_by_0_1_0(payment: Payment, position: int) -> bool:
    """Whether custom fields without an interaction are trusted.

    A shopper may add Initial transactions with any custom fields, but only to a Payment that has
    none yet (https://docs.commercetools.com/api/projects/me-payments). Version 0.1.0 wrote ahead
    after an authorization had been recorded, or under a key, which no shopper can set.
    """
    if payment.transactions[position].type == "Authorization":
        return (payment.key or "").endswith(_CHARGED_BY_0_1_0)
    return any(each.state != "Initial" for each in payment.transactions[:position])


def _latest_fields(ours: Operation, custom: Operation) -> Operation:
    """Version 0.1.0 may have continued an operation of this version, in custom fields only."""
    if custom.attempt > ours.attempt:
        ours = replace(ours, attempt=custom.attempt, attempted_at=custom.attempted_at)
    if ours.error is None and custom.error is not None:
        ours = replace(ours, error=custom.error, error_message=custom.error_message)
    return ours


def _read(fields: dict[str, Any]) -> Operation | None:
    """None where a required field was deleted: it can be neither recognised nor resumed."""
    if not fields.keys() >= _NEEDED:
        return None
    unknown = fields.get(UNKNOWN_SINCE)
    return Operation(
        identity=fields[IDENTITY],
        action=fields[ACTION],
        attempt=int(fields[ATTEMPT]),
        attempted_at=datetime.fromisoformat(fields[ATTEMPTED_AT]),
        final=bool(fields.get(FINAL, True)),
        refund_of=fields.get(REFUND_OF),
        merchant_reference=fields.get(MERCHANT_REFERENCE),
        unknown_since=None if unknown is None else datetime.fromisoformat(unknown),
        error=fields.get(ERROR),
        error_message=fields.get(ERROR_MESSAGE),
        added=_read_added(fields),
    )


def _read_added(fields: dict[str, Any]) -> Added | None:
    if ADDED_AT not in fields:
        return None
    return Added(
        fields[TRANSACTION_TYPE], int(fields[CENT_AMOUNT]), fields[CURRENCY], fields[ADDED_AT]
    )


def _money(transaction: Transaction) -> tuple[int, str]:
    return transaction.amount.cent_amount, transaction.amount.currency_code


def _moment(written: str | None) -> datetime | None:
    return None if written is None else datetime.fromisoformat(written)


def identity(
    key: str | None,
    action: str,
    cent_amount: int | None = None,
    refund_of: str | None = None,
    merchant_reference: str | None = None,
) -> str:
    """The identity of an operation: the caller's key if sent, else what is requested."""
    if key is not None:
        return _EXPLICIT + _digest(key)
    return f"{action}:" + _digest(repr((cent_amount, refund_of, merchant_reference)))


def idempotency_key(transaction_id: str, attempt: int) -> str:
    """Stripe's key for one attempt at a written-ahead transaction."""
    return f"{transaction_id}:{attempt}"


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, as commercetools writes it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def operation_type_draft() -> dict[str, Any]:
    """The custom type that declares the fields, for transactions."""
    return {
        "key": TYPE_KEY,
        "name": {"en": "Stripe operation"},
        "description": {"en": "Recognises and resumes an operation that was requested from Stripe"},
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


def shown_fields(fields: dict[str, Any]) -> CustomFields:
    """Fields for people on a transaction that no operation of ours requested."""
    return CustomFields(type=Reference(type_id="type", key=TYPE_KEY), fields=fields)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]
