"""The kinds of differences between a Payment and Stripe, and the remedy of each."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from msgspec import Struct


class DifferenceKind(StrEnum):
    """The name of a difference."""

    MISSING_TRANSACTION = "missing_transaction"
    WRONG_STATE = "wrong_state"
    UNNAMED_TRANSACTION = "unnamed_transaction"
    UNLINKED_INTENT = "unlinked_intent"
    OUTDATED_STATUS = "outdated_status"
    ABANDONED_OPERATION = "abandoned_operation"
    UNFULFILLED_ORDER = "unfulfilled_order"
    UNPLACED_ORDER = "unplaced_order"
    UNSTORED_METHOD = "unstored_method"
    UNDELIVERED_EVENT = "undelivered_event"

    UNKNOWN_TRANSACTION = "unknown_transaction"
    SURPLUS_AMOUNT = "surplus_amount"
    WRONG_AMOUNT = "wrong_amount"
    UNDONE_TRANSACTION = "undone_transaction"
    AMOUNT_MISMATCH = "amount_mismatch"
    WAITING_REVERSAL = "waiting_reversal"
    UNKNOWN_OUTCOME = "unknown_outcome"
    UNKNOWN_INTENT = "unknown_intent"
    ORPHAN_INTENT = "orphan_intent"
    PAYMENT_ON_NOTHING = "payment_on_nothing"
    CANCELLED_ORDER = "cancelled_order"
    OTHER_MODE = "other_mode"
    ORDER_FAILED = "order_failed"
    RECURRING_REFUSED = "recurring_refused"
    UNREADABLE = "unreadable"
    CASH_BALANCE = "cash_balance"


REPAIRS: dict[DifferenceKind, str] = {
    DifferenceKind.MISSING_TRANSACTION: "add the transaction",
    DifferenceKind.WRONG_STATE: "change the state to Stripe's",
    DifferenceKind.UNNAMED_TRANSACTION: "write Stripe's id on the transaction",
    DifferenceKind.UNLINKED_INTENT: "write the intent's id on the Payment",
    DifferenceKind.OUTDATED_STATUS: "write Stripe's status and method on the Payment",
    DifferenceKind.ABANDONED_OPERATION: "record it as failed: Stripe does not have it",
    DifferenceKind.UNFULFILLED_ORDER: "set the order to Paid",
    DifferenceKind.UNPLACED_ORDER: "place the order of the paid cart",
    DifferenceKind.UNSTORED_METHOD: "store the payment method that the customer saved",
    DifferenceKind.UNDELIVERED_EVENT: "replay the event",
}
"""What --apply does."""

FOR_A_PERSON: dict[DifferenceKind, str] = {
    DifferenceKind.UNKNOWN_TRANSACTION: (
        "Stripe does not know it: find out who wrote it, correct it by hand"
    ),
    DifferenceKind.SURPLUS_AMOUNT: (
        "more is recorded than Stripe has: find out why, correct it by hand"
    ),
    DifferenceKind.WRONG_AMOUNT: (
        "Stripe's amount differs, and a transaction's amount cannot be changed"
    ),
    DifferenceKind.UNDONE_TRANSACTION: (
        "recorded as failed, done at Stripe: find out why, correct it by hand"
    ),
    DifferenceKind.AMOUNT_MISMATCH: (
        "Stripe holds an amount that was not due: capture, refund or accept it"
    ),
    DifferenceKind.WAITING_REVERSAL: "request the reversal again: it is resumed",
    DifferenceKind.UNKNOWN_OUTCOME: (
        "Stripe stored a failure and may still carry it out: wait, at most a day"
    ),
    DifferenceKind.UNKNOWN_INTENT: (
        "Stripe has no such intent: check the account and the mode of the key"
    ),
    DifferenceKind.ORPHAN_INTENT: "money without a Payment: refund it, or record it by hand",
    DifferenceKind.PAYMENT_ON_NOTHING: (
        "money on no cart and no order: refund it, or attach the Payment"
    ),
    DifferenceKind.CANCELLED_ORDER: (
        "paid, but the order is cancelled: refund it, or reopen the order"
    ),
    DifferenceKind.CASH_BALANCE: (
        "the customer transferred more than was due: return it, or apply it"
    ),
    DifferenceKind.OTHER_MODE: (
        "made in the other mode: it pays nothing here; check the order that it is on"
    ),
    DifferenceKind.ORDER_FAILED: "paid, but no order can be placed: remove the cause, or refund it",
    DifferenceKind.RECURRING_REFUSED: (
        "Checkout refused the recurring payments: remove the cause, create the job by hand"
    ),
    DifferenceKind.UNREADABLE: "its form cannot be compared: check it by hand",
}
"""What only a person can decide."""

Outcome = Literal["found", "repaired", "remains"]


class Difference(Struct, frozen=True, omit_defaults=True):
    """One difference. Amounts are in commercetools' minor units of the currency."""

    kind: DifferenceKind
    payment: str | None = None
    """Id of the commercetools Payment."""
    intent: str | None = None
    order: str | None = None
    """Number of the order that the Payment is on; its id where it has no number."""
    subject: str | None = None
    """Stripe's id of the object, else the id of the transaction, order or cart."""
    type: str | None = None
    """Type of the transaction, or of the event."""
    amount: int | None = None
    currency: str | None = None
    recorded: str | None = None
    """The value in commercetools."""
    stripe: str | None = None
    """The value at Stripe."""

    @property
    def needs_a_person(self) -> bool:
        return self.kind in FOR_A_PERSON

    @property
    def remedy(self) -> str:
        return REPAIRS.get(self.kind) or FOR_A_PERSON[self.kind]
