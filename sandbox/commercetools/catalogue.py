"""The catalogue that carts are filled from: products, categories, shipping, taxes, discounts.

It is seeded and read only. Products are answered whole and as projections of what is published.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.commercetools import fields
from sandbox.commercetools.errors import ApiError, not_found
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource, lookup, query
from sandbox.commercetools.state import Store

_COMMON = "id version createdAt lastModifiedAt key name"


def _read_only(type_id: str, path: str, view: str, names: str, **options: Any) -> Resource:
    return Resource(
        type_id=type_id,
        path=path,
        view=tuple(view.split()),
        fields=frozenset(f"{_COMMON} {names}".split()),
        **options,
    )


PRODUCTS = _read_only("product", "products", "view_products", "productType masterData taxCategory")
PROJECTIONS = _read_only(
    "product",
    "product-projections",
    "view_products view_published_products",
    "productType description slug categories masterVariant variants taxCategory published",
)
CATEGORIES = _read_only(
    "category",
    "categories",
    "view_products view_categories",
    "slug description ancestors parent orderHint",
)
SHIPPING_METHODS = _read_only(
    "shipping-method",
    "shipping-methods",
    "view_orders view_shipping_methods",
    "description taxCategory zoneRates active isDefault",
)
TAX_CATEGORIES = _read_only(
    "tax-category", "tax-categories", "view_products view_tax_categories", "rates"
)
ZONES = _read_only("zone", "zones", "view_project_settings", "locations")
DISCOUNT_CODES = _read_only(
    "discount-code", "discount-codes", "view_discount_codes", "code cartDiscounts isActive"
)
CART_DISCOUNTS = _read_only(
    "cart-discount",
    "cart-discounts",
    "view_cart_discounts",
    "value target sortOrder isActive requiresDiscountCode",
)
API_CLIENTS = _read_only("api-client", "api-clients", "view_api_clients", "scope", identifiers={})


def variant_of(store: Store, draft: Document) -> tuple[Document, Document]:
    """The product and variant that a line item draft means, by SKU or by product and variant."""
    products = store.collection("product")
    sku = fields.text(draft, "sku")
    if sku is not None:
        for level in ("masterVariant", "variants"):
            for product in products.find(f"masterData.current.{level}.sku", sku):
                for variant in _variants(product):
                    if variant["sku"] == sku:
                        return product, variant
        raise ApiError(400, "InvalidField", f"No product variant has the SKU '{sku}'.", field="sku")
    product = store.resolve("product", {"id": fields.need_text(draft, "productId")})
    wanted = draft.get("variantId", 1)
    for variant in _variants(product):
        if variant["id"] == wanted:
            return product, variant
    raise ApiError(
        400, "InvalidField", f"The product has no variant '{wanted}'.", field="variantId"
    )


def select_price(variant: Document, currency: str, country: str | None) -> Document | None:
    """The price of a variant: that of the country before the one for everywhere."""
    anywhere: Document | None = None
    price: Document
    for price in variant["prices"]:
        if price["value"]["currencyCode"] == currency:
            if country is not None and price.get("country") == country:
                return price
            if "country" not in price:
                anywhere = price
    return anywhere


def projection(product: Document, parameters: Mapping[str, list[str]]) -> Document:
    """What is published of a product; with `priceCurrency` each variant has its price selected."""
    current = product["masterData"]["current"]
    currency = parameters.get("priceCurrency", [""])[-1]
    country = parameters.get("priceCountry", [None])[-1]

    def priced(variant: Document) -> Document:
        price = select_price(variant, currency, country)
        return variant if price is None else {**variant, "price": price}

    kept = ("id", "version", "key", "createdAt", "lastModifiedAt", "productType", "taxCategory")
    return {
        **{name: product[name] for name in kept},
        **current,
        "published": True,
        "hasStagedChanges": False,
        "masterVariant": priced(current["masterVariant"]),
        "variants": [priced(variant) for variant in current["variants"]],
    }


def get_projection(store: Store, reference: str, parameters: Mapping[str, list[str]]) -> Document:
    """One product by id or `key=`, as a projection."""
    return projection(lookup(store, PRODUCTS, reference), parameters)


def query_projections(store: Store, parameters: Mapping[str, list[str]]) -> Document:
    """A page of projections; predicates name the projection's own fields."""
    projections = (projection(product, parameters) for product in store.collection("product"))
    return query(store, PROJECTIONS, parameters, projections)


def shipping_methods_for_cart(store: Store, parameters: Mapping[str, list[str]]) -> Document:
    """The shipping methods that the cart of `cartId` can have, with the matching rate marked."""
    cart_id = parameters.get("cartId", [""])[-1]
    cart = store.collection("cart").get(cart_id)
    if cart is None:
        raise not_found(f"ID '{cart_id}'")
    results = []
    for method in store.collection("shipping-method"):
        rate = matching_rate(store, method, cart)
        if rate is not None:
            marked = [
                {
                    **zone_rate,
                    "shippingRates": [
                        {**candidate, "isMatching": candidate is rate}
                        for candidate in zone_rate["shippingRates"]
                    ],
                }
                for zone_rate in method["zoneRates"]
            ]
            results.append({**method, "zoneRates": marked})
    return {"limit": len(results), "offset": 0, "count": len(results), "results": results}


def matching_rate(store: Store, method: Document, cart: Document) -> Document | None:
    """The shipping rate of a method for a cart's address and currency."""
    address = cart.get("shippingAddress")
    if address is None:
        return None
    rate: Document
    for zone_rate in method["zoneRates"]:
        zone = store.resolve("zone", zone_rate["zone"])
        if any(location["country"] == address["country"] for location in zone["locations"]):
            for rate in zone_rate["shippingRates"]:
                if rate["price"]["currencyCode"] == cart["totalPrice"]["currencyCode"]:
                    return rate
    return None


def tax_rate(store: Store, category: Document, address: Document) -> Document:
    """The tax rate of a category at an address: the state's before the country's."""
    country, state = address["country"], address.get("state")
    found: Document | None = None
    rate: Document
    for rate in store.resolve("tax-category", category)["rates"]:
        if rate["country"] == country:
            if state is not None and rate.get("state") == state:
                return rate
            if "state" not in rate:
                found = rate
    if found is None:
        raise ApiError(
            400,
            "MissingTaxRateForCountry",
            f"Tax category '{category['id']}' is missing a tax rate for country '{country}'.",
            taxCategoryId=category["id"],
            country=country,
            **({} if state is None else {"state": state}),
        )
    return found


def _variants(product: Document) -> list[Document]:
    current = product["masterData"]["current"]
    return [current["masterVariant"], *current["variants"]]
