"""The verdict: compares expected results, Stripe's objects and the Payments.

Pure: everything is read beforehand. Each function returns violations as texts; an empty list means
that its rule holds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any, TypeAlias

from msgspec import Struct

from sandbox.demo.compare import compare
from soak.book import Purchase

Json: TypeAlias = dict[str, Any]

MEGABYTE = 1_000_000


class Moved(Struct, frozen=True):
    """The object of an event, as far as the verdict needs it."""

    id: str = ""
    payment_intent: str | None = None
    status: str | None = None
    payment_status: str | None = None
    client_reference_id: str | None = None
    amount_received: int = 0
    amount_captured: int = 0


class Data(Struct, frozen=True):
    object: Moved


class Attempt(Struct, frozen=True):
    status: int | None


class Delivery(Struct, frozen=True):
    status: str
    attempts: list[Attempt]


class Event(Struct, frozen=True):
    """An event with its deliveries."""

    id: str
    type: str
    data: Data
    deliveries: list[Delivery]

    @property
    def acknowledged(self) -> bool:
        return any(
            attempt.status is not None and 200 <= attempt.status < 300
            for delivery in self.deliveries
            for attempt in delivery.attempts
        )


class Truth(Struct, frozen=True):
    """Both sides at one time."""

    payments: list[Json]
    carts: list[Json]
    orders: list[Json]
    intents: list[Json]
    """With their latest charge as an object."""
    charges: list[Json]
    refunds: list[Json]
    disputes: list[Json]

    @property
    def by_intent(self) -> dict[str, Json]:
        """Each intent's Payment."""
        return {each["interfaceId"]: each for each in self.payments if each.get("interfaceId")}


def differences(truth: Truth) -> list[str]:
    """Payments that differ from Stripe's objects."""
    refunds, disputes = _grouped(truth.refunds), _grouped(truth.disputes)
    payments = truth.by_intent
    found = []
    for intent in truth.intents:
        payment = payments.get(intent["id"])
        if payment is None:
            if intent["latest_charge"] is not None:
                found.append(f"money on {intent['id']}, without a Payment")
            continue
        compared = compare(payment, intent, refunds[intent["id"]], disputes[intent["id"]])
        found += [
            f"payment {payment['id']}: {row.fact.kind} {row.fact.state}"
            f" {row.fact.reference or ''} recorded {row.recorded}, at Stripe {row.at_stripe}"
            f" ({row.said})"
            for row in compared.rows
            if not row.agrees
        ]
    return found


def moved_twice(truth: Truth, purchases: Iterable[Purchase]) -> list[str]:
    """Money that Stripe moved without a request, or twice for one request."""
    by_cart = {each.cart_id: each for each in purchases}
    carts = _carts(truth)
    refunds = _grouped(truth.refunds)
    found = []
    for intent in truth.intents:
        purchase = by_cart.get(carts[intent["id"]]) if _has_money(intent) else None
        captured = purchase.captured if purchase else 0
        ours = [each for each in refunds[intent["id"]] if _transaction(each)]
        refunded = sum(each["amount"] for each in ours)
        wanted = purchase.refunded if purchase else 0
        if intent["amount_received"] != captured:
            found.append(f"{intent['id']}: took {intent['amount_received']}, asked for {captured}")
        if refunded != wanted:
            found.append(f"{intent['id']}: paid back {refunded}, asked for {wanted}")
        if purchase and purchase.released and intent["status"] != "canceled":
            found.append(f"{intent['id']}: {intent['status']}, although it was cancelled")
    for name, count in Counter(filter(None, map(_transaction, truth.refunds))).items():
        if count > 1:
            found.append(f"transaction {name} was paid back {count} times")
    charged = Counter(
        each["payment_intent"] for each in truth.charges if each["status"] == "succeeded"
    )
    found += [f"{name}: charged {count} times" for name, count in charged.items() if count > 1]
    return found


def not_one_payment(truth: Truth, purchases: Iterable[Purchase]) -> list[str]:
    """Purchases with more than one open or paid Payment, or paid without one."""
    orders = {each["id"]: each for each in truth.orders}
    attached = _attached(truth)
    payments = truth.by_intent
    carts = _carts(truth)
    by_cart: defaultdict[str, list[Json]] = defaultdict(list)
    for intent in truth.intents:
        by_cart[carts[intent["id"]]].append(intent)
    found = []
    for purchase in purchases:
        # An intent that Stripe completed late, after its 500, is known to no Payment and to no
        # browser: it cannot be paid.
        alive = [
            each
            for each in by_cart[purchase.cart_id]
            if each["status"] != "canceled" and (each["id"] in payments or _has_money(each))
        ]
        with_money = [each for each in alive if _has_money(each)]
        found += [
            f"the payment of {each['id']} is on no cart and no order"
            for each in with_money
            if payments.get(each["id"], {}).get("id") not in attached
        ]
        if len(alive) > 1:
            found.append(f"cart {purchase.cart_id} has {len(alive)} payments that are open or paid")
        if purchase.captured and len(with_money) != 1:
            found.append(f"cart {purchase.cart_id} is paid for {len(with_money)} times")
        order = orders.get(purchase.order_id)
        if order is not None and purchase.captured and order.get("paymentState") != "Paid":
            found.append(f"order {order['id']} is paid for and {order.get('paymentState')}")
        if order is not None and not purchase.moved and order.get("paymentState") == "Paid":
            found.append(f"order {order['id']} is Paid without a payment")
    return found


def acknowledged_in_vain(truth: Truth, events: Iterable[Event]) -> list[str]:
    """Events that were answered with 2xx and whose effect is not in commercetools."""
    payments = truth.by_intent
    orders = {each["id"]: each for each in truth.orders}
    found = []
    for event in events:
        if not event.acknowledged:
            continue
        about = event.data.object
        if event.type.startswith("checkout.session."):
            order = orders.get(about.client_reference_id or "")
            stored = order is None or _paid(order, event)
        else:
            intent_id = about.id if event.type.startswith("payment_intent.") else None
            payment = payments.get(intent_id or about.payment_intent or "")
            stored = payment is None or _stored(payment, event)
        if not stored:
            found.append(f"{event.type} {event.id} about {about.id} has no effect")
    return found


def _paid(order: Json, event: Event) -> bool:
    if event.data.object.payment_status != "paid":
        return True
    return order.get("paymentState") == "Paid"


def _stored(payment: Json, event: Event) -> bool:
    """Whether the Payment contains the event's effect, or a later one."""
    about = event.data.object
    match event.type:
        case "payment_intent.succeeded":
            return _total(payment, "Charge") >= about.amount_received
        case "payment_intent.amount_capturable_updated" | "charge.succeeded":
            return _total(payment, "Authorization") > 0
        case "payment_intent.processing" | "payment_intent.payment_failed":
            return any(each["type"] == "Authorization" for each in payment["transactions"])
        case "payment_intent.canceled":
            return _total(payment, "CancelAuthorization") > 0 or any(
                each["type"] == "Authorization" and each["state"] == "Failure"
                for each in payment["transactions"]
            )
        case "charge.captured":
            return _total(payment, "Charge") >= about.amount_captured
        case "refund.created" | "refund.updated" | "refund.failed":
            return _named(payment, "Refund", about.id)
        case _ if event.type.startswith("charge.dispute."):
            inquiry = (about.status or "").startswith("warning_")
            return inquiry or _named(payment, "Chargeback", about.id)
    return True


class Sample(Struct, frozen=True):
    """An instance's resources, some seconds into the run."""

    at: float
    life: int
    rss_bytes: int
    files: int | None
    threads: int | None
    in_progress: int | None = None
    """Requests that it is answering, as it says itself; asked for only when it should be idle."""


FILES_MORE = 24
"""Open files by which an idle instance may exceed its start: pooled connections, not yet closed."""
THREADS_MORE = 8
GROWTH = 1.25
GROWTH_BYTES = 25 * MEGABYTE


def leaks(name: str, samples: Sequence[Sample], idle: Sample) -> list[str]:
    """Resources that the running process of an instance has not released.

    Memory is compared between the second and the last quarter of its samples: a process grows
    while it warms up, and a leak grows after that, too.
    """
    life = [each for each in samples if each.life == idle.life]
    found: list[str] = []
    if not life:
        return found
    first = life[0]
    if idle.in_progress:
        found.append(f"{name} is still answering {idle.in_progress} requests")
    if first.files is not None and idle.files is not None and idle.files > first.files + FILES_MORE:
        found.append(f"{name} holds {idle.files} open files when idle, {first.files} at its start")
    threads, before = idle.threads, first.threads
    if threads is not None and before is not None and threads > before + THREADS_MORE:
        found.append(f"{name} has {threads} threads when idle, {before} at its start")
    quarter = len(life) // 4
    if quarter:
        early = median(each.rss_bytes for each in life[quarter : 2 * quarter])
        late = median(each.rss_bytes for each in life[-quarter:])
        if late > early * GROWTH + GROWTH_BYTES:
            found.append(
                f"{name} has grown from {early / MEGABYTE:.0f} to {late / MEGABYTE:.0f} MB"
            )
    return found


class Probe(Struct, frozen=True):
    """A request that should always work: when it began, and whether it did."""

    at: float
    worked: bool


_IN_A_ROW = 3


def recovery(probes: Sequence[Probe], ended: float) -> float | None:
    """Seconds from the end of a disturbance until requests work again, three in a row.

    None where they never did.
    """
    later = [each for each in probes if each.at >= ended]
    for index in range(len(later) - _IN_A_ROW + 1):
        if all(each.worked for each in later[index : index + _IN_A_ROW]):
            return later[index].at - ended
    return None


def _attached(truth: Truth) -> dict[str, str]:
    """The cart of each Payment that is on a cart, or on the order that a cart became."""
    return {
        reference["id"]: cart_id
        for cart_id, holder in (
            *((each["id"], each) for each in truth.carts),
            *((each["cart"]["id"], each) for each in truth.orders),
        )
        for reference in (holder.get("paymentInfo") or {}).get("payments", ())
    }


def _carts(truth: Truth) -> dict[str, str]:
    """The cart of each intent: as it says itself, or else as its Payment does."""
    attached, payments = _attached(truth), truth.by_intent
    return {
        each["id"]: each["metadata"].get("cart_id")
        or attached.get(payments.get(each["id"], {}).get("id", ""), "")
        for each in truth.intents
    }


def _has_money(intent: Json) -> bool:
    """Whether a bank has paid it, holds money for it, or is still asked."""
    charge = intent["latest_charge"]
    return charge is not None and charge["status"] in ("succeeded", "pending")


def _grouped(objects: Iterable[Json]) -> defaultdict[str, list[Json]]:
    by_intent: defaultdict[str, list[Json]] = defaultdict(list)
    for each in objects:
        by_intent[each["payment_intent"] or ""].append(each)
    return by_intent


def _transaction(refund: Json) -> str | None:
    """The transaction of ours that a refund was made for."""
    named: str | None = refund["metadata"].get("ct_transaction_id")
    return named


def _total(payment: Json, kind: str) -> int:
    return sum(
        each["amount"]["centAmount"]
        for each in payment["transactions"]
        if each["type"] == kind and each["state"] == "Success"
    )


def _named(payment: Json, kind: str, reference: str) -> bool:
    return any(
        each["type"] == kind and each.get("interactionId") == reference
        for each in payment["transactions"]
    )
