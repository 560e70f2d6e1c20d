"""A cart that is covered has nothing open to be paid; what was paid all the same is marked."""

from __future__ import annotations

import httpx
import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    MANUAL,
    Always,
    confirm,
    effect,
    event,
    no_trouble,
    operate,
    refunded,
    started,
    status_of,
)
from tests.behaviour.test_partly_covered import other_payment
from tests.wire import Crash
from tests.world import World

NOTHING = "There is nothing left to pay on this cart."


async def test_what_is_open_is_closed_once_others_have_paid() -> None:
    world = World()
    first_tab = await started(world)
    await other_payment(world, f"carts/{first_tab.cart_id}", 1000)
    again = await world.client.post("/payments", headers=first_tab.session)
    assert (again.status_code, again.json()["message"]) == (400, NOTHING)
    refused = await world.pay(first_tab.secret)
    assert refused["error"]["code"] == "payment_intent_unexpected_state"
    await world.deliver_all()
    assert await world.transactions(first_tab.payment_id) == [("Authorization", 1000, "Failure")]


@pytest.mark.parametrize("action", ["hold", "reverse"])
async def test_what_was_paid_twice_meanwhile_is_marked(action: str) -> None:
    """The browser never confirms."""
    world = World({"STRIPE_MISMATCH_ACTION": action})
    first_tab = await started(world)
    await other_payment(world, f"carts/{first_tab.cart_id}", 1000)
    await world.pay(first_tab.secret)
    again = await world.client.post("/payments", headers=first_tab.session)
    assert (again.status_code, again.json()["message"]) == (400, NOTHING)
    assert await status_of(world, first_tab.payment_id) == "amount_mismatch"
    assert refunded(world) == (1000 if action == "reverse" else 0)
    await world.deliver_all()
    assert await status_of(world, first_tab.payment_id) == "amount_mismatch"
    assert refunded(world) == (1000 if action == "reverse" else 0)


async def test_a_cart_that_became_cheaper_after_it_was_paid_is_marked() -> None:
    world = World()
    shop = await started(world)
    await world.reprice(shop.cart_id, 600)
    await world.pay(shop.secret)
    await world.deliver_all()
    again = await world.client.post("/payments", headers=shop.session)
    assert (again.status_code, again.json()["message"]) == (400, NOTHING)
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    payment = await world.payment(shop.payment_id)
    assert payment["amountPlanned"]["centAmount"] == 600


async def test_a_payment_that_fits_stays_unmarked() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    before = await world.payment(shop.payment_id)
    again = await world.client.post("/payments", headers=shop.session)
    assert again.status_code == 400
    assert await world.payment(shop.payment_id) == before


@pytest.mark.parametrize("ordered", [False, True], ids=["a cart", "an ordered cart"])
async def test_money_that_nobody_confirms_and_that_was_paid_twice_is_listed(ordered: bool) -> None:
    world = World()
    shop = await started(world)
    await other_payment(world, f"carts/{shop.cart_id}", 1000)
    if ordered:
        address = {"action": "setShippingAddress", "address": {"country": "DE"}}
        cart = await world.change_cart(shop.cart_id, address)
        draft = {"cart": {"typeId": "cart", "id": cart["id"]}, "version": cart["version"]}
        await world.commercetools("POST", "orders", draft)
    await world.pay(shop.secret)
    await world.deliver_all()
    result = await reconcile(world, apply=True)
    assert (result.code, set(result.remains)) == (1, {"amount_mismatch"})
    assert {line["payment"] for line in result.lines} == {shop.payment_id}


@pytest.mark.parametrize(("price", "asked"), [(1200, 200), (1000, None)])
async def test_a_cancellation_that_was_cut_off_is_no_payment_that_is_being_processed(
    price: int, asked: int | None
) -> None:
    """What is held is not asked for again, and the rest can be paid."""
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    world.network.trouble = Always("crash before", "stripe", writes=True)
    with pytest.raises(Crash):
        await operate(world, shop.payment_id, "cancelPayment")
    world.network.trouble = no_trouble
    world.processor = world.start_processor()
    assert ("CancelAuthorization", 1000, "Initial") in await world.transactions(shop.payment_id)
    await world.reprice(shop.cart_id, price)
    answer = await world.client.post("/payments", headers=shop.session)
    if asked is None:
        assert (answer.status_code, answer.json()["message"]) == (400, NOTHING)
    else:
        assert answer.status_code == 200, answer.text
        assert world.stripe.intents[secret_id(answer)]["amount"] == asked


def secret_id(answer: httpx.Response) -> str:
    return str(answer.json()["clientSecret"]).partition("_secret_")[0]


# More or less than planned, whoever records it first


async def test_a_part_that_was_captured_elsewhere_is_marked() -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    path = f"/v1/payment_intents/{shop.intent_id}/capture"
    await world.ask_stripe("POST", path, amount_to_capture=600)
    await effect(world, event(world, "payment_intent.succeeded"))
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    text = (await world.payment(shop.payment_id))["paymentStatus"]["interfaceText"]
    assert text == "Stripe holds 6.00 EUR, planned were 10.00 EUR."
    await world.deliver_all()
    assert await status_of(world, shop.payment_id) == "amount_mismatch"


async def test_a_part_that_we_were_asked_to_capture_is_planned() -> None:
    world = World({**MANUAL, "STRIPE_MISMATCH_ACTION": "reverse"})
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    answer = await operate(world, shop.payment_id, "capturePayment", 600)
    assert answer.json()["outcome"] == "approved"
    await world.deliver_all()
    assert await status_of(world, shop.payment_id) == "succeeded"
    assert refunded(world) == 0


async def test_more_than_was_planned_is_marked_by_the_webhook_alone() -> None:
    world = World(MANUAL)
    shop = await started(world)
    options = {"request_overcapture": "if_available"}
    world.stripe.intents[shop.intent_id]["payment_method_options"]["card"].update(options)
    await world.pay(shop.secret)
    path = f"/v1/payment_intents/{shop.intent_id}/capture"
    await world.ask_stripe("POST", path, amount_to_capture=1200)
    await world.deliver_all()
    assert await status_of(world, shop.payment_id) == "amount_mismatch"
    assert ("Charge", 1200, "Success") in await world.transactions(shop.payment_id)


# Carts that cannot be paid any more


async def test_a_merged_cart_is_not_confirmed() -> None:
    world = World()
    shop = await started(world)
    stored = world.store.collection("cart").get(shop.cart_id)
    assert stored is not None
    world.store.replace("cart", {**stored, "cartState": "Merged"})
    await world.pay(shop.secret)
    answer = await confirm(world, shop)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "CartMerged")


async def test_the_cart_of_another_session_is_not_confirmed() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    other = await started(world)
    answer = await world.client.post(
        f"/confirmPayments/{shop.payment_id}",
        json={"paymentIntent": shop.intent_id},
        headers=other.session,
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "PaymentMismatch")
