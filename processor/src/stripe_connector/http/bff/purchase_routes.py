"""Three small Stripe integrations, each with the paths and answers that its own client expects.

Every path is served with and without a trailing slash: a redirect would turn a POST into a GET.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal, get_args

from msgspec import UNSET, Meta, Struct, UnsetType, ValidationError, convert
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stripe_connector import context
from stripe_connector.errors import ConnectorError, NotFound, invalid_field, required_field
from stripe_connector.http.auth import Open
from stripe_connector.http.bff.purchase_pages import STYLE_PATH, Pages
from stripe_connector.http.bff.visitor import NAME as COOKIE
from stripe_connector.http.bff.visitor import Visitors
from stripe_connector.http.body import json_body
from stripe_connector.http.openapi.documentation import HTML, Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import ORDER_ID
from stripe_connector.http.rate_limit import TOO_MANY, RateLimit
from stripe_connector.http.responses import Error, json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint, ErrorShape
from stripe_connector.settings import Settings
from stripe_connector.storefront.checkout_sessions import PaymentSession
from stripe_connector.storefront.purchases import BuyNow, PurchaseClaim, State
from stripe_connector.storefront.session_params import Landing, UiMode

WEBHOOK_PATHS = tuple(
    f"{path}{slash}"
    for path in ("/webhook", "/webhooks", "/webhook-checkout")
    for slash in ("", "/")
)
"""Where these integrations receive Stripe's events."""

_LETTERS: dict[State, str] = {"open": "C", "processing": "P", "paid": "S", "failed": "F"}

Handler = Callable[[Request], Awaitable[Response]]
Text = Annotated[str, Meta(min_length=1, max_length=256)]


class Keys(Struct, frozen=True, rename="camel"):
    """What a page needs for Stripe.js, under both names in use."""

    public_key: str
    publishable_key: str


class ShownSession(Struct, frozen=True):
    id: str
    url: str | None


class CreatedSession(Struct, frozen=True, rename="camel"):
    """A payment page in every shape that the clients read."""

    session: ShownSession
    id: str
    session_id: str
    url: str | None
    status: Literal["success"] = "success"
    client_secret: str | UnsetType = UNSET
    """For Stripe.js, where the shopper pays within the page."""


class ClaimedItem(Struct, frozen=True):
    """An item as the page knows it; its name and description decide nothing."""

    amount: int
    currency: str | None = None
    quantity: Annotated[int, Meta(ge=1)] = 1


class OrderRequest(Struct, frozen=True):
    """The body of POST /v1/create-session."""

    order_id: Text
    items: Annotated[list[ClaimedItem], Meta(max_length=500)] | None = None
    currency: str | None = None

    @property
    def claim(self) -> PurchaseClaim:
        items = self.items or []
        named = [self.currency, *(item.currency for item in items)]
        return PurchaseClaim(
            None if self.items is None else sum(item.amount * item.quantity for item in items),
            frozenset(currency.upper() for currency in named if currency),
        )


class SessionStatus(Struct, frozen=True):
    """`status` is C(reated), P(ending), S(ucceeded) or F(ailed)."""

    order_id: str
    session_id: str
    status: str


class BuyNowError(Error, frozen=True, kw_only=True):
    """An error with the `error` that these clients look for."""

    error: str
    """The message."""


_TAG = "Buy now"


class PurchaseRoutes:
    """Buy-now pages and the calls of their clients."""

    def __init__(
        self,
        buy_now: BuyNow,
        visitors: Visitors,
        settings: Settings,
        *,
        opening: RateLimit,
        reading: RateLimit,
    ) -> None:
        """`opening` limits what makes payment pages, `reading` the rest."""
        self._buy_now = buy_now
        self._visitors = visitors
        self._settings = settings
        self._opening = opening
        self._reading = reading
        # A form's answer leads on to Stripe's page, which may have a domain of the merchant's, or
        # be a stand-in without TLS.
        self._pages = Pages("'self' https:" if settings.live_mode else "'self' https: http:")

    def routes(self) -> list[AnyEndpoint]:
        create = "/create-checkout-session"
        page_for = f"{create}/{{resource_id}}"
        both = ("GET", "POST")
        return [
            *_both(both, page_for, self.create_for_resource, self.CREATE_FOR),
            *_both(both, create, self.create_for_product, self.CREATE),
            *_both(("POST",), "/v1/create-session", self.create_for_order, self.CREATE_FOR_ORDER),
            *_both(("GET",), "/v1/session-status", self.session_status, self.SESSION_STATUS),
            *_both(("GET",), "/config", self.keys, self.KEYS),
            _row(("GET",), "/", self.offer, self.OFFER, shared=False),
            *_both(("GET",), "/success", self.success, self.SUCCESS, shared=False),
            *_both(("GET",), "/canceled", self.canceled, self.CANCELED, shared=False),
            *_both(("GET",), "/cancel", self.canceled, self.CANCELED, shared=False),
            _row(("GET",), "/client/success.html", self.success, self.SUCCESS, shared=False),
            _row(("GET",), STYLE_PATH, self.style, self.STYLE, shared=False),
        ]

    CREATE = Documentation(
        tag=_TAG,
        summary="Open a payment page for the product",
        description=(
            "A visitor who comes again, with the cookie, gets the same page while it is open."
        ),
        parameters=(
            Parameter(
                "ui_mode", "query", "Where the shopper pays; on Stripe's page by default.", UiMode
            ),
            Parameter(COOKIE, "cookie", "What the visitor was about to buy, signed."),
        ),
        answers={
            200: Answer("Where, or with what, the shopper pays.", CreatedSession),
            303: Answer("To Stripe's page, for browsers.", headers={"Location": "Stripe's page."}),
        },
        refusals={
            400: "The mode is unknown, or the product cannot be paid.",
            402: "Stripe refused for good.",
            404: "The product was not found, or has no price.",
            409: "The cart is ordered, or its payment is being processed.",
            429: TOO_MANY,
        },
    )

    async def create_for_product(self, request: Request) -> Response:
        return await self._create(request, self._settings.buy_now_product)

    CREATE_FOR = replace(
        CREATE,
        summary="Open a payment page for a product",
        parameters=(
            Parameter("resource_id", "path", "The SKU, id or key of the product."),
            *CREATE.parameters,
        ),
    )

    async def create_for_resource(self, request: Request) -> Response:
        return await self._create(request, request.path_params["resource_id"])

    CREATE_FOR_ORDER = Documentation(
        tag=_TAG,
        summary="Open a payment page for an order",
        body=OrderRequest,
        example={"order_id": ORDER_ID},
        answers={200: Answer("Where, or with what, the shopper pays.", CreatedSession)},
        refusals={
            400: "The body is not valid, or the order cannot be paid.",
            402: "Stripe refused for good.",
            404: (
                "The order was not found. By number, also for one that costs something else, is"
                " paid or cancelled, or whose sum was not told."
            ),
            409: "By id: the order costs something else, is paid, cancelled or has another page.",
            429: TOO_MANY,
        },
    )

    async def create_for_order(self, request: Request) -> Response:
        self._opening.admit(request)
        body = await json_body(request, OrderRequest)
        session = await self._buy_now.open_order(body.order_id, body.claim, self._order_landing)
        return json_response(_shape(session))

    SESSION_STATUS = Documentation(
        tag=_TAG,
        summary="Show the result of a payment page of an order",
        parameters=(
            Parameter("order_id", "query", "The order's number or id.", required=True),
            Parameter("session_id", "query", "The id of the payment page.", required=True),
        ),
        answers={200: Answer("Its state, in a letter.", SessionStatus)},
        refusals={
            400: "One of the ids is missing.",
            402: "Stripe refused for good.",
            404: "There is no such order, or no such page of it.",
            409: "Something else changes the order at this moment.",
            429: TOO_MANY,
        },
    )

    async def session_status(self, request: Request) -> Response:
        self._reading.admit(request)
        order_id, session_id = _query(request, "order_id"), _query(request, "session_id")
        state = await self._buy_now.order_state(order_id, session_id)
        return json_response(SessionStatus(order_id, session_id, _LETTERS[state]))

    KEYS = Documentation(
        tag=_TAG,
        summary="The key for Stripe.js",
        answers={200: Answer("The publishable key.", Keys)},
        asks_backends=False,
    )

    async def keys(self, _request: Request) -> Response:
        key = self._settings.stripe_publishable_key
        return json_response(Keys(key, key))

    OFFER = Documentation(
        tag=_TAG,
        summary="The page that offers the product",
        answers={
            200: Answer("The page.", media_type=HTML),
            404: Answer("A page that says that there is no product.", media_type=HTML),
        },
        refusals={429: TOO_MANY},
    )

    async def offer(self, request: Request) -> Response:
        if self._settings.buy_now_product is None:
            return self._pages.unknown(request)
        self._reading.admit(request)
        try:
            item = await self._buy_now.item(self._settings.buy_now_product)
        except NotFound:
            return self._pages.unknown(request)
        return self._pages.offer(request, item)

    SUCCESS = Documentation(
        tag=_TAG,
        summary="The page after the payment",
        parameters=(Parameter("session_id", "query", "The id of the payment page."),),
        answers={
            200: Answer("The page that shows the payment's result.", media_type=HTML),
            404: Answer("A page that says that there is no such payment.", media_type=HTML),
        },
        refusals={
            400: "The payment cannot become an order.",
            402: "Stripe refused for good.",
            409: "Something else changes the order at this moment.",
            429: TOO_MANY,
        },
    )

    async def success(self, request: Request) -> Response:
        self._reading.admit(request)
        try:
            outcome = await self._buy_now.outcome(request.query_params.get("session_id", ""))
        except NotFound:
            return self._pages.unknown(request)
        return self._pages.outcome(request, outcome)

    CANCELED = Documentation(
        tag=_TAG,
        summary="The page for who turned back",
        answers={200: Answer("The page.", media_type=HTML)},
        asks_backends=False,
    )

    async def canceled(self, request: Request) -> Response:
        return self._pages.canceled(request)

    STYLE = Documentation(
        tag=_TAG,
        summary="The style of the pages",
        answers={200: Answer("A style sheet.", media_type="text/css; charset=utf-8")},
        asks_backends=False,
    )

    async def style(self, _request: Request) -> Response:
        return self._pages.style()

    async def _create(self, request: Request, name: str | None) -> Response:
        if name is None:
            raise NotFound("No product is configured.")
        if request.method == "HEAD":
            return Response()
        self._opening.admit(request)
        base = self._settings.buy_now_base
        success = f"{base}/success?session_id={{CHECKOUT_SESSION_ID}}"
        landing = Landing(success, f"{base}/canceled/", _ui_mode(request))
        opened = await self._buy_now.open(
            await self._buy_now.item(name), self._visitors.kept(request), landing
        )
        context.note(cart=opened.kept.cart_id)
        response = _created(request, opened.session)
        self._visitors.keep(response, opened.kept)
        return response

    def _order_landing(self, name: str) -> Landing:
        base = self._settings.buy_now_base
        success = f"{base}/client/success.html?session_id={{CHECKOUT_SESSION_ID}}"
        return Landing(f"{success}&order_id={name}", f"{base}/cancel")


def _both(
    methods: tuple[str, ...],
    path: str,
    handler: Handler,
    operation: Documentation,
    *,
    shared: bool = True,
) -> list[AnyEndpoint]:
    """The rows of a path with and without a trailing slash."""
    return [_row(methods, path + slash, handler, operation, shared=shared) for slash in ("", "/")]


def _row(
    methods: tuple[str, ...], path: str, handler: Handler, operation: Documentation, *, shared: bool
) -> Endpoint[None]:
    async def answer(request: Request, _principal: None) -> Response:
        return await handler(request)

    return Endpoint(
        methods,
        path,
        Open(),
        answer,
        cors=shared,
        errors=ErrorShape(BuyNowError, _body),
        operation=operation,
    )


def _body(error: ConnectorError) -> dict[str, Any]:
    return {**error.body(), "error": error.message}


def _created(request: Request, session: PaymentSession) -> Response:
    """JSON for scripts; a browser that has sent a form is led on."""
    if "text/html" in request.headers.get("accept", "") and session.url is not None:
        return RedirectResponse(session.url, 303)
    return json_response(_shape(session))


def _shape(session: PaymentSession) -> CreatedSession:
    return CreatedSession(
        ShownSession(session.id, session.url),
        session.id,
        session.id,
        session.url,
        client_secret=session.client_secret or UNSET,
    )


def _ui_mode(request: Request) -> UiMode:
    """Where the shopper is to pay; on Stripe's page unless the query says otherwise."""
    asked = request.query_params.get("ui_mode", "hosted_page")
    try:
        mode: UiMode = convert(asked, UiMode)
    except ValidationError as error:
        raise invalid_field("ui_mode", asked[:32], allowed=list(get_args(UiMode))) from error
    return mode


def _query(request: Request, name: str) -> str:
    value = request.query_params.get(name, "").strip()
    if not value:
        raise required_field(name)
    return value[:256]
