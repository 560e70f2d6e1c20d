"""Carts of the shipping mode Multiple: several deliveries, each with its address and its price.

https://docs.commercetools.com/api/projects/carts#shippingmode: `shipping` holds them in place of
`shippingInfo` and `shippingAddress`.
"""

from __future__ import annotations

from typing import Any

from tests.behaviour.test_bff_payments import Shopper
from tests.world import World, money

ADA = {"firstName": "Ada", "lastName": "Byron", "streetName": "Weg 1", "country": "DE"}
LIN = {"firstName": "Lin", "lastName": "Li", "streetName": "Rue 2", "country": "FR"}


def price(cents: int) -> dict[str, Any]:
    return {"type": "centPrecision", "fractionDigits": 2, **money(cents)}


def deliver_to_several(document: dict[str, Any]) -> None:
    """Two deliveries for 490 and 300 beside the lines."""
    document.pop("shippingInfo", None)
    document.pop("shippingAddress", None)
    document.pop("taxedPrice", None)
    document["shippingMode"] = "Multiple"
    document["shipping"] = [
        {
            "shippingKey": name,
            "shippingAddress": address,
            "shippingInfo": {
                "shippingMethodName": name,
                "price": price(cents),
                "shippingRate": {"price": price(cents), "tiers": []},
                "shippingMethodState": "MatchesCart",
            },
        }
        for name, address, cents in (("Standard", ADA, 490), ("Parcel", LIN, 300))
    ]
    document["totalPrice"] = price(document["totalPrice"]["centAmount"] + 790)


async def test_express_shows_each_delivery() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    [document] = world.store.collection("cart")
    deliver_to_several(document)
    shown = (await world.client.get("/express-payment-data", headers=session)).json()
    assert shown["totalPrice"]["centAmount"] == 1790
    assert [(line["name"], line["amount"]["centAmount"]) for line in shown["lineItems"]] == [
        ("Subtotal", 1000),
        ("Standard", 490),
        ("Parcel", 300),
    ]


async def test_a_page_charges_each_delivery() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    document = next(o for o in world.store.collection("order") if o["id"] == order["id"])
    before = document["totalPrice"]["centAmount"] - (
        document.get("shippingInfo", {}).get("price", {}).get("centAmount", 0)
    )
    document["totalPrice"] = price(before)
    deliver_to_several(document)
    answer = await shopper.session(order["id"])
    assert answer.status_code == 201, answer.text
    [page] = world.stripe.sessions
    assert page["amount_total"] == before + 790


async def test_a_payment_in_the_page_knows_where_the_first_delivery_goes() -> None:
    world = World({"STRIPE_PAYMENT_BEHAVIOR_RULES": '{"DE": {"captureMethod": "manual"}}'})
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    [document] = world.store.collection("cart")
    deliver_to_several(document)
    answer = await world.client.post("/payments", headers=session)
    assert answer.status_code == 200, answer.text
    [intent] = world.stripe.intents
    assert intent["shipping"]["name"] == "Ada Byron"
    assert intent["capture_method"] == "manual", "the rule of the delivery's country"
