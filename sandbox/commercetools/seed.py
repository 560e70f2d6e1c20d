"""A small shop to begin with: products, taxes, shipping, discounts, customers and API clients.

Ids are derived from names, so that they are the same in every run.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import cache

from sandbox.commercetools.money import cents
from sandbox.commercetools.paths import Document
from sandbox.commercetools.shop import (
    CATEGORIES,
    CLIENTS,
    CURRENCIES,
    CUSTOMERS,
    DISCOUNTS,
    PRODUCTS,
    SHIPPING,
    TAX_RATES,
    ZONES,
)
from sandbox.commercetools.state import Store

_NAMESPACE = uuid.UUID("6b0d3c52-3f5e-4b7e-9d6a-0f6f0a4b8d11")


@cache
def identifier(type_id: str, key: str) -> str:
    """The id of a seeded resource, such as `identifier("customer", "ada")`."""
    return str(uuid.uuid5(_NAMESPACE, f"{type_id}/{key}"))


def seed(store: Store) -> None:
    """Fill an empty store."""
    _seed_clients(store)
    _seed_taxes_and_shipping(store)
    _seed_products(store)
    _seed_discounts(store)
    for key, customer in CUSTOMERS.items():
        _seed_customer(store, key, customer)


def _reference(type_id: str, key: str) -> Document:
    return {"typeId": type_id, "id": identifier(type_id, key)}


def _insert(store: Store, type_id: str, key: str, fields: Document) -> None:
    store.insert(type_id, {"key": key, **fields}, id_=identifier(type_id, key))


def _seed_clients(store: Store) -> None:
    for client_id, scopes in CLIENTS.items():
        client = store.tokens.register(client_id, f"{client_id}-secret", scopes.split())
        store.insert(
            "api-client", {"name": client_id, "scope": " ".join(client.scopes)}, id_=client_id
        )


def _seed_taxes_and_shipping(store: Store) -> None:
    for key, rates in TAX_RATES.items():
        _insert(
            store,
            "tax-category",
            key,
            {
                "name": key.capitalize(),
                "rates": [
                    {
                        "id": identifier("tax-rate", f"{key}/{country}/{state}"),
                        "name": f"{rate * 100:g} % {country}{f'-{state}' if state else ''}",
                        "amount": rate,
                        "includedInPrice": included,
                        "country": country,
                        **({"state": state} if state else {}),
                    }
                    for country, state, rate, included in rates
                ],
            },
        )
    for key, countries in ZONES.items():
        locations = [{"country": country} for country in countries]
        _insert(store, "zone", key, {"name": key.capitalize(), "locations": locations})
    for key, (name, description, rates_by_zone) in SHIPPING.items():
        zone_rates = [
            {
                "zone": _reference("zone", zone),
                "shippingRates": [
                    {
                        "price": cents(price, currency),
                        "tiers": [],
                        **({"freeAbove": cents(free, currency)} if free is not None else {}),
                    }
                ],
            }
            for zone, (currency, price, free) in rates_by_zone.items()
        ]
        _insert(
            store,
            "shipping-method",
            key,
            {
                "name": name,
                "description": description,
                "taxCategory": _reference("tax-category", "standard"),
                "zoneRates": zone_rates,
                "active": True,
                "isDefault": key == "standard",
                "stores": [],
            },
        )


def _seed_products(store: Store) -> None:
    for order, (key, name) in enumerate(CATEGORIES.items(), start=1):
        _insert(
            store,
            "category",
            key,
            {
                "name": {"en": name},
                "slug": {"en": key},
                "ancestors": [],
                "orderHint": f"0.{order}",
                "assets": [],
            },
        )
    for key, name, description, category, tax, options, prices in PRODUCTS:
        variants = [
            _variant(key, number, colour, size, prices)
            for number, (colour, size) in enumerate(options, start=1)
        ]
        data = {
            "name": {"en": name},
            "slug": {"en": key},
            "description": {"en": description},
            "categories": [_reference("category", category)],
            "masterVariant": variants[0],
            "variants": variants[1:],
            "searchKeywords": {},
            "attributes": [],
        }
        _insert(
            store,
            "product",
            key,
            {
                "productType": {"typeId": "product-type", "id": identifier("product-type", "main")},
                "taxCategory": _reference("tax-category", tax),
                "priceMode": "Embedded",
                "masterData": {
                    "published": True,
                    "hasStagedChanges": False,
                    "current": data,
                    "staged": data,
                },
            },
        )


def _variant(key: str, number: int, colour: str, size: str, prices: tuple[int, ...]) -> Document:
    return {
        "id": number,
        "sku": f"{key}-{number}",
        "prices": [
            {
                "id": identifier("price", f"{key}/{number}/{currency}"),
                "value": cents(amount, currency),
            }
            for currency, amount in zip(CURRENCIES, prices, strict=True)
        ],
        "images": [],
        "assets": [],
        "attributes": [
            {"name": "Color", "value": {"key": colour.lower(), "label": colour}},
            {"name": "Size", "value": {"key": size.lower().replace(" ", "-"), "label": size}},
        ],
        "availability": {"isOnStock": True, "availableQuantity": 100},
    }


def set_pictures(store: Store, address: Callable[[str, str], str]) -> None:
    """Give every variant a picture: at the address for its SKU and colour."""
    for product in list(store.collection("product")):
        data = product["masterData"]
        current = data["current"]
        pictured = {
            **current,
            "masterVariant": _pictured(current["masterVariant"], address),
            "variants": [_pictured(each, address) for each in current["variants"]],
        }
        known = {**product, "masterData": {**data, "current": pictured, "staged": pictured}}
        store.replace("product", known)


def _pictured(variant: Document, address: Callable[[str, str], str]) -> Document:
    colour = next(each for each in variant["attributes"] if each["name"] == "Color")
    picture = {
        "url": address(variant["sku"], colour["value"]["key"]),
        "dimensions": {"w": 400, "h": 400},
    }
    return {**variant, "images": [picture]}


def _seed_discounts(store: Store) -> None:
    for order, (code, target, value, active) in enumerate(DISCOUNTS, start=1):
        key = code.lower()
        _insert(
            store,
            "cart-discount",
            key,
            {
                "name": {"en": code},
                "value": value,
                "cartPredicate": "1 = 1",
                "target": {
                    "type": target,
                    **({"predicate": "1 = 1"} if target == "lineItems" else {}),
                },
                "sortOrder": f"0.{order}",
                "isActive": True,
                "requiresDiscountCode": True,
                "stackingMode": "Stacking",
                "recurringOrderScope": {"type": "NonRecurringOrdersOnly"},
                "references": [],
                "stores": [],
            },
        )
        _insert(
            store,
            "discount-code",
            key,
            {
                "code": code,
                "cartDiscounts": [_reference("cart-discount", key)],
                "isActive": active,
                "references": [],
                "groups": [],
                "stores": [],
            },
        )


def _seed_customer(store: Store, key: str, customer: Document) -> None:
    addresses = [
        {"id": identifier("address", f"{key}/{number}"), **address}
        for number, address in enumerate(customer["addresses"])
    ]
    _insert(
        store,
        "customer",
        key,
        {
            **customer,
            "addresses": addresses,
            "defaultShippingAddressId": addresses[0]["id"],
            "shippingAddressIds": [addresses[0]["id"]],
            "defaultBillingAddressId": addresses[0]["id"],
            "billingAddressIds": [addresses[0]["id"]],
            "isEmailVerified": True,
            "customerGroupAssignments": [],
            "stores": [],
            "authenticationMode": "Password",
        },
    )
    store.passwords[identifier("customer", key)] = f"{key}-password"
