"""Authentication: declared on each endpoint, done before anything else of the request is read."""

from stripe_connector.http.auth.declared import (
    Auth,
    Guards,
    JwtAuth,
    MetricsAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    SessionAuth,
    StripeAuth,
)
from stripe_connector.http.auth.failures import Failures
from stripe_connector.http.auth.jwks import Jwks
from stripe_connector.http.auth.jwt import JwtGuard, JwtPrincipal
from stripe_connector.http.auth.metrics_token import MetricsGuard
from stripe_connector.http.auth.oauth2 import OAuth2Guard, OAuth2Principal
from stripe_connector.http.auth.origin import OriginGuard, OriginPrincipal
from stripe_connector.http.auth.session import SessionGuard, SessionPrincipal
from stripe_connector.http.auth.stripe import SignedPayload, StripeGuard

__all__ = [
    "Auth",
    "Failures",
    "Guards",
    "Jwks",
    "JwtAuth",
    "JwtGuard",
    "JwtPrincipal",
    "MetricsAuth",
    "MetricsGuard",
    "OAuth2Auth",
    "OAuth2Guard",
    "OAuth2Principal",
    "Open",
    "OriginAuth",
    "OriginGuard",
    "OriginPrincipal",
    "SessionAuth",
    "SessionGuard",
    "SessionPrincipal",
    "SignedPayload",
    "StripeAuth",
    "StripeGuard",
]
