"""Those who take part in a purchase, over HTTP: storefront, shopper, Checkout, merchant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sandbox.addresses import Addresses, url
from sandbox.demo.compare import Comparison, Json, compare

PROJECT = "sandbox"
ORIGIN = "http://localhost:3000"
ISSUER = "https://mc-api.europe-west1.gcp.commercetools.com"
SECRET_KEY = "sk_test_sandbox"
PUBLISHABLE_KEY = "pk_test_sandbox"


class StepFailed(Exception):
    """Something is not as it should be; the message says what."""


def expect(holds: bool, otherwise: str) -> None:
    """Raises StepFailed with the message unless it holds."""
    if not holds:
        raise StepFailed(otherwise)


class People:
    """The clients of one processor; `tell` gets the calls that a reader should see."""

    def __init__(self, at: Addresses, client: httpx.Client, tell: Callable[[str], None]) -> None:
        self.at = at
        self._client = client
        self._tell = tell
        self._tokens: dict[str, str] = {}

    def token(self, client_id: str) -> str:
        """An OAuth2 token of one of the project's API clients."""
        if client_id not in self._tokens:
            answer = self._client.post(
                f"{url(self.at.commercetools)}/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(client_id, f"{client_id}-secret"),
            )
            self._tokens[client_id] = str(_json(answer)["access_token"])
        return self._tokens[client_id]

    def commercetools(
        self, method: str, path: str, body: Json | None = None, *, client: str = "sandbox-admin"
    ) -> Json:
        """A call to the project as one of its API clients."""
        answer = self._client.request(
            method,
            f"{url(self.at.commercetools)}/{PROJECT}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {self.token(client)}"},
        )
        return _json(answer)

    def stripe(self, method: str, path: str, **parameters: Any) -> Json:
        """A call to Stripe with the merchant's secret key."""
        answer = self._client.request(
            method,
            f"{url(self.at.stripe)}{path}",
            params=parameters if method == "GET" else None,
            data=parameters if method == "POST" else None,
            headers={"Authorization": f"Bearer {SECRET_KEY}"},
        )
        return _json(answer)

    def cart(self, country: str, currency: str, **quantities: int) -> Json:
        """A cart of seeded products by SKU (`-` written as `_`), to be sent to a country."""
        skus = {sku.replace("_", "-"): quantity for sku, quantity in quantities.items()}
        draft = {
            "currency": currency,
            "country": country,
            "shippingAddress": {"country": country, "firstName": "Ada", "lastName": "Byron"},
            "lineItems": [{"sku": sku, "quantity": n} for sku, n in skus.items()],
        }
        return self.commercetools("POST", "carts", draft, client="sandbox-storefront")

    def session(self, cart: Json) -> str:
        """A Checkout session for a cart: its id."""
        draft = {"cart": {"cartRef": {"id": cart["id"]}}, "metadata": {}}
        session = self.commercetools("POST", "sessions", draft, client="sandbox-storefront")
        return str(session["id"])

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Json | None = None,
        *,
        status: int = 200,
    ) -> Json:
        """A call to the processor that must be answered with a status."""
        answer = self._client.request(
            method, f"{url(self.at.processor)}{path}", json=body, headers=dict(headers)
        )
        self._tell(f"{method} {path} -> {answer.status_code}")
        expect(answer.status_code == status, f"{method} {path} answered {answer.text}")
        return dict(answer.json())

    def pay(self, client_secret: str, method: str) -> Json:
        """What the shopper's browser does with Stripe.js: the intent, or Stripe's error."""
        intent_id = client_secret.partition("_secret_")[0]
        answer = self._client.post(
            f"{url(self.at.stripe)}/v1/payment_intents/{intent_id}/confirm",
            data={
                "payment_method": method,
                "client_secret": client_secret,
                "return_url": f"{ORIGIN}/return",
            },
            headers={"Authorization": f"Bearer {PUBLISHABLE_KEY}"},
        )
        document = dict(answer.json())
        said = document.get("status") or document["error"].get("decline_code")
        self._tell(f"Stripe.js confirms with {method}: {said}")
        return document

    def modify(self, payment_id: str, key: str | None = None, **action: Any) -> str:
        """What Checkout's backend asks of a payment: the outcome."""
        headers = {"Authorization": f"Bearer {self.token('sandbox-checkout')}"}
        if key is not None:
            headers["Idempotency-Key"] = key
        path = f"/operations/payment-intents/{payment_id}"
        answer = self.ask("POST", path, headers, {"actions": [action]})
        self._tell(f"{action['action']}: {answer['outcome']}")
        return str(answer["outcome"])

    def merchant_center_token(self) -> str:
        """A JWT as the Merchant Center's proxy sends it."""
        claims = {"iss": ISSUER, "sub": "merchant", f"{ISSUER}/claims/project_key": PROJECT}
        answer = self._client.post(f"{url(self.at.jwt)}/jwt/token", json=claims)
        return str(_json(answer)["token"])

    def deliveries(self, intent_id: str) -> list[tuple[str, list[str]]]:
        """Type and delivery states of each event about an intent, oldest first."""
        answer = self._client.get(f"{url(self.at.stripe)}/_sandbox/stripe/events")
        return [
            (event["type"], [each["status"] for each in event["deliveries"]])
            for event in reversed(_json(answer)["events"])
            if intent_id in (event["data"]["object"].get("payment_intent"), _id(event))
        ]

    def compare(self, payment_id: str) -> Comparison:
        """A payment as commercetools and Stripe have it now."""
        payment = self.commercetools("GET", f"payments/{payment_id}")
        intent_id = payment["interfaceId"]
        intent = self.stripe(
            "GET", f"/v1/payment_intents/{intent_id}", **{"expand[]": "latest_charge"}
        )
        refunds = self.stripe("GET", "/v1/refunds", payment_intent=intent_id)["data"]
        disputes = self.stripe("GET", "/v1/disputes", payment_intent=intent_id)["data"]
        return compare(payment, intent, reversed(refunds), disputes)


def _id(event: Json) -> str:
    return str(event["data"]["object"]["id"])


def _json(answer: httpx.Response) -> Json:
    expect(answer.is_success, f"{answer.request.method} {answer.request.url}: {answer.text}")
    return dict(answer.json())
