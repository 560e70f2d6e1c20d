"""Stripe's objects as the ledger sees them: only the fields that decide anything.

Field names are those of the API version in `gateways.stripe.API_VERSION`, and so is what may be
null: a test compares it with the annotations of Stripe's SDK. Words are open sets (Stripe adds
some without a new version), so they are text here, and what is not known is told. Amounts are in
Stripe's minor units, times are Unix seconds.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

Metadata = dict[str, str]

INTENT_STATUSES = frozenset(
    {
        "requires_payment_method",
        "requires_confirmation",
        "requires_action",
        "processing",
        "requires_capture",
        "canceled",
        "succeeded",
    }
)
OPEN: frozenset[str] = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action"}
)
"""Statuses of an intent that a shopper can still pay."""
REFUND_STATUSES = frozenset({"pending", "requires_action", "succeeded", "failed", "canceled"})


class CardMulticapture(Struct, frozen=True):
    status: str = "unavailable"


class CardDetails(Struct, frozen=True):
    multicapture: CardMulticapture | None = None
    amount_authorized: int | None = None
    """An overcapture takes more than this."""


class MethodDetails(Struct, frozen=True):
    """How a charge was paid."""

    type: str
    card: CardDetails | None = None


class Refund(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str | None = None
    charge: str | None = None
    payment_intent: str | None = None
    failure_reason: str | None = None
    reason: str | None = None
    own_metadata: Metadata | None = field(default=None, name="metadata")

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}


class Refunds(Struct, frozen=True):
    """The latest refunds of a charge, newest first."""

    data: list[Refund]
    has_more: bool = False


class Charge(Struct, frozen=True):
    """A Charge: cumulative, there is no object for a single capture."""

    id: str
    amount: int
    amount_captured: int
    currency: str
    status: str
    """succeeded (also when only authorized), pending or failed."""
    captured: bool
    amount_refunded: int = 0
    """In the pinned version without what was only released."""
    payment_intent: str | None = None
    payment_method_details: MethodDetails | None = None
    disputed: bool = False
    """Whether it ever was."""
    refunds: Refunds | None = None
    """There only where they were asked for."""

    @property
    def authorized(self) -> int:
        """What the card's bank has approved; another method's amount is the charge's."""
        card = self.payment_method_details.card if self.payment_method_details else None
        approved = card.amount_authorized if card else None
        return self.amount if approved is None else min(approved, self.amount)


class LastPaymentError(Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class CardOptions(Struct, frozen=True):
    request_overcapture: str | None = None


class MethodOptions(Struct, frozen=True):
    card: CardOptions | None = None


class PaymentIntent(Struct, frozen=True):
    id: str
    amount: int
    amount_received: int
    currency: str
    status: str
    created: int
    client_secret: str | None = None
    capture_method: str = "automatic"
    latest_charge: str | Charge | None = None
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    last_payment_error: LastPaymentError | None = None
    payment_method_options: MethodOptions | None = None
    own_metadata: Metadata | None = field(default=None, name="metadata")

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}

    @property
    def charge(self) -> Charge | None:
        """The latest charge, where it was expanded."""
        return self.latest_charge if isinstance(self.latest_charge, Charge) else None

    @property
    def charge_id(self) -> str | None:
        return (
            self.latest_charge.id if isinstance(self.latest_charge, Charge) else self.latest_charge
        )

    @property
    def may_be_overcaptured(self) -> bool:
        """More than was authorized may be taken, which raises the intent's amount, too."""
        options = self.payment_method_options
        card = options.card if options else None
        return card is not None and card.request_overcapture == "if_available"


class BalanceTransaction(Struct, frozen=True):
    """Money that comes into the account's balance, or leaves it (negative), in its currency."""

    amount: int


class Dispute(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str
    charge: str | None = None
    payment_intent: str | None = None
    balance_transactions: list[BalanceTransaction] = []

    @property
    def money_is_gone(self) -> bool:
        """Withdrawn, and not reinstated since: rates differ, so it is counted, not summed up."""
        withdrawn = sum(1 for each in self.balance_transactions if each.amount < 0)
        return withdrawn > sum(1 for each in self.balance_transactions if each.amount > 0)


class Event(Struct, frozen=True):
    """A snapshot event; `object` is decoded by its type, and only once it is known to be ours."""

    id: str
    type: str
    created: int
    api_version: str | None
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None

    @property
    def metadata(self) -> Metadata:
        """The metadata of the event's object; empty where it has none."""
        metadata = self.object.get("metadata")
        return metadata if isinstance(metadata, dict) else {}

    @property
    def is_intent(self) -> bool:
        return self.object.get("object") == "payment_intent"

    @property
    def intent_id(self) -> str | None:
        """The intent that the event's object is or belongs to."""
        value = self.object.get("id" if self.is_intent else "payment_intent")
        if isinstance(value, dict):
            value = value.get("id")
        return value if isinstance(value, str) else None
