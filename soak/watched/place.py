"""The watched world: stand-ins, two processors, an operator's daily run, and its shoppers."""

from __future__ import annotations

import asyncio
import itertools
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx

from sandbox.addresses import url
from sandbox.demo.processes import Program
from sandbox.runner import WEBHOOK_SECRET
from sandbox.stripe.webhooks import signed
from soak.calls import Calls, Json, fixed
from soak.instances import Instance
from soak.watched.prometheus import Prometheus

_THINK_S = 0.5


class Place:
    """What may happen in the world, and how it is made to happen."""

    def __init__(
        self,
        prometheus: Prometheus,
        instances: Sequence[Instance],
        calls: Calls,
        client: httpx.AsyncClient,
        folder: Path,
        files: Path,
    ) -> None:
        self.prometheus = prometheus
        self.instances = instances
        self.calls = calls
        self._client = client
        self._folder = folder
        self._files = files
        self._runs = itertools.count()

    # Shoppers

    async def started(self, country: str = "DE", currency: str = "EUR") -> tuple[Json, Json] | None:
        """A new cart's session and payment; None if the processor could not start it."""
        cart = await self.calls.cart(country, currency, {"brass-pen-1": 1})
        headers = {"x-session-id": await self.calls.session(cart)}
        answer = await self.calls.ask("POST /payments", "POST", "/payments", headers)
        if answer is None or answer.status_code != 200:
            return None
        return {**headers, "cart": cart["id"]}, dict(answer.json())

    async def buy(self, country: str = "DE", currency: str = "EUR") -> str | None:
        """Pay and confirm; the Payment's id, or None if it could not be started."""
        begun = await self.started(country, currency)
        if begun is None:
            return None
        session, payment = begun
        await self.calls.browser(payment["clientSecret"], payment_method="pm_card_visa")
        await self.confirm(session, payment)
        return str(payment["paymentReference"])

    async def confirm(self, session: Json, payment: Json) -> None:
        path = f"/confirmPayments/{payment['paymentReference']}"
        body = {"paymentIntent": payment["clientSecret"].partition("_secret_")[0]}
        headers = {"x-session-id": session["x-session-id"]}
        await self.calls.ask("POST /confirmPayments/{id}", "POST", path, headers, body)

    async def shop(self) -> None:
        """Buy again and again, until cancelled."""
        while True:
            await self.buy()
            await asyncio.sleep(_THINK_S)

    async def modify(self, payment_id: str, action: str, amount: Json) -> None:
        """What Checkout asks of a payment, until it is answered."""
        path = f"/operations/payment-intents/{payment_id}"
        body = {"actions": [{"action": action, "amount": amount}]}
        key = f"{action}-{payment_id}"

        async def headers() -> Json:
            return {**await self.calls.bearer(), "Idempotency-Key": key}

        await self.calls.settled("POST operation", "POST", path, headers, body)

    # Faults and events

    @asynccontextmanager
    async def rule(self, place: str = "faults", **rule: object) -> AsyncIterator[None]:
        """A rule of the fault desk, or of Stripe's own errors, until it is taken away."""
        made = await self.calls.sandbox("POST", place, {"times": None, **rule})
        try:
            yield
        finally:
            await self.calls.sandbox_quietly("DELETE", f"{place}/{made['id']}")

    def silence(self) -> AbstractAsyncContextManager[None]:
        """No event is delivered meanwhile."""
        return self.rule(backend="webhooks", kind="lose")

    async def event(self, about: str, type_: str) -> Json:
        """An event of Stripe about an object."""
        found = await self.calls.sandbox("GET", f"stripe/events?about={about}")
        return next(dict(each) for each in found["events"] if each["type"] == type_)

    async def deliver(self, event: Json, *, aged_s: int = 0, secret: str = WEBHOOK_SECRET) -> int:
        """Send an event to the processor, signed now, created so long ago; the status."""
        now = int(time.time())
        event = {**event, "created": event["created"] - aged_s}
        payload, signature = signed(event, secret, now)
        answer = await self._client.post(
            f"{url(self.instances[0].port)}/stripe/webhooks",
            content=payload,
            headers={"Stripe-Signature": signature},
        )
        return answer.status_code

    # Operators

    async def daily(self, *options: str) -> int:
        """The daily run of reconcile; its exit code."""
        return await self._command(
            "reconcile", "--apply", "--metrics-file", str(self._files / "reconcile.prom"), *options
        )

    async def examine(self, **settings: str) -> int:
        """The regular run of doctor, with these settings where they are given; its exit code."""
        file = str(self._files / "doctor.prom")
        return await self._command("doctor", "--metrics-file", file, **settings)

    async def _command(self, *words: str, **settings: str) -> int:
        log = self._folder / f"{words[0]}-{next(self._runs)}.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "stripe_connector",
                *words,
                env={**self.instances[0].environment, **settings},
                stdout=output,
                stderr=output,
            )
            return await process.wait()

    @asynccontextmanager
    async def instead(self, module: str) -> AsyncIterator[None]:
        """Another program as the second processor."""
        second = self.instances[1]
        await second.stop()
        log = self._folder / "instead.log"
        program = Program("processor", [module, "serve"], second.environment, log)
        try:
            yield
        finally:
            await asyncio.to_thread(program.stop)
            await second.start()

    async def metrics_gone(self) -> None:
        """Both processors end."""
        for each in self.instances:
            await each.stop()

    async def metrics_back(self) -> None:
        for each in self.instances:
            await each.start()

    async def session_headers(self) -> Json:
        """Headers of a session, for a request that reads."""
        cart = await self.calls.cart("DE", "EUR", {"brass-pen-1": 1})
        return dict(await fixed(x_session_id=await self.calls.session(cart))())
