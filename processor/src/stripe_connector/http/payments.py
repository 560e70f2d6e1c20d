"""What the shopper's browser asks for: configure the element, start a payment, confirm it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stripe_connector import context
from stripe_connector.concurrency import both
from stripe_connector.errors import Conflict, InvalidRequest, NotFound, PaymentRefused
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Cart, Session
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.http.auth import Open, SessionAuth, SessionGuard, SessionPrincipal
from stripe_connector.http.body import json_body
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.payments import elements
from stripe_connector.payments.confirm import Confirmer
from stripe_connector.payments.customers import Customers
from stripe_connector.payments.start import Express, Started, Starter
from stripe_connector.settings import Settings

Handler = Callable[[Request, SessionPrincipal], Awaitable[Response]]


class PaymentResponse(Struct, frozen=True, rename="camel"):
    """POST /payments. `clientSecret` and `sClientSecret` are the same, under both known names."""

    client_secret: str | None
    s_client_secret: str | None
    payment_reference: str
    """The id of the commercetools Payment."""
    merchant_return_url: str
    cart_id: str
    billing_address: str | UnsetType = UNSET


class ConfirmRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /confirmPayments/{id}."""

    # Python's $ alone lets a line break at the end pass.
    payment_intent: Annotated[str, Meta(pattern=r"^pi_[A-Za-z0-9_]{1,250}(?!\n)$")]


def endpoints(
    settings: Settings,
    commercetools: Commercetools,
    stripe: Stripe,
    sessions: SessionGuard,
    starter: Starter,
    confirmer: Confirmer,
    customers: Customers,
) -> list[AnyEndpoint]:
    """The rows of the table that a checkout page calls."""

    async def session_and_cart(principal: SessionPrincipal) -> tuple[Session, Cart]:
        """Both as they are now: what computes money trusts no cache."""
        return await both(sessions.fresh(principal), commercetools.cart(principal.cart_id))

    async def config_element(request: Request, principal: SessionPrincipal) -> Response:
        session, cart = await session_and_cart(principal)
        component = request.path_params["component"]
        return json_response(elements.element_config(component, cart, session.metadata, settings))

    async def express_payment_data(_request: Request, principal: SessionPrincipal) -> Response:
        session, cart = await session_and_cart(principal)
        return json_response(elements.express_data(cart, session.metadata))

    async def customer_session(_request: Request, principal: SessionPrincipal) -> Response:
        session = await customers.session(await commercetools.cart(principal.cart_id))
        return Response(status_code=204) if session is None else json_response(session)

    async def payments(request: Request, principal: SessionPrincipal) -> Response:
        if request.method == "HEAD":
            return Response()  # the GET alias starts a payment, a question about it must not
        session, cart = await session_and_cart(principal)
        started = await starter.start(session, cart, _express(request))
        context.note(payment=started.payment.id)
        return json_response(_payment_response(started, session, settings))

    async def confirm(request: Request, principal: SessionPrincipal) -> Response:
        payment_id = request.path_params["id"]
        body = await json_body(request, ConfirmRequest)
        context.note(payment=payment_id)
        try:
            (session, cart), intent = await both(
                session_and_cart(principal), _intent(stripe, body.payment_intent)
            )
            outcome = await confirmer.confirm(session, cart, payment_id, intent)
        except (InvalidRequest, PaymentRefused, Conflict) as error:
            context.note(outcome="rejected")
            refusal = {**error.body(), "outcome": "rejected", "error": error.message}
            return json_response(refusal, error.status)
        context.note(outcome=outcome)
        return json_response({"outcome": outcome}, 200 if outcome == "approved" else 202)

    async def apple_pay(_request: Request, _principal: None) -> Response:
        if not settings.stripe_apple_pay_well_known:
            raise NotFound("No Apple Pay domain association is configured.")
        return PlainTextResponse(settings.stripe_apple_pay_well_known)

    def for_session(methods: tuple[str, ...], path: str, handler: Handler) -> AnyEndpoint:
        return Endpoint(methods, path, SessionAuth(), handler, cors=True)

    return [
        for_session(("GET",), "/config-element/{component}", config_element),
        for_session(("GET",), "/get-config-element/{component}", config_element),
        for_session(("GET",), "/express-payment-data", express_payment_data),
        for_session(("GET",), "/customer/session", customer_session),
        for_session(("GET", "POST"), "/payments", payments),
        for_session(("POST",), "/confirmPayments/{id}", confirm),
        Endpoint(("GET",), "/applePayConfig", Open(), apple_pay),
    ]


async def _intent(stripe: Stripe, intent_id: str) -> PaymentIntent:
    try:
        return await stripe.intent(intent_id)
    except NotFound as error:
        raise InvalidRequest(
            "The payment does not belong to this session's cart.", code="PaymentMismatch"
        ) from error


def _express(request: Request) -> Express | None:
    """Headers of the enabler's express component."""
    if request.headers.get("x-express-checkout") not in ("true", "1"):
        return None
    return Express(with_customer=request.headers.get("x-express-customer-session") == "true")


def _payment_response(started: Started, session: Session, settings: Settings) -> PaymentResponse:
    secret = started.intent.client_secret
    collects = started.behaviour.collect_billing_address == "auto"
    address = None if collects else elements.billing_address(started.cart)
    return PaymentResponse(
        client_secret=secret,
        s_client_secret=secret,
        payment_reference=started.payment.id,
        merchant_return_url=session.metadata.merchant_return_url or settings.merchant_return_url,
        cart_id=started.cart.id,
        billing_address=address or UNSET,
    )
