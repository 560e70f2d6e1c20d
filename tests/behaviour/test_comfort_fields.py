"""Names, phones, addresses and e-mail never cost a sale: cut to Stripe's limits, else left out."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.behaviour.test_bff_payments import Shopper
from tests.world import World

Json = dict[str, Any]

LONG_PHONE = "+1 780-459-5656 ext. 725"
ODD_MAILS = ["test@test", "jörg@müller.de", " ada@example.com. "]


def address(**fields: str) -> Json:
    return {
        "country": "DE",
        "firstName": "Ada",
        "lastName": "Lovelace",
        "streetName": "Main Street",
        "city": "Berlin",
        **fields,
    }


async def placed(world: World, email: str) -> Json:
    cart = await world.cart(2500, shippingAddress={"country": "DE"}, customerEmail=email)
    answer = await world.client.post(f"/api/v1/carts/{cart['id']}/order")
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


@pytest.mark.parametrize("email", ODD_MAILS)
async def test_an_address_that_stripe_finds_invalid_bars_no_payment_page(email: str) -> None:
    world = World()
    order = await placed(world, email)
    shopper = Shopper(world)
    first, second = await shopper.session(order["id"]), await shopper.session(order["id"])
    assert (first.status_code, first.json()["id"]) == (201, second.json()["id"])
    [session] = world.stripe.sessions
    assert session["customer_email"] is None
    await shopper.pay(first.json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_picture_that_stripe_finds_invalid_bars_no_payment_page() -> None:
    world = World()
    order = await placed(world, "ada@example.com")
    stored = world.store.collection("order").get(order["id"])
    assert stored is not None
    free = stored["totalPrice"] | {"centAmount": 0}
    gift = {
        "id": "gift",
        "name": {"en": "Postcard"},
        "variant": {"id": 1, "images": [{"url": "https://", "dimensions": {"w": 1, "h": 1}}]},
        "price": {"value": free},
        "quantity": 1,
        "totalPrice": free,
        "lineItemMode": "GiftLineItem",
    }
    world.store.replace("order", {**stored, "lineItems": [gift]})
    shopper = Shopper(world)
    first = await shopper.session(order["id"])
    assert first.status_code == 201, first.text
    shown = {each["name"]: each["images"] for each in world.stripe.products}
    assert shown["Postcard"] == []
    await shopper.pay(first.json())
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_an_address_is_trimmed() -> None:
    world = World()
    order = await placed(world, "ada@example.com")
    stored = world.store.collection("order").get(order["id"])
    assert stored is not None
    world.store.replace("order", {**stored, "customerEmail": "  ada@example.com "})
    await Shopper(world).session(order["id"])
    [session] = world.stripe.sessions
    assert session["customer_email"] == "ada@example.com"


async def test_a_long_phone_and_a_long_name_are_cut_for_an_intent() -> None:
    world = World()
    to = address(phone=LONG_PHONE, lastName="L" * 300)
    cart = await world.cart(1000, shippingAddress=to)
    await world.start(await world.session(cart["id"]))
    [intent] = world.stripe.intents
    assert intent["shipping"]["phone"] == LONG_PHONE[:20]
    assert intent["shipping"]["name"] == f"Ada {'L' * 300}"[:256]


async def test_a_long_phone_and_an_odd_address_cost_no_customer_session() -> None:
    world = World()
    draft = {
        "email": f"a-{uuid.uuid4().hex[:8]}@test",
        "firstName": "A",
        "lastName": "B",
        "addresses": [{"country": "US", "phone": LONG_PHONE}],
    }
    customer = (await world.commercetools("POST", "customers", draft))["customer"]
    cart = await world.cart(1000, customerId=customer["id"])
    answer = await world.client.get("/customer/session", headers=await world.session(cart["id"]))
    assert answer.status_code == 200, answer.text
    [made] = world.stripe.customers
    assert (made["phone"], made["email"]) == (LONG_PHONE[:20], None)


async def test_what_stripe_refuses_is_left_out_under_another_key() -> None:
    world = World()
    order = await placed(world, "test@test")
    await Shopper(world).session(order["id"])
    keys = [
        call.headers["idempotency-key"]
        for call in world.network.calls
        if call.method == "POST" and call.path == "/v1/checkout/sessions"
    ]
    assert len(keys) == len(set(keys)) == 2


async def test_a_refusal_of_anything_else_is_told() -> None:
    world = World()
    cart = await world.cart(10**12)
    answer = await world.client.post("/payments", headers=await world.session(cart["id"]))
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "amount_too_large")
