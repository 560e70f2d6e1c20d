"""Links for abandoned orders: whoever has one may pay, at today's total, for a while."""

from __future__ import annotations

import jwt
import pytest

from tests.behaviour.test_bff_payments import Shopper
from tests.world import World

SECRET = "a secret of more than thirty-two characters"
CONFIGURED = {
    "CHECKOUT_LINK_SECRET": SECRET,
    "CHECKOUT_LINK_HOURS": "48",
    "CONNECT_SERVICE_URL": "http://processor.test/",
}


@pytest.fixture
def world() -> World:
    return World(CONFIGURED)


async def link(world: World, order_id: str) -> str:
    """The path of a new link."""
    answer = await world.client.post(
        "/operations/payment-links", json={"orderId": order_id}, headers=await world.checkout()
    )
    assert answer.status_code == 201, answer.text
    return str(answer.json()["url"]).removeprefix("http://processor.test")


async def test_a_link_leads_to_a_fresh_session_after_the_old_one_expired(world: World) -> None:
    shopper = Shopper(world)
    order = await shopper.order()
    old = (await shopper.session(order["id"])).json()
    world.clock.advance(90_000)
    world.stripe.run_due()
    await world.deliver_all()
    answer = await world.client.get(await link(world, order["id"]))
    assert answer.status_code == 303
    session = {"id": answer.headers["location"].rpartition("/")[2]}
    assert session["id"] != old["id"]
    await shopper.pay(session)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_the_link_of_a_paid_order_leads_to_its_confirmation(world: World) -> None:
    shopper = Shopper(world)
    order = await shopper.order()
    path = await link(world, order["id"])
    await shopper.pay((await shopper.session(order["id"])).json())
    answer = await world.client.get(path)
    assert answer.headers["location"] == (
        f"http://localhost:3000/order/success?orderId={order['id']}"
    )
    assert len(list(world.stripe.intents)) == 1


async def test_a_link_expires(world: World) -> None:
    path = await link(world, (await Shopper(world).order())["id"])
    world.clock.advance(48 * 3600 + 1)
    answer = await world.client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (410, "LinkExpired")


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        jwt.encode({"sub": "1", "exp": 4e9, "aud": "payment-link"}, "x" * 40, algorithm="HS256"),
        jwt.encode({"sub": "1", "exp": 4e9, "aud": "another"}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "1", "aud": "payment-link"}, SECRET, algorithm="HS256"),
        jwt.encode({"sub": "1", "exp": 4e9, "aud": "payment-link"}, "", algorithm="none"),
    ],
    ids=["nonsense", "another secret", "another purpose", "without end", "unsigned"],
)
async def test_what_is_not_signed_by_us_is_no_link(world: World, token: str) -> None:
    answer = await world.client.get(f"/api/v1/payment-links/{token}")
    assert answer.status_code == 404
    assert not world.network.calls


async def test_there_is_no_link_to_an_order_that_does_not_exist(world: World) -> None:
    answer = await world.client.post(
        "/operations/payment-links",
        json={"orderId": "00000000-0000-4000-8000-999999999999"},
        headers=await world.checkout(),
    )
    assert answer.status_code == 404


async def test_without_a_secret_there_are_no_links() -> None:
    world = World()
    order = await Shopper(world).order()
    answer = await world.client.post(
        "/operations/payment-links", json={"orderId": order["id"]}, headers=await world.checkout()
    )
    assert answer.status_code == 404
    assert (await world.client.get("/api/v1/payment-links/x.y.z")).status_code == 404
