"""Stripe's webhook deliveries: proof of origin first, then the event."""

from __future__ import annotations

from typing import Any

import msgspec
import stripe
from msgspec import Struct

from stripe_connector.errors import InvalidRequest
from stripe_connector.ledger.stripe_objects import Event

TOLERANCE = 300.0
"""Seconds that a signature's time may differ from ours, either way."""


class DeliveredObject(Struct):
    object: dict[str, Any]
    previous_attributes: dict[str, Any] | None = None


class Delivery(Struct):
    """An event as Stripe sends and lists it."""

    id: str
    type: str
    created: int
    data: DeliveredObject
    api_version: str | None = None

    def event(self) -> Event:
        """The same without what only the wire needs."""
        return Event(
            id=self.id,
            type=self.type,
            created=self.created,
            api_version=self.api_version,
            object=self.data.object,
            previous_attributes=self.data.previous_attributes,
        )


_delivery = msgspec.json.Decoder(Delivery)


def verify(payload: bytes, header: str, secrets: tuple[str, ...], now: float) -> None:
    """Check that one of the endpoint's secrets signed exactly these bytes, just now.

    `header` is `Stripe-Signature`, `now` Unix seconds. Raises InvalidRequest with the code
    InvalidSignature; with no secrets nothing is valid.
    """
    if not any(_signed(payload, header, secret) for secret in secrets):
        raise _invalid("No signature of the request matches.")
    # The SDK refuses old signatures only: one from the future could be kept and used later.
    if abs(now - _timestamp(header)) > TOLERANCE:
        raise _invalid("The signature's time is too far from now.")


def decode(payload: bytes) -> Event:
    """The event of a verified delivery; raises InvalidRequest when it is none."""
    try:
        return _delivery.decode(payload).event()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRequest(
            "The request is not a Stripe event.", code="InvalidJsonInput", detail=str(error)
        ) from error


def _signed(payload: bytes, header: str, secret: str) -> bool:
    # The comparison in constant time takes text in ASCII only.
    if not header.isascii():
        return False
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _timestamp(header: str) -> int:
    """The time that was signed: the first, as the signature covers it."""
    return next(int(value) for name, _, value in _items(header) if name == "t")


def _items(header: str) -> list[tuple[str, str, str]]:
    return [item.partition("=") for item in header.split(",")]


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="InvalidSignature")
