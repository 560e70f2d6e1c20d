"""Stripe's webhooks: acknowledged only when their effect is in commercetools."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.gateways.stripe.signed_events import Delivery, decode_event
from stripe_connector.http.auth import SignedPayload, StripeAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint
from stripe_connector.payments.events import EventEffect
from stripe_connector.storefront.page_events import CheckoutEvents

_MAX_EVENT_BYTES = 2**20

PATH = "/stripe/webhooks"


class Delivered(Struct, frozen=True):
    """An event that has been handled, for whoever counts them."""

    type: str
    effect: EventEffect | None
    """None where it could not be recorded, so that Stripe sends it again."""
    created: int
    """When Stripe made the event, in Unix seconds."""


class Received(Struct, frozen=True):
    """The acknowledgement of an event."""

    received: bool
    effect: EventEffect


def endpoint(
    events: CheckoutEvents,
    path: str = PATH,
    observe: Callable[[Delivered], None] = lambda _: None,
) -> Endpoint[SignedPayload]:
    """The webhook's row of the table. The answer and the log say what became of the event."""

    async def webhook(_request: Request, payload: SignedPayload) -> Response:
        event = decode_event(payload.body)
        context.note(event=event.id, eventType=event.type)
        effect: EventEffect | None = None
        try:
            effect = await events.handle(event)
        finally:
            observe(Delivered(event.type, effect, event.created))
        context.note(outcome=effect.value)
        return json_response(Received(received=True, effect=effect))

    return Endpoint(
        ("POST",),
        path,
        StripeAuth(),
        webhook,
        body_limit=_MAX_EVENT_BYTES,
        operation=_WEBHOOK,
    )


_WEBHOOK = Documentation(
    tag="Stripe",
    summary="Deliver an event",
    description="For Stripe. The answer comes once the effect is in commercetools.",
    body=Delivery,
    any_media_type=True,
    answers={200: Answer("What became of the event.", Received)},
    refusals={
        402: "Stripe refused an operation that the event calls for.",
        404: "Something that the event is about was not found.",
        409: "Something else has changed the payment meanwhile, too often.",
    },
)
