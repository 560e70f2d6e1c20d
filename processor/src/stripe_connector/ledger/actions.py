"""Update actions of a commercetools Payment, as they are sent.

Names and fields: https://docs.commercetools.com/api/projects/payments#update-actions
"""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.ledger.payment import (
    CustomFields,
    Reference,
    TransactionState,
    TransactionType,
)
from stripe_connector.money import MoneyDraft


class Action(Struct, frozen=True, rename="camel", tag_field="action"):
    """Base of all update actions; `action` is added by the encoder."""


class TransactionDraft(Struct, frozen=True, rename="camel"):
    type: TransactionType
    amount: MoneyDraft
    state: TransactionState
    interaction_id: str | UnsetType = UNSET
    timestamp: str | UnsetType = UNSET
    custom: CustomFields | UnsetType = UNSET
    interface_id: str | UnsetType = UNSET


class AddTransaction(Action, frozen=True, tag="addTransaction"):
    transaction: TransactionDraft


class ChangeTransactionState(Action, frozen=True, tag="changeTransactionState"):
    transaction_id: str
    state: TransactionState


class ChangeTransactionTimestamp(Action, frozen=True, tag="changeTransactionTimestamp"):
    transaction_id: str
    timestamp: str


class ChangeTransactionInteractionId(Action, frozen=True, tag="changeTransactionInteractionId"):
    transaction_id: str
    interaction_id: str


class SetTransactionInterfaceId(Action, frozen=True, tag="setTransactionInterfaceId"):
    transaction_id: str
    interface_id: str


class SetTransactionCustomField(Action, frozen=True, tag="setTransactionCustomField"):
    transaction_id: str
    name: str
    value: Any


class SetTransactionCustomType(Action, frozen=True, tag="setTransactionCustomType"):
    """Only for values that are shown to people: recording money must not depend on them."""

    transaction_id: str
    type: Reference
    fields: dict[str, Any]


class SetInterfaceId(Action, frozen=True, tag="setInterfaceId"):
    interface_id: str


class ChangeAmountPlanned(Action, frozen=True, tag="changeAmountPlanned"):
    amount: MoneyDraft


class SetMethodInfoMethod(Action, frozen=True, tag="setMethodInfoMethod"):
    method: str


class TokenDraft(Struct, frozen=True):
    value: str


class SetMethodInfoToken(Action, frozen=True, tag="setMethodInfoToken"):
    token: TokenDraft


class SetStatusInterfaceCode(Action, frozen=True, tag="setStatusInterfaceCode"):
    interface_code: str


class SetStatusInterfaceText(Action, frozen=True, tag="setStatusInterfaceText"):
    interface_text: str


class AddInterfaceInteraction(Action, frozen=True, tag="addInterfaceInteraction"):
    type: Any
    fields: dict[str, Any]
