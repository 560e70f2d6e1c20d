"""Refund objects that gave nothing back: what older accounts have of released authorizations."""

from __future__ import annotations

import pytest

from sandbox.stripe import captures
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    MANUAL,
    Json,
    Shop,
    assert_agreement,
    dashboard_refund,
    effect,
    events,
    operate,
    started,
)
from tests.property import oracle
from tests.world import World


async def older_account() -> tuple[World, Shop]:
    """1000 authorized in an account whose default version makes refunds of what it releases."""
    world = World(MANUAL)
    world.stripe.behaviour.releases_make_refunds = True
    shop = await started(world)
    await world.pay(shop.secret)
    return world, shop


async def deliver(world: World, order: str) -> None:
    told: list[Json] = events(world)
    for each in reversed(told) if order == "backwards" else told:
        await effect(world, each)
    oracle.check(world)


ORDERS = pytest.mark.parametrize("order", ["forwards", "backwards"])


@ORDERS
async def test_the_rest_of_a_part_capture_was_not_refunded(order: str) -> None:
    world, shop = await older_account()
    [intent] = world.stripe.intents
    captures.capture(world.stripe, intent, 700)
    assert [(r["amount"], r["reason"]) for r in world.stripe.refunds] == [(300, None)]
    await deliver(world, order)
    assert sorted(await world.transactions(shop.payment_id)) == [
        ("Authorization", 1000, "Success"),
        ("CancelAuthorization", 300, "Success"),
        ("Charge", 700, "Success"),
    ]
    answer = await operate(world, shop.payment_id, "refundPayment", 700)
    assert answer.json() == {"outcome": "approved"}
    await assert_agreement(world)


@ORDERS
@pytest.mark.parametrize("how", ["cancel", "expire"])
async def test_what_was_cancelled_or_expired_was_not_refunded(how: str, order: str) -> None:
    world, shop = await older_account()
    [intent] = world.stripe.intents
    if how == "cancel":
        captures.cancel(world.stripe, intent, None)
    else:
        captures.expire(world.stripe, intent)
    assert len(list(world.stripe.refunds)) == 1
    await deliver(world, order)
    assert sorted(await world.transactions(shop.payment_id)) == [
        ("Authorization", 1000, "Success"),
        ("CancelAuthorization", 1000, "Success"),
    ]


@ORDERS
async def test_a_real_refund_of_the_same_amount_is_recorded_beside_it(order: str) -> None:
    world, shop = await older_account()
    [intent] = world.stripe.intents
    captures.capture(world.stripe, intent, 700)
    await dashboard_refund(world, shop.intent_id, 300)
    await deliver(world, order)
    recorded = await world.transactions(shop.payment_id)
    assert [row for row in recorded if row[0] == "Refund"] == [("Refund", 300, "Success")]


async def test_reconcile_takes_none_of_them_for_a_refund() -> None:
    world, shop = await older_account()
    [intent] = world.stripe.intents
    captures.capture(world.stripe, intent, 700)
    await reconcile(world, apply=True)
    oracle.check(world)
    again = await reconcile(world)
    # That less was captured than planned is for a person; all else agrees.
    assert {line["kind"] for line in again.lines} <= {"amount_mismatch"}, again.lines
    assert ("Charge", 700, "Success") in await world.transactions(shop.payment_id)


async def test_what_an_earlier_version_took_for_a_refund_is_corrected() -> None:
    world, shop = await older_account()
    [intent] = world.stripe.intents
    captures.cancel(world.stripe, intent, None)
    [release] = world.stripe.refunds
    await world.deliver_all()
    payment = await world.payment(shop.payment_id)
    draft = {
        "type": "Refund",
        "amount": {"centAmount": 1000, "currencyCode": "EUR"},
        "state": "Success",
        "interactionId": release["id"],
    }
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "addTransaction", "transaction": draft}],
        },
    )
    assert (await reconcile(world, apply=True)).code == 0
    assert ("Refund", 1000, "Failure") in await world.transactions(shop.payment_id)
