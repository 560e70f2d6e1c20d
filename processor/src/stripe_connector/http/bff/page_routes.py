"""/api/v1: the storefront's payment session, and its request to confirm an order."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector import context
from stripe_connector.errors import Conflict, NotFound, invalid_field
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.http.bff.contract import route
from stripe_connector.http.body import json_body
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import ORDER_ID
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint
from stripe_connector.storefront import views
from stripe_connector.storefront.checkout_sessions import CheckoutSessions, PaymentSession
from stripe_connector.storefront.fulfil import Fulfiller
from stripe_connector.storefront.place_order import Orders
from stripe_connector.storefront.session_params import UiMode

_ALLOWED = {("changePaymentState", "Paid"), ("changeOrderState", "Confirmed")}


class SessionRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /api/v1/payments/sessions."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    """The order's id."""
    ui_mode: UiMode = "hosted_page"


class OrderAction(Struct, frozen=True, rename="camel"):
    action: str
    payment_state: str | None = None
    order_state: str | None = None

    @property
    def wish(self) -> tuple[str, str | None]:
        return self.action, self.payment_state or self.order_state


class OrderUpdate(Struct, frozen=True):
    """The body of PUT /api/v1/orders/{id}: a request, not a fact."""

    actions: Annotated[list[OrderAction], Meta(min_length=1, max_length=10)]
    version: int | None = None
    """Ignored: the webhook usually changes the order first."""

    def require_allowed(self) -> None:
        """Raises InvalidRequest for an action that an order cannot be asked for."""
        for index, action in enumerate(self.actions):
            if action.wish not in _ALLOWED:
                raise invalid_field(
                    f"actions.{index}",
                    action.action,
                    reason="An order can only be asked to become Paid and Confirmed.",
                )


class PageRoutes:
    """The routes of the storefront that move money or depend on it."""

    def __init__(
        self,
        sessions: CheckoutSessions,
        fulfiller: Fulfiller,
        orders: Orders,
        *,
        opening: RateLimit,
        limit: RateLimit,
    ) -> None:
        """`opening` limits what makes pages, `limit` the rest."""
        self._sessions = sessions
        self._fulfiller = fulfiller
        self._orders = orders
        self._opening = opening
        self._limit = limit

    def routes(self) -> list[AnyEndpoint]:
        return [
            route("POST", "/payments/sessions", self.open_page, self.OPEN_PAGE, self._opening),
            route("PUT", "/orders/{id}", self.update_order, self.UPDATE_ORDER, self._limit),
        ]

    OPEN_PAGE = Documentation(
        tag="Storefront",
        summary="Open the payment page of an order",
        description=(
            "The same page for the same order, a new one once its total has changed or the page is"
            " over. While a page of another mode is open, the answer is 409 `page_open` with its"
            " id, mode and URL. Above `CHECKOUT_PAGES_PER_ORDER_PER_HOUR`, no more pages are"
            " opened."
        ),
        body=SessionRequest,
        example={"id": ORDER_ID},
        any_media_type=True,
        answers={201: Answer("Where, or with what, the shopper pays.", PaymentSession)},
        refusals={
            400: "The body is not valid, or the order cannot be paid.",
            402: "Stripe refused for good.",
            404: "The order was not found.",
            409: (
                "The order is cancelled, paid, its payment is being processed, or a page of another"
                " mode is open (`page_open`)."
            ),
        },
    )

    async def open_page(self, request: Request) -> Response:
        body = await json_body(request, SessionRequest, any_media_type=True)
        _require_order_id(body.id)
        context.note_id("order", body.id)
        return json_response(await self._sessions.open(body.id, body.ui_mode), 201)

    UPDATE_ORDER = Documentation(
        tag="Storefront",
        summary="Ask for an order to be confirmed",
        description=(
            "A request, not a fact: the order becomes Paid and Confirmed if Stripe says so. The"
            " only actions are `changePaymentState` to Paid and `changeOrderState` to Confirmed."
        ),
        body=OrderUpdate,
        example={
            "actions": [
                {"action": "changePaymentState", "paymentState": "Paid"},
                {"action": "changeOrderState", "orderState": "Confirmed"},
            ]
        },
        any_media_type=True,
        parameters=(Parameter("id", "path", "The order's id."),),
        answers={
            200: Answer("The order is paid.", views.OrderView),
            202: Answer("A bank works on the payment.", views.OrderView),
        },
        refusals={
            400: "The body is not valid, or asks for something else.",
            402: "Stripe refused for good.",
            404: "The order was not found.",
            409: "The order is not paid.",
        },
    )

    async def update_order(self, request: Request) -> Response:
        """200 once the order is paid, 202 while a bank works on it."""
        order_id = request.path_params["id"]
        _require_order_id(order_id)
        (await json_body(request, OrderUpdate, any_media_type=True)).require_allowed()
        context.note_id("order", order_id)
        standing = await self._fulfiller.refresh_and_fulfil(order_id)
        context.note(outcome=standing)
        if standing == "unpaid":
            raise Conflict("The order is not paid.", code="NotPaid")
        return json_response(await self._orders.order(order_id), 200 if standing == "paid" else 202)


def _require_order_id(order_id: str) -> None:
    if not is_id(order_id):
        raise NotFound("The order was not found.")
