"""Every order of events comes to the same record, also of what waits, grows and is released."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from sandbox.stripe import captures
from tests.behaviour.steps import MANUAL, Json, Shop, dashboard_refund, started
from tests.property import oracle
from tests.world import World

ORDERS = int(os.environ.get("EVENT_ORDERS", "25"))
FLEXIBLE = {
    "request_overcapture": "if_available",
    "request_incremental_authorization": "if_available",
}


async def flexible(*, older: bool = True) -> tuple[World, Shop]:
    world = World(MANUAL)
    world.stripe.behaviour.releases_make_refunds = older
    shop = await started(world)
    world.stripe.intents[shop.intent_id]["payment_method_options"]["card"].update(FLEXIBLE)
    await world.pay(shop.secret)
    return world, shop


async def increment(world: World, shop: Shop, amount: int) -> None:
    path = f"/v1/payment_intents/{shop.intent_id}/increment_authorization"
    await world.ask_stripe("POST", path, amount=amount)


async def incremented_and_captured_in_part() -> World:
    world, shop = await flexible()
    for amount in (1200, 1500):
        await increment(world, shop, amount)
    captures.capture(world.stripe, world.stripe.intents[shop.intent_id], 700)
    await dashboard_refund(world, shop.intent_id, 100)
    return world


async def incremented_and_cancelled() -> World:
    world, shop = await flexible()
    await increment(world, shop, 1500)
    captures.cancel(world.stripe, world.stripe.intents[shop.intent_id], None)
    return world


async def incremented_and_overcaptured() -> World:
    world, shop = await flexible()
    await increment(world, shop, 1500)
    world.stripe.charges[world.stripe.intents[shop.intent_id]["latest_charge"]][
        "payment_method_details"
    ]["card"]["overcapture"]["maximum_amount_capturable"] = 1800
    captures.capture(world.stripe, world.stripe.intents[shop.intent_id], 1800)
    await dashboard_refund(world, shop.intent_id, 1800)
    return world


async def expired_after_a_decline() -> World:
    world = World(MANUAL)
    world.stripe.behaviour.releases_make_refunds = True
    shop = await started(world)
    await world.pay(shop.secret, "pm_card_visa_chargeDeclined")
    await world.pay(shop.secret)
    captures.expire(world.stripe, world.stripe.intents[shop.intent_id])
    return world


async def part_approved_and_disputed() -> World:
    world = World(MANUAL)
    world.stripe.behaviour.approves_at_most = 700
    shop = await started(world)
    await world.pay(shop.secret)
    intent = world.stripe.intents[shop.intent_id]
    captures.capture(world.stripe, intent, 600)
    charge = intent["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", amount=900)
    await world.at_stripe(f"charges/{charge}/dispute", amount=100, currency="usd")
    first, second = [dispute["id"] for dispute in world.stripe.disputes]
    for status in ("won", "needs_response", "lost"):
        await world.at_stripe(f"disputes/{first}", status=status)
    await world.at_stripe(f"disputes/{second}", status="lost", reinstated=True)
    return world


async def voucher_that_expired_and_was_paid_by_card() -> World:
    world = World()
    shop = await started(world)
    path = f"/v1/payment_intents/{shop.intent_id}/confirm"
    voucher = {"payment_method_data[type]": "multibanco", "return_url": "http://localhost:3000/r"}
    await world.ask_stripe("POST", path, **voucher)
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="fail")
    await world.ask_stripe("POST", path, **voucher)
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="fail")
    await world.pay(shop.secret)
    await dashboard_refund(world, shop.intent_id, 300)
    return world


async def transfer_in_parts() -> World:
    world = World()
    shop = await started(world)
    theirs = await world.ask_stripe("POST", "/v1/customers")
    path = f"/v1/payment_intents/{shop.intent_id}"
    await world.ask_stripe("POST", path, customer=theirs["id"])
    transfer = {
        "payment_method_data[type]": "customer_balance",
        "return_url": "http://localhost:3000/r",
    }
    await world.ask_stripe("POST", f"{path}/confirm", **transfer)
    for amount in (300, 300, 700):
        await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=amount)
    refund = await dashboard_refund(world, shop.intent_id, 200)
    await world.at_stripe(f"refunds/{refund}", status="failed")
    return world


WORLDS: list[Callable[[], Awaitable[World]]] = [
    incremented_and_captured_in_part,
    incremented_and_cancelled,
    incremented_and_overcaptured,
    expired_after_a_decline,
    part_approved_and_disputed,
    voucher_that_expired_and_was_paid_by_card,
    transfer_in_parts,
]


def record(payment: Json) -> tuple[Counter[tuple[str, str]], list[tuple[str, str, int, str]]]:
    """What was authorized, captured and released in total, and each refund and each dispute.

    How often an increment was seen in between decides how many Authorizations there are.
    """
    totals: Counter[tuple[str, str]] = Counter()
    each = []
    for t in payment["transactions"]:
        cents = t["amount"]["centAmount"]
        if t["type"] in ("Refund", "Chargeback"):
            each.append((t["type"], t["interactionId"], cents, t["state"]))
        elif t["state"] != "Failure":
            totals[t["type"], t["state"]] += cents
    return totals, sorted(each)


@pytest.mark.parametrize("make", WORLDS, ids=lambda make: make.__name__)
async def test_every_order_of_events_comes_to_the_same(
    make: Callable[[], Awaitable[World]],
) -> None:
    world = await make()
    [before] = world.store.collection("payment")
    dice = random.Random(11)
    first = None
    for _ in range(ORDERS):
        told = [*world.stripe.events, *dice.sample(world.stripe.events, 3)]
        dice.shuffle(told)
        for event in told:
            answer = await world.deliver(event)
            assert answer.status_code == 200, (event["type"], answer.text)
        order = [event["type"] for event in told]
        oracle.check(world)
        [payment] = world.store.collection("payment")
        first = first or record(payment)
        assert first[0], "something is recorded"
        assert record(payment) == first, order
        world.put_back("payment", before)
