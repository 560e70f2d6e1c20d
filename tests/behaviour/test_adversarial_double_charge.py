"""Several ways to pay for one cart or order, met at once or mixed: the money is taken once."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import get_args

import pytest

from sandbox.stripe.state import InternalError
from tests.behaviour import buy_now
from tests.behaviour.steps import (
    Once,
    assert_agreement,
    merchants_order,
    no_trouble,
    shuffled,
    started,
)
from tests.behaviour.stored import ENABLED, charge, state_of
from tests.behaviour.test_bff_payments import Shopper
from tests.behaviour.test_transactions import ABANDONED, charged, customer, die_before_stripe
from tests.wire import Call, Crash, Trouble
from tests.world import Json, World, money

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


def payable(world: World) -> int:
    """How many ways to pay are open at Stripe."""
    by_session = {session["payment_intent"] for session in world.stripe.sessions}
    sessions = [each for each in world.stripe.sessions if each["status"] == "open"]
    intents = [
        each
        for each in world.stripe.intents
        if each["status"] in OPEN and each["id"] not in by_session
    ]
    return len(sessions) + len(intents)


# A charge without the shopper, and the shopper


@pytest.mark.parametrize("wait", [30, 3600, 3600 * 30])
async def test_a_late_repetition_whose_answer_stripe_has_lost_charges_once(wait: int) -> None:
    lin, method_id, cart_id = await customer()
    lin.world.stripe.search_seconds = 60
    lin.world.network.trouble = die_before_stripe
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    lin.world.clock.advance(wait)
    lin.world.stripe.internal_errors.append(InternalError("e", "/v1/payment_intents", "after"))
    await charge(lin.world, cart_id, method_id)
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
    assert charged(lin.world) == 1000
    await assert_agreement(lin.world)


async def test_a_shopper_who_starts_while_a_stored_method_is_charged_cannot_pay_too() -> None:
    for seed in range(40):
        lin, method_id, cart_id = await customer()
        session = await lin.world.session(cart_id)
        processors = [lin.world.start_processor() for _ in range(2)]
        shuffled(lin.world, seed)
        _, shown = await asyncio.gather(
            charge(lin.world, cart_id, method_id, processor=processors[0]),
            processors[1].client.post("/payments", headers=session),
        )
        lin.world.network.turn = None
        if shown.status_code == 200:
            await lin.world.pay(shown.json()["clientSecret"])
        await charge(lin.world, cart_id, method_id)
        assert charged(lin.world) == 1000, seed
        await assert_agreement(lin.world)


async def test_a_shopper_may_pay_once_a_charge_was_abandoned_and_it_comes_too_late() -> None:
    lin, method_id, cart_id = await customer()
    lin.world.network.trouble = die_before_stripe
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    session = await lin.world.session(cart_id)
    refused = await lin.world.client.post("/payments", headers=session)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (409, "PaymentProcessing")
    lin.world.clock.advance(ABANDONED)
    shopper = await lin.world.start(await lin.world.session(cart_id))
    await lin.world.pay(shopper["clientSecret"])
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Failed"
    assert charged(lin.world) == 1000


# Stripe's page, and the form in the shop


async def test_a_payment_page_can_be_used_no_more_once_the_form_is_shown() -> None:
    world = World({**ENABLED, **buy_now.ENABLED})
    await buy_now.create(world)
    [cart] = buy_now.carts(world)
    shop = await world.start(await world.session(cart["id"]))
    assert payable(world) == 1
    [session] = world.stripe.sessions
    assert session["status"] == "expired"
    await world.pay(shop["clientSecret"])
    await assert_agreement(world)
    assert charged(world) == buy_now.PRICE


async def test_a_payment_page_that_was_paid_a_moment_ago_leaves_nothing_to_pay() -> None:
    world = World({**ENABLED, **buy_now.ENABLED})
    created = await buy_now.create(world)
    [cart] = buy_now.carts(world)
    await buy_now.pay(world, created["id"])
    answer = await world.client.post("/payments", headers=await world.session(cart["id"]))
    assert answer.status_code in (400, 409), answer.text
    await assert_agreement(world)
    assert charged(world) == buy_now.PRICE


@pytest.mark.parametrize("tried", [False, True])
async def test_a_form_can_be_used_no_more_once_the_order_has_a_payment_page(tried: bool) -> None:
    world = World()
    shop = await started(
        world, 2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
    )
    if tried:
        await world.pay(shop.secret, "pm_card_visa_chargeDeclined")
        await world.deliver_all()
    order = await merchants_order(world, shop.cart_id)
    shopper = Shopper(world)
    session = await shopper.session(order["id"])
    assert session.status_code == 201, session.text
    assert payable(world) == 1
    await world.pay(shop.secret)
    await shopper.pay(session.json())
    await world.deliver_all()
    assert charged(world) == 2500
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_form_paid_in_the_very_moment_leaves_the_order_without_a_payment_page() -> None:
    world = World()
    shop = await started(
        world, 2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
    )
    order = await merchants_order(world, shop.cart_id)

    async def pay_first(call: Call) -> None:
        if call.path.endswith("/cancel"):
            world.network.turn = None
            await world.pay(shop.secret)

    world.network.turn = pay_first
    assert (await Shopper(world).session(order["id"])).status_code == 409
    assert payable(world) == 0
    assert charged(world) == 2500


@pytest.mark.parametrize("manual", [False, True])
async def test_what_another_payment_has_brought_is_not_asked_for_on_a_payment_page(
    manual: bool,
) -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order(2500)
    transaction = {
        "type": "Authorization" if manual else "Charge",
        "amount": money(2500),
        "state": "Success",
    }
    other = await world.commercetools(
        "POST",
        "payments",
        {
            "amountPlanned": money(2500),
            "paymentMethodInfo": {"paymentInterface": "invoice"},
            "transactions": [transaction],
        },
    )
    current = await world.commercetools("GET", f"orders/{order['id']}")
    action = {"action": "addPayment", "payment": {"typeId": "payment", "id": other["id"]}}
    await world.commercetools(
        "POST", f"orders/{order['id']}", {"version": current["version"], "actions": [action]}
    )
    answer = await shopper.session(order["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "AlreadyPaid")
    assert payable(world) == 0


@pytest.mark.parametrize("trouble", get_args(Trouble))
async def test_trouble_at_any_call_while_the_form_replaces_a_page_leaves_one_of_them(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world = World(buy_now.ENABLED)
        await buy_now.create(world)
        [cart] = buy_now.carts(world)
        session = await world.session(cart["id"])
        world.network.trouble = fault = Once(index, trouble)
        with contextlib.suppress(Crash):
            await world.client.post("/payments", headers=session)
        world.network.trouble = no_trouble
        world.processor = world.start_processor()
        shop = await world.start(session)
        assert payable(world) == 1, index
        await world.pay(shop["clientSecret"])
        await assert_agreement(world)
        assert charged(world) == buy_now.PRICE
        if not fault.happened:
            break
    assert index >= 8


@pytest.mark.parametrize("trouble", get_args(Trouble))
async def test_trouble_at_any_call_while_a_page_replaces_the_form_leaves_one_of_them(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world = World()
        shop = await started(
            world, 2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
        )
        order = await merchants_order(world, shop.cart_id)
        shopper = Shopper(world)
        world.network.trouble = fault = Once(index, trouble)
        with contextlib.suppress(Crash):
            await shopper.session(order["id"])
        world.network.trouble = no_trouble
        world.processor = world.start_processor()
        page = await shopper.session(order["id"])
        assert page.status_code == 201, (index, page.text)
        assert payable(world) == 1, index
        await world.pay(shop.secret)
        await shopper.pay(page.json())
        await world.deliver_all()
        assert charged(world) == 2500
        assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
        if not fault.happened:
            break
    assert index >= 8


async def test_an_order_whose_form_was_paid_and_given_back_can_be_paid_on_a_page() -> None:
    world = World()
    shop = await started(
        world, 2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
    )
    await world.pay(shop.secret)
    await world.deliver_all()
    order = (await world.client.post(f"/api/v1/carts/{shop.cart_id}/order")).json()
    await world.modify(shop.payment_id, action="refundPayment", amount=money(2500))
    shopper = Shopper(world)
    page = await shopper.session(order["id"])
    assert page.status_code == 201, page.text
    await shopper.pay(page.json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


# Payment pages in trouble


async def test_a_page_whose_end_stripe_once_failed_at_can_be_replaced() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order(2500)
    first = (await shopper.session(order["id"])).json()
    stored = world.store.collection("order").get(order["id"])
    assert stored is not None
    cheaper = {**stored, "totalPrice": {**stored["totalPrice"], "centAmount": 2000}}
    line = stored["customLineItems"][0]
    cheaper["customLineItems"] = [
        {
            **line,
            "money": {**line["money"], "centAmount": 2000},
            "totalPrice": {**line["totalPrice"], "centAmount": 2000},
        }
    ]
    world.store.replace("order", cheaper)
    path = f"/v1/checkout/sessions/{first['id']}/expire"
    world.stripe.internal_errors.append(InternalError("e", path, "before"))
    await shopper.session(order["id"])
    second = await shopper.session(order["id"])
    assert second.status_code == 201, second.text
    assert second.json()["id"] != first["id"]
    assert payable(world) == 1


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
@pytest.mark.parametrize("wait", [1, 90, 3600, 3600 * 30])
async def test_a_page_that_was_cut_off_is_opened_however_late_it_is_asked_for_again(
    trouble: Trouble, wait: int
) -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order(2500)

    def die(call: Call) -> Trouble | None:
        return trouble if call.path == "/v1/checkout/sessions" else None

    world.network.trouble = die
    with pytest.raises(Crash):
        await shopper.session(order["id"])
    world.network.trouble = no_trouble
    world.processor = world.start_processor()
    world.clock.advance(wait)
    world.stripe.run_due()
    answer = await shopper.session(order["id"])
    assert answer.status_code == 201, answer.text
    assert payable(world) == 1
    await shopper.pay(answer.json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    assert charged(world) == 2500


@pytest.mark.parametrize("action", ["capturePayment", "refundPayment", "reversePayment"])
async def test_a_page_that_was_just_paid_needs_no_webhook_to_be_worked_on(action: str) -> None:
    world = World({"STRIPE_CAPTURE_METHOD": "manual"} if action == "capturePayment" else {})
    shopper = Shopper(world)
    order = await shopper.order(2500)
    await shopper.pay((await shopper.session(order["id"])).json())
    [payment] = await shopper.payments(order["id"])
    amount: Json = {} if action == "reversePayment" else {"amount": money(2500)}
    answer = await world.modify(payment["id"], action=action, **amount)
    assert answer["outcome"] == "approved"
    await assert_agreement(world)
