"""The commercetools Payment as the ledger sees it: only the fields that decide anything."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from stripe_connector.money import Money

TransactionType = Literal["Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback"]
TransactionState = Literal["Initial", "Pending", "Success", "Failure"]

SESSION_PREFIX = "cs_"
"""Prefix of a Checkout Session's id, which is recorded until the intent exists."""

UNFINISHED: frozenset[TransactionState] = frozenset({"Initial", "Pending"})


class Reference(Struct, frozen=True, rename="camel"):
    """Points at a resource by id or by key."""

    type_id: str
    id: str | UnsetType = UNSET
    key: str | UnsetType = UNSET


class CustomFields(Struct, frozen=True, rename="camel"):
    """Custom fields: the type that declares them, and their values by name."""

    type: Reference
    fields: dict[str, Any] = {}


class Transaction(Struct, frozen=True, rename="camel"):
    """One movement of money, or the intention to make one. `amount` can never be changed."""

    id: str
    type: TransactionType
    amount: Money
    state: TransactionState = "Initial"
    interaction_id: str | None = None
    """Stripe's id of the movement."""
    interface_id: str | None = None
    timestamp: str | None = None
    """When it was added, ISO 8601 in UTC."""
    custom: CustomFields | None = None

    @property
    def unfinished(self) -> bool:
        """Written down, but not yet known to have happened or failed."""
        return self.state in UNFINISHED


class Token(Struct, frozen=True):
    """A stored payment method's token; masked in expanded references."""

    value: str | None = None


class PaymentMethodInfo(Struct, frozen=True, rename="camel"):
    payment_interface: str | None = None
    method: str | None = None
    token: Token | None = None


class PaymentStatus(Struct, frozen=True, rename="camel"):
    interface_code: str | None = None
    interface_text: str | None = None


class Payment(Struct, frozen=True, rename="camel"):
    """A Payment at one version."""

    id: str
    version: int
    amount_planned: Money
    payment_method_info: PaymentMethodInfo = PaymentMethodInfo()
    payment_status: PaymentStatus = PaymentStatus()
    transactions: list[Transaction] = []
    key: str | None = None
    interface_id: str | None = None
    """Stripe's PaymentIntent; immutable once set."""
    customer: Reference | None = None
    interface_interactions: list[CustomFields] = []
    """Appended by API clients, never changed; `ledger.proof` reads ours."""
    created_at: str | None = None
    last_modified_at: str | None = None
    checkout_transaction_item_id: str | None = None
    """Where commercetools Checkout manages the Payment."""

    @property
    def session_id(self) -> str | None:
        """The Checkout Session that no shopper has confirmed yet, as far as is recorded."""
        for transaction in self.of_type("Authorization"):
            name = transaction.interaction_id
            if transaction.state == "Initial" and name and name.startswith(SESSION_PREFIX):
                return name
        return None

    def of_type(self, type_: TransactionType) -> list[Transaction]:
        """Transactions of one type, oldest first."""
        return [t for t in self.transactions if t.type == type_]

    def total(self, type_: TransactionType, *states: TransactionState) -> int:
        """Sum of the transactions of a type in the given states, in minor units of `currency`."""
        return self._sum(type_, self.currency, *states)

    @property
    def currency(self) -> str:
        """Of all amounts of the Payment, see `unit`."""
        return self.unit.currency_code

    @property
    def unit(self) -> Money:
        """An amount in the currency that was taken, or else the planned one.

        Shoppers may change `amount_planned`, and add Initial transactions in any currency, which
        at most come to fail (https://docs.commercetools.com/api/projects/me-payments). They
        cannot write what Stripe has taken or processes.
        """
        for transaction in self.transactions:
            taken = transaction.state in ("Pending", "Success")
            if taken and transaction.type in ("Authorization", "Charge"):
                return transaction.amount
        return self.amount_planned

    def lost(self, currency: str | None = None) -> int:
        """What lost disputes have taken: never more than was captured and not refunded.

        A dispute may exceed its charge, and may be in another currency, where its amount
        cannot be compared: then it is treated as having taken everything.
        """
        currency = currency or self.currency
        left = self._sum("Charge", currency, "Success")
        left = max(0, left - self._sum("Refund", currency, "Pending", "Success"))
        taken = [t for t in self.of_type("Chargeback") if t.state == "Success"]
        if any(t.amount.currency_code != currency for t in taken):
            return left
        return min(left, self._sum("Chargeback", currency, "Success"))

    def _sum(self, type_: TransactionType, currency: str, *states: TransactionState) -> int:
        """Whether two amounts have the same currency and digits, so that they can be added."""
        return sum(
            t.amount.cent_amount
            for t in self.of_type(type_)
            if t.state in states and t.amount.currency_code == currency
        )
