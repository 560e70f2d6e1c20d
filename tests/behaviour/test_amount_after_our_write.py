"""commercetools prices a cart anew at every update, also at the one that puts our Payment on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.behaviour.steps import Shop, assert_agreement, confirm, refunded, started, status_of
from tests.wire import Call
from tests.world import World

Json = dict[str, Any]


async def priced_cart(world: World, *codes: str, **fields: Any) -> Json:
    """Two mugs, as the catalogue and its discounts price them now."""
    draft = {
        "currency": "EUR",
        "country": "DE",
        "lineItems": [{"sku": "stoneware-mug-2", "quantity": 2}],
        "discountCodes": list(codes),
        "shippingAddress": {"country": "DE"},
        **fields,
    }
    return await world.commercetools("POST", "carts", draft)


def discount(world: World, **changes: Any) -> None:
    """The merchant changes the promotion of ten per cent; no cart is touched by that."""
    [found] = [d for d in world.store.collection("cart-discount") if d["key"] == "save10"]
    world.store.replace("cart-discount", {**found, **changes})


async def total(world: World, cart_id: str) -> int:
    cart = await world.commercetools("GET", f"carts/{cart_id}")
    taxed = cart.get("taxedPrice", {}).get("totalGross", cart["totalPrice"])
    return int(taxed["centAmount"])


async def planned(world: World, payment_id: str) -> int:
    return int((await world.payment(payment_id))["amountPlanned"]["centAmount"])


async def dearer(world: World) -> Json:
    """A cart whose promotion has ended since it was last written to."""
    cart = await priced_cart(world, "SAVE10")
    discount(world, isActive=False)
    return cart


async def cheaper(world: World) -> Json:
    """A cart for which a promotion has begun since it was last written to."""
    cart = await priced_cart(world)
    discount(world, requiresDiscountCode=False)
    return cart


async def test_a_read_prices_nothing_and_our_own_write_prices_anew() -> None:
    world = World()
    cart = await dearer(world)
    before = await total(world, cart["id"])
    assert await total(world, cart["id"]) == before
    await world.start(await world.session(cart["id"]))
    assert await total(world, cart["id"]) > before


@pytest.mark.parametrize("change", [dearer, cheaper])
@pytest.mark.parametrize("action", ["hold", "reverse"])
async def test_the_shopper_is_asked_for_what_the_cart_costs_after_our_write(
    change: Any, action: str
) -> None:
    world = World({"STRIPE_MISMATCH_ACTION": action})
    cart = await change(world)
    session = await world.session(cart["id"])
    answer = await world.start(session)
    [intent] = world.stripe.intents
    costs = await total(world, cart["id"])
    assert intent["amount"] == costs
    assert await planned(world, answer["paymentReference"]) == costs
    await world.pay(answer["clientSecret"])
    shop = Shop(cart["id"], session, answer["paymentReference"], answer["clientSecret"])
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
    await assert_agreement(world)
    assert await status_of(world, shop.payment_id) == "succeeded"
    assert refunded(world) == 0


async def test_only_a_price_that_differs_costs_two_calls_more() -> None:
    calls: dict[str, list[str]] = {}
    for name, change in (("same", priced_cart), ("other", dearer)):
        world = World()
        cart = await change(world)
        session = await world.session(cart["id"])
        seen = calls.setdefault(name, [])

        def watch(call: Call, seen: list[str] = seen) -> None:
            if "/oauth/" not in call.path:
                seen.append(f"{call.method} {call.backend}")

        world.network.trouble = watch
        await world.start(session)
    assert calls["other"] == [*calls["same"], "POST stripe", "POST commercetools"]


async def test_no_secret_is_given_out_where_stripe_refuses_the_amount() -> None:
    world = World()
    cart = await dearer(world)
    session = await world.session(cart["id"])

    def refuse(call: Call) -> Any:
        return "refused" if b"amount=" in call.body and call.path.count("/") == 3 else None

    world.network.trouble = refuse
    answer = await world.client.post("/payments", headers=session)
    assert answer.status_code in (502, 503)
    assert "clientSecret" not in answer.text


async def test_a_cart_that_our_write_makes_free_is_not_paid() -> None:
    world = World()
    cart = await priced_cart(world)
    discount(world, requiresDiscountCode=False, value={"type": "relative", "permyriad": 10_000})
    answer = await world.client.post("/payments", headers=await world.session(cart["id"]))
    assert answer.status_code == 400
    assert "clientSecret" not in answer.text
    assert [intent["status"] for intent in world.stripe.intents] == ["canceled"]


@pytest.mark.parametrize("strategy", ["SoftFreeze", "HardFreeze"])
async def test_a_frozen_cart_keeps_its_price(strategy: str) -> None:
    world = World()
    cart = await priced_cart(world)
    await world.change_cart(cart["id"], {"action": "freezeCart", "strategy": strategy})
    before = await total(world, cart["id"])
    discount(world, requiresDiscountCode=False)
    await world.start(await world.session(cart["id"]))
    [intent] = world.stripe.intents
    assert intent["amount"] == before == await total(world, cart["id"])


# Locked carts


async def locked_cart(world: World) -> tuple[Json, Mapping[str, str]]:
    cart = await world.cart()
    session = await world.session(cart["id"])
    await world.change_cart(cart["id"], {"action": "lockCart"})
    return cart, session


async def test_a_locked_cart_is_refused_in_words_and_nothing_is_made() -> None:
    world = World()
    _, session = await locked_cart(world)
    answer = await world.client.post("/payments", headers=session)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "CartLocked"
    assert not list(world.stripe.intents)
    assert not list(world.store.collection("payment"))


async def test_a_cart_that_is_locked_between_our_read_and_our_write_is_refused_in_words() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])

    async def lock_first(call: Call) -> None:
        if call.method == "POST" and call.path.endswith("/payments") and call.backend != "stripe":
            world.network.turn = None
            await world.change_cart(cart["id"], {"action": "lockCart"})

    world.network.turn = lock_first
    answer = await world.client.post("/payments", headers=session)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (409, "CartLocked")
    await world.change_cart(cart["id"], {"action": "unlockCart"})
    again = await world.start(session)
    assert len(list(world.stripe.intents)) == 1
    assert again["clientSecret"]


async def test_what_was_paid_before_the_cart_was_locked_is_confirmed() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.change_cart(shop.cart_id, {"action": "lockCart"})
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}
