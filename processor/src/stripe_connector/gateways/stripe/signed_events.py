"""Verifies the signature of webhook deliveries, then reads the event."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import stripe
from msgspec import Struct

from stripe_connector.errors import InvalidRequest
from stripe_connector.ledger.stripe_objects import Event

TOLERANCE = 300.0
"""Seconds by which a signature's time may differ from ours, before or after."""


_LONGEST_HEADER = 1_024
_TIME = re.compile(r"[0-9]{1,12}")
_SIGNATURE = re.compile(r"[0-9a-f]{64}")


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
    livemode: bool | None = None

    def event(self) -> Event:
        """The same without fields that only the transport needs."""
        return Event(
            id=self.id,
            type=self.type,
            created=self.created,
            api_version=self.api_version,
            object=self.data.object,
            previous_attributes=self.data.previous_attributes,
            livemode=self.livemode,
        )


class _Thin(Struct, tag_field="object", tag="v2.core.event"):
    """A thin event: it names the object that it is about, and has no snapshot of it
    (https://docs.stripe.com/event-destinations#thin-events)."""

    id: str
    type: str


_delivery = msgspec.json.Decoder(Delivery)
_thin = msgspec.json.Decoder(_Thin)


def check_header(header: str, now: float) -> None:
    """Check a signature's form and time, before the body is read or hashed.

    `header` is `Stripe-Signature`: `t=<Unix seconds>,v1=<64 hexadecimal digits>`, with
    another v1 while a secret is being rolled, and possibly other schemes
    (https://docs.stripe.com/webhooks#verify-manually). `now` is in Unix seconds. Raises
    InvalidRequest with the code MalformedSignature or StaleSignature.
    """
    if len(header) > _LONGEST_HEADER:
        raise _malformed()
    items = [item.partition("=") for item in header.split(",")]
    times = [value for name, _, value in items if name == "t"]
    signatures = [value for name, _, value in items if name == "v1"]
    if len(times) != 1 or not _TIME.fullmatch(times[0]):
        raise _malformed()
    if not signatures or not all(_SIGNATURE.fullmatch(each) for each in signatures):
        raise _malformed()
    # The SDK refuses old signatures only: one from the future could be kept and used later.
    if abs(now - int(times[0])) > TOLERANCE:
        raise InvalidRequest("The signature's time is too far from now.", code="StaleSignature")


def sign(payload: str, secret: str, now: int) -> str:
    """The header with which Stripe would deliver these bytes; `now` is in Unix seconds."""
    header: str = stripe.WebhookSignature.generate_signature_header(payload, secret, now)
    return header


def verify(payload: bytes, header: str, secrets: tuple[str, ...]) -> None:
    """Check that one of the endpoint's secrets signed exactly these bytes: one hash for each.

    `header` has passed `check_header`. Raises InvalidRequest with the code InvalidSignature; with
    no secrets nothing is valid.
    """
    if not any(_signed(payload, header, secret) for secret in secrets):
        raise InvalidRequest("No signature of the request matches.", code="InvalidSignature")


def decode_event(payload: bytes) -> Event | None:
    """The event of a verified delivery; None for a thin one, which reports nothing of a payment.

    Raises InvalidRequest where the body is not an event.
    """
    try:
        return _delivery.decode(payload).event()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _is_thin(payload):
            return None
        raise InvalidRequest(
            "The request is not a Stripe event.", code="InvalidJsonInput", detail=str(error)
        ) from error


def _is_thin(payload: bytes) -> bool:
    try:
        _thin.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _signed(payload: bytes, header: str, secret: str) -> bool:
    try:
        stripe.WebhookSignature.verify_header(payload, header, secret)
    except (stripe.SignatureVerificationError, UnicodeDecodeError):
        return False
    return True


def _malformed() -> InvalidRequest:
    return InvalidRequest("The Stripe-Signature header is malformed.", code="MalformedSignature")
