"""Stripe holds another amount than the cart costs: recorded as it is, and nothing is fulfilled."""

from __future__ import annotations

import itertools

import httpx
import pytest

from tests.behaviour.steps import (
    MANUAL,
    Always,
    Once,
    Shop,
    assert_agreement,
    confirm,
    effect,
    event,
    events,
    intent_of,
    no_trouble,
    refunded,
    started,
    status_of,
)
from tests.wire import Crash, Trouble
from tests.world import World

REVERSE = {"STRIPE_MISMATCH_ACTION": "reverse"}
PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


async def grown_after_paying(world: World, method: str = "pm_card_visa") -> Shop:
    """The shopper pays 10.00, and then the cart costs 15.00."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    await world.reprice(shop.cart_id, 1500)
    return shop


def assert_refused(answer: httpx.Response, shop: Shop) -> None:
    assert answer.status_code == 409, answer.text
    body = answer.json()
    assert body["outcome"] == "rejected"
    [error] = body["errors"]
    assert (error["code"], error["paymentReference"]) == ("AmountMismatch", shop.payment_id)


async def test_a_cart_that_changed_after_the_shopper_paid_is_not_approved() -> None:
    world = World()
    shop = await grown_after_paying(world)
    assert_refused(await confirm(world, shop), shop)
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    payment = await world.payment(shop.payment_id)
    text = payment["paymentStatus"]["interfaceText"]
    assert text == "Stripe holds 10.00 EUR, planned were 15.00 EUR."
    assert payment["amountPlanned"]["centAmount"] == 1500


async def test_what_stripe_took_is_recorded_with_stripes_amount() -> None:
    world = World()
    shop = await grown_after_paying(world)
    await confirm(world, shop)
    assert await world.transactions(shop.payment_id) == PAID
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == PAID


async def test_no_late_event_brings_back_the_mismatch_of_what_was_released() -> None:
    world = World({**MANUAL, **REVERSE})
    shop = await grown_after_paying(world)
    await confirm(world, shop)
    for told in (*events(world), *reversed(events(world))):
        await effect(world, told)
    assert await status_of(world, shop.payment_id) == "canceled"


async def test_no_late_event_hides_the_mismatch() -> None:
    world = World(MANUAL)
    shop = await grown_after_paying(world)
    await confirm(world, shop)
    for told in (*events(world), *reversed(events(world))):
        await effect(world, told)
    assert await status_of(world, shop.payment_id) == "amount_mismatch"


async def test_asking_again_is_refused_again() -> None:
    world = World()
    shop = await grown_after_paying(world)
    for _ in range(3):
        assert_refused(await confirm(world, shop), shop)
    await world.deliver_all()
    assert_refused(await confirm(world, shop), shop)


async def test_a_cart_that_changes_back_is_approved() -> None:
    world = World()
    shop = await grown_after_paying(world)
    assert_refused(await confirm(world, shop), shop)
    await world.reprice(shop.cart_id, 1000)
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
    assert await status_of(world, shop.payment_id) == "succeeded"
    payment = await world.payment(shop.payment_id)
    assert payment["amountPlanned"]["centAmount"] == 1000


@pytest.mark.parametrize("told", [False, True], ids=["before the webhook", "after the webhook"])
async def test_a_plan_that_lags_behind_cart_and_stripe_is_corrected(told: bool) -> None:
    world = World()
    shop = await started(world)
    await world.reprice(shop.cart_id, 1500)
    world.network.trouble = lambda call: (
        "crash before" if b"changeAmountPlanned" in call.body else None
    )
    with pytest.raises(Crash):
        await world.client.post("/payments", headers=shop.session)
    world.network.trouble = no_trouble
    world.processor = world.start_processor()
    assert (await intent_of(world, shop.payment_id))["amount"] == 1500
    await world.pay(shop.secret)
    if told:
        await world.deliver_all()
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
    payment = await world.payment(shop.payment_id)
    assert payment["amountPlanned"]["centAmount"] == 1500
    assert payment["paymentStatus"]["interfaceCode"] == "succeeded"


async def test_an_amount_changed_at_stripe_is_noticed_by_the_webhook() -> None:
    world = World()
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}", amount="900")
    await world.pay(shop.secret)
    await effect(world, event(world, "payment_intent.succeeded"))
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 900, "Success"),
        ("Charge", 900, "Success"),
    ]
    assert_refused(await confirm(world, shop), shop)


async def test_while_it_is_held_no_money_moves() -> None:
    world = World()
    shop = await grown_after_paying(world)
    await confirm(world, shop)
    await world.deliver_all()
    assert refunded(world) == 0
    assert (await intent_of(world, shop.payment_id))["status"] == "succeeded"


# Set to reverse


async def test_set_to_reverse_what_was_charged_goes_back_and_the_answer_stays_409() -> None:
    world = World(REVERSE)
    shop = await grown_after_paying(world)
    assert_refused(await confirm(world, shop), shop)
    assert refunded(world) == 1000
    await assert_agreement(world)
    assert_refused(await confirm(world, shop), shop)
    assert refunded(world) == 1000
    assert ("Refund", 1000, "Success") in await world.transactions(shop.payment_id)


@pytest.mark.parametrize("refund_works", [True, False])
async def test_set_to_reverse_a_cart_that_changes_back_does_not_get_the_money_that_went_back(
    refund_works: bool,
) -> None:
    world = World(REVERSE)
    shop = await grown_after_paying(world)
    if not refund_works:
        world.network.trouble = Always("refused", "stripe", writes=True)
    assert (await confirm(world, shop)).status_code == (409 if refund_works else 503)
    world.network.trouble = no_trouble
    await world.reprice(shop.cart_id, 1000)
    answer = await confirm(world, shop)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "PaymentReversed"
    await assert_agreement(world)
    assert refunded(world) == 1000


async def test_set_to_reverse_an_authorization_is_released() -> None:
    world = World({**REVERSE, **MANUAL})
    shop = await grown_after_paying(world)
    assert_refused(await confirm(world, shop), shop)
    assert (await intent_of(world, shop.payment_id))["status"] == "canceled"
    await assert_agreement(world)


async def test_set_to_reverse_the_webhook_reverses_too() -> None:
    world = World(REVERSE)
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}", amount="900")
    await world.pay(shop.secret)
    await assert_agreement(world)
    assert refunded(world) == 900
    await assert_agreement(world)
    assert refunded(world) == 900


async def test_set_to_reverse_a_direct_debit_is_refunded_once_it_is_paid() -> None:
    world = World(REVERSE)
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}", amount="900")
    await world.pay(shop.secret, "sepa_debit")
    await world.deliver_all()
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    await assert_agreement(world)
    assert refunded(world) == 900


async def test_set_to_reverse_a_cart_that_agrees_is_left_alone() -> None:
    world = World(REVERSE)
    shop = await started(world)
    await world.pay(shop.secret)
    assert (await confirm(world, shop)).status_code == 200
    await assert_agreement(world)
    assert refunded(world) == 0


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "stored after"])
async def test_trouble_at_any_call_of_the_reversal_gives_the_money_back_once(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world = World(REVERSE)
        shop = await started(world)
        await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}", amount="900")
        await world.pay(shop.secret)
        succeeded = event(world, "payment_intent.succeeded")
        world.network.trouble = fault = Once(index, trouble)
        try:
            await world.deliver(succeeded)
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        await effect(world, succeeded)
        await assert_agreement(world)
        assert refunded(world) == 900, index
        if not fault.happened:
            break
    assert index > 3


async def test_set_to_reverse_and_stripe_down_the_event_is_put_off() -> None:
    world = World(REVERSE)
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}", amount="900")
    await world.pay(shop.secret)
    succeeded = event(world, "payment_intent.succeeded")
    world.network.trouble = Always("refused", "stripe", writes=True)
    for _ in range(2):
        assert (await world.deliver(succeeded)).status_code == 503
    world.network.trouble = no_trouble
    await effect(world, succeeded)
    assert refunded(world) == 900
