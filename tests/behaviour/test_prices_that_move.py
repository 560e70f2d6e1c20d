"""A cart's price moves at our own write and beside it, with two instances at once: what is asked
for is what the cart costs, or nothing is approved."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from tests.behaviour.steps import Shop, confirm, refunded, shuffled, status_of
from tests.behaviour.test_amount_after_our_write import discount, priced_cart, total
from tests.world import World

CHANGES: dict[str, dict[str, Any]] = {
    "dearer": {"isActive": False},
    "cheaper": {"requiresDiscountCode": False},
    "other": {"value": {"type": "relative", "permyriad": 3000}},
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("seed", range(12))
async def test_two_starts_at_once_ask_for_the_price_that_their_writes_made(
    change: str, seed: int
) -> None:
    world = World()
    cart = await priced_cart(world, *([] if change == "cheaper" else ["SAVE10"]))
    discount(world, **CHANGES[change])
    session = await world.session(cart["id"])
    second = world.start_processor()
    shuffled(world, seed)
    answers = await asyncio.gather(
        *(each.client.post("/payments", headers=session) for each in (world.processor, second))
    )
    costs = await total(world, cart["id"])
    paid_for = [answer for answer in answers if answer.status_code == 200]
    assert paid_for
    assert all(answer.status_code in (200, 503) for answer in answers)
    assert len({answer.json()["clientSecret"] for answer in paid_for}) == 1
    [intent] = [each for each in world.stripe.intents if each["status"] != "canceled"]
    assert intent["amount"] == costs
    await world.pay(intent["client_secret"])
    reference = paid_for[0].json()["paymentReference"]
    shop = Shop(cart["id"], session, reference, intent["client_secret"])
    assert (await confirm(world, shop)).json() == {"outcome": "approved"}


@pytest.mark.parametrize("seed", range(20))
async def test_whenever_the_price_moves_nothing_is_approved_at_another_amount(seed: int) -> None:
    """The promotion changes and somebody touches the cart: before, between and after our calls."""
    dice = random.Random(seed)
    world = World()
    cart = await priced_cart(world, "SAVE10")
    session = await world.session(cart["id"])
    processors = [world.processor, world.start_processor()]

    async def moves() -> None:
        if dice.random() < 0.5:
            discount(world, **dice.choice(list(CHANGES.values())))
        if dice.random() < 0.5:
            mail = {"action": "setCustomerEmail", "email": f"a{dice.random()}@example.com"}
            await world.change_cart(cart["id"], mail)

    answer = None
    for _ in range(3):
        await moves()
        answer = await dice.choice(processors).client.post("/payments", headers=session)
        assert answer.status_code == 200, answer.text
        [intent] = [each for each in world.stripe.intents if each["status"] != "canceled"]
        assert intent["amount"] == await total(world, cart["id"])
    assert answer is not None
    await moves()
    await world.pay(answer.json()["clientSecret"])
    await moves()
    shop = Shop(cart["id"], session, answer.json()["paymentReference"], intent["client_secret"])
    if dice.random() < 0.5:
        await world.deliver_all()
    world.processor = dice.choice(processors)
    said = await confirm(world, shop)
    costs = await total(world, cart["id"])
    if intent["amount"] == costs:
        assert said.json() == {"outcome": "approved"}
        assert await status_of(world, shop.payment_id) == "succeeded"
    else:
        assert said.json()["errors"][0]["code"] == "AmountMismatch"
        assert await status_of(world, shop.payment_id) == "amount_mismatch"
    assert refunded(world) == 0
