"""Interface interactions: what was said to and by Stripe, masked, where that is switched on."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stripe_connector.ledger import proof
from tests.behaviour.steps import Json, Shop, assert_agreement, effect, event, operate, started
from tests.world import World, money

ON: Mapping[str, str] = {"STRIPE_INTERFACE_INTERACTIONS": "true"}


async def paid(world: World) -> Shop:
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    return shop


async def interactions(world: World, shop: Shop) -> list[Json]:
    payment = await world.payment(shop.payment_id)
    kept = [each["fields"] for each in payment["interfaceInteractions"]]
    return [each for each in kept if proof.KIND not in each]


async def test_an_event_that_changed_something_is_kept_with_the_payment() -> None:
    world = World(ON)
    shop = await started(world)
    await world.pay(shop.secret)
    succeeded = event(world, "payment_intent.succeeded")
    await effect(world, succeeded)
    [kept] = await interactions(world, shop)
    assert (kept["type"], kept["interactionId"]) == (succeeded["type"], succeeded["id"])
    assert kept["createdAt"]
    assert json.loads(kept["response"])["id"] == shop.intent_id


async def test_an_operation_is_kept_with_what_was_asked_and_answered() -> None:
    world = World(ON)
    shop = await paid(world)
    await world.modify(shop.payment_id, action="refundPayment", amount=money(300))
    [refund] = world.stripe.refunds
    kept = [each for each in await interactions(world, shop) if each["type"] == "refundPayment"]
    assert len(kept) == 1
    assert json.loads(kept[0]["request"])["amount"] == 300
    assert json.loads(kept[0]["response"])["id"] == refund["id"]


async def test_secrets_and_personal_data_are_masked() -> None:
    world = World(ON)
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    await world.deliver_all()
    kept = await interactions(world, shop)
    assert kept
    text = json.dumps(kept)
    for private in (shop.secret, "_secret_", "Jenny", "jenny@example.com", "DE89"):
        assert private not in text
    responses = [json.loads(each["response"]) for each in kept if "response" in each]
    assert any(each.get("client_secret") == "***" for each in responses)


async def test_cards_are_masked() -> None:
    world = World(ON)
    shop = await paid(world)
    text = json.dumps(await interactions(world, shop))
    assert "fingerprint" not in text.replace('\\"fingerprint\\": \\"***\\"', "")
    assert "sandbox242424242" not in text


async def test_what_comes_again_is_not_kept_again() -> None:
    world = World(ON)
    shop = await paid(world)
    before = await interactions(world, shop)
    await world.deliver_all()
    assert await interactions(world, shop) == before


async def test_by_default_nothing_is_kept() -> None:
    world = World()
    shop = await paid(world)
    await operate(world, shop.payment_id, "refundPayment", 300)
    assert await interactions(world, shop) == []


async def test_a_project_without_the_custom_type_gets_it() -> None:
    world = World(ON)
    types = await world.commercetools("GET", "types?limit=100")
    assert not any("interaction" in each["key"] for each in types["results"])
    shop = await paid(world)
    assert await interactions(world, shop)
    await assert_agreement(world)


async def test_a_project_without_the_operations_custom_type_gets_it_too() -> None:
    world = World()
    shop = await paid(world)
    assert (await operate(world, shop.payment_id, "refundPayment", 300)).status_code == 200
    types = await world.commercetools("GET", "types?limit=100")
    assert any(each["key"] == "payment-connector-stripe-operation" for each in types["results"])
