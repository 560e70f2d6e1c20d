"""Two deployments side by side, each with an address and a webhook endpoint: docs/hosting.md."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.stripe.webhooks import signed
from tests.behaviour.deployment import Deployment
from tests.behaviour.steps import MANUAL
from tests.property import oracle
from tests.world import Processor, World, WorldClock, create_today, money

BLUE, GREEN = "https://blue.example", "https://green.example"


class Side:
    """A deployment, its endpoint at Stripe, and an instance of it."""

    def __init__(self, world: World, address: str) -> None:
        self._world = world
        self._address = address
        self.deployment = Deployment(world, **MANUAL, CONNECT_SERVICE_URL=address)

    async def deploy(self) -> None:
        """Both deployments that going live takes: without and with the endpoint's secret."""
        assert not (await self.deployment.deploy()).failed
        self.secret = self.deployment.secrets(self.endpoint)
        self.deployment.environment["STRIPE_WEBHOOK_SIGNING_SECRET"] = self.secret
        again = await self.deployment.deploy()
        assert not again.failed
        assert again.writes == []
        world = self._world
        self.instance = Processor(
            world.network,
            WorldClock(world.clock),
            self.deployment.environment,
            create_today,
            world.given_out,
        )

    @property
    def endpoint(self) -> dict[str, Any]:
        [found] = [
            each for each in self.deployment.endpoints if each["url"].startswith(self._address)
        ]
        return found

    async def receive(self, event: dict[str, Any], secret: str | None = None) -> int:
        """Deliver an event, signed for this endpoint, to this deployment: the status."""
        body, signature = signed(event, secret or self.secret, int(self._world.clock.time()))
        answer = await self.instance.client.post(
            "/stripe/webhooks", content=body, headers={"Stripe-Signature": signature}
        )
        return answer.status_code


@pytest.fixture
async def sides() -> tuple[World, Side, Side]:
    world = World(MANUAL)
    blue, green = Side(world, BLUE), Side(world, GREEN)
    await blue.deploy()
    await green.deploy()
    return world, blue, green


async def test_the_second_deployment_leaves_the_first_ones_endpoint_alone(
    sides: tuple[World, Side, Side],
) -> None:
    _, blue, green = sides
    assert blue.endpoint["id"] != green.endpoint["id"]
    assert [blue.endpoint["status"], green.endpoint["status"]] == ["enabled", "enabled"]
    assert blue.secret != green.secret


@pytest.mark.parametrize("green_first", [False, True])
async def test_while_both_receive_every_event_money_is_recorded_once(
    sides: tuple[World, Side, Side], green_first: bool
) -> None:
    world, blue, green = sides
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    started = (await blue.instance.client.post("/payments", headers=session)).json()
    # The shop's server and Checkout call green from here on.
    again = (await green.instance.client.post("/payments", headers=session)).json()
    assert again["clientSecret"] == started["clientSecret"]
    await world.pay(started["clientSecret"])
    path = f"/operations/payment-intents/{started['paymentReference']}"
    receivers = [green, blue] if green_first else [blue, green]

    async def deliver(since: int) -> int:
        for event in world.stripe.events[since:]:
            assert [await each.receive(event) for each in receivers] == [200, 200]
        return len(world.stripe.events)

    told = await deliver(0)
    for action, cents in (("capturePayment", 1000), ("refundPayment", 300)):
        body = {"actions": [{"action": action, "amount": money(cents)}]}
        headers = {**await world.checkout(), "Idempotency-Key": action}
        for each in receivers:  # a caller that tries again meets the other deployment
            answer = await each.instance.client.post(path, json=body, headers=headers)
            assert answer.json()["outcome"] == "approved"
        told = await deliver(told)
    payment = await world.payment(started["paymentReference"])
    recorded = [(t["type"], t["amount"]["centAmount"], t["state"]) for t in payment["transactions"]]
    assert recorded == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
        ("Refund", 300, "Success"),
    ]
    assert len(world.stripe.refunds) == 1
    oracle.check(world)


async def test_each_takes_only_what_is_signed_for_its_own_endpoint(
    sides: tuple[World, Side, Side],
) -> None:
    world, blue, green = sides
    await world.cart(1000)
    cart = await world.cart(1000)
    await world.start(await world.session(cart["id"]))
    event = world.stripe.events[-1]
    assert await green.receive(event, blue.secret) == 400
    assert await blue.receive(event, green.secret) == 400


async def test_undeploying_one_leaves_the_other_and_the_way_back_open(
    sides: tuple[World, Side, Side],
) -> None:
    _, blue, green = sides
    assert not (await blue.deployment.undeploy()).failed
    assert [blue.endpoint["status"], green.endpoint["status"]] == ["disabled", "enabled"]
    secret = blue.secret
    assert not (await blue.deployment.deploy()).failed
    assert blue.endpoint["status"] == "enabled"
    assert blue.deployment.secrets(blue.endpoint) == secret
    assert not (await green.deployment.undeploy()).failed
    assert [blue.endpoint["status"], green.endpoint["status"]] == ["enabled", "disabled"]
