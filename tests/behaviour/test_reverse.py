"""Reversals: what was taken goes back, what is held is released, what arrives later goes back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import pytest

from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Always,
    Once,
    Shop,
    assert_agreement,
    attempt,
    effect,
    event,
    events,
    intent_of,
    no_trouble,
    operate,
    refunded,
    shuffled,
    started,
    status_of,
)
from tests.wire import Crash, Trouble
from tests.world import World, money

HELD = ("Authorization", 1000, "Success")
APPROVED = {"outcome": "approved"}


async def paid(world: World, method: str = "pm_card_visa") -> Shop:
    """A payment whose state is recorded."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    await world.deliver_all()
    return shop


async def settle(world: World, shop: Shop, outcome: str) -> None:
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome=outcome)


async def test_a_paid_payment_is_refunded_as_a_whole() -> None:
    world = World()
    shop = await paid(world)
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        HELD,
        ("Charge", 1000, "Success"),
        ("Refund", 1000, "Success"),
    ]


async def test_only_what_is_not_refunded_yet_is() -> None:
    world = World()
    shop = await paid(world)
    await world.modify(shop.payment_id, action="refundPayment", amount=money(300))
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert ("Refund", 700, "Success") in await world.transactions(shop.payment_id)
    assert refunded(world) == 1000


async def test_after_a_partial_capture_only_what_was_captured_is_refunded() -> None:
    world = World(MANUAL)
    shop = await paid(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(400))
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert refunded(world) == 400


async def test_an_authorization_is_released() -> None:
    world = World(MANUAL)
    shop = await paid(world)
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        HELD,
        ("CancelAuthorization", 1000, "Success"),
    ]


async def test_what_was_captured_is_refunded_and_what_is_open_is_released() -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert sorted(await world.transactions(shop.payment_id)) == [
        HELD,
        ("CancelAuthorization", 700, "Success"),
        ("Charge", 300, "Success"),
        ("Refund", 300, "Success"),
    ]


async def test_of_two_parts_one_that_is_still_under_way_makes_it_received() -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world, "pm_card_pendingRefund")
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    outcome = await world.modify(shop.payment_id, action="reversePayment")
    assert outcome == {"outcome": "received"}
    assert ("CancelAuthorization", 700, "Success") in await world.transactions(shop.payment_id)
    await assert_agreement(world)


async def test_a_reversal_of_which_a_part_is_refused_is_rejected_and_tells_what_succeeded() -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", amount=100)
    for _ in range(2):
        body = (await operate(world, shop.payment_id, "reversePayment", key="order-1")).json()
        assert body["outcome"] == "rejected"
        assert body["error"]["code"] == "charge_disputed"
        assert "Released: 7.00 EUR." in body["error"]["message"]
    transactions = await world.transactions(shop.payment_id)
    assert transactions[-2:] == [
        ("CancelAuthorization", 700, "Success"),
        ("Refund", 300, "Failure"),
    ]


@pytest.mark.parametrize("key", ["order-1", None])
async def test_a_repeated_reversal_asks_for_what_is_missing_alone(key: str | None) -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    dispute = await world.at_stripe(f"charges/{charge}/dispute", amount=100)
    body = (await operate(world, shop.payment_id, "reversePayment", key=key)).json()
    assert body["outcome"] == "rejected"
    world.clock.advance(3600)
    body = (await operate(world, shop.payment_id, "reversePayment", key=key)).json()
    assert body["outcome"] == "rejected"
    await world.at_stripe(f"disputes/{dispute['id']}", status="won")
    world.clock.advance(3600)
    await world.deliver_all()
    assert await world.modify(shop.payment_id, key, action="reversePayment") == APPROVED
    assert refunded(world) == 300
    transactions = await world.transactions(shop.payment_id)
    assert [t for t in transactions if t[0] != "Chargeback"] == [
        ("Authorization", 1000, "Success"),
        ("Charge", 300, "Success"),
        ("CancelAuthorization", 700, "Success"),
        ("Refund", 300, "Failure"),
        ("Refund", 300, "Failure"),
        ("Refund", 300, "Success"),
    ]
    await assert_agreement(world)


async def test_a_reversal_is_not_done_while_another_refund_is_open() -> None:
    world = World()
    shop = await paid(world, "pm_card_pendingRefund")
    await world.modify(shop.payment_id, action="refundPayment", amount=money(300))
    world.stripe.refund_seconds = 0
    answer = await world.modify(shop.payment_id, action="reversePayment")
    assert answer == {"outcome": "received"}
    world.clock.advance(61)
    world.stripe.run_due()
    await assert_agreement(world)
    assert refunded(world) == 1000


async def test_where_every_part_is_refused_the_reversal_is() -> None:
    world = World()
    shop = await paid(world, "pm_card_createDispute")
    body = (await operate(world, shop.payment_id, "reversePayment")).json()
    assert body["outcome"] == "rejected"
    assert body["error"]["code"] == "charge_disputed"


async def test_a_payment_that_nobody_paid_can_no_longer_be_paid() -> None:
    world = World()
    shop = await started(world)
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    assert (await intent_of(world, shop.payment_id))["status"] == "canceled"
    await assert_agreement(world)
    assert await status_of(world, shop.payment_id) == "canceled"


async def test_a_payment_that_was_paid_a_moment_ago_is_refunded_rather_than_cancelled() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    assert refunded(world) == 1000


@pytest.mark.parametrize("environment", [{}, MANUAL], ids=["automatic", "manual"])
async def test_a_declined_payment_that_was_paid_since_is_given_back(
    environment: Mapping[str, str],
) -> None:
    world = World(environment)
    shop = await paid(world, "pm_card_visa_chargeDeclined")
    await world.pay(shop.secret)
    assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    await assert_agreement(world)
    intent = await intent_of(world, shop.payment_id)
    assert intent["amount_received"] - refunded(world) == intent["amount_capturable"] == 0


async def test_what_was_given_back_already_cannot_be_reversed() -> None:
    world = World()
    shop = await paid(world)
    await world.modify(shop.payment_id, action="refundPayment", amount=money(1000))
    answer = await operate(world, shop.payment_id, "reversePayment")
    assert answer.status_code == 400
    assert "no successful payment transaction to reverse" in answer.json()["message"]
    assert refunded(world) == 1000


async def test_a_repeated_reversal_is_the_same_one() -> None:
    world = World()
    shop = await paid(world)
    for _ in range(3):
        assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
    assert refunded(world) == 1000


async def test_reversals_at_once_give_the_money_back_once() -> None:
    for seed in range(10):
        world = World(MULTICAPTURE)
        shop = await paid(world)
        await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(
                operate(world, shop.payment_id, "reversePayment", processor=world.start_processor())
                for _ in range(3)
            )
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        world.network.turn = None
        await assert_agreement(world)
        assert refunded(world) == 300


# A direct debit that is still under way


async def test_a_direct_debit_under_way_is_received_and_refunded_once_it_is_paid() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    outcome = await world.modify(shop.payment_id, action="reversePayment")
    assert outcome == {"outcome": "received"}
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Pending"),
        ("CancelAuthorization", 1000, "Pending"),
    ]
    assert await world.modify(shop.payment_id, action="reversePayment") == outcome
    await settle(world, shop, "succeed")
    await assert_agreement(world)
    assert refunded(world) == 1000
    assert sorted(await world.transactions(shop.payment_id)) == [
        HELD,
        ("CancelAuthorization", 1000, "Failure"),
        ("Charge", 1000, "Success"),
        ("Refund", 1000, "Pending"),
    ]


async def test_a_direct_debit_that_nobody_told_of_is_received_too() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    outcome = await world.modify(shop.payment_id, action="reversePayment")
    assert outcome == {"outcome": "received"}
    await settle(world, shop, "succeed")
    await assert_agreement(world)
    assert refunded(world) == 1000


async def test_a_reversed_direct_debit_that_fails_cannot_be_paid_again() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.modify(shop.payment_id, action="reversePayment")
    await settle(world, shop, "fail")
    await assert_agreement(world)
    assert (await intent_of(world, shop.payment_id))["status"] == "canceled"
    assert await status_of(world, shop.payment_id) == "canceled"
    assert ("Authorization", 1000, "Failure") in await world.transactions(shop.payment_id)
    refused = await world.pay(shop.secret)
    assert refused["error"]["code"] == "payment_intent_unexpected_state"
    assert refunded(world) == 0


async def test_asking_again_after_it_was_paid_gives_the_money_back_once() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.modify(shop.payment_id, action="reversePayment")
    await settle(world, shop, "succeed")
    for _ in range(2):
        answer = await operate(world, shop.payment_id, "reversePayment")
        assert answer.status_code == 200
        assert answer.json() == {"outcome": "received"}
    await assert_agreement(world)
    assert refunded(world) == 1000


@pytest.mark.parametrize("key", [None, "reversal-1"])
async def test_asking_again_after_the_money_went_back_is_answered_with_that(
    key: str | None,
) -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.modify(shop.payment_id, key, action="reversePayment")
    await settle(world, shop, "succeed")
    await world.deliver_all()
    assert await world.modify(shop.payment_id, key, action="reversePayment") == {
        "outcome": "received"
    }
    [refund] = world.stripe.refunds
    await world.at_stripe(f"refunds/{refund['id']}", status="succeeded")
    await world.deliver_all()
    assert await world.modify(shop.payment_id, key, action="reversePayment") == APPROVED
    assert refunded(world) == 1000


async def test_while_stripe_cannot_refund_what_arrived_the_event_is_put_off() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.modify(shop.payment_id, action="reversePayment")
    await settle(world, shop, "succeed")
    succeeded = event(world, "payment_intent.succeeded")
    world.network.trouble = Always("refused", "stripe", writes=True)
    for _ in range(2):
        assert (await world.deliver(succeeded)).status_code == 503
    world.network.trouble = no_trouble
    await effect(world, succeeded)
    assert refunded(world) == 1000
    await assert_agreement(world)


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "stored later"])
async def test_trouble_at_any_call_while_the_money_arrives_gives_it_back_once(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world = World()
        shop = await paid(world, "sepa_debit")
        await world.modify(shop.payment_id, action="reversePayment")
        await settle(world, shop, "succeed")
        world.network.trouble = fault = Once(index, trouble)
        try:
            await world.deliver(event(world, "payment_intent.succeeded"))
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        for _ in range(2):
            await world.deliver(event(world, "payment_intent.succeeded"))
        world.stripe.roll_forward()
        await assert_agreement(world)
        assert refunded(world) == 1000, index
        if not fault.happened:
            break
    assert index > 3


async def test_the_news_of_its_success_at_once_give_the_money_back_once() -> None:
    for seed in range(10):
        world = World()
        shop = await paid(world, "sepa_debit")
        await world.modify(shop.payment_id, action="reversePayment")
        await settle(world, shop, "succeed")
        shuffled(world, seed)
        news = events(world, "payment_intent.succeeded", "charge.succeeded")
        await asyncio.gather(
            *(world.deliver(each, world.start_processor()) for each in (*news, *news))
        )
        world.network.turn = None
        await assert_agreement(world)
        assert refunded(world) == 1000


async def test_after_a_crash_the_repetition_completes_both_parts() -> None:
    for index in itertools.count():
        world = World(MULTICAPTURE)
        shop = await paid(world)
        await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
        world.network.trouble = crash = Once(index, "crash after")
        await attempt(world, shop.payment_id, "reversePayment")
        world.network.trouble = no_trouble
        assert await world.modify(shop.payment_id, action="reversePayment") == APPROVED
        await assert_agreement(world)
        assert refunded(world) == 300
        if not crash.happened:
            break
    assert index > 5


async def test_a_late_processing_event_does_not_revive_a_reversed_payment() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.modify(shop.payment_id, action="reversePayment")
    await settle(world, shop, "succeed")
    await world.deliver_all()
    before = await world.transactions(shop.payment_id)
    assert await effect(world, event(world, "payment_intent.processing")) == "already stored"
    assert await world.transactions(shop.payment_id) == before
