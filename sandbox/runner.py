"""Runs all stand-ins and the shop in one process: one event loop, one clock, one fault desk."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import RedirectResponse
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from sandbox import faults, gate, jwt
from sandbox.addresses import url
from sandbox.clock import SandboxClock
from sandbox.commercetools import seed
from sandbox.commercetools.app import create_app as create_commercetools
from sandbox.commercetools.errors import ApiError
from sandbox.commercetools.paths import Document
from sandbox.commercetools.renewals import Renewals
from sandbox.commercetools.state import Store
from sandbox.desk.app import Desk
from sandbox.desk.places import Places
from sandbox.faults import Backend, ErrorPage, FaultDesk, FaultMiddleware
from sandbox.shop.app import create_app as create_shop
from sandbox.shop.elements import Elements
from sandbox.shop.merchant import ApiClient, Merchant
from sandbox.shop.pictures import Pictures
from sandbox.stripe import checkout_pages, versions
from sandbox.stripe.accounts import SIDES, Accounts
from sandbox.stripe.app import create_app as create_stripe
from sandbox.stripe.state import StripeState
from sandbox.stripe.webhooks import Deliverer

WEBHOOK_SECRET = "whsec_sandbox0123456789"
"""Signs events unless another secret is configured."""

STRIPE_PAGES = "https://checkout.stripe.com"
"""Where shoppers pay when the processor has a real Stripe account."""

_SHOP_CLIENT = ApiClient("sandbox", "sandbox-storefront", "sandbox-storefront-secret")
_DELIVERY_TIMEOUT_S = 30.0
_BFF_TIMEOUT_S = 20.0
_DESK_TIMEOUT_S = 30.0
_GRACE_S = 3
_RENEWALS_EVERY_S = 1.0
IDLE_CONNECTION_S = 75
"""Longer than any client here keeps an idle connection, so that none is closed under a request."""


class Sandbox:
    """The stand-ins over one merchant's project and Stripe account."""

    def __init__(self, stripe_url: str) -> None:
        self.clock = SandboxClock()
        self.desk = FaultDesk()
        self.store = Store(clock=self.clock)
        seed.seed(self.store)
        self.stripe = StripeState(self.clock, public_url=stripe_url)
        self.sides = {name: side.state(self.clock, stripe_url) for name, side in SIDES.items()}
        """What other keys open at the same address, by the names of SIDES."""
        self._stripe_api = Accounts(create_stripe(self.stripe), self.sides.values())
        self.jwt_app: ASGIApp = jwt.create_app(self.clock)
        self.commercetools_app = self._with_faults(
            create_commercetools(self.store), "commercetools"
        )
        self.stripe_app = self._with_faults(
            self._stripe_api, "stripe", checkout_pages.down(self.stripe)
        )

    async def send_events_to(self, endpoint_url: str, secret: str, side: str | None = None) -> None:
        """Register a webhook endpoint whose signing secret is known beforehand."""
        state = self.stripe if side is None else self.sides[side]
        transport = httpx.ASGITransport(app=self._stripe_api)
        async with httpx.AsyncClient(transport=transport, base_url="http://stripe") as client:
            answer = await client.post(
                "/v1/webhook_endpoints",
                data={
                    "url": endpoint_url,
                    "enabled_events[]": "*",
                    "api_version": versions.CURRENT,
                },
                headers={"Authorization": f"Bearer {min(state.secret_keys)}"},
            )
        answer.raise_for_status()
        state.endpoint_secrets[answer.json()["id"]] = [(secret, None)]

    def _with_faults(
        self, app: ASGIApp, backend: Backend, error_page: ErrorPage | None = None
    ) -> ASGIApp:
        """A backend with the fault desk in front; the desk's routes are the same at each."""
        return Starlette(
            routes=[
                *faults.routes(self.desk),
                Mount("/", FaultMiddleware(app, self.desk, backend, error_page)),
            ]
        )


async def serve(
    sandbox: Sandbox,
    listeners: dict[str, socket.socket],
    processor_url: str,
    browser_url: str,
) -> None:
    """Serve until SIGTERM or SIGINT; `listeners` by "jwt", "commercetools", "stripe", "shop".

    The shop is a customer of the processor; its server has an API client of the project, as any
    merchant's has. The merchant desk, at /desk on the shop's port, knows all stand-ins, by their
    addresses. `browser_url` is the processor as browsers reach it.
    """
    # Everything is on this machine: a proxy of the environment has no part in it.
    bff = httpx.AsyncClient(base_url=processor_url, timeout=_BFF_TIMEOUT_S, trust_env=False)
    at = {name: url(listener.getsockname()[1]) for name, listener in listeners.items()}
    pictures = Pictures()
    seed.set_pictures(
        sandbox.store, lambda sku, colour: f"{at['shop']}{pictures.path(sku, colour)}"
    )
    shop_client = httpx.AsyncClient(
        base_url=at["commercetools"], timeout=_BFF_TIMEOUT_S, trust_env=False
    )
    shop = create_shop(
        bff,
        payment_pages=(sandbox.stripe.public_url, STRIPE_PAGES),
        merchant=Merchant(shop_client, _SHOP_CLIENT),
        elements=Elements(processor=browser_url, stripe=sandbox.stripe.public_url),
    )
    desk_client = httpx.AsyncClient(timeout=_DESK_TIMEOUT_S, trust_env=False)
    desk = Desk(
        desk_client,
        Places(
            processor=processor_url,
            commercetools=at["commercetools"],
            stripe=at["stripe"],
            jwt=at["jwt"],
        ),
    )
    apps: dict[str, ASGIApp] = {
        "jwt": sandbox.jwt_app,
        "commercetools": sandbox.commercetools_app,
        "stripe": sandbox.stripe_app,
        "shop": beside(shop, desk.app),
    }
    known, more = gate.hosts(os.environ), gate.origins(os.environ)
    servers = {
        listeners[name]: server_for(gate.Gate(app, known, more)) for name, app in apps.items()
    }

    def stop() -> None:
        desk.live.close()
        for server in servers.values():
            server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    client = httpx.AsyncClient(timeout=_DELIVERY_TIMEOUT_S, trust_env=False)
    async with bff, shop_client, desk_client, client, asyncio.TaskGroup() as group:
        deliveries = [
            group.create_task(Deliverer(state, client, sandbox.desk).run())
            for state in (sandbox.stripe, *sandbox.sides.values())
        ]
        deliveries.append(group.create_task(_renew(sandbox.store, bff)))
        await asyncio.gather(
            *(server.serve(sockets=[listener]) for listener, server in servers.items())
        )
        for each in deliveries:
            each.cancel()


async def _renew(store: Store, processor: httpx.AsyncClient) -> None:
    """Process recurring payment jobs and orders as they become due on the sandbox's clock."""

    async def collect(request: Document) -> tuple[int, Document]:
        token = store.tokens.grant(
            store.tokens.registered("sandbox-checkout"), {"grant_type": "client_credentials"}
        )
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        try:
            answer = await processor.post("/operations/transactions", json=request, headers=headers)
            return answer.status_code, answer.json()
        except (httpx.HTTPError, ValueError):
            return 0, {}

    renewals = Renewals(store, collect)
    while True:
        with suppress(ApiError):  # a reset, or a deletion, took away what it was about
            await renewals.run()
        await asyncio.sleep(_RENEWALS_EVERY_S)


def beside(shop: ASGIApp, desk: ASGIApp) -> Starlette:
    """The shop with the merchant desk at /desk."""
    return Starlette(
        routes=[
            Route("/desk", RedirectResponse("/desk/")),
            Mount("/desk", desk),
            Mount("/", shop),
        ]
    )


class _Server(uvicorn.Server):
    """One of several servers in a process: signals are for the program that runs them all."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server_for(app: ASGIApp) -> uvicorn.Server:
    """Serves one of the applications, on the listener that it is given."""
    return _Server(
        uvicorn.Config(
            app,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=IDLE_CONNECTION_S,
            date_header=False,  # the stand-ins tell the time of the sandbox
            timeout_graceful_shutdown=_GRACE_S,
        )
    )
