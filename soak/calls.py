"""Calls of all programs around the processors, with their repetitions."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Container, Mapping
from typing import Any, TypeAlias

import httpx
from msgspec import Struct, field

from sandbox.addresses import Addresses, url
from sandbox.demo.people import ISSUER, ORIGIN, PROJECT, PUBLISHABLE_KEY, SECRET_KEY
from sandbox.faults import SPARED
from sandbox.gate import CONTROL_HEADER

Json: TypeAlias = dict[str, Any]
Headers: TypeAlias = Callable[[], Awaitable[Mapping[str, str]]]

_TIMEOUT_S = 30.0
_LONGEST_PAUSE_S = 3.0
_CONTROL = {CONTROL_HEADER: "soak"}
_AGAIN = frozenset({408, 409, 425, 429, 502, 503, 504})
"""Statuses that are not definite: the caller repeats the request."""


class Trouble(Exception):
    """An answer, or a missing one, that no fault of a backend excuses."""


class Traffic(Struct):
    """The callers' answers."""

    answers: dict[str, dict[str, int]] = field(default_factory=dict)
    """How often each status was answered, by the name of the request."""
    repeated: int = 0

    def note(self, name: str, status: str) -> None:
        of_its_kind = self.answers.setdefault(name, {})
        of_its_kind[status] = of_its_kind.get(status, 0) + 1


class Calls:
    """Uses one client; `patience_s` is how long a caller repeats a request."""

    def __init__(self, at: Addresses, client: httpx.AsyncClient, patience_s: float) -> None:
        self._at = at
        self._client = client
        self._patience_s = patience_s
        self._tokens: dict[str, str] = {}
        self.traffic = Traffic()

    async def settled(
        self,
        name: str,
        method: str,
        path: str,
        headers: Headers,
        body: Json | None = None,
        *,
        settles: Container[int] = (200,),
    ) -> httpx.Response:
        """Call the processors repeatedly until the answer is definite.

        Raises Trouble for an answer that nothing excuses, and where none comes in time.
        """
        deadline = time.monotonic() + self._patience_s
        tries = 0
        while True:
            tries += 1
            answer = await self.ask(name, method, path, await headers(), body)
            if answer is not None:
                if answer.status_code in settles:
                    return answer
                if answer.status_code == 401:
                    self._tokens.clear()  # they were revoked
                elif answer.status_code not in _AGAIN:
                    raise Trouble(f"{name}: {answer.status_code} {answer.text[:300]}")
            if time.monotonic() > deadline:
                raise Trouble(f"{name}: no definite answer in {self._patience_s:.0f} s")
            self.traffic.repeated += 1
            await asyncio.sleep(_pause(tries))

    async def ask(
        self,
        name: str,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None = None,
        *,
        within_s: float = _TIMEOUT_S,
    ) -> httpx.Response | None:
        """Call the processors once; None if no answer came."""
        try:
            answer = await self._client.request(
                method,
                f"{url(self._at.processor)}{path}",
                headers=dict(headers),
                json=body,
                timeout=within_s,
            )
        except httpx.TransportError as error:
            self.traffic.note(name, type(error).__name__)
            return None
        self.traffic.note(name, str(answer.status_code))
        return answer

    # Observers, not affected by faults

    async def commercetools(self, method: str, path: str, body: Json | None = None) -> Json:
        """A call to the project as its administrator."""
        for last in (False, True):
            answer = await self._client.request(
                method,
                f"{url(self._at.commercetools)}/{PROJECT}/{path}",
                headers={**SPARED, **await self.bearer("sandbox-admin")},
                json=body,
            )
            if answer.status_code != 401 or last:
                break
            self._tokens.clear()
        return _document(answer)

    async def cart(
        self, country: str, currency: str, quantities: Mapping[str, int], **more: str
    ) -> Json:
        """A cart of seeded products by SKU, to be sent to a country."""
        draft = {
            "currency": currency,
            "country": country,
            "shippingAddress": {"country": country, "firstName": "Ada", "lastName": "Byron"},
            "lineItems": [{"sku": sku, "quantity": count} for sku, count in quantities.items()],
            **more,
        }
        return await self.commercetools("POST", "carts", draft)

    async def session(self, cart: Json) -> str:
        """A Checkout session for a cart: its id."""
        draft = {"cart": {"cartRef": {"id": cart["id"]}}, "metadata": {}}
        return str((await self.commercetools("POST", "sessions", draft))["id"])

    async def stripe(self, method: str, path: str, **parameters: Any) -> Json:
        """A call to Stripe with the merchant's secret key."""
        return _document(await self._stripe(method, path, SECRET_KEY, parameters))

    async def browser(self, secret: str, **parameters: Any) -> Json:
        """Stripe.js confirms the intent of a client secret: the intent, or Stripe's error."""
        intent_id = secret.partition("_secret_")[0]
        parameters |= {"client_secret": secret, "return_url": f"{ORIGIN}/return"}
        path = f"/v1/payment_intents/{intent_id}/confirm"
        answer = await self._stripe("POST", path, PUBLISHABLE_KEY, parameters)
        return dict(answer.json())

    async def dashboard(self, path: str, **parameters: Any) -> None:
        """An action in Stripe's Dashboard; its success is not checked."""
        await self._stripe("POST", path, SECRET_KEY, parameters)

    async def sandbox(self, method: str, path: str, body: Json | None = None) -> Json:
        """A control route of the stand-ins; all of them are on Stripe's port."""
        answer = await self._client.request(
            method, f"{url(self._at.stripe)}/_sandbox/{path}", json=body, headers=_CONTROL
        )
        return _document(answer) if answer.content else {}

    async def sandbox_quietly(self, method: str, path: str) -> None:
        """Turn off a setting that may be off already."""
        place = f"{url(self._at.stripe)}/_sandbox/{path}"
        await self._client.request(method, place, headers=_CONTROL)

    async def revoke_tokens(self) -> None:
        """Revoke every access token of the project."""
        place = f"{url(self._at.commercetools)}/_sandbox/commercetools/tokens/revoke"
        _document(await self._client.post(place, headers=_CONTROL))

    async def rotate_keys(self) -> None:
        place = f"{url(self._at.jwt)}/jwt/rotate"
        _document(await self._client.post(place, headers=_CONTROL))

    async def merchant(self) -> Mapping[str, str]:
        """Headers of the Merchant Center's proxy, with a new JWT."""
        claims = {"iss": ISSUER, "sub": "merchant", f"{ISSUER}/claims/project_key": PROJECT}
        answer = await self._client.post(f"{url(self._at.jwt)}/jwt/token", json=claims)
        return {"Authorization": f"Bearer {_document(answer)['token']}"}

    async def bearer(self, client_id: str = "sandbox-checkout") -> dict[str, str]:
        """Headers with an access token of an API client."""
        if client_id not in self._tokens:
            answer = await self._client.post(
                f"{url(self._at.commercetools)}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(client_id, f"{client_id}-secret"),
                headers=SPARED,
            )
            self._tokens[client_id] = str(_document(answer)["access_token"])
        return {"Authorization": f"Bearer {self._tokens[client_id]}"}

    async def metrics(self, port: int, token: str) -> str:
        """An instance's metrics."""
        headers = {"Authorization": f"Bearer {token}"}
        answer = await self._client.get(f"http://127.0.0.1:{port}/metrics", headers=headers)
        return answer.raise_for_status().text

    async def _stripe(
        self, method: str, path: str, key: str, parameters: Mapping[str, Any]
    ) -> httpx.Response:
        return await self._client.request(
            method,
            f"{url(self._at.stripe)}{path}",
            params=parameters if method == "GET" else None,
            data=dict(parameters) if method == "POST" else None,
            headers={**SPARED, "Authorization": f"Bearer {key}"},
        )


def fixed(**headers: str) -> Headers:
    """Headers that are the same whenever a request is repeated; `_` stands for `-`."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def same() -> Mapping[str, str]:
        return named

    return same


def _pause(tries: int) -> float:
    longest = min(_LONGEST_PAUSE_S, 0.2 * 2 ** min(tries, 8))
    return random.uniform(longest / 2, longest)


def _document(answer: httpx.Response) -> Json:
    if not answer.is_success:
        raise Trouble(
            f"{answer.request.method} {answer.request.url.path}:"
            f" {answer.status_code} {answer.text[:300]}"
        )
    return dict(answer.json())
