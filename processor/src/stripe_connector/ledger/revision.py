"""A Payment while its record is revised: what it has, and the update actions so far."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from stripe_connector.ledger.actions import (
    Action,
    AddTransaction,
    ChangeTransactionInteractionId,
    ChangeTransactionState,
    SetTransactionCustomField,
    SetTransactionCustomType,
    SetTransactionInterfaceId,
    TransactionDraft,
)
from stripe_connector.ledger.operation import operations, shown_fields
from stripe_connector.ledger.payment import (
    SESSION_PREFIX,
    CustomFields,
    Payment,
    Transaction,
    TransactionState,
    TransactionType,
)
from stripe_connector.ledger.proof import IDENTITY
from stripe_connector.money import Money, from_stripe, iso_digits


class Revision:
    """Adds, changes and sums transactions; each change is an action, made at most once."""

    def __init__(self, payment: Payment, at: str) -> None:
        self.payment = payment
        self.planned = payment.amount_planned
        self.at = at
        self.ours = operations(payment).keys()
        self.transactions = list(payment.transactions)
        self.interface_ids = {t.interface_id for t in payment.transactions}
        self.actions: list[Action] = []

    def _money(self, amount: int, currency: str) -> Money:
        planned = self.payment.amount_planned
        same = currency == planned.currency_code
        return from_stripe(
            amount, currency, planned.fraction_digits if same else iso_digits(currency)
        )

    def _sum(self, currency: str, type_: TransactionType, *states: TransactionState) -> int:
        return sum(
            t.amount.cent_amount
            for t in self.transactions
            if t.type == type_ and t.state in states and t.amount.currency_code == currency
        )

    def _unfinished(self, type_: TransactionType, name: str = "") -> list[Transaction]:
        """Transactions that may still happen. An Initial capture or cancellation counts only if we
        wrote it ahead or it names Stripe's object: others, such as a shopper's, have no effect."""
        return [
            t
            for t in self.transactions
            if t.type == type_
            and t.unfinished
            and (
                t.state == "Pending"
                or type_ == "Authorization"
                or t.id in self.ours
                or (name != "" and (t.interaction_id or "").startswith(name))
            )
        ]

    def _add(
        self,
        type_: TransactionType,
        amount: Money,
        state: TransactionState,
        interaction_id: str,
        interface_id: str | None = None,
        custom: CustomFields | UnsetType = UNSET,
    ) -> None:
        interface_id = self._free(interface_id)
        draft = TransactionDraft(
            type_,
            amount.draft(),
            state,
            interaction_id,
            self.at,
            custom,
            UNSET if interface_id is None else interface_id,
        )
        self.actions.append(AddTransaction(draft))
        self.transactions.append(Transaction("", type_, amount, state, interaction_id))

    def _change(
        self,
        transaction: Transaction,
        state: TransactionState,
        interaction_id: str | None = None,
        interface_id: str | None = None,
    ) -> None:
        """Change a transaction's state, and set Stripe's id where it has none yet.

        `interface_id` is Stripe's id of the object for `interfaceId`; it defaults to the name.
        """
        if state != transaction.state:
            self.actions.append(ChangeTransactionState(transaction.id, state))
        if interaction_id is not None and unnamed(transaction):
            self.actions.append(ChangeTransactionInteractionId(transaction.id, interaction_id))
            interface_id = self._free(interface_id)
            if interface_id is not None and transaction.interface_id is None:
                self.actions.append(SetTransactionInterfaceId(transaction.id, interface_id))
        else:
            interaction_id = transaction.interaction_id
        self.transactions[self.transactions.index(transaction)] = replace(
            transaction, state=state, interaction_id=interaction_id
        )

    def _free(self, interface_id: str | None) -> str | None:
        """An interfaceId that no transaction has yet: of several captures the first gets it."""
        if interface_id in self.interface_ids:
            return None
        self.interface_ids.add(interface_id)
        return interface_id

    def _set_once(self, action: Action) -> None:
        """Set a field of the Payment: of several facts in one merge the last one wins."""
        self.actions = [a for a in self.actions if type(a) is not type(action)]
        self.actions.append(action)

    def _show(self, transaction: Transaction, fields: dict[str, Any]) -> None:
        """Custom fields for people; none on a transaction with a type of the merchant's."""
        custom = transaction.custom
        current = custom.fields if custom is not None else {}
        if all(_same_value(current.get(name), value) for name, value in fields.items()):
            return
        if IDENTITY in current:
            self.actions += [
                SetTransactionCustomField(transaction.id, name, value)
                for name, value in fields.items()
                if name not in current
            ]
        elif custom is None or fields.keys() & current.keys():
            type_ = shown_fields({}).type
            self.actions.append(SetTransactionCustomType(transaction.id, type_, current | fields))


def unnamed(transaction: Transaction) -> bool:
    """Whether it lacks the intent's id: it has no name, or that of its Checkout Session."""
    name = transaction.interaction_id
    return name is None or name.startswith(SESSION_PREFIX)


def _same_value(current: Any, wanted: Any) -> bool:
    """Compares Money without the fields that commercetools adds."""
    if isinstance(current, dict) and isinstance(wanted, dict):
        return all(current.get(name) == value for name, value in wanted.items())
    return bool(current == wanted)
