"""Use cases of a shop's pages before the order: browse, fill a cart, try a discount code."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from stripe_connector.clock import Clock
from stripe_connector.concurrency import TRIES
from stripe_connector.errors import InvalidRequest, NotFound, VersionConflict
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.commercetools.shown import (
    CartDraft,
    DiscountCode,
    ProductPage,
    ShownCart,
)
from stripe_connector.gateways.commercetools.storefront_calls import MAX_OFFSET
from stripe_connector.payments.asked import ImpossibleValue
from stripe_connector.settings import Market, Settings
from stripe_connector.storefront import views
from stripe_connector.storefront.cart_changes import (
    AddDiscountCode,
    CartChange,
    RemovedCode,
    RemoveDiscountCode,
)

_CODE_REFUSED = "DiscountCodeNonApplicable"
_INVALID_CODE = "This discount code is not valid."
Currency = Annotated[str, Meta(pattern="^[A-Z]{3}$", max_length=3)]
"""As in ISO 4217. The length keeps out the line break that `$` would let through."""
Country = Annotated[str, Meta(pattern="^[A-Z]{2}$", max_length=2)]
"""As in ISO 3166-1."""
_NO_CATEGORY = {"", "0", views.ALL_PRODUCTS}
_LONGEST = 256
"""Characters of a SKU or a code, as in the request bodies; a longer text is neither."""
"""What pages send as a category before they have loaded any."""


class Region(Struct, frozen=True):
    """The market of a request; missing values are the merchant's defaults."""

    currency: Currency | None = None
    country: Country | None = None


class ProductRange(Struct, frozen=True):
    """The products that a page requests."""

    offset: int
    limit: int
    category_id: str = ""
    region: Region = Region()


class UnknownCurrency(ImpossibleValue):
    """No market of the merchant has this currency."""


class UnknownCountry(ImpossibleValue):
    """No market of the merchant with this currency has this country."""


class Storefront:
    """Catalogue and carts. Any caller with a cart's id may use the cart."""

    def __init__(self, commercetools: Commercetools, settings: Settings, clock: Clock) -> None:
        self._commercetools = commercetools
        self._clock = clock
        self._markets = settings.markets
        self._locale = settings.storefront_locale

    async def categories(self) -> list[views.CategoryView]:
        return views.categories_view(await self._commercetools.list_categories(), self._locale)

    async def products(self, page: ProductRange) -> views.ProductList:
        """A page of products, those of the categories below included.

        `offset` counts pages from 1, as the published storefront sends it. Where there is no such
        page, it is a number of products to skip.
        """
        category_ids: list[str] | None = None
        if page.category_id not in _NO_CATEGORY:
            if not is_id(page.category_id):
                return views.ProductList(page.limit, page.offset, 0, [])
            below = await self._commercetools.list_category_ids_below(page.category_id)
            category_ids = [page.category_id, *below]
        skipped = (max(page.offset, 1) - 1) * page.limit
        found = await self._skip(skipped, page, category_ids)
        if not found.results and page.offset < min(skipped, found.total):
            found = await self._skip(page.offset, page, category_ids)
        return views.ProductList(
            limit=page.limit,
            offset=page.offset,
            total=found.total,
            results=[views.product_view(product, self._locale) for product in found.results],
        )

    async def _skip(
        self, offset: int, page: ProductRange, category_ids: list[str] | None
    ) -> ProductPage:
        """Products after the first `offset`; none where commercetools does not skip that many."""
        market = self._market(page.region)
        found = await self._commercetools.list_products(
            currency=market.currency,
            country=market.country,
            offset=min(offset, MAX_OFFSET),
            limit=page.limit,
            category_ids=category_ids,
        )
        return found if offset <= MAX_OFFSET else ProductPage([], found.total)

    async def product(self, sku: str, region: Region) -> views.ProductView:
        """Raises NotFound."""
        if len(sku) > _LONGEST:
            raise NotFound("The product was not found.")
        market = self._market(region)
        found = await self._commercetools.find_product_by_sku(
            sku, currency=market.currency, country=market.country
        )
        if found is None:
            raise NotFound("The product was not found.")
        return views.product_view(found, self._locale)

    async def discount_code(self, code: str) -> views.DiscountCodeView:
        """A code that is valid now; raises the same NotFound for all others."""
        found = await self._working_code(code)
        if found is None:
            raise NotFound(_INVALID_CODE, code=_CODE_REFUSED)
        return views.discount_code_view(found, self._locale)

    async def _working_code(self, code: str) -> DiscountCode | None:
        if len(code) > _LONGEST:
            return None
        found = await self._commercetools.find_discount_code(code)
        return found if found is not None and self._works(found) else None

    def _works(self, code: DiscountCode) -> bool:
        now = self._clock.now()
        return (
            code.is_active
            and (code.valid_from is None or datetime.fromisoformat(code.valid_from) <= now)
            and (code.valid_until is None or now < datetime.fromisoformat(code.valid_until))
        )

    async def create_cart(self, region: Region) -> views.CartView:
        """An empty cart of a guest."""
        market = self._market(region)
        draft = CartDraft(market.currency, market.country, self._locale)
        return self._shown(await self._commercetools.create_cart(draft))

    async def cart(self, cart_id: str) -> views.CartView:
        """Raises NotFound."""
        return self._shown(await read_cart(self._commercetools, cart_id))

    async def change_cart(self, cart_id: str, change: CartChange) -> views.CartView:
        """Carry out a change on the current cart, whatever version the page has.

        Raises NotFound, InvalidRequest, and VersionConflict after repeated conflicts.
        """
        if isinstance(change, AddDiscountCode):
            return self._shown(await self._add_code(cart_id, change))
        return self._shown(await self._change(cart_id, change))

    async def _add_code(self, cart_id: str, change: AddDiscountCode) -> ShownCart:
        """Remove a code that does not apply to the cart: it would prevent the order."""
        known = await self._working_code(change.added.code)
        if known is None:
            raise InvalidRequest(_INVALID_CODE, code=_CODE_REFUSED)
        cart = await self._change(cart_id, change)
        on_cart = cart.code(known.id)
        if on_cart is not None and on_cart.state != "MatchesCart":
            await self._change(cart_id, RemoveDiscountCode(removed=RemovedCode(known.id)))
            raise InvalidRequest(
                "This discount code does not apply to the cart.",
                code=_CODE_REFUSED,
                fields={"reason": on_cart.state},
            )
        return cart

    async def _change(self, cart_id: str, change: CartChange) -> ShownCart:
        version = change.version
        if version is None or not is_id(cart_id):
            version = (await read_cart(self._commercetools, cart_id)).version
        tries = 0
        while True:
            tries += 1
            try:
                return await self._commercetools.update_cart(cart_id, version, change.actions())
            except (VersionConflict, InvalidRequest) as error:
                cart = await self._commercetools.get_shown_cart(cart_id)
                if change.done_in(cart):
                    return cart
                if isinstance(error, InvalidRequest) or tries >= TRIES:
                    raise
                version = cart.version

    def _market(self, region: Region) -> Market:
        """The market that a page means; raises UnknownCurrency or UnknownCountry for any other."""
        of_currency = [each for each in self._markets if region.currency in (None, each.currency)]
        if not of_currency:
            raise UnknownCurrency(region.currency, reason="The shop has no such market.")
        for each in of_currency:
            if region.country in (None, each.country):
                return each
        raise UnknownCountry(region.country, reason="The shop has no such market.")

    def _shown(self, cart: ShownCart) -> views.CartView:
        return views.cart_view(cart, self._locale)


async def read_cart(commercetools: Commercetools, cart_id: str) -> ShownCart:
    """The cart with an id; raises NotFound, also for texts that address carts in other ways."""
    if not is_id(cart_id):
        raise NotFound("The cart was not found.")
    return await commercetools.get_shown_cart(cart_id)
