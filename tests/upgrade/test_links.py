"""Links, cookies and custom objects of version 0.1.0 keep their meaning."""

from __future__ import annotations

from tests.behaviour import buy_now
from tests.behaviour.steps import merchants_type
from tests.behaviour.test_bff_payments import Shopper
from tests.behaviour.test_payment_links import CONFIGURED, link
from tests.upgrade.previous import start_previous, world_of_previous


async def test_a_payment_link_leads_to_the_orders_page() -> None:
    world = world_of_previous(CONFIGURED)
    shopper = Shopper(world)
    order = await shopper.order()
    path = await link(world, order["id"])
    world.processor = world.start_processor()

    answer = await world.client.get(path)

    assert answer.status_code == 303, answer.text
    await shopper.pay({"id": answer.headers["location"].rpartition("/")[2]})
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_visitors_cookie_leads_back_to_the_open_page() -> None:
    world = world_of_previous(buy_now.ENABLED)
    opened = await buy_now.create(world)
    cookies = world.client.cookies
    world.processor = world.start_processor()
    world.client.cookies = cookies

    again = await buy_now.create(world)

    assert again["id"] == opened["id"]
    assert len(buy_now.carts(world)) == 1


async def test_a_customer_whose_stripe_id_is_in_a_custom_object_stays_the_same() -> None:
    world = world_of_previous()
    await world.commercetools("POST", "customers", {"email": "a@example.com"})
    draft = {"email": "lin@example.com", "custom": await merchants_type(world)}
    customer = (await world.commercetools("POST", "customers", draft))["customer"]
    session = await world.session((await world.cart(customerId=customer["id"]))["id"])
    first = await world.client.get("/customer/session", headers=session)
    world.processor = world.start_processor()

    again = await world.client.get("/customer/session", headers=session)

    assert again.status_code == 200, again.text
    assert again.json()["stripeCustomerId"] == first.json()["stripeCustomerId"]
    assert len(list(world.stripe.customers)) == 1


async def test_the_previous_version_understands_what_todays_left() -> None:
    """A rollout runs both for a while, in either order."""
    world = world_of_previous()
    today = world.start_processor()
    session = await world.session((await world.cart())["id"])
    started = (await today.client.post("/payments", headers=session)).json()

    again = await world.start(session)
    await world.pay(again["clientSecret"])
    world.processor = start_previous(world)
    await world.deliver_all()

    assert again["clientSecret"] == started["clientSecret"]
    assert await world.transactions(started["paymentReference"]) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]
