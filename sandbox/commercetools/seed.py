"""A small shop to begin with: products, taxes, shipping, discounts, customers and API clients.

Ids are derived from names, so that they are the same in every run.
"""

from __future__ import annotations

import uuid

from sandbox.commercetools.money import cents
from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store

_NAMESPACE = uuid.UUID("6b0d3c52-3f5e-4b7e-9d6a-0f6f0a4b8d11")

CLIENTS: dict[str, str] = {
    "sandbox-processor": "manage_payments manage_orders manage_customers manage_types"
    " manage_key_value_documents manage_payment_methods manage_recurring_payment_jobs"
    " view_sessions view_api_clients introspect_oauth_tokens manage_checkout_payment_intents"
    " view_products",
    "sandbox-storefront": "manage_orders manage_sessions view_products manage_customers",
    "sandbox-checkout": "manage_checkout_payment_intents manage_checkout_transactions",
    "sandbox-admin": "manage_project",
}
"""API clients and their scopes; each secret is `<id>-secret`."""

_EUROPE = ("AT", "BE", "DE", "ES", "FR", "IE", "IT", "NL")
_ZONES: dict[str, tuple[str, ...]] = {
    "europe": _EUROPE,
    "britain": ("GB",),
    "america": ("US",),
    "japan": ("JP",),
    "gulf": ("KW",),
}

_TAX_RATES: dict[str, list[tuple[str, str | None, float, bool]]] = {
    "standard": [
        ("AT", None, 0.2, True),
        ("BE", None, 0.21, True),
        ("DE", None, 0.19, True),
        ("ES", None, 0.21, True),
        ("FR", None, 0.2, True),
        ("IE", None, 0.23, True),
        ("IT", None, 0.22, True),
        ("NL", None, 0.21, True),
        ("GB", None, 0.2, True),
        ("JP", None, 0.1, True),
        ("KW", None, 0.0, True),
        ("US", None, 0.0, False),
        ("US", "CA", 0.0725, False),
        ("US", "NY", 0.08875, False),
    ],
    "reduced": [
        ("AT", None, 0.1, True),
        ("BE", None, 0.06, True),
        ("DE", None, 0.07, True),
        ("ES", None, 0.04, True),
        ("FR", None, 0.055, True),
        ("IE", None, 0.0, True),
        ("IT", None, 0.04, True),
        ("NL", None, 0.09, True),
        ("GB", None, 0.0, True),
        ("JP", None, 0.08, True),
        ("KW", None, 0.0, True),
        ("US", None, 0.0, False),
        ("US", "CA", 0.0725, False),
        ("US", "NY", 0.04, False),
    ],
}
"""Country, state, rate and whether prices include it."""

_SHIPPING: dict[str, tuple[str, str, dict[str, tuple[str, int, int | None]]]] = {
    "standard": (
        "Standard",
        "Two to four working days",
        {
            "europe": ("EUR", 490, 10_000),
            "britain": ("GBP", 450, 9_000),
            "america": ("USD", 595, 12_000),
            "japan": ("JPY", 800, 15_000),
            "gulf": ("KWD", 1_500, 30_000),
        },
    ),
    "express": (
        "Express",
        "The next working day",
        {
            "europe": ("EUR", 1_290, None),
            "britain": ("GBP", 1_150, None),
            "america": ("USD", 1_495, None),
            "japan": ("JPY", 2_000, None),
            "gulf": ("KWD", 4_000, None),
        },
    ),
}
"""Name, description and, by zone, currency, price and what it is free above (minor units)."""

_CATEGORIES = {"kitchen": "Kitchen", "desk": "Desk", "outdoors": "Outdoors"}

_CURRENCIES = ("EUR", "USD", "GBP", "JPY", "KWD")

# Key, name, description, category, tax category, sizes and colours, prices by currency.
_PRODUCTS: list[tuple[str, str, str, str, str, list[tuple[str, str]], tuple[int, ...]]] = [
    (
        "stoneware-mug",
        "Stoneware mug",
        "Holds 350 ml, glazed inside, raw outside.",
        "kitchen",
        "standard",
        [("Sand", "350 ml"), ("Slate", "350 ml")],
        (1_490, 1_650, 1_290, 2_400, 5_100),
    ),
    (
        "pour-over-kettle",
        "Pour-over kettle",
        "Steel, 0.9 l, with a spout that pours where you point it.",
        "kitchen",
        "standard",
        [("Steel", "0.9 l")],
        (7_900, 8_500, 6_900, 12_800, 26_500),
    ),
    (
        "linen-apron",
        "Linen apron",
        "Heavy washed linen with two deep pockets.",
        "kitchen",
        "standard",
        [("Indigo", "One size"), ("Natural", "One size")],
        (4_250, 4_600, 3_650, 6_900, 14_250),
    ),
    (
        "field-notebook",
        "Field notebook",
        "96 pages, sewn, lies flat.",
        "desk",
        "reduced",
        [("Green", "A5"), ("Grey", "A6")],
        (1_195, 1_295, 995, 1_900, 3_950),
    ),
    (
        "brass-pen",
        "Brass pen",
        "Turned from one rod; takes standard refills.",
        "desk",
        "standard",
        [("Brass", "14 cm")],
        (3_999, 4_299, 3_499, 6_480, 13_330),
    ),
    (
        "task-lamp",
        "Task lamp",
        "Warm dimmable light on a counterweighted arm.",
        "desk",
        "standard",
        [("Black", "60 cm"), ("White", "60 cm")],
        (12_900, 13_900, 11_500, 21_000, 43_250),
    ),
    (
        "wool-blanket",
        "Wool blanket",
        "Woven from undyed wool, 140 by 200 cm.",
        "outdoors",
        "standard",
        [("Grey", "140 x 200 cm")],
        (9_833, 10_599, 8_499, 15_900, 32_980),
    ),
    (
        "trail-bottle",
        "Trail bottle",
        "Keeps tea hot for twelve hours.",
        "outdoors",
        "standard",
        [("Moss", "0.5 l"), ("Rust", "0.5 l")],
        (2_750, 2_950, 2_350, 4_300, 9_220),
    ),
]

# Key, code, target, value and whether the code still works.
_DISCOUNTS: list[tuple[str, str, Document, bool]] = [
    ("SAVE10", "lineItems", {"type": "relative", "permyriad": 1_000}, True),
    (
        "FIVEOFF",
        "totalPrice",
        {
            "type": "absolute",
            "money": [
                cents(amount, currency)
                for currency, amount in zip(_CURRENCIES, (500, 550, 450, 800, 1_600), strict=True)
            ],
        },
        True,
    ),
    ("FREESHIP", "shipping", {"type": "relative", "permyriad": 10_000}, True),
    ("LASTYEAR", "lineItems", {"type": "relative", "permyriad": 2_000}, False),
]

_CUSTOMERS: dict[str, Document] = {
    "ada": {
        "email": "ada@example.com",
        "firstName": "Ada",
        "lastName": "Byron",
        "addresses": [
            {
                "firstName": "Ada",
                "lastName": "Byron",
                "streetName": "Lindenstrasse",
                "streetNumber": "12",
                "postalCode": "10969",
                "city": "Berlin",
                "country": "DE",
                "email": "ada@example.com",
            }
        ],
    },
    "grace": {
        "email": "grace@example.com",
        "firstName": "Grace",
        "lastName": "Murray",
        "addresses": [
            {
                "firstName": "Grace",
                "lastName": "Murray",
                "streetName": "Broadway",
                "streetNumber": "350",
                "postalCode": "10013",
                "city": "New York",
                "state": "NY",
                "country": "US",
                "email": "grace@example.com",
            }
        ],
    },
}


def identifier(type_id: str, key: str) -> str:
    """The id of a seeded resource, such as `identifier("customer", "ada")`."""
    return str(uuid.uuid5(_NAMESPACE, f"{type_id}/{key}"))


def seed(store: Store) -> None:
    """Fill an empty store."""
    _seed_clients(store)
    _seed_taxes_and_shipping(store)
    _seed_products(store)
    _seed_discounts(store)
    for key, customer in _CUSTOMERS.items():
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
    for key, rates in _TAX_RATES.items():
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
    for key, countries in _ZONES.items():
        locations = [{"country": country} for country in countries]
        _insert(store, "zone", key, {"name": key.capitalize(), "locations": locations})
    for key, (name, description, rates_by_zone) in _SHIPPING.items():
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
    for order, (key, name) in enumerate(_CATEGORIES.items(), start=1):
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
    for key, name, description, category, tax, options, prices in _PRODUCTS:
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
            for currency, amount in zip(_CURRENCIES, prices, strict=True)
        ],
        "images": [],
        "assets": [],
        "attributes": [
            {"name": "Color", "value": {"key": colour.lower(), "label": colour}},
            {"name": "Size", "value": {"key": size.lower().replace(" ", "-"), "label": size}},
        ],
        "availability": {"isOnStock": True, "availableQuantity": 100},
    }


def _seed_discounts(store: Store) -> None:
    for order, (code, target, value, active) in enumerate(_DISCOUNTS, start=1):
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
