"""What the shopper's browser asks for: configure the element, start a payment, confirm it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from stripe_connector import context
from stripe_connector.errors import (
    Conflict,
    InvalidRequest,
    NotFound,
    PaymentRefused,
    invalid_field,
)
from stripe_connector.http.auth import Open, SessionAuth, SessionGuard, SessionPrincipal
from stripe_connector.http.body import json_body
from stripe_connector.http.fields import Fields, named_by
from stripe_connector.http.openapi.documentation import TEXT, Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import INTENT_ID
from stripe_connector.http.responses import Error, json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.method_names import KNOWN
from stripe_connector.payments.asked import Express, MethodGone, UnusableMethod, Wish
from stripe_connector.payments.confirm import Confirmer
from stripe_connector.payments.elements import (
    ElementConfig,
    Elements,
    ExpressData,
    billing_address,
)
from stripe_connector.payments.shopper import Shopper
from stripe_connector.payments.start import Started, Starter
from stripe_connector.payments.stored.customer_methods import (
    CustomerMethods,
    ShownMethod,
)
from stripe_connector.payments.stored.customers import Customers, CustomerSession
from stripe_connector.settings import Settings


class StartRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /payments, which may be empty."""

    store_payment_method: bool | None = None
    """The shopper agrees that the method is kept."""
    stored_payment_method_id: UUID | None = None
    """What to pay with: the id of a stored method in commercetools."""
    payment_method_type: Annotated[str, Meta(max_length=64)] | None = None
    """Stripe's name of the one type that the component offers."""


class PaymentResponse(Struct, frozen=True, rename="camel"):
    """POST /payments. `clientSecret` and `sClientSecret` are the same, under both known names."""

    client_secret: str | None
    s_client_secret: str | None
    payment_reference: str
    """The id of the commercetools Payment."""
    merchant_return_url: str
    cart_id: str
    billing_address: str | UnsetType = UNSET
    return_url_cart_id: bool | UnsetType = UNSET
    """False where the address that the enabler makes of `merchantReturnUrl` leaves the cart out."""
    allowed_payment_method_types: tuple[str, ...] | UnsetType = UNSET
    """The types that the intent allows, where anything restricts them."""


class ConfirmRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /confirmPayments/{id}."""

    # Python's $ alone lets a line break at the end pass.
    payment_intent: Annotated[str, Meta(pattern=r"^pi_[A-Za-z0-9_]{1,250}(?!\n)$", max_length=253)]


class Confirmed(Struct, frozen=True):
    """POST /confirmPayments/{id}: approved, or pending while a bank works on it."""

    outcome: Literal["approved", "pending"]


class ConfirmRefusal(Error, frozen=True, kw_only=True):
    """An error that also says, as the enabler reads it, that the payment is rejected."""

    outcome: Literal["rejected"]
    error: str


class StoredMethodList(Struct, frozen=True, rename="camel"):
    """GET /stored-payment-methods, newest first."""

    stored_payment_methods: list[ShownMethod]


class Removed(Struct, frozen=True):
    """Nothing is left to say."""


_TAG = "Checkout in the browser"
_NO_CART = "The cart of the session was not found."
_NOT_DUE = "Nothing is due for the cart, or not in an amount that Stripe can charge."
_MOVED = "The session has another cart by now."
_MOVED_OR_NONE = "The session has another cart by now, or no payment method is left."

_FIELDS: Fields = {
    UnusableMethod: "storedPaymentMethodId",
    MethodGone: "storedPaymentMethodId",
}


class PaymentRoutes:
    """The rows of the table that a checkout page calls."""

    def __init__(
        self,
        settings: Settings,
        sessions: SessionGuard,
        elements: Elements,
        starter: Starter,
        confirmer: Confirmer,
        customers: Customers,
        methods: CustomerMethods,
    ) -> None:
        self._settings = settings
        self._sessions = sessions
        self._elements = elements
        self._starter = starter
        self._confirmer = confirmer
        self._customers = customers
        self._methods = methods

    def routes(self) -> list[AnyEndpoint]:
        return [
            _row("GET", "/config-element/{component}", self.config_element, self.CONFIG_ELEMENT),
            _row(
                "GET", "/get-config-element/{component}", self.config_element, self.CONFIG_ELEMENT
            ),
            _row("GET", "/express-payment-data", self.express_data, self.EXPRESS_DATA),
            _row("GET", "/customer/session", self.customer_session, self.CUSTOMER_SESSION),
            _row(("GET", "POST"), "/payments", self.start, self.START),
            _row("POST", "/confirmPayments/{id}", self.confirm, self.CONFIRM),
            _row("GET", "/stored-payment-methods", self.stored_methods, self.STORED_METHODS),
            _row("DELETE", "/stored-payment-methods/{id}", self.remove_method, self.REMOVE_METHOD),
            Endpoint(
                ("GET",),
                "/applePayConfig",
                Open(),
                self.apple_pay,
                cors=True,
                operation=self.APPLE_PAY,
            ),
        ]

    CONFIG_ELEMENT = Documentation(
        tag=_TAG,
        summary="Configuration of one payment element",
        parameters=(
            Parameter(
                "component",
                "path",
                "`expressCheckout`, a type such as `card` for a form of that type alone, or"
                " anything else for the payment form.",
            ),
        ),
        answers={200: Answer("How it looks and behaves for the cart.", ElementConfig)},
        refusals={400: _NOT_DUE, 404: _NO_CART, 409: _MOVED_OR_NONE},
    )

    async def config_element(self, request: Request, principal: SessionPrincipal) -> Response:
        component = request.path_params["component"]
        return json_response(await self._elements.configure(self._shopper(principal), component))

    EXPRESS_DATA = Documentation(
        tag=_TAG,
        summary="What a wallet's sheet shows",
        answers={200: Answer("What is due, and its lines.", ExpressData)},
        refusals={400: _NOT_DUE, 404: _NO_CART, 409: _MOVED},
    )

    async def express_data(self, _request: Request, principal: SessionPrincipal) -> Response:
        return json_response(await self._elements.describe_express(self._shopper(principal)))

    CUSTOMER_SESSION = Documentation(
        tag=_TAG,
        summary="Open a session of Stripe's for the customer",
        answers={
            200: Answer("What the browser needs to show stored methods.", CustomerSession),
            204: Answer("The cart belongs to a guest."),
        },
        refusals={400: "The customer cannot be known to Stripe.", 404: _NO_CART, 409: _MOVED},
    )

    async def customer_session(self, _request: Request, principal: SessionPrincipal) -> Response:
        session = await self._customers.create_session(principal.cart_id)
        return Response(status_code=204) if session is None else json_response(session)

    START = Documentation(
        tag=_TAG,
        summary="Start the payment of the cart",
        description=(
            "A cart has one open payment: asking again gives the same one, at today's amount."
            " GET is the same without a body, for Stripe's own enabler."
        ),
        body=StartRequest,
        example={"storePaymentMethod": True},
        parameters=(
            Parameter("X-Express-Checkout", "header", "`true` where a wallet's button asks."),
            Parameter(
                "X-Express-Customer-Session",
                "header",
                "`true` where that wallet shows the customer's stored methods.",
            ),
        ),
        answers={200: Answer("What Stripe.js needs to go on.", PaymentResponse)},
        refusals={
            400: "The body is not valid, or the cart cannot be paid.",
            402: "Stripe refused for good.",
            404: _NO_CART,
            409: "The cart is ordered or its payment is being processed, no payment method is left,"
            " or the session moved on.",
        },
    )

    async def start(self, request: Request, principal: SessionPrincipal) -> Response:
        if request.method == "HEAD":
            return Response()  # the GET alias starts a payment, a question about it must not
        body = (
            await json_body(request, StartRequest) if request.method == "POST" else StartRequest()
        )
        with named_by(_FIELDS):
            started = await self._starter.start(
                self._shopper(principal), _wish(body), _express(request)
            )
        context.note(payment=started.payment.id)
        return json_response(_payment_response(started, self._settings))

    CONFIRM = Documentation(
        tag=_TAG,
        summary="Record what the shopper has confirmed",
        description="What counts is what Stripe says of the intent, not what the browser says.",
        body=ConfirmRequest,
        example={"paymentIntent": INTENT_ID},
        parameters=(Parameter("id", "path", "The `paymentReference` of POST /payments."),),
        answers={
            200: Answer("The payment is authorized or paid.", Confirmed),
            202: Answer("A bank works on it; a webhook will tell.", Confirmed),
            400: Answer("The payment is not this cart's.", ConfirmRefusal),
            402: Answer("The payment was declined.", ConfirmRefusal),
            409: Answer("The payment is in another state.", ConfirmRefusal),
        },
        refusals={404: _NO_CART},
    )

    async def confirm(self, request: Request, principal: SessionPrincipal) -> Response:
        payment_id = request.path_params["id"]
        body = await json_body(request, ConfirmRequest)
        context.note_id("payment", payment_id)
        context.note_id("intent", body.payment_intent)
        try:
            outcome = await self._confirmer.confirm(
                self._shopper(principal), payment_id, body.payment_intent
            )
        except (InvalidRequest, PaymentRefused, Conflict) as error:
            context.note(outcome="rejected")
            refusal = {**error.body(), "outcome": "rejected", "error": error.message}
            return json_response(refusal, error.status)
        context.note(outcome=outcome)
        return json_response(Confirmed(outcome), 200 if outcome == "approved" else 202)

    STORED_METHODS = Documentation(
        tag=_TAG,
        summary="Stored payment methods of the customer",
        answers={200: Answer("The methods that can be used, newest first.", StoredMethodList)},
        refusals={
            400: "Stored payment methods are not enabled, or the cart belongs to a guest.",
            404: _NO_CART,
            409: _MOVED_OR_NONE,
        },
    )

    async def stored_methods(self, _request: Request, principal: SessionPrincipal) -> Response:
        usable = await self._methods.list_usable(self._shopper(principal))
        return json_response(StoredMethodList(usable))

    REMOVE_METHOD = Documentation(
        tag=_TAG,
        summary="Remove a stored payment method",
        parameters=(Parameter("id", "path", "The id of the method in commercetools."),),
        answers={200: Answer("It is gone, here and at Stripe.", Removed)},
        refusals={
            400: "Stored payment methods are not enabled, or the cart belongs to a guest.",
            404: "The customer has no such method.",
            409: "A recurring order is paid with the method, or it was changed meanwhile.",
        },
    )

    async def remove_method(self, request: Request, principal: SessionPrincipal) -> Response:
        await self._methods.remove(principal.cart_id, request.path_params["id"])
        return json_response(Removed())

    APPLE_PAY = Documentation(
        tag=_TAG,
        summary="Apple Pay's domain association",
        answers={200: Answer("The file as it was configured.", media_type=TEXT)},
        refusals={404: "None is configured."},
        asks_backends=False,
    )

    async def apple_pay(self, _request: Request, _principal: None) -> Response:
        if not self._settings.stripe_apple_pay_well_known:
            raise NotFound("No Apple Pay domain association is configured.")
        return PlainTextResponse(self._settings.stripe_apple_pay_well_known)

    def _shopper(self, principal: SessionPrincipal) -> Shopper:
        return Shopper(principal.cart_id, partial(self._sessions.fresh, principal))


def _row(
    methods: str | tuple[str, ...],
    path: str,
    handler: Callable[[Request, SessionPrincipal], Awaitable[Response]],
    operation: Documentation,
) -> AnyEndpoint:
    """A row of the table for the shopper of a session, whose browser asks."""
    methods = (methods,) if isinstance(methods, str) else methods
    return Endpoint(methods, path, SessionAuth(), handler, cors=True, operation=operation)


def _wish(body: StartRequest) -> Wish:
    """Whether to keep the method, or the stored one to pay with; both at once are refused."""
    store, stored = bool(body.store_payment_method), body.stored_payment_method_id
    if store and stored is not None:
        raise InvalidRequest("A stored payment method cannot be stored again.")
    type_ = body.payment_method_type
    if type_ is not None and type_ not in KNOWN:
        raise invalid_field("paymentMethodType", type_)
    return Wish(store, str(stored) if stored else None, type_)


def _express(request: Request) -> Express | None:
    """Headers of the enabler's express component."""
    if request.headers.get("x-express-checkout") not in ("true", "1"):
        return None
    return Express(with_customer=request.headers.get("x-express-customer-session") == "true")


def _payment_response(started: Started, settings: Settings) -> PaymentResponse:
    secret, metadata = started.intent.client_secret, started.session.metadata
    collects = started.behaviour.collect_billing_address == "auto"
    address = None if collects else billing_address(started.cart)
    return PaymentResponse(
        client_secret=secret,
        s_client_secret=secret,
        payment_reference=started.payment.id,
        merchant_return_url=metadata.merchant_return_url or settings.merchant_return_url,
        cart_id=started.cart.id,
        return_url_cart_id=UNSET if settings.return_url_cart_id else False,
        billing_address=address or UNSET,
        allowed_payment_method_types=(
            UNSET if started.methods.allowed is None else started.methods.allowed
        ),
    )
