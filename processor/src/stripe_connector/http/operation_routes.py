"""/operations: what Checkout and the Merchant Center ask of a payment connector."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.errors import InvalidRequest, invalid_field
from stripe_connector.gateways.commercetools.gateway import Commercetools
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
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.payments import elements
from stripe_connector.payments.modify import AnyModification
from stripe_connector.payments.parts import Outcome
from stripe_connector.payments.stored.charging import TransactionRequest, Transactions
from stripe_connector.settings import Settings
from stripe_connector.storefront.sales import Sales

_IDEMPOTENCY_KEY = "Idempotency-Key"
_KEY_LENGTH = 255


class Component(Struct, frozen=True):
    type: str


class PaymentComponents(Struct, frozen=True):
    """GET /operations/payment-components: what the enabler can build."""

    dropins: list[Component]
    components: list[Component]
    express: list[Component]


PAYMENT_COMPONENTS = PaymentComponents(
    dropins=[Component("embedded")],
    components=[Component("payment"), Component("expressCheckout")],
    express=[Component("dropin")],
)


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


class TransactionError(Struct, frozen=True):
    message: str
    code: str = "PaymentRejected"


class TransactionStatus(Struct, frozen=True):
    state: Literal["Completed", "Failed", "Pending"]
    errors: list[TransactionError] | UnsetType = UNSET


class TransactionResponse(Struct, frozen=True, rename="camel"):
    """POST /operations/transactions: a refusal is an answer too."""

    transaction_status: TransactionStatus
    payment_id: str


def endpoints(
    settings: Settings,
    commercetools: Commercetools,
    sales: Sales,
    transactions: Transactions,
) -> list[AnyEndpoint]:
    """The rows of the table, /operations/status apart."""
    for_guests = msgspec.json.encode(elements.config(settings, has_customer=False))
    for_customers = msgspec.json.encode(elements.config(settings, has_customer=True))
    components = msgspec.json.encode(PAYMENT_COMPONENTS)

    async def config(_request: Request, principal: SessionPrincipal) -> Response:
        public = for_guests
        if settings.stored_payment_methods_enabled:
            cart = await commercetools.get_cart(principal.cart_id)
            public = for_customers if cart.customer_id is not None else for_guests
        return Response(public, media_type="application/json")

    async def express_config(_request: Request, _principal: OriginPrincipal) -> Response:
        return Response(for_guests, media_type="application/json")

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
        context.note_id("payment", payment_id)
        outcome = await sales.modify(payment_id, modification, _key(request))
        context.note(outcome=outcome.outcome)
        return json_response(_response(outcome))

    async def charge(request: Request, _principal: OAuth2Principal) -> Response:
        body = await json_body(request, TransactionRequest)
        payment, outcome = await transactions.charge(body)
        context.note(payment=payment.id, outcome=outcome.outcome)
        return json_response(TransactionResponse(_status(outcome), payment.id), 201)

    return [
        Endpoint(
            ("GET",),
            "/operations/config",
            SessionAuth(),
            config,
            cors=True,
            operation=Documentation(
                tag="Checkout in the browser",
                summary="Public configuration",
                answers={200: Answer("What the enabler starts with.", elements.Config)},
                refusals={404: "The cart of the session was not found."},
            ),
        ),
        Endpoint(
            ("POST",),
            "/express-config",
            OriginAuth(),
            express_config,
            cors=True,
            operation=Documentation(
                tag="Checkout in the browser",
                summary="Public configuration before there is a session",
                answers={200: Answer("What express buttons start with.", elements.Config)},
                asks_backends=False,
            ),
        ),
        Endpoint(
            ("GET",),
            "/operations/payment-components",
            JwtAuth(),
            payment_components,
            operation=Documentation(
                tag="Operations",
                summary="Components that the enabler offers",
                answers={200: Answer("The components by kind.", PaymentComponents)},
            ),
        ),
        Endpoint(
            ("POST",),
            "/operations/payment-intents/{id}",
            OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents")),
            payment_intents,
            operation=_CHANGE_PAYMENT,
        ),
        Endpoint(
            ("POST",),
            "/operations/transactions",
            OAuth2Auth(any_of=("manage_project", "manage_checkout_transactions")),
            charge,
            operation=_CHARGE,
        ),
    ]


_CHANGE_PAYMENT = Documentation(
    tag="Operations",
    summary="Capture, refund, cancel or reverse a payment",
    description=(
        "Takes exactly one action. The same action with the same Idempotency-Key moves money"
        " once; without a key, an action that equals an unfinished one continues it."
    ),
    body=PaymentIntentRequest,
    parameters=(
        Parameter("id", "path", "The id of the commercetools Payment."),
        Parameter(
            _IDEMPOTENCY_KEY,
            "header",
            "Names the request, so that it can be repeated.",
            Annotated[str, Meta(min_length=1, max_length=_KEY_LENGTH)],
        ),
    ),
    answers={
        200: Answer(
            "Approved; received, where the outcome is told later; or rejected, with the reason.",
            PaymentIntentResponse,
        )
    },
    refusals={
        400: "The body or the header is not valid, or the payment's state forbids the action.",
        402: "Stripe refused for good.",
        404: "The payment was not found.",
        409: "Another operation of the payment is unfinished.",
    },
)
_CHARGE = Documentation(
    tag="Operations",
    summary="Charge a stored payment method without the shopper",
    description=(
        "For orders that recur. The same transaction, by its idempotency key or else by its item,"
        " is charged once."
    ),
    body=TransactionRequest,
    answers={
        201: Answer("What became of the charge; a refusal is an answer, too.", TransactionResponse)
    },
    refusals={
        400: "The body is not valid, or the cart cannot be charged.",
        402: "Stripe refused for good.",
        404: "The cart was not found.",
        409: "Another transaction of the cart is unfinished, or nothing is left to pay.",
    },
)


def _status(outcome: Outcome) -> TransactionStatus:
    match outcome.outcome:
        case "approved":
            return TransactionStatus("Completed")
        case "received":
            return TransactionStatus("Pending")
        case "rejected":
            reason = outcome.message or "The payment was declined."
            return TransactionStatus("Failed", [TransactionError(reason)])


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
