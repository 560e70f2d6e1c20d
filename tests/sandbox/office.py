"""A merchant desk over the whole sandbox, without a browser."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from sandbox import faults
from sandbox.desk.app import Desk
from sandbox.desk.places import Places
from sandbox.faults import FaultDesk, FaultMiddleware
from sandbox.runner import beside
from sandbox.stripe.webhooks import Deliverer
from tests.world import ISSUER, World

DESK = "http://shop.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
PLACES = Places(
    processor="http://processor.test",
    commercetools="http://commercetools.test",
    stripe="http://stripe.test",
    jwt="http://jwt.test",
    issuer=ISSUER,
)
Reply = Callable[[httpx.Request], httpx.Response | None]
MANUAL = {"STRIPE_CAPTURE_METHOD": "manual"}


class Office:
    """A world with a desk in it, a browser at the desk, and whatever goes wrong between."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self.world = World(environment)
        self.faults = FaultDesk()
        self.instead: Reply = lambda _: None
        """Answers instead of a backend; it may raise, too."""
        self.sent: list[httpx.Request] = []
        """What the desk has asked of its backends."""
        stripe = self.world.network.transports["stripe.test"].app
        self._backends = {
            **self.world.network.transports,
            "processor.test": self.world.client._transport,
            "stripe.test": httpx.ASGITransport(
                Starlette(
                    routes=[
                        *faults.routes(self.faults),
                        Mount("/", FaultMiddleware(stripe, self.faults, "stripe")),
                    ]
                )
            ),
        }
        self.desk = Desk(httpx.AsyncClient(transport=httpx.MockTransport(self._carry)), PLACES)
        self.browser = self.new_browser()

    async def _carry(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        answer = self.instead(request)
        return answer or await self._backends[request.url.host].handle_async_request(request)

    def new_browser(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(beside(Starlette(), self.desk.app)),
            base_url=DESK,
            headers=OWN,
            follow_redirects=True,
        )

    async def sign_in(self, **fields: str) -> httpx.Response:
        page = await self.browser.get("/desk/sign-in")
        data = {"csrf": hidden(page, "csrf"), "name": "Grace", **fields}
        return await self.browser.post("/desk/sign-in", data=data)

    async def page(self, payment_id: str) -> httpx.Response:
        return await self.browser.get(f"/desk/payments/{payment_id}")

    async def operate(self, payment_id: str, **fields: str) -> httpx.Response:
        """Load the payment's page, send one of its forms and confirm it."""
        asked = await self.ask(payment_id, **fields)
        return await self.confirm(payment_id, asked) if 'id="confirm"' in asked.text else asked

    async def ask(self, payment_id: str, **fields: str) -> httpx.Response:
        """The page after one of its forms was sent, before it is confirmed."""
        page = await self.page(payment_id)
        data = {"csrf": hidden(page, "csrf"), "key": hidden(page, "key"), "currency": "EUR"}
        return await self.send(f"/desk/payments/{payment_id}/operations", {**data, **fields})

    async def confirm(self, payment_id: str, asked: httpx.Response) -> httpx.Response:
        fields = {name: hidden(asked, name) for name in ("csrf", "key")}
        return await self.send(f"/desk/payments/{payment_id}/confirm", fields)

    async def send(self, path: str, data: Mapping[str, str]) -> httpx.Response:
        return await self.browser.post(path, data=dict(data))

    async def csrf(self) -> str:
        return hidden(await self.browser.get("/desk/faults"), "csrf")


def hidden(page: httpx.Response, name: str) -> str:
    """The first hidden field of a name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def text(page: httpx.Response) -> str:
    """What the page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text.partition("<main")[2]).split())


def deliverer(office: Office) -> Deliverer:
    """Sends the events that are due to the processor."""
    client = office.world.client
    return Deliverer(office.world.stripe, client, office.faults)


async def endpoint(office: Office) -> None:
    await office.world.ask_stripe(
        "POST",
        "/v1/webhook_endpoints",
        **{"url": "http://processor.test/stripe/webhooks", "enabled_events[]": "*"},
    )
    endpoint_id = next(iter(office.world.stripe.endpoints))["id"]
    office.world.stripe.endpoint_secrets[endpoint_id] = [("whsec_sandbox0123456789", None)]
