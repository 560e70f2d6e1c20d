"""What an endpoint may declare about its callers.

A declaration is a value: it says what is asked of a request, and which principal the handler
gets: None where no handler needs to know who asks. The guards that do the work come from the
composition root.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

from msgspec import Struct
from starlette.requests import Request

from stripe_connector.http.auth.jwt import JwtGuard
from stripe_connector.http.auth.metrics_token import MetricsGuard
from stripe_connector.http.auth.oauth2 import OAuth2Guard
from stripe_connector.http.auth.origin import OriginGuard
from stripe_connector.http.auth.proxy import ProxyGuard
from stripe_connector.http.auth.session import SessionGuard, SessionPrincipal
from stripe_connector.http.auth.stripe import SignedPayload, StripeGuard

P_co = TypeVar("P_co", covariant=True)


class Guards(Struct, frozen=True):
    """One guard per kind of caller."""

    session: SessionGuard
    oauth2: OAuth2Guard
    jwt: JwtGuard
    stripe: StripeGuard
    origin: OriginGuard
    metrics: MetricsGuard = MetricsGuard(())
    proxy: ProxyGuard = ProxyGuard(())


class Auth(Protocol[P_co]):
    """A declaration, whose principal is `P_co`."""

    async def principal(self, request: Request, guards: Guards) -> P_co:
        """Who sends the request; raises unless they may."""


class Open(Struct, frozen=True):
    """Any client."""

    async def principal(self, _request: Request, _guards: Guards) -> None:
        return None


class SessionAuth(Struct, frozen=True):
    """A shopper with an active session."""

    async def principal(self, request: Request, guards: Guards) -> SessionPrincipal:
        return await guards.session.authenticate(request)


class OAuth2Auth(Struct, frozen=True):
    """An API client of our project with at least one of the scopes."""

    any_of: tuple[str, ...]

    async def principal(self, request: Request, guards: Guards) -> None:
        await guards.oauth2.authenticate(request, self.any_of)


class JwtAuth(Struct, frozen=True):
    """A user of our project in the Merchant Center."""

    async def principal(self, request: Request, guards: Guards) -> None:
        await guards.jwt.authenticate(request)


class StripeAuth(Struct, frozen=True):
    """Stripe."""

    async def principal(self, request: Request, guards: Guards) -> SignedPayload:
        return await guards.stripe.authenticate(request)


class OriginAuth(Struct, frozen=True):
    """A page of one of our storefronts."""

    async def principal(self, request: Request, guards: Guards) -> None:
        await guards.origin.authenticate(request)


class MetricsAuth(Struct, frozen=True):
    """The monitoring that reads the metrics."""

    async def principal(self, request: Request, guards: Guards) -> None:
        await guards.metrics.authenticate(request)


class ProxyAuth(Struct, frozen=True):
    """The post-deploy script of our proxy on Connect."""

    async def principal(self, request: Request, guards: Guards) -> None:
        await guards.proxy.authenticate(request)
