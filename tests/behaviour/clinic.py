"""A sound deployment within a world, which tests then harm in one way, and have examined."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import Any

import httpx
import msgspec

from stripe_connector.deploy.webhook import MANAGED_BY, MANAGER
from stripe_connector.gateways.outgoing import Outgoing
from stripe_connector.gateways.stripe.api_version import API_VERSION
from stripe_connector.ledger import operation, proof
from stripe_connector.ops.doctor.checks import CheckOutcome, Result, run_checks
from stripe_connector.ops.doctor.examination import all_checks
from stripe_connector.payments.stored import customers
from stripe_connector.settings import load_settings
from tests.wire import Wire
from tests.world import ENVIRONMENT, World, WorldClock

Json = dict[str, Any]

BASE = "http://processor.test"
WEBHOOKS = f"{BASE}/stripe/webhooks"
CUSTOMER_TYPE = "payment-connector-stripe-customer-id"
SOUND: Mapping[str, str] = {
    **ENVIRONMENT,
    "CTP_AUTH_URL": "http://auth.test",
    "CTP_API_URL": "http://api.test",
    "CTP_SESSION_URL": "http://session.test",
    "CTP_CHECKOUT_URL": "http://checkout.test",
    "CONNECT_SERVICE_URL": BASE,
}


class Host(httpx.AsyncBaseTransport):
    """A server, its clock, and what may be wrong with it."""

    def __init__(self, inner: httpx.AsyncBaseTransport, world: World) -> None:
        self._instances = itertools.cycle([inner])
        self._inner = inner
        self._world = world
        self.ahead_s = 0.0
        self.error: str | None = None
        """Why no connection to it comes about."""
        self.hangs = False
        self.shows_date = True
        self._answers: list[tuple[str, str, int, Json | str, str]] = []

    def answer(
        self, method: str, path: str, status: int, body: Json | str, version: str = API_VERSION
    ) -> None:
        """Answer differently where method and path (a glob) match."""
        self._answers.append((method, path, status, body, version))

    def share_with(self, other: httpx.AsyncBaseTransport) -> None:
        """A second instance behind the same name, in turns."""
        self._instances = itertools.cycle([self._inner, other])

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.error is not None:
            raise httpx.ConnectError(self.error, request=request)
        if self.hangs:
            await asyncio.Event().wait()
        instance = next(self._instances)
        response = self._answered(request) or await instance.handle_async_request(request)
        if self.shows_date:
            now = self._world.clock.time() + self.ahead_s
            response.headers["date"] = formatdate(now, usegmt=True)
        return response

    def _answered(self, request: httpx.Request) -> httpx.Response | None:
        for method, path, status, body, version in self._answers:
            if method == request.method and fnmatchcase(request.url.path, path):
                content = body.encode() if isinstance(body, str) else msgspec.json.encode(body)
                headers = {"stripe-version": version}
                return httpx.Response(status, headers=headers, content=content, request=request)
        return None


class ShiftedClock(WorldClock):
    """The clock of a machine that is wrong."""

    ahead_s = 0.0

    def time(self) -> float:
        return super().time() + self.ahead_s


class Clinic:
    """One deployment: `environment` is what the doctor is told of it."""

    def __init__(self) -> None:
        self.environment = dict(SOUND)
        self.world = World(SOUND)
        self.clock = ShiftedClock(self.world.clock)
        transports = self.world.network.transports
        commercetools = transports["commercetools.test"]
        self.hosts = {
            **{
                f"{name}.test": Host(commercetools, self.world)
                for name in ("auth", "api", "session", "checkout")
            },
            **{
                name: Host(transports[name], self.world)
                for name in ("commercetools.test", "stripe.test", "jwt.test")
            },
        }
        self.deploy(SOUND)

    def deploy(self, environment: Mapping[str, str]) -> None:
        """Let a processor of another configuration run instead."""
        self.world.environment = dict(environment)
        self.world.processor = self.world.start_processor()
        inner = httpx.ASGITransport(app=self.world.processor.app)
        address = httpx.URL(environment["CONNECT_SERVICE_URL"])
        self.hosts[address.host] = Host(inner, self.world)
        self._connect()

    def deploy_beside(self, **environment: str) -> None:
        """Let an instance of another configuration run behind the same address."""
        self.world.environment = {**SOUND, **environment}
        inner = httpx.ASGITransport(app=self.world.start_processor().app)
        self.world.environment = dict(SOUND)
        self.hosts[httpx.URL(SOUND["CONNECT_SERVICE_URL"]).host].share_with(inner)

    def _connect(self) -> None:
        self.world.network.transports.update(self.hosts)  # type: ignore[arg-type]  # alike

    @classmethod
    async def opened(cls) -> Clinic:
        """A deployment with which nothing is wrong."""
        clinic = cls()
        await clinic.world.merchant_center()  # makes the issuer's key, which takes its time
        await clinic.create_type(operation.operation_type_draft())
        await clinic.create_type(proof.proof_type_draft())
        await clinic.create_type(customers.customer_type_draft(CUSTOMER_TYPE))
        await clinic.create_endpoint()
        return clinic

    async def create_type(self, draft: Json) -> None:
        await self.world.commercetools("POST", "types", draft)

    async def delete_type(self, key: str) -> None:
        version = (await self.world.commercetools("GET", f"types/key={key}"))["version"]
        await self.world.commercetools("DELETE", f"types/key={key}?version={version}")

    async def create_endpoint(self, url: str = WEBHOOKS, **fields: str) -> Json:
        """An endpoint as post-deploy makes it, but for what is given."""
        form = {
            "url": url,
            "enabled_events[]": "*",
            "api_version": API_VERSION,
            f"metadata[{MANAGED_BY}]": MANAGER,
            **fields,
        }
        return await self.world.ask_stripe("POST", "/v1/webhook_endpoints", **form)

    async def change_endpoint(self, **fields: Any) -> None:
        """Change the one endpoint that there is."""
        (endpoint,) = self.world.stripe.endpoints
        await self.world.ask_stripe("POST", f"/v1/webhook_endpoints/{endpoint['id']}", **fields)

    async def delete_endpoint(self) -> None:
        (endpoint,) = self.world.stripe.endpoints
        await self.world.ask_stripe("DELETE", f"/v1/webhook_endpoints/{endpoint['id']}")

    async def examined(self, limit_s: float = 20) -> list[Result]:
        """What the doctor finds."""
        self._connect()
        async with httpx.AsyncClient(transport=Wire(self.world.network)) as client:
            checks = all_checks(load_settings(self.environment), Outgoing(client, self.clock))
            return await run_checks(checks, limit_s=limit_s)


def wrong(results: list[Result]) -> dict[str, Result]:
    """What is not as it should be, by group and name."""
    bad = (CheckOutcome.FAIL, CheckOutcome.WARN)
    return {f"{each.group}: {each.name}": each for each in results if each.outcome in bad}


def stripe_error(code: str, message: str, type_: str = "invalid_request_error") -> Json:
    """The body of an error of Stripe's."""
    return {"error": {"type": type_, "code": code, "message": message}}


def readable(results: list[Result]) -> str:
    """All results, for the message of a test that fails."""
    return "\n".join(msgspec.json.encode(each).decode() for each in results)
