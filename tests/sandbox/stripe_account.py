"""A Stripe account in the test's own process, and the calls that its tests make most."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from sandbox.clock import SandboxClock
from sandbox.stripe.app import create_app
from sandbox.stripe.state import StripeState

Json = dict[str, Any]
RETURN_URL = "https://shop.example/return"
START = 1_800_000_000


class Account:
    """The stand-in over ASGI with a clock that stands still, called with the secret key."""

    def __init__(self, **settings: Any) -> None:
        self.clock = SandboxClock(START)
        self.state = StripeState(self.clock, seed=7, **settings)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(self.state)),
            base_url="http://stripe.test",
            headers={"authorization": "Bearer sk_test_sandbox"},
        )

    async def call(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Form-encoded POST, or anything else with a query."""
        sent = {**(headers or {})}
        if key is not None:
            sent["idempotency-key"] = key
        if method == "POST":
            return await self.client.post(path, data=dict(data or {}), headers=sent)
        return await self.client.request(method, path, params=dict(data or {}), headers=sent)

    async def post(self, path: str, /, **data: Any) -> Json:
        """A POST that succeeds."""
        return _ok(await self.call("POST", path, data))

    async def get(self, path: str, /, **query: Any) -> Json:
        """A GET that succeeds."""
        return _ok(await self.call("GET", path, query))

    async def refused(
        self, path: str, data: Mapping[str, Any] | None = None, status: int = 400
    ) -> Json:
        """The error of a POST that fails."""
        response = await self.call("POST", path, data)
        assert response.status_code == status, response.text
        error: Json = response.json()["error"]
        return error

    async def admin(self, path: str, /, **body: Any) -> Json:
        """A POST to the sandbox's own routes."""
        return _ok(await self.client.post(f"/_sandbox/{path}", json=body))

    async def intent(self, **data: Any) -> Json:
        """A new intent of 10.00 EUR unless said otherwise."""
        return await self.post("/v1/payment_intents", **{"amount": 1000, "currency": "eur", **data})

    async def paid(self, card: str = "pm_card_visa", /, **data: Any) -> Json:
        """An intent that a test card has paid, or authorized if capture_method says so."""
        return await self.intent(payment_method=card, confirm="true", return_url=RETURN_URL, **data)

    async def authorized(self, card: str = "pm_card_visa", /, **data: Any) -> Json:
        return await self.paid(card, capture_method="manual", **data)

    async def charge_of(self, intent: Json) -> Json:
        return await self.get(f"/v1/charges/{intent['latest_charge']}")

    async def customer(self, **data: Any) -> Json:
        return await self.post("/v1/customers", **data)

    def types(self, since: int = 0) -> list[str]:
        """The types of the events, oldest first."""
        return [event["type"] for event in self.state.events[since:]]

    def last(self, kind: str) -> Json:
        """The newest event of a type."""
        return next(event for event in reversed(self.state.events) if event["type"] == kind)


MULTICAPTURE = {"payment_method_options[card][request_multicapture]": "if_available"}


def _ok(response: httpx.Response) -> Json:
    assert response.status_code in (200, 201), response.text
    answer: Json = response.json()
    return answer
