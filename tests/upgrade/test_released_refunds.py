"""Version 0.1.0 took Refund objects of released authorizations for refunds: mended or listed."""

from __future__ import annotations

from typing import Any

from tests.behaviour.reconciling import Result, reconcile
from tests.behaviour.steps import MANUAL, Shop, started
from tests.upgrade.previous import world_of_previous
from tests.world import World


async def _released(path: str, **body: Any) -> tuple[World, Shop, Result]:
    """A Payment that 0.1.0 recorded, of an account with an older API version."""
    world = world_of_previous(MANUAL)
    world.stripe.behaviour.releases_make_refunds = True
    shop = await started(world)
    await world.pay(shop.secret)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/{path}", **body)
    await world.deliver_all()
    return world, shop, await reconcile(world, apply=True)


async def test_the_refund_of_a_cancelled_authorization_becomes_a_failure() -> None:
    world, shop, run = await _released("cancel")
    assert (run.code, run.repaired, run.remains) == (0, ["wrong_state"], [])
    assert ("Refund", 1000, "Failure") in await world.transactions(shop.payment_id)


async def test_the_refund_of_an_uncaptured_rest_is_listed_for_people() -> None:
    """Only its amount says that it is none: not enough to take a record away."""
    world, shop, run = await _released("capture", amount_to_capture=400)
    assert (run.code, run.remains) == (1, ["unknown_transaction"])
    assert ("Refund", 600, "Success") in await world.transactions(shop.payment_id)
