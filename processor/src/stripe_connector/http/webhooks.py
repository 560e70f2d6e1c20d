"""Stripe's webhooks: acknowledged only when their effect is in commercetools."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.checkout.events import CheckoutEvents
from stripe_connector.gateways.stripe.webhooks import decode
from stripe_connector.http.auth import SignedPayload, StripeAuth
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint

_MAX_EVENT_BYTES = 2**20


PATH = "/stripe/webhooks"


def endpoint(events: CheckoutEvents, path: str = PATH) -> Endpoint[SignedPayload]:
    """The webhook's row of the table. The answer and the log say what became of the event."""

    async def webhook(_request: Request, payload: SignedPayload) -> Response:
        event = decode(payload.body)
        context.note(event=event.id, eventType=event.type)
        effect = await events.handle(event)
        context.note(outcome=effect.value)
        return json_response({"received": True, "effect": effect.value})

    return Endpoint(("POST",), path, StripeAuth(), webhook, body_limit=_MAX_EVENT_BYTES)
