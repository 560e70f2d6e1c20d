"""The configuration of the payment elements in the browser."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType

from stripe_connector.gateways.commercetools.gateway import Commercetools
from stripe_connector.gateways.commercetools.models import Address, Cart, SessionMetadata
from stripe_connector.ledger.ours import Ours
from stripe_connector.method_names import SINGLE, WALLETS, is_wallet, single_type
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments.amounts import require_due
from stripe_connector.payments.behaviour import Behaviour, behaviour_of
from stripe_connector.payments.comfort import EMAIL, fitting
from stripe_connector.payments.intents import full_name, phone_of, stripe_address
from stripe_connector.payments.offer import MethodChoice, Offer
from stripe_connector.payments.own_account import OwnAccount
from stripe_connector.payments.shopper import Shopper, read_session_and_cart
from stripe_connector.settings import Settings


class StoredPaymentMethodsConfig(Struct, frozen=True, rename="camel"):
    is_enabled: bool


class Config(Struct, frozen=True, rename="camel"):
    """GET /operations/config: public, and the same for every cart but for stored methods."""

    client_key: str
    publishable_key: str
    environment: str
    capture_method: str
    stripe_js_url: str
    stored_payment_methods_config: StoredPaymentMethodsConfig
    appearance: str | UnsetType = UNSET
    express_element_options: str | UnsetType = UNSET


class CartInfo(Struct, frozen=True, rename="camel"):
    amount: int
    """In Stripe's minor units, as the element expects it."""
    currency: str


class ElementConfig(Struct, frozen=True, rename="camel"):
    """GET /config-element: how the element looks and behaves for one cart."""

    cart_info: CartInfo
    capture_method: str
    payment_element_options: str
    layout: str
    collect_billing_address: str
    flow_type: str
    appearance: str | UnsetType = UNSET
    setup_future_usage: str | UnsetType = UNSET
    allowed_payment_method_types: tuple[str, ...] | UnsetType = UNSET
    """The types that session, rule and component allow, where any of them restricts."""
    payment_method_configuration: str | UnsetType = UNSET
    methods: str | UnsetType = UNSET
    """The same two as options of Stripe's elements: JSON, which the enabler passes on."""


class ExpressLine(Struct, frozen=True, rename="camel"):
    name: str
    amount: Money
    type: str
    """SUBTOTAL, TAX, SHIPPING or TOTAL."""


class ExpressData(Struct, frozen=True, rename="camel"):
    """GET /express-payment-data: the contents of the wallet's sheet."""

    total_price: Money
    currency_code: str
    line_items: list[ExpressLine]


class Elements:
    """Configures elements for carts as they are now."""

    def __init__(
        self, commercetools: Commercetools, account: OwnAccount, offer: Offer, settings: Settings
    ) -> None:
        self._commercetools = commercetools
        self._account = account
        self._offer = offer
        self._settings = settings

    async def offers_stored(self, cart_id: str) -> bool:
        """Whether a customer's methods may be stored: if that is switched on, and there is one."""
        if not self._settings.stored_payment_methods_enabled:
            return False
        return (await self._commercetools.get_cart(cart_id)).customer_id is not None

    async def configure(self, shopper: Shopper, component: str) -> ElementConfig:
        """Configuration of one component, which may be named like the one type that it offers.

        Raises InvalidRequest where nothing is due, Conflict where no payment method is left.
        """
        session, cart = await read_session_and_cart(
            shopper, self._commercetools, self._account, self._offer
        )
        ours = await self._account.ours()
        behaviour = behaviour_of(cart, self._settings)
        methods = await self._offer.choose(session.metadata, behaviour, single_type(component))
        return element_config(
            component, cart, session.metadata, ours, self._settings, behaviour, methods
        )

    async def list_single(self) -> list[str]:
        """The components of one method each that the account offers; none where it is unknown."""
        offered = await self._offer.list_offered() or frozenset()
        wallets = [
            name for name, type_ in WALLETS.items() if "card" in offered and type_ in offered
        ]
        return [*(type_ for type_ in SINGLE if type_ in offered), *wallets]

    async def describe_express(self, shopper: Shopper) -> ExpressData:
        """Total and lines of a wallet's sheet; raises InvalidRequest where nothing is due."""
        session, cart = await read_session_and_cart(shopper, self._commercetools, self._account)
        return express_data(cart, session.metadata, await self._account.ours())


def config(settings: Settings, *, has_customer: bool) -> Config:
    """The configuration that every enabler reads first; methods are stored for customers only."""
    return Config(
        client_key=settings.stripe_publishable_key,
        publishable_key=settings.stripe_publishable_key,
        environment=settings.environment,
        capture_method=settings.stripe_capture_method,
        stripe_js_url=settings.stripe_js_url,
        stored_payment_methods_config=StoredPaymentMethodsConfig(
            settings.stored_payment_methods_enabled and has_customer
        ),
        appearance=settings.stripe_appearance_payment_element or UNSET,
        express_element_options=settings.stripe_express_element_options or UNSET,
    )


def element_config(
    component: str,
    cart: Cart,
    metadata: SessionMetadata,
    ours: Ours,
    settings: Settings,
    behaviour: Behaviour,
    methods: MethodChoice,
) -> ElementConfig:
    """Configuration of one component; raises InvalidRequest where nothing is due."""
    due = require_due(cart, metadata, ours)
    appearance = (
        settings.stripe_appearance_express_checkout
        if is_wallet(component)
        else settings.stripe_appearance_payment_element
    )
    return ElementConfig(
        cart_info=CartInfo(to_stripe(due), due.currency_code),
        capture_method=behaviour.capture_method,
        payment_element_options=_element_options(component, cart, settings),
        layout=settings.stripe_layout,
        collect_billing_address=behaviour.collect_billing_address,
        flow_type=behaviour.flow_type,
        appearance=appearance or UNSET,
        setup_future_usage=behaviour.setup_future_usage or UNSET,
        allowed_payment_method_types=UNSET if methods.allowed is None else methods.allowed,
        payment_method_configuration=methods.configuration or UNSET,
        methods=_element_methods(methods),
    )


def _element_options(component: str, cart: Cart, settings: Settings) -> str:
    """The merchant's options for the element, which begins with what the cart says of its buyer.

    An element of one type shows no wallets beside it, which have components of their own
    (https://docs.stripe.com/js/elements_object/create_payment_element).
    """
    given = settings.stripe_behavior_payment_element or "{}"
    options = msgspec.json.decode(given, type=dict[str, Any])
    added: dict[str, Any] = {}
    if "defaultValues" not in options and (begins := _known_details(cart)):
        added["defaultValues"] = {"billingDetails": begins}
    if (single := single_type(component)) is not None:
        others = ("applePay", "googlePay", *(() if single == "link" else ("link",)))
        added["wallets"] = dict.fromkeys(others, "never")
    return msgspec.json.encode(options | added).decode() if added else given


def _known_details(cart: Cart) -> dict[str, Any]:
    """Name, e-mail and address of the cart, as far as it has them; without either, its country."""
    address = cart.billing_address or cart.delivery_address
    known = {
        "name": full_name(address.first_name, address.last_name) if address else None,
        "email": fitting(cart.customer_email, EMAIL),
        "address": stripe_address(address) if address else _country(cart),
    }
    return {name: value for name, value in known.items() if value}


def _country(cart: Cart) -> dict[str, str]:
    return {"country": cart.country} if cart.country else {}


def _element_methods(methods: MethodChoice) -> str | UnsetType:
    if methods.allowed is not None:
        return msgspec.json.encode({"allowedPaymentMethodTypes": methods.allowed}).decode()
    if methods.configuration is not None:
        return msgspec.json.encode({"paymentMethodConfiguration": methods.configuration}).decode()
    return UNSET


def express_data(cart: Cart, metadata: SessionMetadata, ours: Ours) -> ExpressData:
    """Total and lines of the wallet's sheet; the lines explain the cart, the total is what is due.

    Raises InvalidRequest where nothing is due.
    """
    due = require_due(cart, metadata, ours)
    lines: list[ExpressLine] = []
    if due != cart.gross_total:
        # Partly paid: the lines of the whole cart would exceed the total.
        return ExpressData(due, due.currency_code, [ExpressLine("Total", due, "TOTAL")])
    if cart.taxed_price is not None:
        lines.append(ExpressLine("Subtotal", cart.taxed_price.total_net, "SUBTOTAL"))
        tax = cart.taxed_price.total_tax
        if tax is not None and tax.cent_amount > 0:
            lines.append(ExpressLine("Tax", tax, "TAX"))
    else:
        charged = [each for each in cart.deliveries if each.price.cent_amount > 0]
        subtotal = due.cent_amount - sum(each.price.cent_amount for each in charged)
        if subtotal > 0:
            lines.append(ExpressLine("Subtotal", due.with_amount(subtotal), "SUBTOTAL"))
        for shipping in charged:
            name = shipping.shipping_method_name or "Shipping"
            lines.append(ExpressLine(name, shipping.price, "SHIPPING"))
    return ExpressData(due, due.currency_code, lines or [ExpressLine("Total", due, "TOTAL")])


def billing_address(cart: Cart) -> str | None:
    """The cart's billing (else shipping) address as Stripe.js expects it: JSON in a string."""
    address = cart.billing_address or cart.delivery_address
    if address is None:
        return None
    details = {
        "name": full_name(address.first_name, address.last_name) or "",
        "phone": phone_of(address) or "",
        "email": fitting(cart.customer_email, EMAIL) or "",
        "address": _complete(address),
    }
    return msgspec.json.encode(details).decode()


def _complete(address: Address) -> dict[str, object]:
    """All of Stripe's fields: where the element collects no address, none may be missing."""
    fields = ("line1", "line2", "city", "postal_code", "state", "country")
    return {**dict.fromkeys(fields, ""), **stripe_address(address)}
