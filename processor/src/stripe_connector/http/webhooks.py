"""POST /stripe/webhooks: acknowledged only when its effect is in commercetools."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.gateways.stripe.webhooks import decode
from stripe_connector.http.auth import SignedPayload, StripeAuth
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import Endpoint
from stripe_connector.payments.events import EventHandler

_MAX_EVENT_BYTES = 2**20


def endpoint(events: EventHandler) -> Endpoint[SignedPayload]:
    """The webhook's row of the table. The answer and the log say what became of the event."""

    async def webhook(_request: Request, payload: SignedPayload) -> Response:
        event = decode(payload.body)
        context.note(event=event.id, eventType=event.type)
        effect = await events.handle(event)
        context.note(outcome=effect.value)
        return json_response({"received": True, "effect": effect.value})

    return Endpoint(
        ("POST",), "/stripe/webhooks", StripeAuth(), webhook, body_limit=_MAX_EVENT_BYTES
    )
