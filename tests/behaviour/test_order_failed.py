"""Paid, but the order cannot be placed: the money is recorded, told of, and held or given back."""

from __future__ import annotations

import pytest

from tests.behaviour.buy_now import ENABLED, PRICE, carts, create, land, orders, pay
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import Always
from tests.world import Json, World

REVERSE = {**ENABLED, "ORDER_FAILED_ACTION": "reverse"}
TOKEN = "t" * 40
METRICS = {**ENABLED, "METRICS_TOKEN": TOKEN}
CAUSES = ["price changed", "out of stock", "code gone", "no address"]
MONEY = [("Authorization", PRICE, "Success"), ("Charge", PRICE, "Success")]


def _variant(world: World) -> tuple[Json, Json]:
    for product in world.store.collection("product"):
        current = product["masterData"]["current"]
        for variant in [current["masterVariant"], *current["variants"]]:
            if variant["sku"] == ENABLED["BUY_NOW_PRODUCT"]:
                return product, variant
    raise AssertionError("unknown product")


def _set(world: World, name: str, value: object) -> None:
    """The merchant changes something about the variant that is sold."""
    product, variant = _variant(world)
    current = product["masterData"]["current"]

    def changed(each: Json) -> Json:
        return {**each, name: value} if each["sku"] == variant["sku"] else each

    current = {
        **current,
        "masterVariant": changed(current["masterVariant"]),
        "variants": [changed(each) for each in current["variants"]],
    }
    data = {**product["masterData"], "current": current}
    world.store.replace("product", {**product, "masterData": data})


async def broken(world: World, cause: str) -> str:
    """A visitor has paid, and by then the cart cannot be ordered; the id of its Payment."""
    session = await create(world)
    [cart] = carts(world)
    email = {"action": "setCustomerEmail", "email": "ada@example.com"}
    await world.change_cart(cart["id"], email)
    if cause == "price changed":
        _, variant = _variant(world)
        prices = [
            {**price, "value": {**price["value"], "centAmount": price["value"]["centAmount"] + 1}}
            for price in variant["prices"]
        ]
        _set(world, "prices", prices)
    elif cause == "no address":
        await world.change_cart(cart["id"], {"action": "setShippingAddress"})
    else:
        kept = world.store.collection("cart").get(cart["id"])
        assert kept is not None
        if cause == "out of stock":
            world.store.replace("cart", {**kept, "inventoryMode": "ReserveOnOrder"})
            _set(world, "availability", {"isOnStock": False, "availableQuantity": 0})
        else:
            gone = {
                "discountCode": {"typeId": "discount-code", "id": "gone"},
                "state": "DoesNotMatchCart",
            }
            world.store.replace("cart", {**kept, "discountCodes": [gone]})
    await pay(world, session["id"])
    [payment] = list(world.store.collection("payment"))
    return str(payment["id"])


async def status(world: World, payment_id: str) -> Json:
    return dict((await world.payment(payment_id))["paymentStatus"])


@pytest.mark.parametrize("cause", CAUSES)
async def test_a_paid_cart_that_cannot_be_ordered_is_marked_and_counted_once(cause: str) -> None:
    world = World(METRICS)
    payment_id = await broken(world, cause)
    for _ in range(3):
        await world.deliver_all()
    assert orders(world) == []
    assert await world.transactions(payment_id) == MONEY
    assert (await status(world, payment_id))["interfaceCode"] == "order_failed"
    headers = {"Authorization": f"Bearer {TOKEN}"}
    metrics = (await world.client.get("/metrics", headers=headers)).text
    assert "stripe_connector_orders_failed_total 1.0" in metrics


@pytest.mark.parametrize("cause", CAUSES)
async def test_the_shopper_is_told_to_look_again_and_nothing_more_is_taken(cause: str) -> None:
    world = World(ENABLED)
    await broken(world, cause)
    [session] = list(world.stripe.sessions)
    page = await land(world, f"/success?session_id={session['id']}")
    assert page.status_code == 200
    assert "Look again" in page.text
    assert len(list(world.stripe.charges)) == 1


@pytest.mark.parametrize("cause", CAUSES)
async def test_reverse_gives_the_money_back_once(cause: str) -> None:
    world = World(REVERSE)
    payment_id = await broken(world, cause)
    for _ in range(3):
        await world.deliver_all()
    assert await world.transactions(payment_id) == [*MONEY, ("Refund", PRICE, "Success")]
    assert len(list(world.stripe.refunds)) == 1
    assert orders(world) == []


async def test_what_may_pass_is_tried_again() -> None:
    world = World(REVERSE)
    session = await create(world)
    await pay(world, session["id"])
    world.network.trouble = Always("error before", "commercetools")
    event = next(e for e in world.stripe.events if e["type"] == "checkout.session.completed")
    assert (await world.deliver(event)).status_code == 503
    world.network.trouble = lambda _: None
    await world.deliver_all()
    [order] = orders(world)
    assert order["paymentState"] == "Paid"
    [payment] = list(world.store.collection("payment"))
    assert await world.transactions(payment["id"]) == MONEY


@pytest.mark.parametrize("cause", ["out of stock", "price changed"])
async def test_reconcile_lists_it_and_orders_once_the_cause_is_gone(cause: str) -> None:
    world = World(ENABLED)
    payment_id = await broken(world, cause)
    await world.deliver_all()
    listed = await reconcile(world, apply=True)
    assert listed.remains == ["unplaced_order"] or listed.found == ["order_failed"], listed.lines
    assert orders(world) == []
    if cause == "price changed":
        return
    _set(world, "availability", {"isOnStock": True, "availableQuantity": 9})
    again = await reconcile(world, apply=True)
    assert again.repaired == ["unplaced_order"], again.lines
    [order] = orders(world)
    assert order["paymentState"] == "Paid"
    assert (await status(world, payment_id))["interfaceCode"] == "succeeded"
