"""Payment links: asked for by a back office, clicked by shoppers."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from stripe_connector import context
from stripe_connector.errors import Conflict, NotFound
from stripe_connector.http.auth import OAuth2Auth
from stripe_connector.http.bff.contract import route
from stripe_connector.http.body import json_body
from stripe_connector.http.openapi.documentation import Answer, Documentation, Parameter
from stripe_connector.http.openapi.examples import ORDER_ID
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.responses import json_response
from stripe_connector.http.routing import AnyEndpoint, Endpoint
from stripe_connector.storefront.checkout_sessions import CheckoutSessions
from stripe_connector.storefront.payment_links import PaymentLink, PaymentLinks
from stripe_connector.storefront.place_order import Orders


class LinkRequest(Struct, frozen=True, rename="camel"):
    """The body of POST /operations/payment-links."""

    order_id: Annotated[str, Meta(min_length=1, max_length=64)]


class LinkRoutes:
    """Makes and follows payment links; without a secret to sign with, there are none."""

    def __init__(
        self,
        links: PaymentLinks | None,
        sessions: CheckoutSessions,
        orders: Orders,
        storefront_url: str,
        limit: RateLimit,
    ) -> None:
        self._links = links
        self._sessions = sessions
        self._orders = orders
        self._storefront_url = storefront_url
        self._limit = limit

    def routes(self) -> list[AnyEndpoint]:
        return [
            Endpoint(
                ("POST",),
                "/operations/payment-links",
                OAuth2Auth(any_of=("manage_project", "manage_checkout_payment_intents")),
                self.make,
                operation=self.MAKE,
            ),
            route("GET", "/payment-links/{token}", self.follow, self.FOLLOW, self._limit),
        ]

    MAKE = Documentation(
        tag="Operations",
        summary="Make a link with which an order can be paid",
        body=LinkRequest,
        example={"orderId": ORDER_ID},
        answers={201: Answer("A link to send to the shopper.", PaymentLink)},
        refusals={404: "The order was not found, or links are not configured."},
    )

    async def make(self, request: Request, _principal: None) -> Response:
        order_id = (await json_body(request, LinkRequest)).order_id
        await self._orders.order(order_id)
        context.note(order=order_id)
        return json_response(self._signed().link(order_id), 201)

    FOLLOW = Documentation(
        tag="Storefront",
        summary="Follow a payment link",
        parameters=(Parameter("token", "path", "As it stands in the link."),),
        answers={
            303: Answer(
                "To Stripe's page, or to the shop's where there is nothing left to pay.",
                headers={"Location": "The page."},
            )
        },
        refusals={
            400: "The order cannot be paid.",
            402: "Stripe refused for good.",
            404: "There is no such link, or its order is gone.",
            410: "The link has expired.",
        },
    )

    async def follow(self, request: Request) -> Response:
        """To Stripe's page, or to the shop's where there is nothing left to pay."""
        order_id = self._signed().order_id(request.path_params["token"])
        context.note(order=order_id)
        shop = self._storefront_url
        try:
            session = await self._sessions.open(order_id, by_link=True)
        except Conflict:
            return RedirectResponse(f"{shop}/order/success?orderId={order_id}", 303)
        return RedirectResponse(session.url or shop, 303)

    def _signed(self) -> PaymentLinks:
        if self._links is None:
            raise NotFound("Payment links are not configured (CHECKOUT_LINK_SECRET).")
        return self._links
