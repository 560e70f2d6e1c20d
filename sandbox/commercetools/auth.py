"""API clients, access tokens and scopes: who may call what (RFC 6749, RFC 7662)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.clock import SandboxClock
from sandbox.commercetools.errors import (
    AuthError,
    insufficient_scope,
    invalid_token,
)


@dataclass(frozen=True)
class ApiClient:
    """A registered client; its scopes carry the project key (`manage_payments:sandbox`)."""

    id: str
    secret: str
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class Token:
    """An access token."""

    value: str
    client_id: str
    scopes: frozenset[str]
    expires_at: float
    """Unix seconds."""

    def shopper_id(self, kind: str) -> str | None:
        """Whose a shopper's token is, `kind` being `customer` or `anonymous`."""
        prefix = f"{kind}_id:"
        ids = [s.removeprefix(prefix) for s in self.scopes if s.startswith(prefix)]
        return ids[0] if ids else None


class Tokens:
    """The authorization server of one project."""

    def __init__(
        self, project_key: str, clock: SandboxClock, new_id: Callable[[], str], lifetime: int
    ) -> None:
        self._project_key = project_key
        self._clock = clock
        self._new_id = new_id
        self._lifetime = lifetime
        self._clients: dict[str, ApiClient] = {}
        self._tokens: dict[str, Token] = {}

    def register(self, client_id: str, secret: str, scopes: list[str]) -> ApiClient:
        """Add an API client; scopes are given without the project key."""
        client = ApiClient(
            client_id, secret, tuple(f"{scope}:{self._project_key}" for scope in scopes)
        )
        self._clients[client_id] = client
        return client

    def registered(self, client_id: str) -> ApiClient:
        """An API client by its id, for programs of the platform itself."""
        return self._clients[client_id]

    def client(self, authorization: str) -> ApiClient:
        """The API client of an HTTP Basic header; 401 where it is none of ours."""
        scheme, _, encoded = authorization.partition(" ")
        try:
            id_, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            id_ = secret = ""
        client = self._clients.get(id_)
        if scheme.lower() != "basic" or client is None or client.secret != secret:
            raise AuthError(
                401,
                "invalid_client",
                "Please provide valid client credentials using HTTP Basic Authentication.",
            )
        return client

    def grant(self, client: ApiClient, form: dict[str, str]) -> dict[str, Any]:
        """Answer a token request of the client credentials flow."""
        return self._issue(client, form, "client_credentials")

    def grant_anonymous(self, client: ApiClient, form: dict[str, str]) -> dict[str, Any]:
        """A token for an anonymous session, under the id that the caller chose or a new one.

        https://docs.commercetools.com/api/authorization#tokens-for-anonymous-sessions
        """
        if self._accepted("create_anonymous_token").isdisjoint(client.scopes):
            raise insufficient_scope(["create_anonymous_token"])
        anonymous_id = form.get("anonymous_id") or self._new_id()
        return self._issue(client, form, "client_credentials", f"anonymous_id:{anonymous_id}")

    def grant_customer(
        self, client: ApiClient, form: dict[str, str], customer_id: str
    ) -> dict[str, Any]:
        """A token for a customer whose password was right.

        https://docs.commercetools.com/api/authorization#password-flow
        """
        return self._issue(client, form, "password", f"customer_id:{customer_id}")

    def _issue(
        self, client: ApiClient, form: dict[str, str], grant_type: str, *shopper: str
    ) -> dict[str, Any]:
        if form.get("grant_type") != grant_type:
            raise AuthError(
                400,
                "unsupported_grant_type",
                f"Invalid parameter: grant_type: Invalid grant type: '{form.get('grant_type')}'.",
            )
        scopes = form.get("scope", "").split() or list(client.scopes)
        foreign = [scope for scope in scopes if scope not in client.scopes]
        if foreign:
            raise AuthError(400, "invalid_scope", f"Invalid scope: '{' '.join(foreign)}'.")
        scopes = [*scopes, *shopper]
        token = Token(
            self._new_id(), client.id, frozenset(scopes), self._clock.time() + self._lifetime
        )
        self._tokens[token.value] = token
        return {
            "access_token": token.value,
            "token_type": "Bearer",
            "expires_in": self._lifetime,
            "scope": " ".join(scopes),
        }

    def introspect(self, client: ApiClient, value: str) -> dict[str, Any]:
        """What a token is worth; a client without the introspection scope may ask of its own."""
        token = self._alive(value)
        needed = self._accepted("introspect_oauth_tokens")
        if needed.isdisjoint(client.scopes) and (token is None or token.client_id != client.id):
            raise insufficient_scope(["introspect_oauth_tokens"])
        if token is None:
            return {"active": False}
        return {
            "active": True,
            "scope": " ".join(sorted(token.scopes)),
            "client_id": token.client_id,
            "exp": int(token.expires_at),
        }

    def revoke(self, value: str | None = None) -> int:
        """Forget a token, or all of them; returns how many there were."""
        if value is not None:
            return 0 if self._tokens.pop(value, None) is None else 1
        count = len(self._tokens)
        self._tokens.clear()
        return count

    def authorize(self, authorization: str | None, scopes: tuple[str, ...]) -> Token:
        """The token of a Bearer header, if it has one of the scopes."""
        scheme, _, value = (authorization or "").partition(" ")
        token = self._alive(value) if scheme == "Bearer" else None
        if token is None:
            raise invalid_token()
        if self._accepted(*scopes).isdisjoint(token.scopes):
            raise insufficient_scope(list(scopes))
        return token

    def _alive(self, value: str) -> Token | None:
        token = self._tokens.get(value)
        if token is not None and token.expires_at <= self._clock.time():
            del self._tokens[value]
            return None
        return token

    def _accepted(self, *scopes: str) -> frozenset[str]:
        """Every scope that grants one of these: managing implies viewing."""
        names = {"manage_project", *scopes}
        names.update(
            scope.replace("view_", "manage_", 1) for scope in scopes if scope.startswith("view_")
        )
        return frozenset(f"{name}:{self._project_key}" for name in names)
