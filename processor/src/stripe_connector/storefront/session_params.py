"""Parameters of the Checkout Session of an order or cart."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from stripe_connector.gateways.commercetools.orders import Order, Payable
from stripe_connector.ledger.facts import CART_ID, CUSTOMER_ID, ORDER_ID, PAYMENT_ID, PROJECT_KEY
from stripe_connector.ledger.payment import Payment
from stripe_connector.money import Money
from stripe_connector.settings import Settings
from stripe_connector.storefront.line_items import checkout_lines
from stripe_connector.storefront.line_texts import line_texts, shown_amount
from stripe_connector.storefront.locales import stripe_locale

if TYPE_CHECKING:
    from stripe_connector.gateways.stripe.params import CheckoutSessionCreateParams

FLOW = "ct_flow"
BUY_NOW = "buy_now"
"""Metadata of a session whose cart becomes an order once it is paid."""

UiMode = Literal["hosted_page", "embedded_page", "elements"]
"""Where the shopper pays: on Stripe's page, in a frame of the shop's, in the shop's own form."""


class Landing(Struct, frozen=True):
    """Addresses to which Stripe's page leads; `success` may contain {CHECKOUT_SESSION_ID}."""

    success: str
    cancel: str
    ui_mode: UiMode = "hosted_page"

    def params(self) -> CheckoutSessionCreateParams:
        """As Stripe's parameters: a page within the shop has no cancel address."""
        if self.ui_mode == "hosted_page":
            return {
                "ui_mode": self.ui_mode,
                "success_url": self.success,
                "cancel_url": self.cancel,
            }
        return {"ui_mode": self.ui_mode, "return_url": self.success}


def session_params(
    sale: Payable,
    due: Money,
    payment: Payment,
    landing: Landing,
    settings: Settings,
    *,
    customer: str | None,
    email: str | None,
) -> CheckoutSessionCreateParams:
    """Parameters of a Payment's session over `due`.

    They depend only on the sale, the Payment and the landing, so that two requests at once send the
    same body under the same idempotency key.
    """
    ties = {PAYMENT_ID: payment.id, PROJECT_KEY: settings.ctp_project_key}
    name = sale.id
    if isinstance(sale, Order):
        ties[ORDER_ID] = sale.id
        if sale.cart is not None:
            ties[CART_ID] = sale.cart.id
        name = sale.order_number or sale.id
    else:
        ties |= {CART_ID: sale.id, FLOW: BUY_NOW}
    if sale.customer_id is not None:
        ties[CUSTOMER_ID] = sale.customer_id
    params: CheckoutSessionCreateParams = {
        "mode": "payment",
        **landing.params(),
        "line_items": checkout_lines(sale, number=name, due=due, locale=sale.locale).params(),
        "client_reference_id": sale.id,
        "locale": stripe_locale(sale.locale),
        **_expiry(payment, settings.checkout_session_minutes),
        # Nothing may let Stripe change the total.
        "adaptive_pricing": {"enabled": False},
        "metadata": ties,
        "payment_intent_data": {
            "capture_method": settings.stripe_capture_method,
            "metadata": ties,
        },
    }
    if (words := _taxes(sale, due)) and landing.ui_mode != "elements":
        # Stripe refuses the text in the shop's own form.
        params["custom_text"] = {"submit": {"message": words}}
    if customer is not None:
        params["customer"] = customer
    elif email:
        params["customer_email"] = email
    return params


def _taxes(sale: Payable, due: Money) -> str | None:
    """The taxes that the prices contain, in words; None of a rest, or where there are none."""
    taxed = sale.taxed_price
    if taxed is None or due != sale.gross_total:
        return None
    tax = taxed.total_gross.cent_amount - taxed.total_net.cent_amount
    if tax <= 0:
        return None
    texts = line_texts(sale.locale)
    return texts.taxes.format(tax=shown_amount(taxed.total_gross.with_amount(tax), texts))


def _expiry(payment: Payment, minutes: int) -> CheckoutSessionCreateParams:
    """In Unix seconds; the same for every request that creates the session of this Payment."""
    if payment.created_at is None:
        return {}
    started = datetime.fromisoformat(payment.created_at).timestamp()
    # A minute more than configured: Stripe requires half an hour from when it gets the request.
    return {"expires_at": int(started) + (minutes + 1) * 60}
