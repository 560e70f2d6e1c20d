"""Finds orders that a payment should have fulfilled, and paid carts without an order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec.structs import replace

from stripe_connector.errors import Conflict, InvalidRequest, NotFound
from stripe_connector.gateways.commercetools.models import PaymentInfo
from stripe_connector.gateways.commercetools.orders import Payable, PayableCart
from stripe_connector.gateways.paced import WriteRefused
from stripe_connector.ledger.due import asked_beyond, covered_amount
from stripe_connector.ledger.facts import CART_ID
from stripe_connector.ledger.merge import AMOUNT_MISMATCH, ORDER_FAILED
from stripe_connector.ledger.ours import Ours
from stripe_connector.ledger.payment import Payment
from stripe_connector.ops.reconcile.difference import Difference, DifferenceKind
from stripe_connector.ops.reconcile.wiring import Parts
from stripe_connector.payments.covered import surplus
from stripe_connector.payments.limits import kept_amount
from stripe_connector.storefront.order_state import (
    is_paid,
    is_secured,
    latest_payment,
    order_amount_due,
)
from stripe_connector.storefront.sales import sale_named

Sale = TypeVar("Sale", bound=Payable)


async def unfulfilled(
    reading: Parts,
    metadata: Mapping[str, str],
    merged: Payment,
    beyond: int,
    cart: PayableCart | None,
) -> Difference | None:
    """How the payment's order or cart differs; None for payments whose cart Checkout orders.

    `metadata` are the intent's, `merged` is the Payment as it would be after its repair,
    `beyond` is what is recorded as paid and Stripe does not have, and `cart` the one that it was
    on when the page was read.
    """
    try:
        sale = sale_named(metadata)
        if sale.order_id is not None:
            return await _order(reading, sale.order_id, merged, beyond)
        if sale.cart_id is not None:
            return await _cart(reading, sale.cart_id, merged, beyond)
        if (cart_id := metadata.get(CART_ID)) is not None:
            return await _paid_twice(reading, cart_id, merged, beyond, cart)
    except NotFound:
        pass  # the merchant deleted the order or cart: there is nothing to fulfil
    return None


async def repair_fulfilment(writing: Parts, difference: Difference) -> bool:
    """Fulfil by the processor's own use case; False where that is not possible."""
    subject = difference.subject or ""
    try:
        if difference.type == "order":
            return await writing.fulfiller.fulfil(subject) == "paid"
        return (await writing.carts.fulfil(subject)).order is not None
    except (Conflict, InvalidRequest, NotFound):
        return False  # for example an article that is sold out
    except WriteRefused:
        return False  # a page must be closed first, and a run changes nothing at Stripe


async def _order(reading: Parts, order_id: str, merged: Payment, beyond: int) -> Difference | None:
    order = _with(await reading.commercetools.get_order(order_id), merged)
    ours = await reading.account.ours()
    if not is_paid(order, ours):
        return _mismatch(ours, order, merged, "order", beyond)
    done = order.payment_state == "Paid" and order.order_state != "Open"
    if order.order_state == "Cancelled":
        kind = DifferenceKind.CANCELLED_ORDER
    elif done:
        return None
    else:
        kind = DifferenceKind.UNFULFILLED_ORDER
    state = f"{order.order_state}, {order.payment_state or 'unpaid'}"
    return _of(kind, order_id, "order", order, merged, state)


async def _cart(reading: Parts, cart_id: str, merged: Payment, beyond: int) -> Difference | None:
    cart = _with(await reading.commercetools.get_payable_cart(cart_id), merged)
    ours = await reading.account.ours()
    if not cart.is_ordered:
        if not is_secured(cart, ours):
            if merged.payment_status.interface_code == ORDER_FAILED and kept_amount(merged) > 0:
                total = str(cart.gross_total.cent_amount)
                return _of(DifferenceKind.ORDER_FAILED, cart_id, "cart", cart, merged, total)
            return _mismatch(ours, cart, merged, "cart", beyond)
        return _of(DifferenceKind.UNPLACED_ORDER, cart_id, "cart", cart, merged, cart.cart_state)
    try:
        await reading.carts.fulfil(cart_id)
    except WriteRefused:
        return _of(DifferenceKind.UNFULFILLED_ORDER, cart_id, "cart", cart, merged, "unpaid")
    return _mismatch(ours, cart, merged, "cart", beyond)


async def _paid_twice(
    reading: Parts, cart_id: str, merged: Payment, beyond: int, read: PayableCart | None
) -> Difference | None:
    """A paid cart whose payments hold more than it costs, and which Checkout orders."""
    if kept_amount(merged) <= 0 or merged.payment_status.interface_code == AMOUNT_MISMATCH:
        return None  # the latter is reported already
    ours = await reading.account.ours()
    if read is not None and read.id == cart_id and not _holds_too_much(read, merged, ours, beyond):
        return None
    cart = _with(await reading.commercetools.get_payable_cart(cart_id), merged)
    if not _holds_too_much(cart, merged, ours, beyond):
        return None
    planned = merged.amount_planned
    return _of(
        DifferenceKind.AMOUNT_MISMATCH, cart.id, "cart", cart, merged, str(planned.cent_amount)
    )


def _holds_too_much(cart: PayableCart, merged: Payment, ours: Ours, beyond: int) -> bool:
    cart = _with(cart, merged)
    too_much = {
        payment.id: covered_amount(payment, needed.currency_code) - needed.cent_amount
        for payment, needed in surplus(cart.gross_total, cart.payments, ours)
    }
    return too_much.get(merged.id, 0) > beyond


def _mismatch(
    ours: Ours, sale: Payable, merged: Payment, type_: str, beyond: int
) -> Difference | None:
    """Money whose amount differs from what the order or cart costs now."""
    latest = latest_payment(sale, ours)
    current = latest is not None and latest.id == merged.id
    fits = not current or merged.amount_planned == order_amount_due(sale, ours, without=merged.id)
    if kept_amount(merged) <= 0 or (fits and not _paid_too_much(sale, ours, beyond)):
        return None
    planned = merged.amount_planned
    return _of(
        DifferenceKind.AMOUNT_MISMATCH, sale.id, type_, sale, merged, str(planned.cent_amount)
    )


def _paid_too_much(sale: Payable, ours: Ours, beyond: int) -> bool:
    """Whether its payments together hold too much, for example after a refund failed."""
    total = sale.gross_total
    held = sum(
        covered_amount(payment, total.currency_code) - asked_beyond(payment)
        for payment in filter(ours.counts, sale.payments)
    )
    return held - beyond > total.cent_amount


def _with(sale: Sale, merged: Payment) -> Sale:
    """The order or cart with its payment as it would be after the repair."""
    payments = [
        replace(reference, obj=merged) if reference.id == merged.id else reference
        for reference in sale.payment_info.payments
    ]
    return replace(sale, payment_info=PaymentInfo(payments))


def _of(
    kind: DifferenceKind, subject: str, type_: str, sale: Payable, merged: Payment, recorded: str
) -> Difference:
    return Difference(
        kind,
        payment=merged.id,
        intent=merged.interface_id,
        subject=subject,
        type=type_,
        amount=sale.gross_total.cent_amount,
        currency=sale.gross_total.currency_code,
        recorded=recorded,
        stripe=str(kept_amount(merged)),
    )
