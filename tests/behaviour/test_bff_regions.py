"""Carts and prices of another currency and country than the merchant's first."""

from __future__ import annotations

import pytest

from tests.behaviour.storefront import API
from tests.world import World


@pytest.fixture
def world() -> World:
    return World({"STOREFRONT_MARKETS": "EUR:DE,EUR:AT,JPY:JP,KWD:KW"})


async def test_products_have_the_prices_of_the_region_that_is_asked_for(world: World) -> None:
    region = {"currency": "KWD", "country": "KW"}
    products = await world.client.get(f"{API}/products", params={**region, "limit": 500})
    product = await world.client.get(f"{API}/products/stoneware-mug-1", params=region)
    priced = [each["masterVariant"]["prices"][0]["value"] for each in products.json()["results"]]
    assert {each["currencyCode"] for each in priced} == {"KWD"}
    price = product.json()["masterVariant"]["prices"][0]["value"]
    assert price == {"centAmount": 5100, "currencyCode": "KWD"}


async def test_a_cart_is_opened_in_the_currency_that_is_asked_for(world: World) -> None:
    cart = (
        await world.client.post(f"{API}/carts", json={"currency": "JPY", "country": "JP"})
    ).json()
    assert cart["totalPrice"] == {"centAmount": 0, "currencyCode": "JPY"}
    changed = await world.client.put(
        f"{API}/carts/{cart['id']}",
        json={"action": "AddLineItem", "AddLineItem": {"variantId": "stoneware-mug-1"}},
    )
    assert changed.json()["totalPrice"] == {"centAmount": 2400, "currencyCode": "JPY"}


async def test_what_is_not_said_is_as_the_merchant_has_set_it(world: World) -> None:
    cart = await world.client.post(f"{API}/carts", json={})
    assert cart.json()["totalPrice"]["currencyCode"] == "EUR"


@pytest.mark.parametrize("currency", ["euro", "eur", "E"])
async def test_a_currency_that_is_none_is_refused(world: World, currency: str) -> None:
    cart = await world.client.post(f"{API}/carts", json={"currency": currency})
    products = await world.client.get(f"{API}/products", params={"currency": currency})
    assert (cart.status_code, products.status_code) == (400, 400)
    assert cart.json()["code"] == products.json()["code"] == "InvalidField"
