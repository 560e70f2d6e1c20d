"""Refunds as Stripe tells of them: each by its own id, with its own amount and its final state."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from tests.behaviour.steps import (
    Always,
    Shop,
    assert_agreement,
    dashboard_refund,
    effect,
    event,
    events,
    no_trouble,
    operate,
    shuffled,
    started,
)
from tests.property import oracle
from tests.world import World


async def paid(world: World, method: str = "pm_card_visa") -> Shop:
    """A payment that is recorded as paid."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    await world.deliver_all()
    return shop


async def refunds(world: World, shop: Shop) -> list[tuple[int, str, str | None]]:
    """Amount, state and Stripe's id of the recorded refunds."""
    payment = await world.payment(shop.payment_id)
    return [
        (t["amount"]["centAmount"], t["state"], t.get("interactionId"))
        for t in payment["transactions"]
        if t["type"] == "Refund"
    ]


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
async def test_one_refund_seen_five_times_is_one(kind: str) -> None:
    world = World()
    shop = await paid(world)
    refund = await dashboard_refund(world, shop.intent_id, 300)
    became = [await effect(world, event(world, kind)) for _ in range(5)]
    assert became == ["stored"] + ["already stored"] * 4
    assert await refunds(world, shop) == [(300, "Success", refund)]


async def test_one_refund_seen_at_five_instances_at_once_is_one() -> None:
    for seed in range(8):
        world = World()
        shop = await paid(world)
        refund = await dashboard_refund(world, shop.intent_id, 300)
        told = [*events(world, "refund.created"), *events(world, "charge.refunded")]
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(world.deliver(each, world.start_processor()) for each in (told * 3)[:5])
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        world.network.turn = None
        await world.deliver_all()
        assert await refunds(world, shop) == [(300, "Success", refund)]


@pytest.mark.parametrize("kind", ["refund.created", "charge.refunded"])
async def test_two_equal_partial_refunds_are_two(kind: str) -> None:
    world = World()
    shop = await paid(world)
    ids = [await dashboard_refund(world, shop.intent_id, 300) for _ in range(2)]
    for told in events(world, kind):
        await effect(world, told)
    assert sorted(await refunds(world, shop)) == sorted((300, "Success", id_) for id_ in ids)


async def test_one_event_about_the_charge_brings_all_refunds() -> None:
    world = World()
    shop = await paid(world)
    for cents in (100, 200, 100):
        await dashboard_refund(world, shop.intent_id, cents)
    await effect(world, events(world, "charge.refunded")[0])
    oracle.check(world)
    assert sorted(cents for cents, _, _ in await refunds(world, shop)) == [100, 100, 200]


async def test_more_refunds_than_fit_on_a_page_are_all_recorded() -> None:
    world = World()
    shop = await started(world, 12_000)
    await world.pay(shop.secret)
    await world.deliver_all()
    for _ in range(105):
        await dashboard_refund(world, shop.intent_id, 100)
    await effect(world, events(world, "charge.refunded")[-1])
    oracle.check(world)
    assert len(await refunds(world, shop)) == 105


async def test_a_refund_that_takes_a_while_is_pending_first() -> None:
    world = World()
    shop = await paid(world, "pm_card_pendingRefund")
    refund = await dashboard_refund(world, shop.intent_id, 300)
    await world.deliver_all()
    assert await refunds(world, shop) == [(300, "Pending", refund)]
    world.clock.advance(61)
    world.stripe.run_due()
    await world.deliver_all()
    assert await refunds(world, shop) == [(300, "Success", refund)]


async def test_a_refund_that_fails_after_it_had_succeeded_has_failed() -> None:
    world = World()
    shop = await paid(world, "pm_card_refundFail")
    refund = await dashboard_refund(world, shop.intent_id, 300)
    await world.deliver_all()
    assert await refunds(world, shop) == [(300, "Success", refund)]
    world.clock.advance(61)
    world.stripe.run_due()
    await world.deliver_all()
    assert await refunds(world, shop) == [(300, "Failure", refund)]


async def test_in_every_order_a_refunds_story_ends_as_it_did_at_stripe() -> None:
    async def told() -> tuple[World, Shop]:
        world = World()
        shop = await paid(world, "pm_card_pendingRefund")
        refund = await dashboard_refund(world, shop.intent_id, 300)
        await world.at_stripe(f"refunds/{refund}", status="succeeded")
        await world.at_stripe(f"refunds/{refund}", status="failed")
        return world, shop

    world, _ = await told()
    story = len(events(world, "refund.created", "refund.updated", "refund.failed"))
    assert story == 4
    for order in itertools.permutations(range(story)):
        world, shop = await told()
        chapters = events(world, "refund.created", "refund.updated", "refund.failed")
        for number in order:
            await effect(world, chapters[number])
        [(cents, state, _)] = await refunds(world, shop)
        assert (cents, state) == (300, "Failure"), order


async def test_late_news_of_a_pending_refund_changes_nothing() -> None:
    world = World()
    shop = await paid(world, "pm_card_pendingRefund")
    refund = await dashboard_refund(world, shop.intent_id, 300)
    await world.at_stripe(f"refunds/{refund}", status="succeeded")
    await effect(world, event(world, "refund.updated"))
    assert await effect(world, event(world, "refund.created")) == "already stored"
    assert await refunds(world, shop) == [(300, "Success", refund)]


async def test_a_refund_that_was_canceled_has_failed() -> None:
    world = World()
    shop = await paid(world, "pm_card_pendingRefund")
    refund = await dashboard_refund(world, shop.intent_id, 300)
    await world.at_stripe(f"refunds/{refund}", status="requires_action")
    await world.deliver_all()
    assert await refunds(world, shop) == [(300, "Pending", refund)]
    await world.ask_stripe("POST", f"/v1/refunds/{refund}/cancel")
    await assert_agreement(world)
    assert await refunds(world, shop) == [(300, "Failure", refund)]


async def test_what_a_failed_refund_did_not_give_back_can_be_refunded() -> None:
    world = World()
    shop = await paid(world, "pm_card_refundFail")
    await dashboard_refund(world, shop.intent_id, 1000)
    world.clock.advance(61)
    world.stripe.run_due()
    await world.deliver_all()
    answer = await operate(world, shop.payment_id, "refundPayment", 1000)
    assert answer.json() == {"outcome": "approved"}


async def test_the_refund_comes_before_the_payment_is_recorded() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await dashboard_refund(world, shop.intent_id, 300)
    for told in reversed(events(world)):
        await effect(world, told)
    oracle.check(world)
    assert sorted(await world.transactions(shop.payment_id)) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
        ("Refund", 300, "Success"),
    ]


async def test_cancel_and_partial_capture_are_no_refunds() -> None:
    world = World({"STRIPE_CAPTURE_METHOD": "manual"})
    shop = await paid(world)
    await operate(world, shop.payment_id, "capturePayment", 400)
    await assert_agreement(world)
    assert await refunds(world, shop) == []


async def test_a_refund_of_ours_and_one_from_the_dashboard_are_told_apart() -> None:
    world = World()
    shop = await paid(world)
    theirs = await dashboard_refund(world, shop.intent_id, 300)
    await operate(world, shop.payment_id, "refundPayment", 300)
    [ours] = [refund["id"] for refund in world.stripe.refunds if refund["id"] != theirs]
    for told in reversed(events(world)):
        await effect(world, told)
    oracle.check(world)
    assert sorted(await refunds(world, shop)) == sorted(
        [(300, "Success", ours), (300, "Success", theirs)]
    )


async def test_a_dashboard_refund_is_not_taken_for_an_equal_one_that_we_have_begun() -> None:
    world = World()
    shop = await paid(world)
    world.network.trouble = Always("refused", "stripe", writes=True)
    assert (await operate(world, shop.payment_id, "refundPayment", 300)).status_code == 503
    world.network.trouble = no_trouble
    theirs = await dashboard_refund(world, shop.intent_id, 300)
    await effect(world, event(world, "refund.created"))
    assert await refunds(world, shop) == [(300, "Initial", None), (300, "Success", theirs)]
    answer = await operate(world, shop.payment_id, "refundPayment", 300)
    assert answer.json() == {"outcome": "approved"}
    await assert_agreement(world)
    assert len(world.stripe.refunds) == 2


@pytest.mark.parametrize("ours", [True, False], ids=["by us", "in the Dashboard"])
async def test_why_a_refund_failed_is_recorded_and_told(
    ours: bool, caplog: pytest.LogCaptureFixture
) -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    if ours:
        await operate(world, shop.payment_id, "refundPayment", 300, key="k")
    else:
        await dashboard_refund(world, shop.intent_id, 300)
    [refund] = world.stripe.refunds
    failed = {"status": "failed", "failure_reason": "lost_or_stolen_card"}
    await world.at_stripe(f"refunds/{refund['id']}", **failed)
    await assert_agreement(world)
    payment = await world.payment(shop.payment_id)
    [recorded] = [t for t in payment["transactions"] if t["type"] == "Refund"]
    assert recorded["state"] == "Failure"
    assert recorded["custom"]["fields"]["stripeConnector_error"] == "lost_or_stolen_card"
    assert "A refund has failed" in caplog.messages
    if ours:
        again = (await operate(world, shop.payment_id, "refundPayment", 300, key="k")).json()
        assert again["error"]["code"] == "lost_or_stolen_card"
