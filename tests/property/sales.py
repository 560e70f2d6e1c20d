"""What orders and carts must say, worked out from Stripe's objects alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from msgspec import Struct

from tests.world import Json, World

HOLDING = ("succeeded", "requires_capture")


class Held(Struct, frozen=True):
    """What Stripe holds for one payment of an order or cart, in minor units."""

    payment: Json
    intent: Json
    asked: int
    secured: int
    """Authorized and not released."""
    captured: int
    kept: int
    """Captured, and neither refunded nor lost."""


def held(world: World, sale: Json) -> list[Held]:
    """For each payment of an order or cart for which Stripe has ever held money."""
    ids = [each["id"] for each in sale.get("paymentInfo", {}).get("payments", [])]
    found = []
    for payment_id in ids:
        payment = world.store.collection("payment").get(payment_id)
        intent = world.stripe.intents.get((payment or {}).get("interfaceId") or "")
        if payment is None or intent is None or intent["latest_charge"] is None:
            continue
        captured = intent["amount_received"]
        secured = intent["amount"] if intent["status"] == "requires_capture" else captured
        if secured:
            returned = _returned(world, intent)
            found.append(
                Held(payment, intent, intent["amount"], secured, captured, captured - returned)
            )
    return found


def total(sale: Json) -> int:
    return int(sale["totalPrice"]["centAmount"])


def brought(world: World, sale: Json, *types: str) -> int:
    """What other connectors have brought to an order or cart, in minor units."""
    ids = [each["id"] for each in sale.get("paymentInfo", {}).get("payments", [])]
    payments = [world.store.collection("payment").get(payment_id) or {} for payment_id in ids]
    return sum(
        transaction["amount"]["centAmount"]
        for payment in payments
        if is_others(payment)
        for transaction in payment["transactions"]
        if not types or transaction["type"] in types
    )


def is_others(payment: Json) -> bool:
    """Whether another connector has made a Payment."""
    return bool(payment["paymentMethodInfo"].get("paymentInterface") == "gift-cards")


def open_pages(world: World, sale_id: str, shown: Collection[str]) -> list[str]:
    """Sessions of an order or cart that a shopper was led to, and can still pay."""
    return [
        session["id"]
        for session in world.stripe.sessions
        if session["client_reference_id"] == sale_id
        and session["status"] == "open"
        and session["id"] in shown
    ]


def check_order(world: World, order: Json, shown: Collection[str], listed: Collection[str]) -> None:
    """At the end. `listed` are the ids of what a run of reconcile leaves to a person."""
    payments = held(world, order)
    record = _record(world, order, payments)
    kept = sum(each.kept for each in payments)
    # What others have only authorized pays nothing yet, and is theirs to release.
    asked = max(0, total(order) - brought(world, order, "Charge"))
    surfaced = order["id"] in listed or any(each.payment["id"] in listed for each in payments)
    if order.get("paymentState") == "Paid":
        assert kept <= asked or surfaced, ("paid too much, and nobody is told", record)
        assert not open_pages(world, order["id"], shown), ("can be paid again", record)
    elif order["orderState"] == "Cancelled":
        assert not kept or surfaced, ("money for a cancelled order, and nobody is told", record)
    else:
        fits = 0 < kept == asked
        assert not fits or surfaced, ("paid, and does not say so", record)
        unfit = sum(each.captured for each in payments if each.kept) > asked
        assert not unfit or surfaced, ("another amount was paid, and nobody is told", record)


def check_cart(world: World, cart: Json, listed: Collection[str]) -> None:
    """At the end, for a cart that becomes an order once it is paid."""
    payments = held(world, cart)
    secured = sum(each.secured for each in payments)
    if cart["cartState"] == "Ordered" or secured == 0:
        return
    record = _record(world, cart, payments)
    surfaced = cart["id"] in listed or any(each.payment["id"] in listed for each in payments)
    returned = any(each.kept < each.secured or each.secured < each.asked for each in payments)
    assert returned or surfaced, ("paid and not ordered, and nobody is told", record)


def charged_names(world: World) -> Iterator[str]:
    """Written-ahead Authorizations for which Stripe took money, once for each time."""
    for intent in world.stripe.intents:
        name = intent["metadata"].get("ct_transaction_id")
        if name is not None and intent["status"] in (*HOLDING, "processing"):
            yield name


def returned_to_merchant(world: World) -> int:
    """What was given back, so that it could be charged anew, and has come back all the same."""
    refunds = [each for each in world.stripe.refunds if each["status"] in ("failed", "canceled")]
    disputes = [each for each in world.stripe.disputes if each["status"] != "lost"]
    return sum(each["amount"] for each in [*refunds, *disputes])


def check_each_name_was_charged_once(world: World) -> None:
    twice = [name for name, times in Counter(charged_names(world)).items() if times > 1]
    assert not twice, f"charged twice: {twice}"


def _returned(world: World, intent: Json) -> int:
    refunded = sum(
        refund["amount"]
        for refund in world.stripe.refunds
        if refund["payment_intent"] == intent["id"]
        and refund["status"] not in ("failed", "canceled")
    )
    lost = sum(
        dispute["amount"]
        for dispute in world.stripe.disputes
        if dispute["payment_intent"] == intent["id"] and dispute["status"] == "lost"
    )
    return int(refunded + lost)


def _record(world: World, sale: Json, payments: list[Held]) -> Json:
    return {
        "sale": sale["id"],
        "states": (sale.get("orderState"), sale.get("paymentState"), sale.get("cartState")),
        "total": total(sale),
        "held": [
            (each.payment["key"], each.payment["id"], each.captured, each.kept) for each in payments
        ],
        "sessions": [
            (session["id"][-6:], session["status"], session["amount_total"])
            for session in world.stripe.sessions
            if session["client_reference_id"] == sale["id"]
        ],
    }
