"""What a cart still costs: its gross total minus what its payments have really brought."""

from __future__ import annotations

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.models import Cart, SessionMetadata
from stripe_connector.ledger.payment import Payment
from stripe_connector.money import Money


def brought(payment: Payment, currency: str) -> int:
    """What a payment contributes to a cart in `currency`, in minor units.

    Charges and open authorizations (also those still processing) minus refunds, cancellations and
    lost disputes. A partial refund takes only its own amount away.
    """
    if payment.amount_planned.currency_code != currency:
        return 0
    charged = payment.total("Charge", "Pending", "Success")
    held = payment.total("Authorization", "Pending", "Success") - payment.total(
        "CancelAuthorization", "Pending", "Success"
    )
    returned = payment.total("Refund", "Pending", "Success")
    lost = payment.total("Chargeback", "Success")
    return max(0, max(charged, held) - returned - lost)


def amount_due(cart: Cart, metadata: SessionMetadata, *, without: str | None = None) -> Money:
    """What is left to pay, taxes included; never below zero.

    `without` leaves one payment (by id) out: what that one alone has to bring.
    The session's planned gift card amount will be paid by the gift card.
    """
    gross = cart.gross_total
    due = gross.cent_amount - sum(
        brought(payment, gross.currency_code) for payment in cart.payments if payment.id != without
    )
    gift = metadata.gift_card_planned_amount
    if gift is not None and gift.currency_code == gross.currency_code:
        due -= gift.cent_amount
    return gross.with_amount(max(0, due))


def require_due(cart: Cart, metadata: SessionMetadata) -> Money:
    """What is left to pay; raises InvalidRequest where that is nothing."""
    due = amount_due(cart, metadata)
    if due.cent_amount == 0:
        raise InvalidRequest(
            "There is nothing left to pay on this cart.",
            fields={"resource": "cart", "cartAmount": cart.gross_total.cent_amount},
        )
    return due
