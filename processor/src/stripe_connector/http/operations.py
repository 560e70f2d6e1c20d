"""/operations: what Checkout and the Merchant Center ask of a payment connector."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.errors import InvalidRequest, invalid_field
from stripe_connector.http.auth import (
    JwtAuth,
    JwtPrincipal,
    OAuth2Auth,
    OAuth2Principal,
    OriginAuth,
    OriginPrincipal,
    SessionAuth,
    SessionPrincipal,
)
from stripe_connector.http.body import json_body
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.payments import elements
from stripe_connector.payments.modify import AnyModification, Modifier
from stripe_connector.payments.movement import Outcome
from stripe_connector.settings import Settings

PAYMENT_COMPONENTS = {
    "dropins": [{"type": "embedded"}],
    "components": [{"type": "payment"}, {"type": "expressCheckout"}],
    "express": [{"type": "dropin"}],
}
"""What the enabler can build."""

_IDEMPOTENCY_KEY = "idempotency-key"
_KEY_LENGTH = 255


class PaymentIntentRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /operations/payment-intents/{id}: exactly one action."""

    actions: Annotated[list[AnyModification], Meta(min_length=1, max_length=1)]
    merchant_reference: Annotated[str, Meta(max_length=256)] | None = None


class Refusal(Struct, frozen=True):
    code: str
    message: str


class PaymentIntentResponse(Struct, frozen=True):
    outcome: str
    error: Refusal | UnsetType = UNSET


def endpoints(settings: Settings, modifier: Modifier) -> list[AnyEndpoint]:
    """The rows of the table, /operations/status apart."""
    public_config = msgspec.json.encode(elements.config(settings))
    components = msgspec.json.encode(PAYMENT_COMPONENTS)

    async def config(_request: Request, _principal: SessionPrincipal) -> Response:
        return Response(public_config, media_type="application/json")

    async def express_config(_request: Request, _principal: OriginPrincipal) -> Response:
        return Response(public_config, media_type="application/json")

    async def payment_components(_request: Request, _principal: JwtPrincipal) -> Response:
        return Response(components, media_type="application/json")

    async def payment_intents(request: Request, _principal: OAuth2Principal) -> Response:
        payment_id = request.path_params["id"]
        body = await json_body(request, PaymentIntentRequest)
        modification = body.actions[0]
        if modification.merchant_reference is None and body.merchant_reference is not None:
            modification = msgspec.structs.replace(
                modification, merchant_reference=body.merchant_reference
            )
        context.note(payment=payment_id)
        outcome = await modifier.modify(payment_id, modification, _key(request))
        context.note(outcome=outcome.outcome)
        return json_response(_response(outcome))

    return [
        Endpoint(("GET",), "/operations/config", SessionAuth(), config, cors=True),
        Endpoint(("POST",), "/express-config", OriginAuth(), express_config, cors=True),
        Endpoint(("GET",), "/operations/payment-components", JwtAuth(), payment_components),
        Endpoint(
            ("POST",),
            "/operations/payment-intents/{id}",
            OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents")),
            payment_intents,
        ),
    ]


def _key(request: Request) -> str | None:
    key = request.headers.get(_IDEMPOTENCY_KEY)
    if key is None:
        return None
    if not key.strip():
        raise InvalidRequest("The Idempotency-Key header is empty.")
    if len(key) > _KEY_LENGTH:
        raise invalid_field("Idempotency-Key", key[:32], reason="It has over 255 characters.")
    return key


def _response(outcome: Outcome) -> PaymentIntentResponse:
    if outcome.outcome != "rejected":
        return PaymentIntentResponse(outcome.outcome)
    refusal = Refusal(outcome.code or "refused", outcome.message or "Stripe refused the request.")
    return PaymentIntentResponse("rejected", refusal)
