"""Cancellations: what is still held is released, and only that."""

from __future__ import annotations

import asyncio

import pytest

from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Always,
    Shop,
    assert_agreement,
    intent_of,
    no_trouble,
    operate,
    shuffled,
    started,
    status_of,
)
from tests.wire import Trouble
from tests.world import World, money

HELD = ("Authorization", 1000, "Success")
RELEASED = ("CancelAuthorization", 1000, "Success")


async def authorized(world: World) -> Shop:
    """A payment that holds 10.00 and is recorded."""
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    return shop


async def test_an_authorization_is_released_and_commercetools_knows_at_once() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [HELD, RELEASED]
    assert await status_of(world, shop.payment_id) == "canceled"
    await assert_agreement(world)


async def test_it_works_before_any_webhook() -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [HELD, RELEASED]


async def test_after_a_partial_capture_the_rest_is_released_and_the_capture_stays() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [
        HELD,
        ("Charge", 300, "Success"),
        ("CancelAuthorization", 700, "Success"),
    ]
    intent = await intent_of(world, shop.payment_id)
    assert (intent["status"], intent["amount_received"]) == ("succeeded", 300)
    await assert_agreement(world)


async def test_after_a_partial_capture_in_the_dashboard_only_the_rest_is_released() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{shop.intent_id}/capture",
        amount_to_capture=300,
        final_capture="false",
    )
    await world.deliver_all()
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    await assert_agreement(world)
    assert ("CancelAuthorization", 700, "Success") in await world.transactions(shop.payment_id)


async def test_a_captured_payment_cannot_be_cancelled() -> None:
    world = World()
    payment_id = await world.paid()
    answer = await operate(world, payment_id, "cancelPayment")
    assert answer.status_code == 400
    assert "only refunded" in answer.json()["message"]
    assert (await intent_of(world, payment_id))["status"] == "succeeded"


async def test_a_payment_that_nobody_paid_can_no_longer_be_paid() -> None:
    world = World()
    shop = await started(world)
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    refused = await world.pay(shop.secret)
    assert refused["error"]["code"] == "payment_intent_unexpected_state"
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_a_payment_that_was_paid_meanwhile_is_not_reported_as_cancelled() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    answer = await operate(world, shop.payment_id, "cancelPayment")
    assert answer.status_code == 400
    await assert_agreement(world)
    assert ("Charge", 1000, "Success") in await world.transactions(shop.payment_id)


async def test_a_direct_debit_under_way_cannot_be_cancelled() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    await world.deliver_all()
    body = (await operate(world, shop.payment_id, "cancelPayment")).json()
    assert body["outcome"] == "rejected"
    assert body["error"]["code"] == "payment_intent_unexpected_state"
    await assert_agreement(world)


async def test_what_was_cancelled_in_the_dashboard_is_approved_and_recorded_once() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [HELD, RELEASED]


async def test_what_was_captured_in_the_dashboard_is_rejected() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/capture")
    body = (await operate(world, shop.payment_id, "cancelPayment")).json()
    assert body["outcome"] == "rejected"
    await assert_agreement(world)
    transactions = await world.transactions(shop.payment_id)
    assert ("CancelAuthorization", 1000, "Failure") in transactions
    assert ("Charge", 1000, "Success") in transactions


async def test_cancelling_again_later_is_approved() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    for seconds in (0, 10, 600, 100_000):
        world.clock.advance(seconds)
        outcome = await world.modify(shop.payment_id, action="cancelPayment")
        assert outcome == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [HELD, RELEASED]


@pytest.mark.parametrize("copies", [2, 5])
async def test_the_same_cancellation_at_once_is_recorded_once(copies: int) -> None:
    for seed in range(8):
        world = World(MANUAL)
        shop = await authorized(world)
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(
                operate(world, shop.payment_id, "cancelPayment", processor=world.start_processor())
                for _ in range(copies)
            )
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert all(
            answer.json() == {"outcome": "approved"}
            for answer in answers
            if answer.status_code == 200
        )
        world.network.turn = None
        await assert_agreement(world)
        assert await world.transactions(shop.payment_id) == [HELD, RELEASED]


@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_stripe_is_down_nothing_is_rejected_and_a_repetition_completes_it(
    trouble: Trouble,
) -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    world.network.trouble = Always(trouble, "stripe")
    assert (await operate(world, shop.payment_id, "cancelPayment")).status_code == 503
    world.network.trouble = no_trouble
    assert await world.modify(shop.payment_id, action="cancelPayment") == {"outcome": "approved"}
    await assert_agreement(world)
