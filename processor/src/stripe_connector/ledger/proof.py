"""Proofs about a Payment that only we can write: interface interactions of our own custom type.

A transaction has one custom type, and that is the merchant's to replace; shoppers may add
transactions and set fields through /me/payments. Interface interactions can only be appended, and
by API clients alone: so ours prove who made a transaction, and which Stripe
account and mode a Payment belongs to (https://docs.commercetools.com/api/projects/me-payments).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from msgspec import Struct

from stripe_connector.ledger.actions import AddInterfaceInteraction
from stripe_connector.ledger.payment import CustomFields, Payment, Reference

TYPE_KEY = "payment-connector-stripe-proof"

KIND = "stripeConnector_kind"
ACCOUNT = "stripeConnector_account"
LIVE = "stripeConnector_live"
TRANSACTION_ID = "stripeConnector_transactionId"
TRANSACTION_TYPE = "stripeConnector_transactionType"
CENT_AMOUNT = "stripeConnector_centAmount"
CURRENCY = "stripeConnector_currency"
ADDED_AT = "stripeConnector_addedAt"
IDENTITY = "stripeConnector_operation"
ACTION = "stripeConnector_action"
ATTEMPT = "stripeConnector_attempt"
ATTEMPTED_AT = "stripeConnector_attemptedAt"
FINAL = "stripeConnector_final"
REFUND_OF = "stripeConnector_refundOf"
MERCHANT_REFERENCE = "stripeConnector_merchantReference"
UNKNOWN_SINCE = "stripeConnector_unknownSince"
ERROR = "stripeConnector_error"
ERROR_MESSAGE = "stripeConnector_errorMessage"
ORDER = "stripeConnector_order"
CART = "stripeConnector_cart"

Kind = Literal["operation", "account", "sale"]
_PROOF = Reference(type_id="type", key=TYPE_KEY)


class AccountProof(Struct, frozen=True):
    """The Stripe account and mode in which a Payment was started."""

    account: str | None
    """`acct_…`; None where the key may not read it."""
    live: bool

    def interaction(self) -> CustomFields:
        """As part of a Payment's draft; `added` makes an update action of it."""
        fields: dict[str, Any] = {LIVE: self.live}
        if self.account is not None:
            fields[ACCOUNT] = self.account
        return proof("account", fields)


def account_of(payment: Payment) -> AccountProof | None:
    """Account and mode of a Payment; None if an older version or another connector created it."""
    for fields in proofs(payment, "account"):
        return AccountProof(fields.get(ACCOUNT), bool(fields.get(LIVE)))
    return None


def is_of_connector(payment: Payment, payment_interface: str) -> bool:
    """Whether this connector, with whatever account, started a Payment.

    Its proof says so whatever payment interface its session has named; an older one without proof
    has the interface of the settings.
    """
    if account_of(payment) is not None:
        return True
    return payment.payment_method_info.payment_interface == payment_interface


class SaleProof(Struct, frozen=True):
    """What a payment page was opened for: an order, or a cart that becomes one once it is paid."""

    order_id: str | None = None
    cart_id: str | None = None

    def interaction(self) -> CustomFields:
        """As part of a Payment's draft."""
        named = {ORDER: self.order_id, CART: self.cart_id}
        return proof("sale", {name: value for name, value in named.items() if value is not None})


def sale_of(payment: Payment) -> SaleProof:
    """What a Payment's page was for; empty where it has none, or an older version created it."""
    for fields in proofs(payment, "sale"):
        return SaleProof(fields.get(ORDER), fields.get(CART))
    return SaleProof()


def proof(kind: Kind, fields: dict[str, Any]) -> CustomFields:
    """An interaction of our type, for a Payment's draft."""
    return CustomFields(_PROOF, {KIND: kind, **fields})


def add_interaction(interaction: CustomFields) -> AddInterfaceInteraction:
    """The same for a Payment that exists."""
    return AddInterfaceInteraction(interaction.type, interaction.fields)


def proofs(payment: Payment, kind: Kind) -> Iterator[dict[str, Any]]:
    """The fields of our interactions of a kind, oldest first.

    Recognised by the name of a field: commercetools returns the id of a type, not its key.
    """
    for interaction in payment.interface_interactions:
        if interaction.fields.get(KIND) == kind:
            yield interaction.fields


def field(name: str, type_name: str, label: str) -> dict[str, Any]:
    """One optional field of a custom type, as its draft declares it."""
    return {
        "name": name,
        "type": {"name": type_name},
        "label": {"en": label},
        "required": False,
    }


def proof_type_draft() -> dict[str, Any]:
    """The custom type that declares the fields, for interface interactions."""
    return {
        "key": TYPE_KEY,
        "name": {"en": "Stripe connector's proof"},
        "description": {"en": "Proves what the connector wrote about a payment"},
        "resourceTypeIds": ["payment-interface-interaction"],
        "fieldDefinitions": [
            field(KIND, "String", "Kind"),
            field(ACCOUNT, "String", "Stripe account"),
            field(LIVE, "Boolean", "Live mode"),
            field(TRANSACTION_ID, "String", "Transaction"),
            field(TRANSACTION_TYPE, "String", "Type of the transaction"),
            field(CENT_AMOUNT, "Number", "Amount of the transaction"),
            field(CURRENCY, "String", "Currency of the transaction"),
            field(ADDED_AT, "String", "Time of the transaction"),
            field(IDENTITY, "String", "Operation"),
            field(ACTION, "String", "Action"),
            field(ATTEMPT, "Number", "Attempt"),
            field(ATTEMPTED_AT, "DateTime", "Attempted at"),
            field(FINAL, "Boolean", "Final capture"),
            field(REFUND_OF, "String", "Refund of"),
            field(MERCHANT_REFERENCE, "String", "Merchant reference"),
            field(UNKNOWN_SINCE, "DateTime", "Outcome unknown since"),
            field(ORDER, "String", "Order"),
            field(CART, "String", "Cart"),
            field(ERROR, "String", "Stripe error code"),
            field(ERROR_MESSAGE, "String", "Stripe error message"),
        ],
    }
