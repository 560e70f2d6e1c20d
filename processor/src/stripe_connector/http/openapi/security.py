"""Security schemes of the description, and how each kind of authentication refuses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from stripe_connector.http.auth import (
    Auth,
    JwtAuth,
    MetricsAuth,
    OAuth2Auth,
    Open,
    OriginAuth,
    ProxyAuth,
    SessionAuth,
    StripeAuth,
)

Json = dict[str, Any]


class AuthenticationKind(Struct, frozen=True):
    """One kind of authentication, as the description tells of it."""

    scheme: str
    definition: Json
    refusals: tuple[int, ...]
    """Statuses with which it refuses."""
    asks_backends: bool = False


_KINDS: Mapping[type[Auth[Any]], AuthenticationKind] = {
    SessionAuth: AuthenticationKind(
        "session",
        {
            "type": "apiKey",
            "in": "header",
            "name": "X-Session-Id",
            "description": "The id of an active Checkout session with a cart.",
        },
        (401, 429),
        asks_backends=True,
    ),
    OAuth2Auth: AuthenticationKind(
        "oauth2",
        {"type": "oauth2"},
        (401, 403, 429),
        asks_backends=True,
    ),
    JwtAuth: AuthenticationKind(
        "jwt",
        {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "A token of the Merchant Center for a user of this project.",
        },
        (401,),
        asks_backends=True,
    ),
    StripeAuth: AuthenticationKind(
        "stripe",
        {
            "type": "apiKey",
            "in": "header",
            "name": "Stripe-Signature",
            "description": "Stripe's signature over the body, not older than five minutes.",
        },
        (400, 413),
    ),
    OriginAuth: AuthenticationKind(
        "origin",
        {
            "type": "apiKey",
            "in": "header",
            "name": "Origin",
            "description": "The origin of a storefront's page, as its browser states it.",
        },
        (403,),
    ),
    MetricsAuth: AuthenticationKind(
        "metrics",
        {"type": "http", "scheme": "bearer", "description": "A token that METRICS_TOKEN names."},
        (401,),
    ),
    ProxyAuth: AuthenticationKind(
        "proxy",
        {
            "type": "http",
            "scheme": "bearer",
            "description": "HMAC-SHA256 over `post-deploy` with PROXY_SECRET, as hex.",
        },
        (401,),
    ),
}
_OPEN = AuthenticationKind("", {}, ())


def kind(auth: Auth[Any]) -> AuthenticationKind:
    """What the description says of a declaration."""
    return _OPEN if isinstance(auth, Open) else _KINDS[type(auth)]


def requirement(auth: Auth[Any]) -> list[Json]:
    """The alternatives of which a request must meet one; none where any client may call."""
    match auth:
        case Open():
            return []
        case OAuth2Auth(any_of=scopes):
            return [{kind(auth).scheme: [scope]} for scope in scopes]
        case _:
            return [{kind(auth).scheme: []}]


def definitions(auths: list[Auth[Any]], token_url: str) -> dict[str, Json]:
    """The schemes that are in use; `token_url` is where OAuth2 tokens come from."""
    found = {kind(auth).scheme: kind(auth).definition for auth in auths if kind(auth).scheme}
    scopes = {s for auth in auths if isinstance(auth, OAuth2Auth) for s in auth.any_of}
    if scopes:
        found["oauth2"] = {
            "type": "oauth2",
            "description": "A token of commercetools with a scope `<scope>:<project key>`.",
            "flows": {
                "clientCredentials": {
                    "tokenUrl": token_url,
                    "scopes": {scope: f"{scope} of this project." for scope in sorted(scopes)},
                }
            },
        }
    return dict(sorted(found.items()))
