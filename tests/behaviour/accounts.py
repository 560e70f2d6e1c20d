"""Several Stripe accounts and modes beside one commercetools project."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx

from sandbox.stripe.app import create_app
from sandbox.stripe.state import StripeState
from sandbox.stripe.webhooks import signed
from tests.behaviour.deployment import Deployment
from tests.world import ENVIRONMENT, LIVE, Processor, World, admit_client

Json = dict[str, Any]
_KEYS = ("STRIPE_SECRET_KEY", "STRIPE_PUBLISHABLE_KEY", "STRIPE_WEBHOOK_SIGNING_SECRET")


class Side:
    """A processor with the keys of an account and mode of its own, in the project of a world."""

    def __init__(
        self,
        world: World,
        name: str,
        *,
        account: str,
        live: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        host = f"{name}.test"
        self.world = world
        keys = {name: (LIVE if live else ENVIRONMENT)[name] for name in _KEYS}
        self.stripe = StripeState(
            world.clock,
            seed=len(name),
            live=live,
            account=account,
            secret_keys=[keys["STRIPE_SECRET_KEY"]],
            publishable_key=keys["STRIPE_PUBLISHABLE_KEY"],
        )
        transport = httpx.ASGITransport(app=create_app(self.stripe))
        world.network.transports[host] = transport
        self._outside = httpx.AsyncClient(transport=transport, base_url=f"http://{host}")
        self.environment: Mapping[str, str] = {
            **world.environment,
            **(LIVE if live else {}),
            "STRIPE_API_BASE": f"https://{host}" if live else f"http://{host}",
            "ALLOWED_BACKEND_HOSTS": f"{LIVE['ALLOWED_BACKEND_HOSTS']},{host}" if live else "",
            **(environment or {}),
        }
        self._publishable = keys["STRIPE_PUBLISHABLE_KEY"]
        self._signing = keys["STRIPE_WEBHOOK_SIGNING_SECRET"]
        if live:
            admit_client(world.store)
        self.processor = self.restart()

    def restart(self) -> Processor:
        """Another process, which has learned nothing yet."""
        before, self.world.environment = self.world.environment, dict(self.environment)
        self.processor = self.world.start_processor()
        self.world.environment = before
        return self.processor

    @property
    def client(self) -> httpx.AsyncClient:
        return self.processor.client

    async def deploy(self) -> None:
        """Run post-deploy with this side's keys."""
        run = await Deployment(self.world, **self.environment).deploy()
        assert not run.failed, run.printed

    async def ask_stripe(self, method: str, path: str, **form: Any) -> Json:
        """Call this account with its secret key, without a processor."""
        key = self.environment["STRIPE_SECRET_KEY"]
        headers = {"Authorization": f"Bearer {key}"}
        answer = await self._outside.request(method, path, data=form or None, headers=headers)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def pay_page(self, session: Json) -> None:
        """Pay on Stripe's page, as a shopper does."""
        form = {
            "method": "card",
            "expiry": "12 / 34",
            "cvc": "123",
            "name": "Eve",
            "email": "eve@example.com",
            "number": "4242424242424242",
        }
        answer = await self._outside.post(f"/c/pay/{session['id']}", data=form)
        assert answer.status_code < 400, answer.text

    async def pay(self, client_secret: str) -> Json:
        """Confirm an intent as the browser does."""
        intent_id = client_secret.partition("_secret_")[0]
        answer = await self._outside.post(
            f"/v1/payment_intents/{intent_id}/confirm",
            data={
                "payment_method": "pm_card_visa",
                "client_secret": client_secret,
                "return_url": "http://localhost:3000/return",
            },
            headers={"Authorization": f"Bearer {self._publishable}"},
        )
        return dict(answer.json())

    async def deliver(self, event: Json, to: Processor | None = None) -> httpx.Response:
        """Send one event with this side's signing secret, whoever it belongs to."""
        body, signature = signed(event, self._signing, int(self.world.clock.time()))
        return await (to or self.processor).client.post(
            "/stripe/webhooks", content=body, headers={"Stripe-Signature": signature}
        )

    async def deliver_all(self, to: Processor | None = None) -> list[str]:
        """Deliver every event of this account; what became of each."""
        effects = []
        for event in list(self.stripe.events):
            answer = await self.deliver(event, to)
            assert answer.status_code == 200, answer.text
            effects.append(str(answer.json()["effect"]))
        return effects
