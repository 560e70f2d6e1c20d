"""What the small shop of the sandbox sells, to whom, and on what terms; plain data."""

from __future__ import annotations

from sandbox.commercetools.money import cents
from sandbox.commercetools.paths import Document

CLIENTS: dict[str, str] = {
    "sandbox-processor": "manage_payments manage_orders manage_customers manage_types"
    " manage_key_value_documents manage_payment_methods manage_recurring_payment_jobs"
    " view_recurring_orders view_sessions view_api_clients introspect_oauth_tokens"
    " manage_checkout_payment_intents view_products view_discount_codes",
    "sandbox-storefront": "manage_orders manage_sessions view_products manage_customers"
    " view_payment_methods",
    "sandbox-app": "create_anonymous_token manage_my_orders manage_my_payments manage_my_profile",
    "sandbox-checkout": "manage_checkout_payment_intents manage_checkout_transactions",
    "sandbox-admin": "manage_project",
}
"""API clients and their scopes; each secret is `<id>-secret`.

`sandbox-app` is a shop's app that lets shoppers call the API themselves, with tokens of their own.
"""

_EUROPE = ("AT", "BE", "DE", "ES", "FR", "IE", "IT", "NL")
ZONES: dict[str, tuple[str, ...]] = {
    "europe": _EUROPE,
    "britain": ("GB",),
    "america": ("US",),
    "japan": ("JP",),
    "gulf": ("KW",),
}

TAX_RATES: dict[str, list[tuple[str, str | None, float, bool]]] = {
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

SHIPPING: dict[str, tuple[str, str, dict[str, tuple[str, int, int | None]]]] = {
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

CATEGORIES = {"kitchen": "Kitchen", "desk": "Desk", "outdoors": "Outdoors"}

CURRENCIES = ("EUR", "USD", "GBP", "JPY", "KWD")

# Key, name, description, category, tax category, sizes and colours, prices by currency.
PRODUCTS: list[tuple[str, str, str, str, str, list[tuple[str, str]], tuple[int, ...]]] = [
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
DISCOUNTS: list[tuple[str, str, Document, bool]] = [
    ("SAVE10", "lineItems", {"type": "relative", "permyriad": 1_000}, True),
    (
        "FIVEOFF",
        "totalPrice",
        {
            "type": "absolute",
            "money": [
                cents(amount, currency)
                for currency, amount in zip(CURRENCIES, (500, 550, 450, 800, 1_600), strict=True)
            ],
        },
        True,
    ),
    ("FREESHIP", "shipping", {"type": "relative", "permyriad": 10_000}, True),
    ("LASTYEAR", "lineItems", {"type": "relative", "permyriad": 2_000}, False),
]

CUSTOMERS: dict[str, Document] = {
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
