"""An outsider who has learned a cart's id, from an address, a log or a referrer.

The id opens guests' carts while nobody has paid or is paying; a customer's cart needs the word of
the shop's server, and a paid cart stays as it was paid.
"""

from __future__ import annotations

import base64
from typing import Any

import httpx
import jwt
import pytest

from tests.behaviour.buy_now import CREATE, ENABLED, pay
from tests.behaviour.storefront import ADDRESS, API, SECRET, VOUCHING, vouched
from tests.world import LIVE, Json, World

MALLORY: Json = {**ADDRESS, "firstName": "Mallory", "streetName": "Elsewhere"}


async def cart_of(world: World, customer: bool = False) -> Json:
    fields: Json = {"shippingAddress": {"country": "DE"}, "customerEmail": "ada@example.com"}
    if customer:
        created = await world.commercetools("POST", "customers", {"email": "v@example.com"})
        fields["customerId"] = created["customer"]["id"]
    return await world.cart(**fields)


async def readdress(world: World, cart_id: str, **headers: str) -> httpx.Response:
    body = {"action": "SetShippingAddress", "SetShippingAddress": MALLORY}
    return await world.client.put(f"{API}/carts/{cart_id}", json=body, headers=headers)


async def order(world: World, cart_id: str, **headers: str) -> httpx.Response:
    return await world.client.post(f"{API}/carts/{cart_id}/order", headers=headers)


async def address_of(world: World, cart_id: str) -> Json:
    return dict((await world.commercetools("GET", f"carts/{cart_id}"))["shippingAddress"])


@pytest.mark.parametrize("environment", [{}, VOUCHING])
async def test_a_guests_cart_is_used_by_its_id(environment: Json) -> None:
    world = World(environment)
    cart = await cart_of(world)
    assert (await readdress(world, cart["id"])).status_code == 200
    assert (await order(world, cart["id"])).status_code == 201


@pytest.mark.parametrize("token", [False, True])
async def test_a_paid_cart_is_not_changed_by_anybody(token: bool) -> None:
    world = World(VOUCHING)
    cart = await cart_of(world)
    started = await world.start(await world.session(cart["id"]))
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    headers = vouched(world, cart["id"]) if token else {}
    refused = await readdress(world, cart["id"], **headers)
    assert (refused.status_code, refused.json()["code"]) == (409, "CartPaid")
    assert await address_of(world, cart["id"]) == {"country": "DE"}
    assert (await order(world, cart["id"], **headers)).status_code == 201


async def test_a_cart_that_is_being_paid_in_the_shops_page_is_left_alone() -> None:
    world = World(VOUCHING)
    cart = await cart_of(world)
    started = await world.start(await world.session(cart["id"]))
    for answer in (await readdress(world, cart["id"]), await order(world, cart["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "PaymentOpen")
    assert await address_of(world, cart["id"]) == {"country": "DE"}
    paid = await world.pay(started["clientSecret"])
    assert paid["status"] == "succeeded"
    headers = vouched(world, cart["id"])
    assert (await order(world, cart["id"], **headers)).status_code == 201


async def test_a_cart_that_is_being_paid_on_a_buy_now_page_is_left_alone() -> None:
    """Its order is placed once it is paid, at the sum that the page shows."""
    world = World(ENABLED)
    page = (await world.client.get(CREATE)).json()
    session = world.stripe.sessions[page["id"]]
    [cart] = (await world.commercetools("GET", "carts"))["results"]
    for answer in (await readdress(world, cart["id"]), await order(world, cart["id"])):
        assert (answer.status_code, answer.json()["code"]) == (409, "PaymentOpen")
    await pay(world, page["id"])
    await world.deliver_all()
    [placed] = (await world.commercetools("GET", "orders"))["results"]
    assert placed["paymentState"] == "Paid"
    assert placed["totalPrice"]["centAmount"] == session["amount_total"]


@pytest.mark.parametrize("environment", [VOUCHING, {**VOUCHING, **LIVE}, LIVE])
async def test_a_customers_cart_needs_the_shops_server(environment: Json) -> None:
    world = World(environment)
    cart = await cart_of(world, customer=True)
    for answer in (await readdress(world, cart["id"]), await order(world, cart["id"])):
        assert answer.status_code == 403
        assert answer.json()["code"] == "StorefrontTokenRequired"
    assert await address_of(world, cart["id"]) == {"country": "DE"}
    headers = vouched(world, cart["id"])
    expected = 200 if "STOREFRONT_SECRET" in environment else 403
    assert (await readdress(world, cart["id"], **headers)).status_code == expected


async def test_a_customers_ordered_cart_does_not_show_its_order() -> None:
    world = World(VOUCHING)
    cart = await cart_of(world, customer=True)
    placed = await order(world, cart["id"], **vouched(world, cart["id"]))
    assert placed.status_code == 201
    refused = await order(world, cart["id"])
    assert refused.status_code == 403
    assert "ada@example.com" not in refused.text


def forged(world: World, cart_id: str) -> dict[str, str]:
    now = int(world.clock.time())
    claims: dict[str, Any] = {"aud": "storefront", "sub": cart_id, "exp": now + 60}

    def made(secret: str = SECRET, algorithm: str = "HS256", **changed: Any) -> str:
        kept = {k: v for k, v in {**claims, **changed}.items() if v is not None}
        return jwt.encode(kept, secret, algorithm=algorithm)

    return {
        "another secret": made("x" * 40),
        "unsigned": made("", "none"),
        "another algorithm": made(SECRET * 2, "HS512"),
        "another cart": made(sub="00000000-0000-4000-8000-000000000001"),
        "another audience": made(aud="payment-link"),
        "no audience": made(aud=None),
        "no cart": made(sub=None),
        "no end": made(exp=None),
        "expired": made(exp=now - 1),
        "too long": made(exp=now + 7200),
        "end is a text": made(exp=str(now + 60)),
        "nonsense": "nonsense",
        "empty": "",
        "huge": "x" * 5000,
        **{
            name: f"{base64.urlsafe_b64encode(header).decode().rstrip('=')}.e30.AA"
            for name, header in {
                "deep": b"[" * 1_400,
                "deep within": b'{"alg":"HS256","a":' + b"[" * 1_400,
                "a list of algorithms": b'{"alg":["HS256"]}',
                "no header": b"null",
                "a long number": b"9" * 1_400,
                "not UTF-8": b"\xff\xfe",
            }.items()
        },
    }


async def test_no_forged_token_vouches_for_anybody() -> None:
    world = World(VOUCHING)
    cart = await cart_of(world, customer=True)
    for name, token in forged(world, cart["id"]).items():
        for answer in (
            await readdress(world, cart["id"], **{"X-Storefront-Token": token}),
            await order(world, cart["id"], **{"X-Storefront-Token": token}),
        ):
            assert answer.status_code == 403, name
    assert await address_of(world, cart["id"]) == {"country": "DE"}


@pytest.mark.parametrize("own_first", [True, False])
async def test_of_two_tokens_neither_is_believed(own_first: bool) -> None:
    world = World(VOUCHING)
    cart = await cart_of(world, customer=True)
    right = vouched(world, cart["id"])["X-Storefront-Token"]
    tokens = [right, vouched(world, "another")["X-Storefront-Token"]]
    answer = await world.client.post(
        f"{API}/carts/{cart['id']}/order",
        headers=[("X-Storefront-Token", each) for each in (tokens if own_first else tokens[::-1])],
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "RepeatedHeader")


@pytest.mark.parametrize(("setting", "named"), [("true", True), ("false", False), (None, True)])
async def test_the_address_that_shoppers_return_to_names_the_cart_only_by_setting(
    setting: str | None, named: bool
) -> None:
    world = World({} if setting is None else {"RETURN_URL_CART_ID": setting})
    started = await world.start(await world.session((await cart_of(world))["id"]))
    assert started.get("returnUrlCartId", True) is named
