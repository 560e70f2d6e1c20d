"""A sale of which others have brought a part is asked for the rest, on every way to pay."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import confirm, refunded, started
from tests.behaviour.test_bff_payments import Shopper
from tests.world import World, money

Json = dict[str, Any]


async def other_payment(world: World, path: str, cents: int, type_: str = "Charge") -> Json:
    """What another connector, such as one for gift cards, has brought to a cart or order."""
    payment = await world.commercetools(
        "POST",
        "payments",
        {
            "amountPlanned": money(cents),
            "paymentMethodInfo": {"paymentInterface": "gift-cards", "method": "giftcard"},
            "transactions": [{"type": type_, "amount": money(cents), "state": "Success"}],
        },
    )
    now = await world.commercetools("GET", path)
    action = {"action": "addPayment", "payment": {"typeId": "payment", "id": payment["id"]}}
    await world.commercetools("POST", path, {"version": now["version"], "actions": [action]})
    return payment


async def partly_paid_order(world: World, cents: int = 1000, type_: str = "Charge") -> Json:
    """An order of 25.00 of which another connector has brought some."""
    cart = await world.cart(
        2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
    )
    await other_payment(world, f"carts/{cart['id']}", cents, type_)
    answer = await world.client.post(f"/api/v1/carts/{cart['id']}/order")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("action", ["hold", "reverse"])
async def test_the_page_of_an_order_asks_for_the_rest_and_the_order_becomes_paid(
    action: str,
) -> None:
    world = World({"STRIPE_MISMATCH_ACTION": action})
    order = await partly_paid_order(world)
    shopper = Shopper(world)
    page = (await shopper.session(order["id"])).json()
    [session] = world.stripe.sessions
    assert session["amount_total"] == 1500
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    ours = (await shopper.payments(order["id"]))[-1]
    assert ours["amountPlanned"]["centAmount"] == 1500
    assert ours["paymentStatus"]["interfaceCode"] == "succeeded"
    assert refunded(world) == 0
    assert (await reconcile(world)).lines == []


async def test_the_page_says_that_it_asks_for_a_rest() -> None:
    world = World()
    order = await partly_paid_order(world)
    await Shopper(world).session(order["id"])
    [session] = world.stripe.sessions
    listed = await world.ask_stripe("GET", f"/v1/checkout/sessions/{session['id']}/line_items")
    [line] = listed["data"]
    assert line["description"].startswith("Still to pay for order ")
    assert line["amount_total"] == 1500


async def test_an_order_that_others_have_covered_has_no_page() -> None:
    world = World()
    order = await partly_paid_order(world, 2500, "Authorization")
    answer = await Shopper(world).session(order["id"])
    assert (answer.status_code, answer.json()["code"]) == (409, "AlreadyPaid")
    assert not list(world.stripe.sessions)


async def test_a_page_whose_rest_has_become_smaller_is_replaced() -> None:
    world = World()
    order = await partly_paid_order(world)
    shopper = Shopper(world)
    first = (await shopper.session(order["id"])).json()
    await other_payment(world, f"orders/{order['id']}", 500)
    second = (await shopper.session(order["id"])).json()
    assert second["id"] != first["id"]
    assert world.stripe.sessions[first["id"]]["status"] == "expired"
    assert world.stripe.sessions[second["id"]]["amount_total"] == 1000
    await shopper.pay(second)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_the_payment_form_asks_for_the_rest_and_is_approved() -> None:
    world = World()
    cart = await world.cart(2500)
    await other_payment(world, f"carts/{cart['id']}", 1000)
    session = await world.session(cart["id"])
    answer = await world.start(session)
    [intent] = world.stripe.intents
    assert intent["amount"] == 1500
    await world.pay(answer["clientSecret"])
    confirmed = await world.client.post(
        f"/confirmPayments/{answer['paymentReference']}",
        json={"paymentIntent": intent["id"]},
        headers=session,
    )
    assert confirmed.json() == {"outcome": "approved"}


async def test_a_partial_refund_leaves_a_confirmed_payment_approved() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    await world.modify(shop.payment_id, action="refundPayment", amount=money(100))
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
