"""The composition root: puts guards, use cases and the table of endpoints together."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from starlette.types import ASGIApp

from stripe_connector.assembly import (
    commercetools_gateway,
    request_use_cases,
    stripe_gateway,
    use_cases,
)
from stripe_connector.clock import Clock
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.outgoing import (
    REPEATABLE,
    HttpClient,
    Outgoing,
    create_http_client,
)
from stripe_connector.gateways.stripe import Stripe
from stripe_connector.gateways.stripe.signed_events import check_header, verify
from stripe_connector.health import commercetools_permissions, health_report, stripe_status
from stripe_connector.http.application import application
from stripe_connector.http.auth import (
    Failures,
    Guards,
    Jwks,
    JwtGuard,
    MetricsGuard,
    OAuth2Guard,
    OriginGuard,
    ProxyGuard,
    SessionGuard,
    StripeGuard,
)
from stripe_connector.http.bff.link_routes import LinkRoutes
from stripe_connector.http.bff.page_routes import PageRoutes
from stripe_connector.http.bff.purchase_routes import WEBHOOK_PATHS, PurchaseRoutes
from stripe_connector.http.bff.storefront_routes import StorefrontRoutes
from stripe_connector.http.bff.storefront_token import StorefrontTokens
from stripe_connector.http.bff.visitor import Visitors
from stripe_connector.http.health_routes import HealthRoutes, Readiness
from stripe_connector.http.metrics_routes import MetricsRoutes
from stripe_connector.http.openapi.endpoints import DescriptionRoutes
from stripe_connector.http.operation_routes import OperationRoutes
from stripe_connector.http.payment_routes import PaymentRoutes
from stripe_connector.http.proxy_routes import ProxyRoutes
from stripe_connector.http.rate_limit import RateLimit
from stripe_connector.http.routing import Admission, AnyEndpoint
from stripe_connector.http.status_routes import StatusRoutes
from stripe_connector.http.webhook_routes import WebhookRoutes
from stripe_connector.observability.telemetry import Telemetry, create_telemetry
from stripe_connector.settings import Settings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider


def create_app(
    settings: Settings,
    *,
    http: HttpClient | None = None,
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
        proxy=guards.proxy if settings.proxy_secret else None,
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
    guards = _guards(settings, commercetools, outgoing)
    does = use_cases(
        settings,
        commercetools,
        stripe,
        clock,
        observe_mismatch=telemetry.mismatched,
        observe_order_failed=telemetry.order_failed,
        observe_job_refused=telemetry.job_refused,
        observe_waiting=telemetry.waiting,
    )
    answers = request_use_cases(settings, commercetools, stripe, clock, does)
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

    def rate_limit(per_minute: int) -> RateLimit:
        return RateLimit(per_minute, clock, trusted_proxies=settings.bff_trusted_proxies)

    limit = rate_limit(settings.bff_requests_per_minute)
    browsing = rate_limit(settings.bff_requests_per_minute)
    paging = rate_limit(settings.bff_payment_pages_per_minute)
    table: list[AnyEndpoint] = [
        *OperationRoutes(settings, answers.elements, does.sales, answers.transactions).routes(),
        *StatusRoutes(status_report).routes(),
        *PaymentRoutes(
            settings,
            guards.session,
            answers.elements,
            answers.starter,
            answers.confirmer,
            does.customers,
            answers.methods,
        ).routes(),
        *StorefrontRoutes(
            answers.storefront,
            does.orders,
            answers.cart_guard,
            StorefrontTokens(settings.storefront_secret, clock),
            limit=limit,
            browsing=browsing,
        ).routes(),
        *PageRoutes(
            answers.pages, does.fulfiller, does.orders, opening=paging, limit=limit
        ).routes(),
        *LinkRoutes(
            answers.links, answers.pages, does.orders, settings.storefront_url, paging
        ).routes(),
        *WebhookRoutes(does.events, observe=telemetry.delivered).routes(),
        *HealthRoutes(readiness).routes(),
    ]
    if settings.buy_now_enabled and settings.buy_now_cookie_secret is not None:
        secure = settings.buy_now_base.startswith("https:")
        table += PurchaseRoutes(
            answers.buy_now,
            Visitors(settings.buy_now_cookie_secret, clock, secure=secure),
            settings,
            opening=rate_limit(settings.buy_now_sessions_per_minute),
            reading=limit,
        ).routes()
        table += WebhookRoutes(does.events, WEBHOOK_PATHS, telemetry.delivered).routes()
    if settings.proxy_secret:
        table += ProxyRoutes(
            status_report,
            deadline_s=settings.request_deadline_s,
            allowed_origins=settings.allowed_origins,
            service_url=settings.connect_service_url,
        ).routes()
    if (metrics := telemetry.metrics) is not None:
        table += MetricsRoutes(metrics.render, metrics.media_type).routes()
    if not settings.live_mode:
        token_url = f"{settings.ctp_auth_url}/oauth/token"
        table += DescriptionRoutes(table, token_url=token_url).routes()
    return guards, table


def _guards(settings: Settings, commercetools: Commercetools, outgoing: Outgoing) -> Guards:
    clock = outgoing.clock

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
    return Guards(
        session=SessionGuard(commercetools, clock, failures),
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
        proxy=ProxyGuard(settings.proxy_secret),
    )
