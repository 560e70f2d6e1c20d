"""Authentication: declared on each endpoint, done before anything else of the request is read."""

from stripe_connector.http.auth.declared import (
    Auth,
    Guards,
    JwtAuth,
    MetricsAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    ProxyAuth,
    SessionAuth,
    StripeAuth,
)
from stripe_connector.http.auth.failures import Failures
from stripe_connector.http.auth.jwks import Jwks
from stripe_connector.http.auth.jwt import JwtGuard
from stripe_connector.http.auth.metrics_token import MetricsGuard
from stripe_connector.http.auth.oauth2 import OAuth2Guard
from stripe_connector.http.auth.origin import OriginGuard
from stripe_connector.http.auth.proxy import ProvenClients, ProxyGuard
from stripe_connector.http.auth.session import SessionGuard, SessionPrincipal
from stripe_connector.http.auth.stripe import SignedPayload, StripeGuard

__all__ = [
    "Auth",
    "Failures",
    "Guards",
    "Jwks",
    "JwtAuth",
    "JwtGuard",
    "MetricsAuth",
    "MetricsGuard",
    "OAuth2Auth",
    "OAuth2Guard",
    "Open",
    "OriginAuth",
    "OriginGuard",
    "ProvenClients",
    "ProxyAuth",
    "ProxyGuard",
    "SessionAuth",
    "SessionGuard",
    "SessionPrincipal",
    "SignedPayload",
    "StripeAuth",
    "StripeGuard",
]
