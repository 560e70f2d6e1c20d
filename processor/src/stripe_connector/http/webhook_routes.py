"""Stripe's webhooks: acknowledged only when their effect is in commercetools."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.gateways.stripe.signed_events import Delivery, decode_event
from stripe_connector.http.auth import SignedPayload, StripeAuth
from stripe_connector.http.openapi.documentation import Answer, Documentation
from stripe_connector.http.openapi.examples import INTENT_ID
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.payments.payment_events import EventEffect
from stripe_connector.storefront.events import Events

_MAX_EVENT_BYTES = 2**20

PATH = "/stripe/webhooks"


class Delivered(Struct, frozen=True):
    """An event that has been handled, for the metrics."""

    type: str
    effect: EventEffect | None
    """None where it could not be recorded, so that Stripe sends it again."""
    created: int
    """When Stripe made the event, in Unix seconds."""


class Received(Struct, frozen=True):
    """The acknowledgement of an event."""

    received: bool
    effect: EventEffect


class WebhookRoutes:
    """The webhook, at each of its paths. The answer and the log say what an event has changed."""

    def __init__(
        self,
        events: Events,
        paths: Sequence[str] = (PATH,),
        observe: Callable[[Delivered], None] = lambda _: None,
    ) -> None:
        self._events = events
        self._paths = paths
        self._observe = observe

    def routes(self) -> list[AnyEndpoint]:
        return [
            Endpoint(
                ("POST",),
                path,
                StripeAuth(),
                self.receive,
                body_limit=_MAX_EVENT_BYTES,
                operation=self.RECEIVE,
            )
            for path in self._paths
        ]

    RECEIVE = Documentation(
        tag="Stripe",
        summary="Deliver an event",
        description="For Stripe. The answer comes once the effect is in commercetools.",
        body=Delivery,
        example={
            "id": "evt_1PqXyZ2eZvKYlo2C5e6f7a8b",
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": 1767225600,
            "livemode": False,
            "data": {"object": {"id": INTENT_ID, "object": "payment_intent"}},
        },
        any_media_type=True,
        answers={200: Answer("The effect of the event.", Received)},
        refusals={
            402: "Stripe refused an operation that the event calls for.",
            404: "Something that the event is about was not found.",
            409: "Something else has changed the payment meanwhile, too often.",
        },
    )

    async def receive(self, _request: Request, payload: SignedPayload) -> Response:
        event = decode_event(payload.body)
        if event is None:
            # An event destination that sends thin events beside the snapshots that count here.
            context.note(outcome=EventEffect.IGNORED.value)
            return json_response(Received(received=True, effect=EventEffect.IGNORED))
        context.note(event=event.id, eventType=event.type)
        effect: EventEffect | None = None
        try:
            effect = await self._events.handle(event)
        finally:
            self._observe(Delivered(event.type, effect, event.created))
        context.note(outcome=effect.value)
        return json_response(Received(received=True, effect=effect))
