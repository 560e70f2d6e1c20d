"""A whole world in process: both stand-ins, any number of processors, shoppers and merchants.

Time stands still until somebody sleeps. The processors cannot tell this world from the real one:
only their environment differs.
"""

from __future__ import annotations

import asyncio
import copy
import itertools
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Literal

import httpx
import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox import jwt
from sandbox.clock import SandboxClock
from sandbox.commercetools import seed
from sandbox.commercetools.app import create_app as create_commercetools
from sandbox.commercetools.shop import CLIENTS
from sandbox.commercetools.state import Store
from sandbox.stripe.app import create_app as create_stripe
from sandbox.stripe.methods import OUTSIDE
from sandbox.stripe.state import InternalError, StripeState
from sandbox.stripe.webhooks import signed
from stripe_connector.app import create_app
from stripe_connector.clock import Clock
from stripe_connector.settings import load_settings
from tests.wire import Call, Network, Wire

START = 1_790_000_000.0
SECRET = "whsec_sandbox0123456789"
ISSUER = "https://mc-api.test"
ORIGIN = "http://localhost:3000"
PROJECT = "sandbox"
Json = dict[str, Any]

ENVIRONMENT: Mapping[str, str] = {
    "CTP_PROJECT_KEY": PROJECT,
    "CTP_CLIENT_ID": "sandbox-processor",
    "CTP_CLIENT_SECRET": "sandbox-processor-secret",
    "CTP_AUTH_URL": "http://commercetools.test",
    "CTP_API_URL": "http://commercetools.test",
    "CTP_SESSION_URL": "http://commercetools.test",
    "CTP_CHECKOUT_URL": "http://commercetools.test",
    "CTP_JWKS_URL": "http://jwt.test/jwt/.well-known/jwks.json",
    "CTP_JWT_ISSUER": ISSUER,
    "STRIPE_SECRET_KEY": "sk_test_sandbox",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_sandbox",
    "STRIPE_WEBHOOK_SIGNING_SECRET": SECRET,
    "STRIPE_API_BASE": "http://stripe.test",
    "MERCHANT_RETURN_URL": "http://localhost:3000/return",
    "ALLOWED_ORIGINS": ORIGIN,
}


LIVE: Mapping[str, str] = {
    "CTP_CLIENT_ID": "live-processor",
    "CTP_CLIENT_SECRET": "Rk9wq2LmZt7Xc4VbN8sD1fGhJ5yU3aPe",
    "CTP_AUTH_URL": "https://commercetools.test",
    "CTP_API_URL": "https://commercetools.test",
    "CTP_SESSION_URL": "https://commercetools.test",
    "CTP_CHECKOUT_URL": "https://commercetools.test",
    "CTP_JWKS_URL": "https://jwt.test/jwt/.well-known/jwks.json",
    "STRIPE_SECRET_KEY": "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dcT5xKv2Qw",
    "STRIPE_PUBLISHABLE_KEY": "pk_live_TYooMQauvdEDq54NiTphI7jxR8uLm3Zs",
    "STRIPE_WEBHOOK_SIGNING_SECRET": "whsec_" + "9fJ2kLm4NpQ6rStU8vWxY1zAbC3dEfGh",
    "STRIPE_API_BASE": "https://stripe.test",
    "MERCHANT_RETURN_URL": "https://shop.test/return",
    "ALLOWED_ORIGINS": "https://shop.test",
    "STOREFRONT_URL": "https://shop.test",
    "ALLOWED_BACKEND_HOSTS": "commercetools.test,stripe.test,jwt.test,mc-api.test",
}
"""What makes a world's processors live: all that live mode asks for, with stand-ins behind it."""


class WorldClock(Clock):
    """The sandbox's clock, for processors: sleeping moves the whole world's time."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock

    def time(self) -> float:
        return self._clock.time()

    def monotonic(self) -> float:
        return self._clock.time()

    async def sleep(self, seconds: float) -> None:
        self._clock.advance(seconds)
        await asyncio.sleep(0)


_issuers_keys = cache(jwt.KeyRing)
"""Of all worlds: a key takes longer to make than most tests run."""


class _JwtServer:
    """The issuer, made when first asked."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._app = self._app or jwt.create_app(self._clock, _issuers_keys())
        await self._app(scope, receive, send)


Create = Callable[[Mapping[str, str], httpx.AsyncClient, Clock], ASGIApp]
"""Makes the application from its environment, its HTTP client and its clock."""


def create_today(environment: Mapping[str, str], http: httpx.AsyncClient, clock: Clock) -> ASGIApp:
    """The application of the code beside these tests."""
    return create_app(load_settings(environment), http=http, clock=clock)


class Processor:
    """One instance of the processor."""

    def __init__(
        self,
        network: Network,
        clock: Clock,
        environment: Mapping[str, str],
        create: Create = create_today,
        given_out: set[str] | None = None,
    ) -> None:
        """`given_out` collects the intents whose client secrets its answers tell."""
        self._given_out = set() if given_out is None else given_out
        self.wire = Wire(network)
        self.create = create
        self._http = httpx.AsyncClient(transport=self.wire)
        self.app = create(environment, self._http, clock)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://processor.test",
            event_hooks={"response": [self._collect_secrets]},
        )

    async def _collect_secrets(self, answer: httpx.Response) -> None:
        await answer.aread()
        self._given_out.update(_INTENTS_SECRET.findall(answer.text))


_INTENTS_SECRET = re.compile(r"\b(pi_[A-Za-z0-9]+)_secret_")


class World:
    """One merchant's project and Stripe account, on one movable clock."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.environment = {**ENVIRONMENT, **(environment or {})}
        self.clock = SandboxClock(START)
        numbers = itertools.count(1)
        self.store = Store(
            PROJECT, self.clock, new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"
        )
        seed.seed(self.store)
        self.stripe = StripeState(self.clock, seed=7)
        self._signing_secret = SECRET
        if self.environment["STRIPE_SECRET_KEY"] == LIVE["STRIPE_SECRET_KEY"]:
            self.admit_live()
        self.network = Network(
            {
                "commercetools.test": create_commercetools(self.store),
                "stripe.test": create_stripe(self.stripe),
                "jwt.test": _JwtServer(self.clock),
            }
        )
        self.network.fail_inside = self._fail_inside
        self._outside = {
            host: httpx.AsyncClient(transport=transport, base_url=f"http://{host}")
            for host, transport in self.network.transports.items()
        }
        self._tokens: dict[str, tuple[str, float]] = {}
        self.given_out: set[str] = set()
        """Intents whose client secrets were in an answer of a processor: a shopper may pay them."""
        self.processor = self.start_processor()

    def admit_live(self) -> None:
        """Let the API client and the keys of LIVE in."""
        admit_client(self.store)
        self.stripe.live = True
        self.stripe.secret_keys |= {LIVE["STRIPE_SECRET_KEY"]}
        self.stripe.publishable_key = LIVE["STRIPE_PUBLISHABLE_KEY"]
        self._signing_secret = LIVE["STRIPE_WEBHOOK_SIGNING_SECRET"]

    def start_processor(self, create: Create = create_today) -> Processor:
        """Another instance, or the same one after a crash."""
        clock = WorldClock(self.clock)
        return Processor(self.network, clock, self.environment, create, self.given_out)

    def _fail_inside(self, call: Call, when: str | None) -> None:
        """Stripe fails inside its idempotency layer; no other backend has one."""
        self.stripe.remove_internal_errors("err_test")
        if call.backend == "stripe" and when is not None:
            moment = msgspec.convert(when, Literal["before", "after", "later"])
            self.stripe.internal_errors.append(
                InternalError("err_test", call.path, moment, call.method)
            )

    @property
    def client(self) -> httpx.AsyncClient:
        """Speaks to the first processor."""
        return self.processor.client

    # What a storefront does

    async def token(self, client_id: str) -> str:
        """An OAuth2 token of one of the seeded API clients."""
        token, expires = self._tokens.get(client_id, ("", 0.0))
        if expires <= self.clock.time():
            answer = await self._outside["commercetools.test"].post(
                "/oauth/token",
                data={"grant_type": "client_credentials"},
                auth=(client_id, f"{client_id}-secret"),
            )
            granted = answer.json()
            token = granted["access_token"]
            self._tokens[client_id] = token, self.clock.time() + granted["expires_in"]
        return token

    async def commercetools(
        self, method: str, path: str, body: Json | None = None, client: str = "sandbox-admin"
    ) -> Json:
        """Call the commercetools stand-in as somebody other than the processor."""
        answer = await self._outside["commercetools.test"].request(
            method,
            f"/{PROJECT}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {await self.token(client)}"},
        )
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def me(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        *,
        customer: str = "ada",
        anonymous_id: str | None = None,
    ) -> httpx.Response:
        """Call commercetools as a shopper with a token of their own: below /me only.

        A seeded customer, or whoever has an anonymous session's id; what is refused is answered.
        """
        outside = self._outside["commercetools.test"]
        form = {"grant_type": "client_credentials", "anonymous_id": anonymous_id or ""}
        flow = "anonymous"
        if anonymous_id is None:
            user = {"username": f"{customer}@example.com", "password": f"{customer}-password"}
            form, flow = {"grant_type": "password", **user}, "customers"
        granted = await outside.post(
            f"/oauth/{PROJECT}/{flow}/token", data=form, auth=("sandbox-app", "sandbox-app-secret")
        )
        return await outside.request(
            method,
            f"/{PROJECT}/{path}",
            json=body,
            headers={"Authorization": f"Bearer {granted.json()['access_token']}"},
        )

    async def change_mine(self, path: str, *actions: Json, **shopper: Any) -> httpx.Response:
        """Update something below /me at its current version."""
        found = (await self.me("GET", path, **shopper)).json()
        body = {"version": found["version"], "actions": list(actions)}
        return await self.me("POST", path, body, **shopper)

    async def cart(self, cents: int = 1000, currency: str = "EUR", **fields: Any) -> Json:
        """A cart with one custom line of a price."""
        line = {
            "name": {"en": "A thing"},
            "slug": "a-thing",
            "money": {"centAmount": cents, "currencyCode": currency},
        }
        draft = {
            "currency": currency,
            "taxMode": "Disabled",
            "customLineItems": [line],
            **fields,
        }
        return await self.commercetools("POST", "carts", draft)

    async def change_cart(self, cart_id: str, *actions: Json) -> Json:
        """Update a cart at its current version."""
        cart = await self.commercetools("GET", f"carts/{cart_id}")
        return await self.commercetools(
            "POST", f"carts/{cart_id}", {"version": cart["version"], "actions": list(actions)}
        )

    async def reprice(self, cart_id: str, cents: int) -> Json:
        """Give a cart's one line another price."""
        cart = await self.commercetools("GET", f"carts/{cart_id}")
        money = {"centAmount": cents, "currencyCode": cart["totalPrice"]["currencyCode"]}
        line = cart["customLineItems"][0]
        return await self.change_cart(
            cart_id,
            {"action": "removeCustomLineItem", "customLineItemId": line["id"]},
            {
                "action": "addCustomLineItem",
                "name": line["name"],
                "slug": line["slug"],
                "money": money,
            },
        )

    async def session(self, cart_id: str, **metadata: Any) -> Mapping[str, str]:
        """Headers of a new Checkout session for a cart."""
        draft = {"cart": {"cartRef": {"id": cart_id}}, "metadata": metadata}
        session = await self.commercetools("POST", "sessions", draft)
        return {"x-session-id": session["id"]}

    async def checkout(self) -> Mapping[str, str]:
        """Headers of Checkout's backend."""
        return {"Authorization": f"Bearer {await self.token('sandbox-checkout')}"}

    async def merchant_center(self, **claims: Any) -> Mapping[str, str]:
        """Headers of the Merchant Center's proxy."""
        body = {
            "iss": ISSUER,
            "sub": "merchant",
            f"{ISSUER}/claims/project_key": PROJECT,
            **claims,
        }
        answer = await self._outside["jwt.test"].post("/jwt/token", json=body)
        return {"Authorization": f"Bearer {answer.json()['token']}"}

    # What shoppers, Stripe and merchants do

    async def ask_stripe(self, method: str, path: str, **form: Any) -> Json:
        """Call the Stripe stand-in with the secret key, without the processor."""
        answer = await self._outside["stripe.test"].request(
            method,
            path,
            data=form or None,
            headers={"Authorization": "Bearer sk_test_sandbox"},
        )
        assert answer.is_success or answer.status_code == 402, answer.text
        return dict(answer.json())

    async def pay(self, client_secret: str, method: str = "pm_card_visa") -> Json:
        """Confirm an intent as the browser does, with a test card or a method of a type."""
        intent_id = client_secret.partition("_secret_")[0]
        form = {"payment_method": method}
        if method in OUTSIDE:
            form = {"payment_method_data[type]": method}
        if method == "sepa_debit":
            form = {
                "payment_method_data[type]": method,
                "payment_method_data[sepa_debit][iban]": "DE89370400440532013000",
                "payment_method_data[billing_details][name]": "Jenny Rosen",
                "payment_method_data[billing_details][email]": "jenny@example.com",
            }
        answer = await self._outside["stripe.test"].post(
            f"/v1/payment_intents/{intent_id}/confirm",
            data={
                **form,
                "client_secret": client_secret,
                "return_url": "http://localhost:3000/return",
            },
            headers={"Authorization": f"Bearer {self.stripe.publishable_key}"},
        )
        return dict(answer.json())

    async def at_stripe(self, path: str, **body: Any) -> Json:
        """One of the stand-in's own routes, such as settling a delayed method."""
        answer = await self._outside["stripe.test"].post(f"/_sandbox/stripe/{path}", json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def deliver(self, event: Json, processor: Processor | None = None) -> httpx.Response:
        """Send one event, signed now, as Stripe would."""
        body, signature = signed(event, self._signing_secret, int(self.clock.time()))
        return await (processor or self.processor).client.post(
            "/stripe/webhooks", content=body, headers={"Stripe-Signature": signature}
        )

    async def deliver_all(self) -> None:
        """Deliver every event so far, in order; all must be acknowledged."""
        for event in list(self.stripe.events):
            answer = await self.deliver(event)
            assert answer.status_code == 200, answer.text

    async def start(self, session: Mapping[str, str]) -> Json:
        """POST /payments."""
        answer = await self.client.post("/payments", headers=session)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def modify(self, payment_id: str, key: str | None = None, **action: Any) -> Json:
        """POST /operations/payment-intents/{id} with one action."""
        headers = {**await self.checkout(), **({"Idempotency-Key": key} if key else {})}
        answer = await self.client.post(
            f"/operations/payment-intents/{payment_id}",
            json={"actions": [action]},
            headers=headers,
        )
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def paid(
        self, cents: int = 1000, currency: str = "EUR", method: str = "pm_card_visa"
    ) -> str:
        """A cart paid and recorded; the id of its Payment."""
        cart = await self.cart(cents, currency)
        started = await self.start(await self.session(cart["id"]))
        await self.pay(started["clientSecret"], method)
        await self.deliver_all()
        return str(started["paymentReference"])

    # What is recorded

    def put_back(self, type_id: str, document: Json) -> None:
        """Let a document be as it was, under a version of its own: nothing has happened since."""
        collection = self.store.collection(type_id)
        current = collection.get(document["id"])
        version = (current or document)["version"] + 1
        collection.put({**copy.deepcopy(document), "version": version})

    async def payment(self, payment_id: str) -> Json:
        return await self.commercetools("GET", f"payments/{payment_id}")

    async def transactions(self, payment_id: str) -> list[tuple[str, int, str]]:
        """Type, amount and state of a Payment's transactions, in order."""
        payment = await self.payment(payment_id)
        return [(t["type"], t["amount"]["centAmount"], t["state"]) for t in payment["transactions"]]


def admit_client(store: Store) -> None:
    """Let the API client of LIVE in."""
    client_id, secret = LIVE["CTP_CLIENT_ID"], LIVE["CTP_CLIENT_SECRET"]
    client = store.tokens.register(client_id, secret, CLIENTS["sandbox-processor"].split())
    known = {"name": client_id, "scope": " ".join(client.scopes)}
    store.insert("api-client", known, id_=client_id)


def money(cents: int, currency: str = "EUR") -> Json:
    return {"centAmount": cents, "currencyCode": currency}
