"""Captures that a merchant asks for: whole, in part, in several, and never more than is held."""

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


async def authorized(world: World, method: str = "pm_card_visa") -> Shop:
    """A payment that holds 10.00 and is recorded."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    await world.deliver_all()
    return shop


async def received(world: World, payment_id: str) -> int:
    """What Stripe has taken."""
    return int((await intent_of(world, payment_id))["amount_received"])


async def test_an_authorization_is_captured_as_a_whole() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    assert await world.transactions(shop.payment_id) == [HELD]
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(1000))
    assert outcome == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [HELD, ("Charge", 1000, "Success")]
    assert await status_of(world, shop.payment_id) == "succeeded"
    await assert_agreement(world)


async def test_a_partial_capture_releases_the_rest() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(400))
    assert outcome == {"outcome": "approved"}
    assert await world.transactions(shop.payment_id) == [
        HELD,
        ("Charge", 400, "Success"),
        ("CancelAuthorization", 600, "Success"),
    ]
    await assert_agreement(world)
    answer = await operate(world, shop.payment_id, "capturePayment", 600)
    assert answer.status_code == 400


async def test_a_capture_right_after_the_payment_needs_no_webhook() -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(1000))
    assert outcome == {"outcome": "approved"}
    await assert_agreement(world)


# Several captures


async def test_with_multicapture_the_rest_stays_open_until_it_is_captured() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    for cents in (300, 500):
        await world.modify(shop.payment_id, action="capturePayment", amount=money(cents))
    assert await world.transactions(shop.payment_id) == [
        HELD,
        ("Charge", 300, "Success"),
        ("Charge", 500, "Success"),
    ]
    assert await status_of(world, shop.payment_id) == "requires_capture"
    await world.modify(shop.payment_id, action="capturePayment", amount=money(200))
    assert await status_of(world, shop.payment_id) == "succeeded"
    await assert_agreement(world)
    assert [row for row in await world.transactions(shop.payment_id) if row[0] == "Charge"] == [
        ("Charge", 300, "Success"),
        ("Charge", 500, "Success"),
        ("Charge", 200, "Success"),
    ]


async def test_a_card_without_multicapture_is_captured_once_all_the_same() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world, "pm_card_credit_disableEnterpriseCardFeatures")
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(400))
    assert outcome == {"outcome": "approved"}
    assert ("CancelAuthorization", 600, "Success") in await world.transactions(shop.payment_id)
    await assert_agreement(world)


async def test_two_equal_captures_with_different_references_are_two() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    for parcel in ("parcel-1", "parcel-2"):
        outcome = await world.modify(
            shop.payment_id, action="capturePayment", amount=money(300), merchantReference=parcel
        )
        assert outcome == {"outcome": "approved"}
    assert await received(world, shop.payment_id) == 600
    await assert_agreement(world)


async def test_each_capture_is_named_after_the_charge_and_what_it_came_to() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    for cents in (300, 500):
        await world.modify(shop.payment_id, action="capturePayment", amount=money(cents))
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    payment = await world.payment(shop.payment_id)
    names = [t["interactionId"] for t in payment["transactions"] if t["type"] == "Charge"]
    assert names == [f"{charge}:300", f"{charge}:800"]


# Limits


@pytest.mark.parametrize("cents", [1001, 100_000])
async def test_more_than_is_held_is_refused(cents: int) -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    answer = await operate(world, shop.payment_id, "capturePayment", cents)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "actions.0.amount.centAmount"
    assert "At most 1000" in error["message"]
    assert await world.transactions(shop.payment_id) == [HELD]


async def test_several_captures_never_exceed_what_is_held() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    await world.modify(shop.payment_id, action="capturePayment", amount=money(700))
    assert (await operate(world, shop.payment_id, "capturePayment", 301)).status_code == 400
    assert await received(world, shop.payment_id) == 700


async def test_another_currency_is_refused() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    answer = await operate(world, shop.payment_id, "capturePayment", 1000, currency="USD")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "actions.0.amount.currencyCode"
    assert await received(world, shop.payment_id) == 0


async def test_an_amount_that_stripe_cannot_charge_exactly_is_refused() -> None:
    world = World(MANUAL)
    shop = await started(world, 12_340, "KWD")
    await world.pay(shop.secret)
    answer = await operate(world, shop.payment_id, "capturePayment", 12_335, currency="KWD")
    assert answer.status_code == 400
    assert await received(world, shop.payment_id) == 0


@pytest.mark.parametrize(
    "method", ["pm_card_visa_chargeDeclined", "pm_card_authenticationRequired"]
)
async def test_a_payment_that_holds_nothing_cannot_be_captured(method: str) -> None:
    world = World(MANUAL)
    shop = await authorized(world, method)
    answer = await operate(world, shop.payment_id, "capturePayment", 1000)
    assert answer.status_code == 400
    assert await received(world, shop.payment_id) == 0


async def test_a_payment_that_was_captured_at_once_cannot_be_captured_again() -> None:
    world = World()
    payment_id = await world.paid()
    assert (await operate(world, payment_id, "capturePayment", 1000)).status_code == 400
    assert await received(world, payment_id) == 1000


# At once, refused, put off


@pytest.mark.parametrize("copies", [2, 5])
async def test_the_same_capture_at_once_is_made_once(copies: int) -> None:
    for seed in range(8):
        world = World(MULTICAPTURE)
        shop = await authorized(world)
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(
                operate(
                    world,
                    shop.payment_id,
                    "capturePayment",
                    300,
                    processor=world.start_processor(),
                )
                for _ in range(copies)
            )
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        world.network.turn = None
        assert await received(world, shop.payment_id) == 300
        await assert_agreement(world)


async def test_another_capture_has_to_wait_for_the_unfinished_one() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    world.network.trouble = Always("refused", "stripe", writes=True)
    assert (await operate(world, shop.payment_id, "capturePayment", 300)).status_code == 503
    world.network.trouble = no_trouble
    answer = await operate(world, shop.payment_id, "capturePayment", 200)
    assert answer.status_code == 409
    assert answer.headers["Retry-After"] == "5"
    assert await received(world, shop.payment_id) == 0
    await world.modify(shop.payment_id, action="capturePayment", amount=money(300))
    await world.modify(shop.payment_id, action="capturePayment", amount=money(200))
    assert await received(world, shop.payment_id) == 500
    await assert_agreement(world)


async def test_a_capture_that_nobody_repeats_is_given_up_when_another_is_asked_for() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    world.network.trouble = Always("refused", "stripe", writes=True)
    await operate(world, shop.payment_id, "capturePayment", 300)
    world.network.trouble = no_trouble
    world.clock.advance(121)
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(200))
    assert outcome == {"outcome": "approved"}
    charges = [row for row in await world.transactions(shop.payment_id) if row[0] == "Charge"]
    assert charges == [("Charge", 300, "Failure"), ("Charge", 200, "Success")]
    assert await received(world, shop.payment_id) == 200


async def test_what_stripe_refuses_is_rejected_with_its_code_and_recorded_as_failed() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    # Canceled in the Dashboard, and nobody has told the processor.
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    body = (await operate(world, shop.payment_id, "capturePayment", 1000)).json()
    assert body["outcome"] == "rejected"
    assert body["error"]["code"] == "payment_intent_unexpected_state"
    payment = await world.payment(shop.payment_id)
    [charge] = [t for t in payment["transactions"] if t["type"] == "Charge"]
    assert charge["state"] == "Failure"
    assert charge["custom"]["fields"]["stripeConnector_error"] == "payment_intent_unexpected_state"
    await assert_agreement(world)


@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_stripe_is_down_nothing_is_rejected_and_a_repetition_completes_it(
    trouble: Trouble,
) -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    world.network.trouble = Always(trouble, "stripe")
    answer = await operate(world, shop.payment_id, "capturePayment", 1000)
    assert answer.status_code == 503
    assert await world.transactions(shop.payment_id) == [HELD, ("Charge", 1000, "Initial")]
    world.network.trouble = no_trouble
    outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(1000))
    assert outcome == {"outcome": "approved"}
    await assert_agreement(world)
