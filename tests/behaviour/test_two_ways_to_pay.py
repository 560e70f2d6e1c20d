"""A cart that was to be paid in the shop's own page, and is paid on Stripe's page after all."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.storefront import VOUCHING, vouched
from tests.world import World

Json = dict[str, Any]


@pytest.fixture
def world() -> World:
    return World(VOUCHING)


async def ordered_after_start(world: World) -> tuple[Json, Json]:
    """What the shop's own page has started, and the order that was placed instead."""
    cart = await world.cart(2500, shippingAddress={"country": "DE"})
    started = await world.start(await world.session(cart["id"]))
    headers = vouched(world, cart["id"])
    answer = await world.client.post(f"/api/v1/carts/{cart['id']}/order", headers=headers)
    assert answer.status_code == 201, answer.text
    return started, answer.json()


async def opened(world: World, order: Json) -> Any:
    return await world.client.post("/api/v1/payments/sessions", json={"id": order["id"]})


@pytest.mark.parametrize("declined", [False, True])
async def test_what_was_started_cannot_be_paid_any_more(world: World, declined: bool) -> None:
    started, order = await ordered_after_start(world)
    if declined:
        await world.pay(started["clientSecret"], "pm_card_visa_chargeDeclined")
    assert (await opened(world, order)).status_code == 201
    refused = await world.pay(started["clientSecret"])
    assert refused["error"]["code"] == "payment_intent_unexpected_state"
    transactions = await world.transactions(started["paymentReference"])
    assert ("Authorization", 2500, "Failure") in transactions
    assert all(state == "Failure" for _, _, state in transactions)


async def test_the_same_page_is_opened_however_often(world: World) -> None:
    _, order = await ordered_after_start(world)
    first, second = (await opened(world, order)).json(), (await opened(world, order)).json()
    assert first["id"] == second["id"]


@pytest.mark.parametrize(
    ("method", "code"), [("pm_card_visa", "AlreadyPaid"), ("sepa_debit", "PaymentProcessing")]
)
async def test_what_was_paid_meanwhile_counts(world: World, method: str, code: str) -> None:
    started, order = await ordered_after_start(world)
    await world.pay(started["clientSecret"], method)
    answer = await opened(world, order)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
