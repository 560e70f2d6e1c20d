"""What a cart of a Checkout session still costs; the rule itself is `ledger.due`."""

from __future__ import annotations

from stripe_connector.errors import InvalidRequest
from stripe_connector.gateways.commercetools.models import Cart, SessionMetadata
from stripe_connector.ledger.due import due
from stripe_connector.ledger.ours import Ours
from stripe_connector.money import Money, chargeable


def cart_amount_due(
    cart: Cart, metadata: SessionMetadata, ours: Ours, *, without: str | None = None
) -> Money:
    """What is left to pay, taxes included; never below zero.

    `without` leaves one payment (by id) out: the result is what that one has to pay.
    The session's planned gift card amount will be paid by the gift card.
    """
    return due(
        cart.gross_total,
        cart.payments,
        ours,
        elsewhere=metadata.gift_card_planned_amount,
        without=without,
    )


def require_due(cart: Cart, metadata: SessionMetadata, ours: Ours) -> Money:
    """What is left to pay; raises InvalidRequest where that is nothing, or an amount that Stripe
    cannot charge: too small, or not exact."""
    left = cart_amount_due(cart, metadata, ours)
    if left.cent_amount == 0:
        raise InvalidRequest(
            "There is nothing left to pay on this cart.",
            fields={"resource": "cart", "cartAmount": cart.gross_total.cent_amount},
        )
    chargeable(left)
    return left
