"""Stripe's objects as the ledger sees them: only the fields that decide anything.

Field names and values are those of the API version in `gateways.stripe.API_VERSION`.
Amounts are in Stripe's minor units, times are Unix seconds.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct

IntentStatus = Literal[
    "requires_payment_method",
    "requires_confirmation",
    "requires_action",
    "processing",
    "requires_capture",
    "canceled",
    "succeeded",
]
OPEN: frozenset[str] = frozenset(
    {"requires_payment_method", "requires_confirmation", "requires_action"}
)
"""Statuses of an intent that a shopper can still pay."""
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]


class CardMulticapture(Struct, frozen=True):
    status: str = "unavailable"


class CardDetails(Struct, frozen=True):
    multicapture: CardMulticapture | None = None


class MethodDetails(Struct, frozen=True):
    """How a charge was paid."""

    type: str
    card: CardDetails | None = None


class Charge(Struct, frozen=True):
    """A Charge: cumulative, there is no object for a single capture."""

    id: str
    amount: int
    amount_captured: int
    currency: str
    status: str
    """succeeded (also when only authorized), pending or failed."""
    captured: bool
    payment_intent: str | None = None
    payment_method_details: MethodDetails | None = None
    metadata: dict[str, str] = {}


class LastPaymentError(Struct, frozen=True):
    code: str | None = None
    decline_code: str | None = None
    message: str | None = None


class PaymentIntent(Struct, frozen=True):
    id: str
    amount: int
    amount_received: int
    currency: str
    status: IntentStatus
    created: int
    client_secret: str | None = None
    capture_method: str = "automatic"
    latest_charge: str | Charge | None = None
    customer: str | None = None
    payment_method: str | None = None
    setup_future_usage: str | None = None
    last_payment_error: LastPaymentError | None = None
    metadata: dict[str, str] = {}

    @property
    def charge(self) -> Charge | None:
        """The latest charge, where it was expanded."""
        return self.latest_charge if isinstance(self.latest_charge, Charge) else None

    @property
    def charge_id(self) -> str | None:
        return (
            self.latest_charge.id if isinstance(self.latest_charge, Charge) else self.latest_charge
        )


class Refund(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: RefundStatus | None = None
    charge: str | None = None
    payment_intent: str | None = None
    failure_reason: str | None = None
    metadata: dict[str, str] = {}


class Dispute(Struct, frozen=True):
    id: str
    amount: int
    currency: str
    status: str
    charge: str | None = None
    payment_intent: str | None = None
    metadata: dict[str, str] = {}


class Event(Struct, frozen=True):
    """A snapshot event; `object` is decoded by its type, see `ledger.events`."""

    id: str
    type: str
    created: int
    api_version: str | None
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None
