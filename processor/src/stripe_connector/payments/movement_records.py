"""What is recorded of a movement of money: what the record says, and each change of it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from stripe_connector.clock import Clock
from stripe_connector.errors import BackendUnavailable, InvalidRequest
from stripe_connector.ledger.actions import Action, ChangeTransactionState
from stripe_connector.ledger.operation import Operation, changed, operation_of
from stripe_connector.ledger.payment import Payment, Transaction
from stripe_connector.payments.attempts import RepeatEffect
from stripe_connector.payments.limits import unanswered
from stripe_connector.payments.parts import Outcome
from stripe_connector.payments.record import Compute


def effect_of(transaction: Transaction, operation: Operation) -> RepeatEffect:
    """The effect if Stripe carried out an operation twice."""
    match transaction.type:
        case "Refund":
            return RepeatEffect.TWICE
        case "Charge":
            return RepeatEffect.REFUSED if operation.final else RepeatEffect.TWICE
        case "Authorization" if operation.added is None:
            return RepeatEffect.TWICE  # version 0.1.0 created and confirmed in one call
        case _:
            return RepeatEffect.REFUSED


def unseen_charge(payment: Payment) -> Transaction | None:
    """An Authorization that is written ahead, and not seen at Stripe yet."""
    return next(iter(unanswered(payment, "Authorization")), None)


def is_open(transaction: Transaction, operation: Operation) -> bool:
    """Whether an equal request counts as the same one, however old it is.

    An equal refund is a new one once Stripe has recorded the first, even where the bank takes days.
    Other Pending transactions still wait for us, or for the intent's outcome.
    """
    if transaction.state == "Pending":
        return operation.action != "refundPayment"
    return transaction.state == "Initial"


def outcome_of(payment: Payment, transaction: Transaction) -> Outcome:
    type_, amount = transaction.type, transaction.amount
    match transaction.state:
        case "Success":
            return Outcome("approved", type=type_, amount=amount)
        case "Failure":
            operation = recorded_operation(payment, transaction)
            released = transaction.type == "CancelAuthorization" and operation.error is None
            if released and not payment.total("Authorization", "Success"):
                # Canceled before anything was held.
                return Outcome("approved", type=type_, amount=amount)
            code = operation.error or "refused"
            return Outcome("rejected", code, operation.error_message, type_, amount)
        case _:
            return Outcome("received", type=type_, amount=amount)


def by_id(payment: Payment, transaction_id: str) -> Transaction:
    return next(t for t in payment.transactions if t.id == transaction_id)


def recorded_operation(payment: Payment, transaction: Transaction) -> Operation:
    operation = operation_of(payment, transaction)
    if operation is None:
        raise BackendUnavailable("The stored data of this operation is missing from the payment.")
    return operation


def require_intent_id(payment: Payment) -> str:
    if payment.interface_id is None:
        raise InvalidRequest("This payment was never started at Stripe.")
    return payment.interface_id


# Changes, computed anew from each version of the Payment.


def waiting(transaction_id: str, clock: Clock) -> Compute:
    """Only Stripe can show the outcome from now on."""

    async def compute(current: Payment) -> Sequence[Action]:
        transaction = by_id(current, transaction_id)
        operation = recorded_operation(current, transaction)
        if transaction.state != "Initial" or operation.unknown_since is not None:
            return []
        return changed(transaction, operation, replace(operation, unknown_since=clock.now()))

    return compute


def accepted(transaction_id: str) -> Compute:
    """Stripe accepted it; where no effect shows yet, it stays pending."""

    async def compute(current: Payment) -> Sequence[Action]:
        if by_id(current, transaction_id).state != "Initial":
            return []
        return [ChangeTransactionState(transaction_id, "Pending")]

    return compute


def failed(transaction_id: str, code: str, message: str) -> Compute:
    """It failed, and why; never overwrites a success."""

    async def compute(current: Payment) -> Sequence[Action]:
        transaction = by_id(current, transaction_id)
        operation = operation_of(current, transaction)
        if transaction.state == "Success" or (operation and operation.error is not None):
            return []
        actions: list[Action] = []
        if transaction.state != "Failure":
            actions.append(ChangeTransactionState(transaction_id, "Failure"))
        if operation is not None:
            refused = replace(operation, error=code, error_message=message)
            actions += changed(transaction, operation, refused)
        return actions

    return compute


def next_attempt(transaction_id: str, attempt: int, clock: Clock) -> Compute:
    """A new idempotency key, recorded before it is used."""

    async def compute(current: Payment) -> Sequence[Action]:
        transaction = by_id(current, transaction_id)
        operation = recorded_operation(current, transaction)
        if transaction.state != "Initial" or operation.attempt > attempt:
            return []
        following = replace(
            operation, attempt=attempt + 1, attempted_at=clock.now(), unknown_since=None
        )
        return changed(transaction, operation, following)

    return compute
