"""What commercetools makes of update actions, as far as the ledger uses them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from stripe_connector.ledger.actions import (
    Action,
    AddInterfaceInteraction,
    AddTransaction,
    ChangeTransactionInteractionId,
    ChangeTransactionState,
    SetInterfaceId,
    SetMethodInfoMethod,
    SetStatusInterfaceCode,
    SetStatusInterfaceText,
    SetTransactionCustomField,
    SetTransactionCustomType,
    SetTransactionInterfaceId,
)
from stripe_connector.ledger.facts import Fact
from stripe_connector.ledger.merge import merge
from stripe_connector.ledger.operation import Operation
from stripe_connector.ledger.payment import (
    CustomFields,
    Payment,
    Transaction,
    TransactionState,
    TransactionType,
)
from stripe_connector.money import Money

_OPERATION = Operation("key:1", "any", 1, datetime(2026, 9, 21, tzinfo=UTC))
NOW = "2026-09-21T14:13:20.000Z"
INTENT = "pi_1"


def payment(*transactions: Transaction, cents: int = 1000, currency: str = "EUR") -> Payment:
    """A payment whose intent is known, as it is read; what is Initial was written ahead by us."""
    digits = {"JPY": 0, "ISK": 0, "KWD": 3}.get(currency, 2)
    made = Payment(
        id="payment",
        version=1,
        amount_planned=Money(cents, currency, digits),
        transactions=list(transactions),
        interface_id=INTENT,
        interface_interactions=[
            _OPERATION.interaction(t.id) for t in transactions if t.state == "Initial"
        ],
    )
    return msgspec.json.decode(msgspec.json.encode(made), type=Payment)


def transaction(
    type_: TransactionType,
    cents: int = 1000,
    state: TransactionState = "Initial",
    interaction_id: str | None = None,
    id_: str = "t1",
) -> Transaction:
    return Transaction(id_, type_, Money(cents, "EUR", 2), state, interaction_id)


def apply(before: Payment, actions: Iterable[Action]) -> Payment:
    """The payment after an update; raises AssertionError where commercetools would refuse it."""
    after = before
    for action in actions:
        after = _apply(after, action)
    return replace(after, version=before.version + 1) if after != before else before


def merged(before: Payment, *facts: Fact) -> Payment:
    """The payment after facts were merged into it, one write for each."""
    for fact in facts:
        before = apply(before, merge(before, [fact], NOW))
    return before


def rows(of: Payment) -> list[tuple[str, int, str, str | None]]:
    """Type, amount, state and Stripe's id of all transactions."""
    return [(t.type, t.amount.cent_amount, t.state, t.interaction_id) for t in of.transactions]


def _apply(current: Payment, action: Action) -> Payment:
    match action:
        case AddTransaction(transaction=draft):
            assert draft.amount.currency_code == current.amount_planned.currency_code
            added = Transaction(
                id=f"added-{len(current.transactions)}",
                type=draft.type,
                amount=current.amount_planned.with_amount(draft.amount.cent_amount),
                state=draft.state,
                interaction_id=None if draft.interaction_id is UNSET else draft.interaction_id,
                timestamp=None if draft.timestamp is UNSET else draft.timestamp,
                custom=None if draft.custom is UNSET else draft.custom,
                interface_id=None if draft.interface_id is UNSET else draft.interface_id,
            )
            _require_unique(current, added.interface_id)
            return replace(current, transactions=[*current.transactions, added])
        case ChangeTransactionState(transaction_id=id_, state=state):
            return _changed(current, id_, state=state)
        case ChangeTransactionInteractionId(transaction_id=id_, interaction_id=name):
            return _changed(current, id_, interaction_id=name)
        case SetTransactionInterfaceId(transaction_id=id_, interface_id=interface_id):
            _require_unique(current, interface_id)
            return _changed(current, id_, interface_id=interface_id)
        case SetInterfaceId(interface_id=intent_id):
            assert current.interface_id is None, "immutable once it is set"
            return replace(current, interface_id=intent_id)
        case SetMethodInfoMethod(method=method):
            return replace(
                current, payment_method_info=replace(current.payment_method_info, method=method)
            )
        case SetStatusInterfaceCode(interface_code=code):
            return replace(
                current, payment_status=replace(current.payment_status, interface_code=code)
            )
        case SetStatusInterfaceText(interface_text=text):
            return replace(
                current, payment_status=replace(current.payment_status, interface_text=text)
            )
        case AddInterfaceInteraction(type=type_, fields=fields):
            added_proof = CustomFields(type_, fields)
            return replace(
                current,
                interface_interactions=[*current.interface_interactions, added_proof],
            )
        case SetTransactionCustomType(transaction_id=id_, type=type_, fields=fields):
            return _changed(current, id_, custom=CustomFields(type_, fields))
        case SetTransactionCustomField(transaction_id=id_, name=name, value=value):
            [known] = [t for t in current.transactions if t.id == id_]
            assert known.custom is not None
            custom = replace(known.custom, fields={**known.custom.fields, name: value})
            return _changed(current, id_, custom=custom)
        case _:
            raise AssertionError(f"the ledger never asks for {action}")


def _require_unique(current: Payment, interface_id: str | None) -> None:
    taken = {t.interface_id for t in current.transactions} - {None}
    assert interface_id not in taken, f"{interface_id} is taken"


def _changed(current: Payment, id_: str, **changes: Any) -> Payment:
    assert any(t.id == id_ for t in current.transactions), f"there is no transaction {id_}"
    return replace(
        current,
        transactions=[replace(t, **changes) if t.id == id_ else t for t in current.transactions],
    )
