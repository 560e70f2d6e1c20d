"""The tokens that the desk's server holds: none of them ever leaves it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import httpx

from sandbox.desk.places import Places
from sandbox.desk.wire import Json, Wire


class Identity(ABC):
    """An identity that a backend knows by a token, fetched once and kept until it is refused."""

    def __init__(self, name: str, subject: str) -> None:
        self.name = name
        """Who this is, for people."""
        self.subject = subject
        """Who the token says that it is."""
        self._token: str | None = None

    @abstractmethod
    async def _fetch(self) -> str:
        """A new token; raises Unreachable or Refused."""

    async def prove(self) -> None:
        """Get a token beforehand; raises Unreachable or Refused where there is none to be had."""
        self._token = self._token or await self._fetch()

    async def send(self, wire: Wire, method: str, path: str, **options: Any) -> httpx.Response:
        """A call with the token; a second one with a new token after a 401.

        Raises Unreachable or Refused.
        """
        headers = options.pop("headers", {})
        answer = await self._send(wire, method, path, headers, options)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
            answer = await self._send(wire, method, path, headers, options)
        return answer

    async def _send(
        self, wire: Wire, method: str, path: str, headers: dict[str, str], options: dict[str, Any]
    ) -> httpx.Response:
        self._token = token = self._token or await self._fetch()
        bearer = {"Authorization": f"Bearer {token}"}
        return await wire.send(method, path, headers={**headers, **bearer}, **options)


class ApiClient(Identity):
    """An API client of the project (OAuth2, client credentials)."""

    def __init__(self, name: str, client_id: str, commercetools: Wire) -> None:
        super().__init__(name, client_id)
        self._commercetools = commercetools

    async def _fetch(self) -> str:
        granted = await self._commercetools.ask(
            "POST",
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.subject, f"{self.subject}-secret"),
        )
        return str(granted["access_token"])


class MerchantCenter(Identity):
    """A person of the Merchant Center, whose proxy sends a JWT."""

    def __init__(self, name: str, subject: str, issuer: Wire, places: Places) -> None:
        super().__init__(name, subject)
        self._issuer = issuer
        self._claims: Json = {
            "iss": places.issuer,
            "sub": subject,
            f"{places.issuer}/claims/project_key": places.project,
        }

    async def _fetch(self) -> str:
        answer = await self._issuer.ask("POST", "/jwt/token", json=self._claims)
        return str(answer["token"])
