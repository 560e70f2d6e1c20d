"""The composition root: wires everything once per process, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

import httpx
from starlette.types import ASGIApp
from stripe import AppInfo

from stripe_connector import __version__
from stripe_connector.checkout.buy_now import BuyNow
from stripe_connector.checkout.events import CheckoutEvents
from stripe_connector.checkout.fulfil import Fulfiller
from stripe_connector.checkout.fulfil_cart import CartFulfiller
from stripe_connector.checkout.links import PaymentLinks
from stripe_connector.checkout.place_order import Orders
from stripe_connector.checkout.sessions import Sessions
from stripe_connector.checkout.storefront import Storefront
from stripe_connector.clock import Clock
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.outgoing import REPEATABLE, Outgoing, create_http_client
from stripe_connector.gateways.stripe import Stripe
from stripe_connector.gateways.stripe.webhooks import verify
from stripe_connector.http import health, operations, payments, status, webhooks
from stripe_connector.http.application import application
from stripe_connector.http.auth import (
    Guards,
    Jwks,
    JwtGuard,
    OAuth2Guard,
    OriginGuard,
    SessionGuard,
    StripeGuard,
)
from stripe_connector.http.bff import buy_now, links, storefront
from stripe_connector.http.bff import payments as bff_payments
from stripe_connector.http.bff.visitor import Visitors
from stripe_connector.http.health import Readiness
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.routing import AnyEndpoint
from stripe_connector.ops.status import commercetools_permissions, report, stripe_status
from stripe_connector.payments.confirm import Confirmer
from stripe_connector.payments.customers import Customers
from stripe_connector.payments.events import EventHandler
from stripe_connector.payments.modify import Modifier
from stripe_connector.payments.movement import Mover
from stripe_connector.payments.record import Recorder
from stripe_connector.payments.start import Starter
from stripe_connector.payments.stored_methods import StoredMethods
from stripe_connector.settings import Settings

APP_INFO = AppInfo(name="stripe-connector", version=__version__, url=None, partner_id=None)
"""How Stripe's logs name the connector."""


def create_app(
    settings: Settings,
    *,
    http: httpx.AsyncClient | None = None,
    clock: Clock | None = None,
    readiness: Readiness | None = None,
) -> ASGIApp:
    """The processor as an ASGI application.

    `http` carries every outgoing call; without it a client is made, and closed with the
    application. Nothing is read from the outside before the first request.
    """
    client = http or create_http_client()
    outgoing = Outgoing(client, clock or Clock())
    readiness = readiness or Readiness()

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        if http is None:
            await client.aclose()

    guards, table = wire(settings, outgoing, readiness)
    return application(
        table,
        guards,
        clock=outgoing.clock,
        readiness=readiness,
        allowed_origins=settings.allowed_origins,
        deadline_s=settings.request_deadline_s,
        max_body_bytes=settings.max_body_bytes,
        lifespan=lifespan,
    )


def wire(
    settings: Settings, outgoing: Outgoing, readiness: Readiness
) -> tuple[Guards, list[AnyEndpoint]]:
    """All parts put together: who is let in, and the table of endpoints."""
    clock = outgoing.clock
    commercetools = Commercetools(
        project_key=settings.ctp_project_key,
        api_url=settings.ctp_api_url,
        auth_url=settings.ctp_auth_url,
        session_url=settings.ctp_session_url,
        checkout_url=settings.ctp_checkout_url,
        client_id=settings.ctp_client_id,
        client_secret=settings.ctp_client_secret,
        payment_interface=settings.payment_interface,
        outgoing=outgoing,
    )
    stripe = Stripe(
        secret_key=settings.stripe_secret_key,
        api_base=settings.stripe_api_base,
        outgoing=outgoing,
        app_info=APP_INFO,
    )

    async def fetch_jwks() -> bytes:
        response = await outgoing.send(
            "GET", settings.ctp_jwks_url, backend="The key server", retry=REPEATABLE
        )
        return response.content

    sessions = SessionGuard(commercetools, clock)
    guards = Guards(
        session=sessions,
        oauth2=OAuth2Guard(commercetools, clock, project_key=settings.ctp_project_key),
        jwt=JwtGuard(
            Jwks(fetch_jwks, clock),
            clock,
            issuer=settings.ctp_jwt_issuer,
            project_key=settings.ctp_project_key,
        ),
        stripe=StripeGuard(verify, settings.stripe_webhook_signing_secret, clock),
        origin=OriginGuard(settings.allowed_origins),
    )

    recorder = Recorder(
        commercetools, stripe, clock, keep_interactions=settings.stripe_interface_interactions
    )
    mover = Mover(
        stripe,
        recorder,
        clock,
        project_key=settings.ctp_project_key,
        repeat_window_s=settings.stripe_repeat_window_s,
    )
    modifier = Modifier(
        commercetools,
        stripe,
        recorder,
        mover,
        payment_interface=settings.payment_interface,
        multiple_captures=settings.stripe_enable_multi_operations,
        mismatch_action=settings.stripe_mismatch_action,
    )
    customers = Customers(commercetools, stripe, settings)
    starter = Starter(commercetools, stripe, recorder, customers, settings)
    confirmer = Confirmer(recorder, modifier, settings.ctp_project_key)
    events = EventHandler(
        commercetools,
        stripe,
        recorder,
        modifier,
        StoredMethods(commercetools, stripe, recorder),
        customers,
        clock,
        settings.ctp_project_key,
    )
    fulfiller = Fulfiller(
        commercetools,
        stripe,
        recorder,
        modifier,
        clock,
        payment_interface=settings.payment_interface,
        cancel_unpaid=settings.checkout_cancel_unpaid_orders,
    )
    orders = Orders(commercetools, settings, clock)
    carts = CartFulfiller(
        commercetools, stripe, orders, fulfiller, payment_interface=settings.payment_interface
    )
    checkout_events = CheckoutEvents(
        events, commercetools, recorder, modifier, fulfiller, carts, clock, settings.ctp_project_key
    )
    checkout_sessions = Sessions(commercetools, stripe, recorder, customers, settings)
    status_report = partial(
        report,
        [
            commercetools_permissions(commercetools.granted_scopes, settings.ctp_project_key),
            stripe_status(stripe.ping),
        ],
        clock=clock,
        timeout_s=settings.health_check_timeout / 1000,
        webhook_secrets=settings.stripe_webhook_signing_secret,
    )
    limit = RateLimit(
        settings.bff_requests_per_minute, clock, trusted_proxies=settings.bff_trusted_proxies
    )
    table: list[AnyEndpoint] = [
        *operations.endpoints(settings, modifier),
        status.endpoint(status_report),
        *payments.endpoints(
            settings, commercetools, stripe, sessions, starter, confirmer, customers
        ),
        *storefront.endpoints(
            Storefront(commercetools, settings, clock),
            orders,
            limit,
        ),
        *bff_payments.endpoints(checkout_sessions, fulfiller, orders, limit),
        *links.endpoints(
            _payment_links(settings, clock),
            checkout_sessions,
            orders,
            settings.storefront_url,
            limit,
        ),
        webhooks.endpoint(checkout_events),
        *health.endpoints(readiness),
    ]
    if settings.buy_now_enabled and settings.buy_now_cookie_secret is not None:
        secure = settings.buy_now_base.startswith("https:")
        table += [
            *buy_now.endpoints(
                BuyNow(
                    commercetools, stripe, checkout_sessions, fulfiller, carts, orders, settings
                ),
                Visitors(settings.buy_now_cookie_secret, clock, secure=secure),
                settings,
                opening=RateLimit(
                    settings.buy_now_sessions_per_minute,
                    clock,
                    trusted_proxies=settings.bff_trusted_proxies,
                ),
                reading=limit,
            ),
            *(webhooks.endpoint(checkout_events, path) for path in buy_now.WEBHOOK_PATHS),
        ]
    return guards, table


def _payment_links(settings: Settings, clock: Clock) -> PaymentLinks | None:
    if settings.checkout_link_secret is None or settings.connect_service_url is None:
        return None
    return PaymentLinks(
        settings.checkout_link_secret,
        clock,
        base_url=settings.connect_service_url,
        valid_for=timedelta(hours=settings.checkout_link_hours),
    )
