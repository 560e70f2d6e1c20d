"""Opens hosted pages to buy one product, or to pay an order by its number, and reports their state.

commercetools prices the product in a cart of its own. The cart becomes an order only once it is
paid, so abandoned visits leave no orders behind.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal
from urllib.parse import quote

from msgspec import Struct

from stripe_connector import context
from stripe_connector.errors import Conflict, InvalidRequest, NotFound, VersionConflict
from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import is_id
from stripe_connector.gateways.commercetools.shown import (
    AddressDraft,
    CartDraft,
    LineDraft,
    Product,
)
from stripe_connector.gateways.commercetools.update_actions import RecalculateCart
from stripe_connector.gateways.stripe.gateway import Stripe
from stripe_connector.gateways.stripe.models import CheckoutSession
from stripe_connector.ledger.facts import CART_ID, ORDER_ID, PROJECT_KEY
from stripe_connector.money import Money, MoneyDraft, iso_digits, to_stripe
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.settings import Settings
from stripe_connector.storefront.checkout_sessions import (
    PAGE_OPEN,
    CheckoutSessions,
    PaymentSession,
)
from stripe_connector.storefront.fulfil import Fulfiller, Standing
from stripe_connector.storefront.fulfil_cart import CartFulfiller
from stripe_connector.storefront.names import localized
from stripe_connector.storefront.order_state import latest_payment
from stripe_connector.storefront.place_order import Orders
from stripe_connector.storefront.session_params import BUY_NOW, FLOW, Landing

logger = logging.getLogger(__name__)

_NO_ORDER = "No open order with this number costs this."
_NO_PAGE = "The payment page was not found."

State = Literal["open", "processing", "paid", "failed"]
"""Of a payment page: not paid yet, money is being processed or waits for the merchant, paid and
fulfilled, ended."""


class ItemForSale(Struct, frozen=True):
    """The product that is sold."""

    product_id: str
    variant_id: int
    name: str
    price: MoneyDraft


class OpenPurchase(Struct, frozen=True):
    """What a visitor was about to buy, from the cookie."""

    cart_id: str
    product_id: str
    variant_id: int

    def holds(self, item: ItemForSale) -> bool:
        return (self.product_id, self.variant_id) == (item.product_id, item.variant_id)


class Opened(Struct, frozen=True):
    """A payment page, and the cookie with which the same visitor finds it again."""

    session: PaymentSession
    kept: OpenPurchase


class PurchaseClaim(Struct, frozen=True):
    """The order's total according to the page, in Stripe's minor units."""

    amount: int | None = None
    currencies: frozenset[str] = frozenset()

    def require_true(self, total: Money) -> None:
        """Raises Conflict where it costs something else."""
        if self.amount is not None and self.amount != to_stripe(total):
            raise Conflict("The order costs another amount.", code="AmountMismatch")
        if self.currencies - {total.currency_code}:
            raise Conflict("The order is in another currency.", code="CurrencyMismatch")


class PageOutcome(Struct, frozen=True):
    """The state of a payment page."""

    state: State
    order_number: str | None = None


class BuyNow:
    """Opens payment pages for products and orders, and reads their state."""

    def __init__(
        self,
        commercetools: Commercetools,
        stripe: Stripe,
        sessions: CheckoutSessions,
        fulfiller: Fulfiller,
        carts: CartFulfiller,
        orders: Orders,
        account: OwnAccount,
        settings: Settings,
    ) -> None:
        self._commercetools = commercetools
        self._stripe = stripe
        self._sessions = sessions
        self._fulfiller = fulfiller
        self._carts = carts
        self._orders = orders
        self._account = account
        self._settings = settings

    async def item(self, name: str) -> ItemForSale:
        """The product with a SKU, id or key; raises NotFound also without a price."""
        settings = self._settings
        found = await self._commercetools.find_products(
            name,
            is_id=is_id(name),
            currency=settings.storefront_currency,
            country=settings.storefront_country,
        )
        items = [_item(product, name, settings.storefront_locale) for product in found]
        items.sort(key=lambda each: each[0])
        if not items or items[0][1] is None:
            raise NotFound("The product was not found.")
        return items[0][1]

    async def open(self, item: ItemForSale, kept: OpenPurchase | None, landing: Landing) -> Opened:
        """A payment page for one piece: the visitor's own while it can be paid, else a new one."""
        if kept is not None and kept.holds(item) and await self._up_to_date(kept.cart_id):
            try:
                session = await self._sessions.open_for_cart(kept.cart_id, landing)
            except (Conflict, NotFound) as error:
                if error.code == PAGE_OPEN:
                    raise  # the visitor's own page, which can be continued
                context.note(outcome="paid before, opened anew")
            else:
                return Opened(session, kept)
        settings = self._settings
        cart = await self._commercetools.create_cart(
            CartDraft(
                settings.storefront_currency,
                settings.storefront_country,
                settings.storefront_locale,
                [LineDraft(item.product_id, item.variant_id)],
                AddressDraft(settings.storefront_country),
            )
        )
        context.note(cart=cart.id)
        session = await self._sessions.open_for_cart(cart.id, landing)
        return Opened(session, OpenPurchase(cart.id, item.product_id, item.variant_id))

    async def _up_to_date(self, cart_id: str) -> bool:
        """Whether a cart can still be bought; if so, its prices are brought up to date."""
        try:
            cart = await self._commercetools.get_payable_cart(cart_id)
            if cart.cart_state != "Active":
                return False
            await self._commercetools.update_cart(cart.id, cart.version, [RecalculateCart()])
        except VersionConflict:
            return True  # another request of the same visitor updates it
        except (NotFound, InvalidRequest):
            return False  # deleted, or not sold any more
        return True

    async def _order_id(self, name: str) -> str:
        """The id of the order with an id or number; raises NotFound."""
        if is_id(name):
            return (await self._orders.order(name)).id
        found = await self._commercetools.find_order_by_number(name)
        if found is None:
            raise NotFound(_NO_ORDER)
        return found.id

    async def open_order(
        self, name: str, claim: PurchaseClaim, landing: Callable[[str], Landing]
    ) -> PaymentSession:
        """The payment page of an order by its id or number.

        `landing` builds its return addresses from the id or number that the caller gave, spelled as
        in commercetools.

        An id cannot be guessed, a number can: by number, the page shows no data of the shopper, the
        right sum is required, and every mismatch has the same answer, NotFound. By id, raises
        Conflict where the page has another sum.
        """
        if is_id(name):
            order_id = (await self._orders.order(name)).id
            return await self._open_order(order_id, claim, landing, shows_customer=True)
        try:
            if claim.amount is not None:
                order_id = await self._numbered(name, claim)
                return await self._open_order(order_id, claim, landing, shows_customer=False)
        except (Conflict, InvalidRequest, NotFound) as error:
            raise NotFound(_NO_ORDER, detail=error.message) from error
        raise NotFound(_NO_ORDER, detail="No sum was given.")

    async def _numbered(self, number: str, claim: PurchaseClaim) -> str:
        """The id of an order of that number and cost; what does not fit takes one call alike, so
        that the time that it takes tells no number from another."""
        found = await self._commercetools.find_order_by_number(number)
        if found is None:
            raise NotFound(_NO_ORDER)
        total = found.gross_total
        digits = iso_digits(total.currency_code)
        claim.require_true(Money(total.cent_amount, total.currency_code, digits))
        return found.id

    async def _open_order(
        self,
        order_id: str,
        claim: PurchaseClaim,
        landing: Callable[[str], Landing],
        *,
        shows_customer: bool,
    ) -> PaymentSession:
        context.note(order=order_id)
        order = await self._commercetools.get_order(order_id)
        total = order.gross_total
        if not shows_customer and total.cent_amount == 0:
            raise NotFound(_NO_ORDER)  # an answer without a page would have to name the order's id
        claim.require_true(total)
        shown = order_id if shows_customer else quote(order.order_number or "", safe="")
        return await self._sessions.open(
            order_id, landing=landing(shown), shows_customer=shows_customer
        )

    async def order_state(self, name: str, session_id: str) -> State:
        """The state of the payment page of an order, by its id or number.

        Raises NotFound, the same for an unknown order and for a page that is not its.
        """
        try:
            # The page first, so that without it no number takes more time than another.
            is_free = session_id.startswith("free_")
            session = None if is_free else await self._session(session_id)
            order_id = await self._order_id(name)
        except NotFound as error:
            raise NotFound(_NO_PAGE) from error
        if session_id == f"free_{order_id}":
            return _state(None, await self._fulfiller.refresh_and_fulfil(order_id))
        if session is None or session.metadata.get(ORDER_ID) != order_id:
            raise NotFound(_NO_PAGE)
        return await self._order_state(order_id, session)

    async def outcome(self, session_id: str) -> PageOutcome:
        """The state of a payment page, fulfilled where it is paid; raises NotFound."""
        session = await self._session(session_id)
        order_id, cart_id = session.metadata.get(ORDER_ID), session.metadata.get(CART_ID)
        if order_id is not None:
            state = await self._order_state(order_id, session)
            number = (await self._commercetools.get_order(order_id)).order_number
            return PageOutcome(state, number)
        if cart_id is None or session.metadata.get(FLOW) != BUY_NOW:
            raise NotFound(_NO_PAGE)
        try:
            fulfilled = await self._carts.refresh_and_fulfil(cart_id)
        except VersionConflict:
            return PageOutcome("processing")  # Stripe repeats the webhook, which tries again
        if fulfilled.order is not None:
            return PageOutcome("paid", fulfilled.order.order_number or None)
        return PageOutcome(_state(session, fulfilled.standing))

    async def _session(self, session_id: str) -> CheckoutSession:
        if not session_id.startswith("cs_"):
            raise NotFound(_NO_PAGE)
        session = await self._stripe.get_checkout_session(session_id)
        if session.metadata.get(PROJECT_KEY) != self._settings.ctp_project_key:
            raise NotFound(_NO_PAGE)
        return session

    async def _order_state(self, order_id: str, session: CheckoutSession) -> State:
        standing = await self._fulfiller.refresh_and_fulfil(order_id)
        if standing == "unpaid" and session.status == "complete":
            order = await self._commercetools.get_order(order_id)
            latest = latest_payment(order, await self._account.ours())
            if latest is not None and latest.total("Authorization", "Success"):
                return "processing"  # authorized, and captured later
        return _state(session, standing)


def _item(product: Product, name: str, locale: str) -> tuple[int, ItemForSale | None]:
    """How well a name (SKU, id or key) matches a product, and the variant."""
    variants = [product.master_variant, *product.variants]
    named = next((variant for variant in variants if variant.sku == name), None)
    variant = named or product.master_variant
    rank = 0 if named else 1 if product.id == name else 2
    if variant.price is None:
        return rank, None
    item = ItemForSale(product.id, variant.id, localized(product.name, locale), variant.price.value)
    return rank, item


def _state(session: CheckoutSession | None, standing: Standing) -> State:
    if standing != "unpaid" or session is None:
        return "failed" if standing == "unpaid" else standing
    if session.status == "complete" and session.payment_status == "paid":
        return "processing"  # paid, but not the amount that the sale costs now
    return "open" if session.status == "open" else "failed"
