"""What an intent holds may change after its authorization: increments and overcaptures."""

from __future__ import annotations

import itertools

import pytest

from tests.behaviour.steps import (
    MANUAL,
    Json,
    Shop,
    assert_agreement,
    effect,
    events,
    operate,
    started,
)
from tests.property import oracle
from tests.world import World

FLEXIBLE = {
    "request_overcapture": "if_available",
    "request_incremental_authorization": "if_available",
}


async def authorized(world: World) -> Shop:
    """1000 authorized, nothing recorded yet; the merchant may increment and overcapture."""
    shop = await started(world)
    world.stripe.intents[shop.intent_id]["payment_method_options"]["card"].update(FLEXIBLE)
    await world.pay(shop.secret)
    return shop


async def increment(world: World, shop: Shop, amount: int) -> None:
    path = f"/v1/payment_intents/{shop.intent_id}/increment_authorization"
    await world.ask_stripe("POST", path, amount=amount)


async def capture(world: World, shop: Shop, amount: int) -> None:
    path = f"/v1/payment_intents/{shop.intent_id}/capture"
    await world.ask_stripe("POST", path, amount_to_capture=amount)


async def in_every_order(
    world: World, payment_id: str, expected: list[tuple[str, int, str]]
) -> None:
    """Deliver the events of the last Payment in many orders; each gives the same record."""
    told = [e for e in events(world) if e["type"] != "payment_intent.created"]
    before = await world.payment(payment_id)
    for order in itertools.permutations(told):
        world.put_back("payment", before)
        for each in order:
            await effect(world, each)
        assert sorted(await world.transactions(payment_id)) == expected, [e["type"] for e in order]
        oracle.check(world)


async def test_an_increment_adds_what_was_approved_more() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    await world.deliver_all()
    await increment(world, shop, 1500)
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Authorization", 500, "Success"),
    ]
    answer = await operate(world, shop.payment_id, "capturePayment", 1500)
    assert answer.json()["outcome"] == "approved"
    assert ("Charge", 1500, "Success") in await world.transactions(shop.payment_id)


@pytest.mark.parametrize("action", ["cancelPayment", "reversePayment"])
async def test_what_is_given_up_is_all_that_stripe_held(action: str) -> None:
    """The increment is not recorded yet when the cancellation is asked for."""
    world = World(MANUAL)
    shop = await authorized(world)
    await world.deliver_all()
    await increment(world, shop, 1500)
    answer = await operate(world, shop.payment_id, action)
    assert answer.json()["outcome"] == "approved"
    await assert_agreement(world)
    recorded = await world.transactions(shop.payment_id)
    assert sum(a for t, a, s in recorded if t == "CancelAuthorization" and s == "Success") == 1500
    assert sum(a for t, a, s in recorded if t == "Authorization" and s == "Success") == 1500


async def test_a_part_approval_is_what_was_approved_and_marked() -> None:
    world = World(MANUAL)
    world.stripe.behaviour.approves_at_most = 700
    shop = await authorized(world)
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [("Authorization", 700, "Success")]
    payment = await world.payment(shop.payment_id)
    assert payment["paymentStatus"]["interfaceCode"] == "amount_mismatch"
    too_much = await operate(world, shop.payment_id, "capturePayment", 1000)
    assert too_much.status_code == 400
    answer = await operate(world, shop.payment_id, "cancelPayment")
    assert answer.json()["outcome"] == "approved"
    assert ("CancelAuthorization", 700, "Success") in await world.transactions(shop.payment_id)


async def test_an_overcapture_is_a_charge_and_no_authorization() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    await capture(world, shop, 1200)
    expected = [("Authorization", 1000, "Success"), ("Charge", 1200, "Success")]
    await in_every_order(world, shop.payment_id, expected)
    assert (await operate(world, shop.payment_id, "refundPayment", 1200)).json() == {
        "outcome": "approved"
    }


async def test_increments_and_a_part_capture_agree_in_every_order() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    await increment(world, shop, 1500)
    await capture(world, shop, 400)
    told: list[Json] = [e for e in events(world) if e["type"] != "payment_intent.created"]
    for each in reversed(told):
        await effect(world, each)
    oracle.check(world)
    recorded = await world.transactions(shop.payment_id)
    assert sum(a for t, a, _ in recorded if t == "Authorization") == 1500
    assert sum(a for t, a, _ in recorded if t == "CancelAuthorization") == 1100
    assert [(t, a) for t, a, _ in recorded if t == "Charge"] == [("Charge", 400)]
