"""GET /operations/status and the probes: what monitors and the Merchant Center are told."""

from __future__ import annotations

from typing import Any

import pytest

from tests.wire import Trouble
from tests.world import World

Json = dict[str, Any]


async def status(world: World) -> tuple[int, Json]:
    answer = await world.client.get("/operations/status", headers=await world.merchant_center())
    return answer.status_code, answer.json()


def by_name(body: Json) -> dict[str, str]:
    return {check["name"]: check["status"] for check in body["checks"]}


async def test_all_is_well() -> None:
    code, body = await status(World())
    assert (code, body["status"]) == (200, "OK")
    assert by_name(body) == {"commercetools permissions": "UP", "Stripe Status check": "UP"}
    assert body["version"]
    assert body["timestamp"].endswith("Z")
    assert set(body["metadata"]) >= {"name", "description"}


@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "busy"])
async def test_one_backend_down_is_partial_and_still_a_200(trouble: Trouble) -> None:
    world = World()
    world.network.trouble = lambda call: trouble if call.backend == "stripe" else None
    code, body = await status(world)
    assert (code, body["status"]) == (200, "Partially Available")
    assert by_name(body) == {"commercetools permissions": "UP", "Stripe Status check": "DOWN"}


async def test_everything_down_is_a_503() -> None:
    world = World()
    world.network.trouble = lambda call: None if call.backend == "jwt" else "refused"
    code, body = await status(world)
    assert (code, body["status"]) == (503, "Unavailable")
    assert set(by_name(body).values()) == {"DOWN"}


async def test_a_missing_webhook_secret_is_partial() -> None:
    code, body = await status(World({"STRIPE_WEBHOOK_SIGNING_SECRET": ""}))
    assert (code, body["status"]) == (200, "Partially Available")


async def test_missing_permissions_are_named() -> None:
    world = World()
    world.store.tokens.register("sandbox-processor", "sandbox-processor-secret", ["view_orders"])
    code, body = await status(world)
    assert (code, body["status"]) == (200, "Partially Available")
    [check] = [each for each in body["checks"] if each["status"] == "DOWN"]
    assert "manage_payments:sandbox" in check["details"]["missingScopes"]


@pytest.mark.parametrize(
    "environment",
    [{"STRIPE_SECRET_KEY": "sk_test_wrong_0123456789"}, {"CTP_CLIENT_SECRET": "wrong-secret"}],
    ids=list,
)
async def test_nothing_private_is_told(environment: dict[str, str]) -> None:
    world = World(environment)
    await world.at_stripe("reset")
    _, body = await status(world)
    told = str(body)
    assert body["status"] == "Partially Available"
    for private in ("sk_test", "wrong", "whsec", "sandbox-processor", "pm_", "pi_", "http"):
        assert private not in told


async def test_probes_ask_nobody() -> None:
    world = World()
    world.network.trouble = lambda _: "refused"
    for path in ("/health/live", "/health/ready"):
        answer = await world.client.get(path)
        assert (answer.status_code, answer.json()) == (200, {"status": "UP"})
    assert world.network.calls == []
