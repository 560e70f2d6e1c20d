"""A seeded commercetools stand-in in process, and a client with a token of each API client."""

from __future__ import annotations

import base64
from typing import Any

import httpx

from sandbox.clock import SandboxClock
from sandbox.commercetools.app import create_app
from sandbox.commercetools.seed import identifier, seed
from sandbox.commercetools.state import Store

BERLIN = {"country": "DE", "city": "Berlin", "postalCode": "10969", "streetName": "Lindenstrasse"}
ADA = {"typeId": "customer", "id": identifier("customer", "ada")}


def basic(client_id: str, secret: str | None = None) -> str:
    """The Basic header of an API client."""
    pair = f"{client_id}:{secret or client_id + '-secret'}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


def refusal(response: httpx.Response) -> tuple[int, str]:
    """Status and code of an error, whose shape is checked on the way."""
    body = response.json()
    assert body["statusCode"] == response.status_code
    assert body["message"] == body["errors"][0]["message"]
    return response.status_code, body["errors"][0]["code"]


class World:
    """Calls the stand-in; requests are made by `sandbox-admin` unless said otherwise."""

    def __init__(self) -> None:
        self.clock = SandboxClock(start=1_800_000_000.0)
        self.store = Store(clock=self.clock)
        seed(self.store)
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_app(self.store)), base_url="http://ct"
        )

    def token(self, client_id: str = "sandbox-admin", scope: str = "") -> str:
        """A fresh access token."""
        client = self.store.tokens.client(basic(client_id))
        form = {"grant_type": "client_credentials", "scope": scope}
        return str(self.store.tokens.grant(client, form)["access_token"])

    async def get(
        self, path: str, *, token: str | None = None, **parameters: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return await self.http.get(f"/sandbox/{path}", params=parameters, headers=headers)

    async def post(self, path: str, body: object, *, token: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return await self.http.post(f"/sandbox/{path}", json=body, headers=headers)

    async def delete(
        self, path: str, *, token: str | None = None, **parameters: Any
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token or self.token()}"}
        return await self.http.delete(f"/sandbox/{path}", params=parameters, headers=headers)

    async def create(self, path: str, body: object) -> dict[str, Any]:
        """Create what must be creatable."""
        response = await self.post(path, body)
        assert response.status_code == 201, response.text
        document: dict[str, Any] = response.json()
        return document

    async def act(
        self, path: str, document: dict[str, Any], *actions: dict[str, Any]
    ) -> httpx.Response:
        """Update a document from the version that the caller holds."""
        body = {"version": document["version"], "actions": list(actions)}
        return await self.post(f"{path}/{document['id']}", body)

    async def change(
        self, path: str, document: dict[str, Any], *actions: dict[str, Any]
    ) -> dict[str, Any]:
        """Update what must be updatable."""
        response = await self.act(path, document, *actions)
        assert response.status_code == 200, response.text
        changed: dict[str, Any] = response.json()
        return changed

    async def payment(
        self, cents: int = 1000, currency: str = "EUR", **draft: Any
    ) -> dict[str, Any]:
        amount = {"centAmount": cents, "currencyCode": currency}
        return await self.create("payments", {"amountPlanned": amount, **draft})

    async def cart(self, *skus: str, currency: str = "EUR", **draft: Any) -> dict[str, Any]:
        lines = [{"sku": sku, "quantity": 1} for sku in skus]
        return await self.create("carts", {"currency": currency, "lineItems": lines, **draft})
