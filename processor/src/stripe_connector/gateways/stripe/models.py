"""Stripe's objects that are no part of the ledger: only the fields that the connector uses."""

from __future__ import annotations

from msgspec import Struct


class StripeCustomer(Struct, frozen=True):
    id: str
    deleted: bool = False
    metadata: dict[str, str] = {}


class StripePaymentMethod(Struct, frozen=True):
    id: str
    type: str
    customer: str | None = None
