"""The composition root: wires everything once per process, and nothing else does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import httpx
from starlette.types import ASGIApp

from stripe_connector.assembly import commercetools_gateway, stripe_gateway, use_cases
from stripe_connector.clock import Clock
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.outgoing import REPEATABLE, Outgoing, create_http_client
from stripe_connector.gateways.stripe import Stripe
from stripe_connector.gateways.stripe.signed_events import check_header, verify
from stripe_connector.health import commercetools_permissions, health_report, stripe_status
from stripe_connector.http import health_routes as health
from stripe_connector.http import metrics_routes as metrics
from stripe_connector.http import operation_routes as operations
from stripe_connector.http import payment_routes as payments
from stripe_connector.http import status_routes as status
from stripe_connector.http import webhook_routes as webhooks
from stripe_connector.http.application import application
from stripe_connector.http.auth import (
    Failures,
    Guards,
    Jwks,
    JwtGuard,
    MetricsGuard,
    OAuth2Guard,
    OriginGuard,
    SessionGuard,
    StripeGuard,
)
from stripe_connector.http.bff import link_routes as links
from stripe_connector.http.bff import page_routes as bff_payments
from stripe_connector.http.bff import purchase_routes as buy_now
from stripe_connector.http.bff import storefront_routes as storefront
from stripe_connector.http.bff.storefront_token import StorefrontTokens
from stripe_connector.http.bff.visitor import Visitors
from stripe_connector.http.health_routes import Readiness
from stripe_connector.http.openapi import endpoints as openapi
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.routing import Admission, AnyEndpoint
from stripe_connector.observability.telemetry import Telemetry, create_telemetry
from stripe_connector.payments.confirm import Confirmer
from stripe_connector.payments.covered import CoveredSales
from stripe_connector.payments.start import Starter
from stripe_connector.payments.stored.charging import Transactions
from stripe_connector.payments.stored.customer_methods import CustomerMethods
from stripe_connector.settings import Settings
from stripe_connector.storefront.cart_guard import CartGuard
from stripe_connector.storefront.catalogue import Storefront
from stripe_connector.storefront.checkout_sessions import CheckoutSessions
from stripe_connector.storefront.page_opening import PageOpener
from stripe_connector.storefront.payment_links import PaymentLinks
from stripe_connector.storefront.purchases import BuyNow

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def create_app(
    settings: Settings,
    *,
    http: httpx.AsyncClient | None = None,
    clock: Clock | None = None,
    readiness: Readiness | None = None,
    tracer_provider: TracerProvider | None = None,
) -> ASGIApp:
    """The processor as an ASGI application.

    `http` carries every outgoing call; without it a client is made, and closed with the
    application. Nothing is read from the outside before the first request. `tracer_provider`
    takes the spans instead of the collector that the settings name.
    """
    clock = clock or Clock()
    admission = Admission(settings.max_concurrent_requests)
    telemetry = create_telemetry(
        settings, clock, in_progress=lambda: admission.running, tracer_provider=tracer_provider
    )
    client = http or create_http_client()
    outgoing = Outgoing(client, clock, observe=telemetry.called)
    readiness = readiness or Readiness()

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        if http is None:
            await client.aclose()
        await telemetry.close()

    guards, table = wire(settings, outgoing, readiness, telemetry)
    return application(
        table,
        guards,
        clock=clock,
        readiness=readiness,
        allowed_origins=settings.allowed_origins,
        allowed_hosts=settings.allowed_hosts,
        deadline_s=settings.request_deadline_s,
        max_body_bytes=settings.max_body_bytes,
        admission=admission,
        observe=telemetry.answered,
        observe_refusal=telemetry.refused,
        trace=telemetry.begun,
        lifespan=lifespan,
    )


def wire(
    settings: Settings, outgoing: Outgoing, readiness: Readiness, telemetry: Telemetry
) -> tuple[Guards, list[AnyEndpoint]]:
    """All parts put together: who is let in, and the table of endpoints."""
    clock = outgoing.clock
    commercetools = commercetools_gateway(Commercetools, settings, outgoing)
    stripe = stripe_gateway(Stripe, settings, outgoing)

    async def fetch_jwks() -> bytes:
        response = await outgoing.send(
            "GET", settings.ctp_jwks_url, backend="The key server", retry=REPEATABLE
        )
        return response.content

    failures = Failures(
        settings.failed_authentications_per_minute,
        clock,
        trusted_proxies=settings.bff_trusted_proxies,
    )
    sessions = SessionGuard(commercetools, clock, failures)
    guards = Guards(
        session=sessions,
        oauth2=OAuth2Guard(commercetools, clock, failures, project_key=settings.ctp_project_key),
        jwt=JwtGuard(
            Jwks(fetch_jwks, clock),
            clock,
            issuer=settings.ctp_jwt_issuer,
            project_key=settings.ctp_project_key,
        ),
        stripe=StripeGuard(check_header, verify, settings.stripe_webhook_signing_secret, clock),
        origin=OriginGuard(settings.allowed_origins),
        metrics=MetricsGuard(settings.metrics_token),
    )

    does = use_cases(
        settings,
        commercetools,
        stripe,
        clock,
        observe_mismatch=telemetry.mismatched,
        observe_order_failed=telemetry.order_failed,
        observe_waiting=telemetry.waiting,
    )
    methods = CustomerMethods(commercetools, stripe, does.customers, does.stored_methods, settings)
    transactions = Transactions(
        commercetools,
        does.recorder,
        does.mover,
        methods,
        does.account,
        settings,
        commercetools.clock,
    )
    starter = Starter(
        commercetools,
        stripe,
        does.recorder,
        does.mover,
        does.customers,
        CoveredSales(does.recorder, does.mover, does.modifier),
        does.account,
        settings,
    )
    confirmer = Confirmer(does.recorder, does.modifier, does.account, settings.ctp_project_key)
    checkout_sessions = CheckoutSessions(
        commercetools,
        stripe,
        does.recorder,
        does.mover,
        PageOpener(commercetools, stripe, does.recorder, does.customers, does.account, settings),
        does.fulfiller,
        does.carts,
        does.account,
        clock,
        settings,
    )
    status_report = partial(
        health_report,
        [
            commercetools_permissions(commercetools.get_granted_scopes, settings.ctp_project_key),
            stripe_status(stripe.ping),
        ],
        clock=clock,
        timeout_s=settings.health_check_timeout / 1000,
        webhook_secrets=settings.stripe_webhook_signing_secret,
    )
    limit, browsing, paging = (
        RateLimit(per_minute, clock, trusted_proxies=settings.bff_trusted_proxies)
        for per_minute in (
            settings.bff_requests_per_minute,
            settings.bff_requests_per_minute,
            settings.bff_payment_pages_per_minute,
        )
    )
    table: list[AnyEndpoint] = [
        *operations.endpoints(settings, commercetools, does.sales, transactions),
        status.endpoint(status_report),
        *payments.endpoints(
            settings,
            commercetools,
            stripe,
            sessions,
            starter,
            confirmer,
            does.customers,
            methods,
            does.account,
        ),
        *storefront.endpoints(
            Storefront(commercetools, settings, clock),
            does.orders,
            CartGuard(
                commercetools,
                does.account,
                customers_need_token=settings.live_mode or settings.storefront_secret is not None,
            ),
            StorefrontTokens(settings.storefront_secret, clock),
            limit=limit,
            browsing=browsing,
        ),
        *bff_payments.endpoints(
            checkout_sessions, does.fulfiller, does.orders, opening=paging, limit=limit
        ),
        *links.endpoints(
            _payment_links(settings, clock),
            checkout_sessions,
            does.orders,
            settings.storefront_url,
            paging,
        ),
        webhooks.endpoint(does.events, observe=telemetry.delivered),
        *health.endpoints(readiness),
    ]
    if settings.buy_now_enabled and settings.buy_now_cookie_secret is not None:
        secure = settings.buy_now_base.startswith("https:")
        table += [
            *buy_now.endpoints(
                BuyNow(
                    commercetools,
                    stripe,
                    checkout_sessions,
                    does.fulfiller,
                    does.carts,
                    does.orders,
                    does.account,
                    settings,
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
            *(
                webhooks.endpoint(does.events, path, telemetry.delivered)
                for path in buy_now.WEBHOOK_PATHS
            ),
        ]
    if telemetry.metrics is not None:
        table.append(metrics.endpoint(telemetry.metrics.render, telemetry.metrics.media_type))
    if not settings.live_mode:
        table += openapi.endpoints(table, token_url=f"{settings.ctp_auth_url}/oauth/token")
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
