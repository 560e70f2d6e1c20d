"""Stripe's objects that are no part of the ledger: only the fields that the connector uses."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from stripe_connector.ledger.stripe_objects import PaymentIntent


class StripeCustomer(Struct, frozen=True):
    id: str
    deleted: bool = False
    metadata: dict[str, str] = {}


class CardOnFile(Struct, frozen=True):
    """What may be shown of a card."""

    brand: str
    last4: str
    exp_month: int
    exp_year: int


class AccountOnFile(Struct, frozen=True):
    """What may be shown of a bank account."""

    last4: str | None = None


class StripePaymentMethod(Struct, frozen=True):
    id: str
    type: str
    customer: str | None = None
    """None for one that was never saved, or was detached: it cannot be charged again."""
    card: CardOnFile | None = None
    sepa_debit: AccountOnFile | None = None
    us_bank_account: AccountOnFile | None = None


class CustomerDetails(Struct, frozen=True):
    """What the shopper told Stripe's page."""

    email: str | None = None


class CheckoutSession(Struct, frozen=True):
    """A Checkout Session. Amounts in Stripe's minor units."""

    id: str
    status: Literal["open", "complete", "expired"]
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    amount_total: int
    currency: str
    ui_mode: str = "hosted_page"
    url: str | None = None
    client_secret: str | None = None
    payment_intent: str | PaymentIntent | None = None
    """Exists only once the shopper has confirmed."""
    metadata: dict[str, str] = {}
    customer_details: CustomerDetails | None = None

    @property
    def intent_id(self) -> str | None:
        intent = self.payment_intent
        return intent.id if isinstance(intent, PaymentIntent) else intent
