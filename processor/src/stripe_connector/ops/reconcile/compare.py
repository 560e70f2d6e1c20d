"""Compares a Payment with Stripe's objects: pure functions, no I/O.

What the ledger would write is a difference, and a repair writes just that, so that a second run
finds nothing. The ledger never removes what Stripe does not have: this is looked for in the Payment
as it would be after the repair.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import count

from msgspec import UNSET
from msgspec.structs import replace

from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeTransactionInteractionId,
    ChangeTransactionState,
    SetInterfaceId,
    SetMethodInfoMethod,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
)
from stripe_connector.ledger.facts import (
    DisputeFact,
    IntentFact,
    RefundFact,
    dispute_fact,
    intent_fact,
)
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, merge
from stripe_connector.ledger.operation import operation_of, operations, timestamp
from stripe_connector.ledger.payment import Payment, Transaction, TransactionType
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import from_stripe, iso_digits
from stripe_connector.ops.reconcile.difference import Difference, DifferenceKind
from stripe_connector.ops.reconcile.truth import Truth
from stripe_connector.payments.limits import kept_amount

_STATUS = (SetStatusInterfaceCode, SetStatusInterfaceText, SetMethodInfoMethod)


def compare(
    payment: Payment, truth: Truth, now: datetime, abandoned_after: timedelta
) -> list[Difference]:
    """All differences, those that can be repaired first.

    `abandoned_after` is the age after which an operation that Stripe does not have is abandoned.
    Raises BackendError where commercetools cannot represent one of Stripe's amounts.
    """
    actions = merge(payment, truth.facts(), timestamp(now))
    merged = after(payment, actions)
    found = [
        *_unwritten(payment, actions),
        *_abandoned(merged, now - abandoned_after),
        *_unknown(merged, now - abandoned_after),
        *_surplus(merged, truth),
        *_held(_without_abandoned(merged, now - abandoned_after)),
    ]
    intent_id = truth.intent.id if truth.intent else payment.interface_id
    return [replace(each, payment=payment.id, intent=intent_id) for each in found]


def after(payment: Payment, actions: Iterable[Action]) -> Payment:
    """The Payment as commercetools would have it after the actions of a merge."""
    transactions = list(payment.transactions)
    numbers = count(1)
    for action in actions:
        match action:
            case AddTransaction(transaction=draft):
                amount = replace(
                    payment.amount_planned,
                    cent_amount=draft.amount.cent_amount,
                    currency_code=draft.amount.currency_code,
                )
                name = None if draft.interaction_id is UNSET else draft.interaction_id
                id_ = f"new-{next(numbers)}"
                transactions.append(Transaction(id_, draft.type, amount, draft.state, name))
            case ChangeTransactionState(transaction_id=id_, state=state):
                transactions = [replace(t, state=state) if t.id == id_ else t for t in transactions]
            case ChangeTransactionInteractionId(transaction_id=id_, interaction_id=name):
                transactions = [
                    replace(t, interaction_id=name) if t.id == id_ else t for t in transactions
                ]
            case SetInterfaceId(interface_id=intent_id):
                payment = replace(payment, interface_id=intent_id)
            case SetStatusInterfaceCode(interface_code=code):
                status = replace(payment.payment_status, interface_code=code)
                payment = replace(payment, payment_status=status)
    return replace(payment, transactions=transactions)


_UNFINISHED = frozenset({"requires_payment_method", "requires_confirmation", "requires_action"})
"""Statuses of intents that are not paid: https://docs.stripe.com/payments/paymentintents/lifecycle."""


def abandoned(payment: Payment, before: datetime) -> list[Transaction]:
    """Unfinished operations that were written ahead before a given time."""
    ours = operations(payment)
    return [
        t
        for t in payment.transactions
        if t.state == "Initial" and t.id in ours and ours[t.id].last_tried_at < before
    ]


def beyond_stripe(merged: Payment, intent: PaymentIntent) -> int:
    """The amount that is recorded as paid and Stripe does not have; never counted as paid."""
    surplus = _surplus_of_intent(merged, intent_fact(intent))
    paid = (each.amount or 0 for each in surplus if each.type in ("Authorization", "Charge"))
    return max(paid, default=0)


def _unwritten(payment: Payment, actions: Sequence[Action]) -> Iterator[Difference]:
    """What the ledger would write; a status is reported only where no transaction differs."""
    by_id = {t.id: t for t in payment.transactions}
    moved = {a.transaction_id for a in actions if isinstance(a, ChangeTransactionState)}
    only_status = True
    for action in actions:
        match action:
            case AddTransaction(transaction=draft):
                yield Difference(
                    DifferenceKind.MISSING_TRANSACTION,
                    subject=None if draft.interaction_id is UNSET else draft.interaction_id,
                    type=draft.type,
                    amount=draft.amount.cent_amount,
                    currency=draft.amount.currency_code,
                    stripe=draft.state,
                )
            case ChangeTransactionState(transaction_id=id_, state=state):
                yield replace(_of(DifferenceKind.WRONG_STATE, by_id[id_]), stripe=state)
            case ChangeTransactionInteractionId(transaction_id=id_, interaction_id=name):
                if id_ not in moved:
                    yield replace(_of(DifferenceKind.UNNAMED_TRANSACTION, by_id[id_]), stripe=name)
            case SetInterfaceId(interface_id=intent_id):
                yield Difference(DifferenceKind.UNLINKED_INTENT, stripe=intent_id)
            case _:
                continue
        only_status = False
    if only_status and any(isinstance(action, _STATUS) for action in actions):
        said = after(payment, actions).payment_status.interface_code
        recorded = payment.payment_status.interface_code
        if said in _UNFINISHED and (recorded is None or recorded in _UNFINISHED):
            return  # a checkout that its shopper has not finished: nothing has happened yet
        yield Difference(DifferenceKind.OUTDATED_STATUS, recorded=recorded, stripe=said)


def _without_abandoned(merged: Payment, before: datetime) -> Payment:
    """The Payment once these are closed as failed: their amounts stay with the merchant."""
    ids = {t.id for t in abandoned(merged, before)}
    closed = [replace(t, state="Failure") if t.id in ids else t for t in merged.transactions]
    return replace(merged, transactions=closed)


def _abandoned(merged: Payment, before: datetime) -> Iterator[Difference]:
    for transaction in abandoned(merged, before):
        yield replace(_of(DifferenceKind.ABANDONED_OPERATION, transaction), stripe="nothing")


def _unknown(merged: Payment, before: datetime) -> Iterator[Difference]:
    """Operations for which Stripe stored a failure and which it may still carry out."""
    ours = operations(merged)
    for transaction in merged.transactions:
        operation = ours.get(transaction.id)
        if operation is None or operation.unknown_since is None:
            continue
        if transaction.state == "Initial" and operation.last_tried_at >= before:
            yield replace(_of(DifferenceKind.UNKNOWN_OUTCOME, transaction), stripe="nothing yet")


def _surplus(merged: Payment, truth: Truth) -> Iterator[Difference]:
    """What is recorded and not at Stripe."""
    if truth.intent is not None:
        yield from _surplus_of_intent(merged, intent_fact(truth.intent))
    refunds = {f.refund_id: f for f in truth.refund_facts() if isinstance(f, RefundFact)}
    yield from _named(merged, "Refund", refunds)
    disputes = {each.id: fact for each in truth.disputes if (fact := dispute_fact(each))}
    yield from _named(merged, "Chargeback", disputes)


def _surplus_of_intent(merged: Payment, fact: IntentFact) -> Iterator[Difference]:
    authorized = fact.amount if fact.authorization == "Success" else 0
    released = max(0, authorized - fact.captured) if fact.released else 0
    at_stripe: dict[TransactionType, int] = {
        "Authorization": authorized,
        "Charge": fact.captured,
        "CancelAuthorization": released,
    }
    for type_, amount in at_stripe.items():
        recorded = merged.total(type_, "Success")
        wanted = _cents(merged, amount, fact.currency)
        if recorded > wanted:
            yield Difference(
                DifferenceKind.SURPLUS_AMOUNT,
                type=type_,
                amount=recorded - wanted,
                currency=fact.currency,
                recorded=str(recorded),
                stripe=str(wanted),
            )


def _named(
    merged: Payment,
    type_: TransactionType,
    facts: dict[str, RefundFact] | dict[str, DisputeFact],
) -> Iterator[Difference]:
    """Transactions that stand for one object each."""
    for transaction in merged.of_type(type_):
        fact = facts.get(transaction.interaction_id or "")
        if fact is None:
            unnamed_failure = transaction.state == "Failure"
            if transaction.state != "Initial" and not unnamed_failure:
                yield replace(
                    _of(DifferenceKind.UNKNOWN_TRANSACTION, transaction), stripe="nothing"
                )
            continue
        amount = _cents(merged, fact.amount, fact.currency)
        if amount != transaction.amount.cent_amount:
            yield replace(_of(DifferenceKind.WRONG_AMOUNT, transaction), stripe=str(amount))
        if fact.state != transaction.state:
            yield replace(_of(DifferenceKind.UNDONE_TRANSACTION, transaction), stripe=fact.state)


def _held(merged: Payment) -> Iterator[Difference]:
    """What needs a person's decision."""
    if (
        merged.payment_status.interface_code == AMOUNT_MISMATCH
        and (amount := kept_amount(merged)) > 0
    ):
        planned = merged.amount_planned
        yield Difference(
            DifferenceKind.AMOUNT_MISMATCH,
            amount=amount,
            currency=merged.currency,
            recorded=str(planned.cent_amount),
            stripe=str(amount),
        )
    if not merged.total("Authorization", "Pending"):
        for transaction in merged.of_type("CancelAuthorization"):
            operation = operation_of(merged, transaction)
            if transaction.state == "Pending" and operation is not None:
                yield _of(DifferenceKind.WAITING_REVERSAL, transaction)


def _of(kind: DifferenceKind, transaction: Transaction) -> Difference:
    return Difference(
        kind,
        subject=transaction.interaction_id or transaction.id,
        type=transaction.type,
        amount=transaction.amount.cent_amount,
        currency=transaction.amount.currency_code,
        recorded=transaction.state,
    )


def _cents(payment: Payment, amount: int, currency: str) -> int:
    planned = payment.amount_planned
    same = currency == planned.currency_code
    digits = planned.fraction_digits if same else iso_digits(currency)
    return from_stripe(amount, currency, digits).cent_amount
