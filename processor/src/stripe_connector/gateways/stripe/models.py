"""Stripe's objects that the ledger does not use: only the fields that the connector needs.

Fields that are only shown may be missing, whatever Stripe documents: they must not block money.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

from stripe_connector.ledger.stripe_objects import Metadata, PaymentIntent


class StripeCustomer(Struct, frozen=True):
    id: str
    deleted: bool | None = None
    livemode: bool | None = None
    own_metadata: Metadata | None = field(default=None, name="metadata")

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}


class CardOnFile(Struct, frozen=True):
    """The details of a card that may be shown."""

    brand: str | None = None
    last4: str | None = None
    exp_month: int | None = None
    exp_year: int | None = None
    fingerprint: str | None = None
    """Equal for the same card, however often it was saved."""


class AccountOnFile(Struct, frozen=True):
    """The details of a bank account that may be shown."""

    last4: str | None = None


class StripePaymentMethod(Struct, frozen=True):
    id: str
    type: str
    customer: str | None = None
    """None for one that was never saved, or was detached: it cannot be charged again."""
    card: CardOnFile | None = None
    livemode: bool | None = None
    sepa_debit: AccountOnFile | None = None
    us_bank_account: AccountOnFile | None = None


class CashBalanceTransaction(Struct, frozen=True):
    """A change of a customer's cash balance: money transferred and not yet applied to a payment."""

    currency: str
    ending_balance: int
    """The balance after it, in Stripe's minor units."""
    customer: str | None = None


class CustomerDetails(Struct, frozen=True):
    """What the shopper entered on Stripe's page."""

    email: str | None = None


class CheckoutSession(Struct, frozen=True):
    """A Checkout Session. Amounts in Stripe's minor units."""

    id: str
    status: str | None = None
    """open, complete or expired."""
    payment_status: str | None = None
    """paid, unpaid or no_payment_required."""
    amount_total: int | None = None
    currency: str | None = None
    """Both null where the session takes no payment."""
    ui_mode: str | None = None
    url: str | None = None
    client_secret: str | None = None
    livemode: bool | None = None
    payment_intent: str | PaymentIntent | None = None
    """Exists only once the shopper has confirmed."""
    own_metadata: Metadata | None = field(default=None, name="metadata")
    customer: str | None = None
    customer_email: str | None = None
    """As we sent it to Stripe; the page shows it."""
    customer_details: CustomerDetails | None = None

    @property
    def metadata(self) -> Metadata:
        return self.own_metadata or {}

    @property
    def intent_id(self) -> str | None:
        intent = self.payment_intent
        return intent.id if isinstance(intent, PaymentIntent) else intent


class MethodConfiguration(Struct, frozen=True):
    """Which types an account, or a rule of the merchant's, offers."""

    id: str
    is_default: bool
    types: frozenset[str]
    """Those that are switched on and that the account can take."""

    @classmethod
    def of(cls, configuration: Mapping[str, Any]) -> MethodConfiguration:
        """From Stripe's object, in which each type is a field of its own
        (https://docs.stripe.com/api/payment_method_configurations/object).

        Only the platform's own default counts: those of connected accounts name an application.
        """
        on = frozenset(
            name
            for name, type_ in configuration.items()
            if isinstance(type_, dict) and type_.get("available") is True
        )
        own_default = bool(configuration.get("is_default")) and not configuration.get("application")
        return cls(str(configuration["id"]), own_default, on)
