"""Parameters of a cart's PaymentIntent, and of its updates."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, cast

from stripe_connector.gateways.commercetools.models import Address, Cart
from stripe_connector.ledger.facts import CART_ID, CUSTOMER_ID, PAYMENT_ID, PROJECT_KEY
from stripe_connector.ledger.stripe_objects import PaymentIntent
from stripe_connector.money import Money, to_stripe
from stripe_connector.payments.behaviour import Behaviour
from stripe_connector.payments.comfort import ADDRESS, NAME, PHONE, fitting
from stripe_connector.payments.offer import MethodChoice

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import (
        AddressParams,
        IntentCreateParams,
        IntentUpdateParams,
        ShippingParams,
    )

TAX_REFERENCES = "connectorStripeTax_calculationReferences"
"""Custom field of a cart in which Stripe's tax connector stores its calculations."""

_TAX_CALCULATION = re.compile(r"taxcalc_\w{1,200}", re.ASCII)

_CLOCK_SKEW_S = 60


def intent_params(
    cart: Cart,
    due: Money,
    behaviour: Behaviour,
    methods: MethodChoice,
    *,
    customer: str | None,
    payment_method: str | None = None,
    with_shipping: bool,
    multiple_captures: bool,
) -> IntentCreateParams:
    """Parameters of the intent, metadata apart; `payment_method` is one that is stored."""
    wanted: IntentCreateParams = {
        "amount": to_stripe(due),
        "currency": due.currency_code.lower(),
        "capture_method": behaviour.capture_method,
    }
    methods.add_to(wanted)
    if customer is not None:
        wanted["customer"] = customer
        if behaviour.setup_future_usage is not None:
            wanted["setup_future_usage"] = behaviour.setup_future_usage
    if payment_method is not None:
        wanted["payment_method"] = payment_method
    if with_shipping and (shipping := _shipping(cart.delivery_address)) is not None:
        wanted["shipping"] = shipping
    if multiple_captures:
        wanted["payment_method_options"] = {"card": {"request_multicapture": "if_available"}}
    if (calculation := _tax_calculation(cart)) is not None:
        wanted["hooks"] = {"inputs": {"tax": {"calculation": calculation}}}
    return wanted


def for_guest(params: IntentCreateParams) -> IntentCreateParams:
    """The same intent without a Stripe customer, and so without saving a method."""
    guest = params.copy()
    guest.pop("customer", None)
    guest.pop("setup_future_usage", None)
    guest.pop("payment_method", None)
    return guest


def intent_metadata(project_key: str, cart: Cart, payment_id: str) -> dict[str, str]:
    """Metadata that link the intent to commercetools from its creation on."""
    ties = {CART_ID: cart.id, PROJECT_KEY: project_key, PAYMENT_ID: payment_id}
    if cart.customer_id is not None:
        ties[CUSTOMER_ID] = cart.customer_id
    return ties


def intent_changes(intent: PaymentIntent, desired: IntentCreateParams) -> IntentUpdateParams:
    """The update that an open intent needs to be as desired; empty where it needs none."""
    current = {
        "amount": intent.amount,
        "customer": intent.customer,
        "capture_method": intent.capture_method,
        "setup_future_usage": intent.setup_future_usage,
        "payment_method": intent.payment_method,
    }
    changed = {
        name: value for name, value in desired.items() if name in current and current[name] != value
    }
    changed |= {name: "" for name in _withdrawn(intent) if name not in desired}
    if changed:
        # Sent along with the amount: where these changed, the amount did.
        changed |= {k: v for k, v in desired.items() if k in ("shipping", "hooks")}
    return cast("IntentUpdateParams", changed)


def owner(intent: PaymentIntent, cart: Cart) -> IntentUpdateParams:
    """The update that an intent needs where the cart has another customer now."""
    if intent.metadata.get(CUSTOMER_ID) == cart.customer_id:
        return {}
    return {"metadata": {CUSTOMER_ID: cart.customer_id or ""}}


def _withdrawn(intent: PaymentIntent) -> list[str]:
    """Parameters of an earlier choice to remove from an intent that is not being confirmed.

    While the shopper authenticates, both are what the browser has confirmed with.
    """
    if intent.status == "requires_action":
        return []
    left = ["setup_future_usage"] if intent.setup_future_usage is not None else []
    if intent.status == "requires_confirmation" and intent.payment_method is not None:
        left.append("payment_method")
    return left


def since(moment: str | None) -> int:
    """Unix seconds before which nothing requested at a given time can have been created."""
    if moment is None:
        return 0
    return int(datetime.fromisoformat(moment).timestamp()) - _CLOCK_SKEW_S


def stripe_address(address: Address) -> AddressParams:
    """An address in Stripe's fields, without what is missing."""
    parts = {
        "line1": " ".join(filter(None, (address.street_number, address.street_name))),
        "line2": address.additional_street_info,
        "city": address.city,
        "postal_code": address.postal_code,
        "state": address.state or address.region,
        "country": address.country,
    }
    cut = {name: fitting(value, ADDRESS) for name, value in parts.items()}
    return cast("AddressParams", {name: value for name, value in cut.items() if value})


def full_name(first: str | None, last: str | None) -> str | None:
    """First and last name as one, as Stripe expects it; None where there is neither."""
    return fitting(" ".join(filter(None, (first, last))), NAME)


def phone_of(address: Address) -> str | None:
    """A phone number as Stripe accepts it."""
    return fitting(address.phone or address.mobile, PHONE)


def _shipping(address: Address | None) -> ShippingParams | None:
    """The shipping address; None without a name, which Stripe requires with it."""
    if address is None:
        return None
    name = full_name(address.first_name, address.last_name)
    if name is None:
        return None
    shipping: ShippingParams = {"name": name, "address": stripe_address(address)}
    if phone := phone_of(address):
        shipping["phone"] = phone
    return shipping


def _tax_calculation(cart: Cart) -> str | None:
    """The cart's one tax calculation; several cannot be given to one intent.

    Shoppers may write the field, too: what has not the form of an id would fail at Stripe.
    """
    match cart.custom.fields.get(TAX_REFERENCES) if cart.custom else None:
        case [str(reference)] if _TAX_CALCULATION.fullmatch(reference):
            return reference
        case _:
            return None
