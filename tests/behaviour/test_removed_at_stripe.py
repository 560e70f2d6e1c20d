"""Methods and customers that are removed at Stripe are not offered any more, and block nobody."""

from __future__ import annotations

import pytest

from stripe_connector.payments.stored.customers import CONTAINER, FIELD
from tests.behaviour.steps import effect, merchants_type
from tests.world import Json, World

SAVING = {"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "off_session"}


async def shopper(world: World, **fields: object) -> str:
    """A commercetools customer who has a Stripe customer, remembered."""
    draft = {"email": "lin@example.com", **fields}
    created = await world.commercetools("POST", "customers", draft)
    customer_id = str(created["customer"]["id"])
    cart = await world.cart(customerId=customer_id)
    answer = await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    assert answer.status_code == 200
    return customer_id


async def remembered(world: World, customer_id: str) -> str | None:
    """The Stripe customer that is remembered for a customer."""
    customer = await world.commercetools("GET", f"customers/{customer_id}")
    fields: Json = customer.get("custom", {}).get("fields", {})
    if FIELD in fields:
        return str(fields[FIELD])
    for found in world.store.collection("key-value-document"):
        if (found["container"], found["key"]) == (CONTAINER, customer_id):
            return str(found["value"])
    return None


def last(world: World, kind: str) -> Json:
    return next(event for event in reversed(world.stripe.events) if event["type"] == kind)


async def test_a_detached_method_becomes_inactive_once() -> None:
    world = World(SAVING)
    customer_id = await shopper(world)
    cart = await world.cart(customerId=customer_id)
    started = await world.start(await world.session(cart["id"]))
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    (stored,) = list(world.store.collection("payment-method"))
    assert stored["paymentMethodStatus"] == "Active"
    await world.ask_stripe("POST", f"/v1/payment_methods/{stored['token']['value']}/detach")
    detached = last(world, "payment_method.detached")
    assert await effect(world, detached) == "stored"
    assert await effect(world, detached) == "already stored"
    (stored,) = list(world.store.collection("payment-method"))
    assert stored["paymentMethodStatus"] == "Inactive"


async def test_a_detached_method_that_was_never_stored_changes_nothing(world: World) -> None:
    customer = await world.ask_stripe("POST", "/v1/customers", email="lin@example.com")
    method = await world.ask_stripe(
        "POST", "/v1/payment_methods/pm_card_visa/attach", customer=customer["id"]
    )
    await world.ask_stripe("POST", f"/v1/payment_methods/{method['id']}/detach")
    detached = last(world, "payment_method.detached")
    assert await effect(world, detached) == "already stored"


@pytest.mark.parametrize("own_type", [False, True], ids=["our field", "beside the merchant's"])
async def test_a_deleted_customer_is_forgotten(world: World, own_type: bool) -> None:
    custom = {"custom": await merchants_type(world)} if own_type else {}
    customer_id = await shopper(world, **custom)
    stripe_id = await remembered(world, customer_id)
    assert stripe_id is not None
    await world.ask_stripe("DELETE", f"/v1/customers/{stripe_id}")
    deleted = last(world, "customer.deleted")
    assert await effect(world, deleted) == "stored"
    assert await remembered(world, customer_id) is None
    assert await effect(world, deleted) == "already stored"
    customer = await world.commercetools("GET", f"customers/{customer_id}")
    assert (customer.get("custom", {}).get("fields", {}).get("points") == 7) is own_type


async def test_a_deleted_customer_of_somebody_else_is_foreign(world: World) -> None:
    customer = await world.ask_stripe("POST", "/v1/customers", email="lin@example.com")
    await world.ask_stripe("DELETE", f"/v1/customers/{customer['id']}")
    assert await effect(world, last(world, "customer.deleted")) == "foreign"


async def test_a_deleted_customer_pays_as_a_guest_before_stripe_has_told_us(world: World) -> None:
    customer_id = await shopper(world)
    await world.ask_stripe("DELETE", f"/v1/customers/{await remembered(world, customer_id)}")
    cart = await world.cart(customerId=customer_id)
    started = await world.start(await world.session(cart["id"]))
    assert (await world.pay(started["clientSecret"]))["status"] == "succeeded"
    (intent,) = list(world.stripe.intents)
    assert intent["customer"] is None


async def test_a_guests_cart_goes_on_when_its_new_customer_is_deleted(world: World) -> None:
    customer_id = await shopper(world)
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.change_cart(cart["id"], {"action": "setCustomerId", "customerId": customer_id})
    await world.ask_stripe("DELETE", f"/v1/customers/{await remembered(world, customer_id)}")
    again = await world.start(session)
    assert again["paymentReference"] == first["paymentReference"]


@pytest.fixture
def world() -> World:
    return World()
