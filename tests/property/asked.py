"""What a start or a page must ask for, by Stripe's objects and what others have brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

import httpx

from sandbox.stripe.state import StripeState
from stripe_connector.storefront.checkout_sessions import PAGE_OPEN
from tests.property import oracle, sales
from tests.world import Json, World


async def check(
    world: World,
    client: httpx.AsyncClient,
    cart_id: str,
    session: Mapping[str, str],
    elsewhere: int,
    stripe: StripeState | None = None,
    told: Collection[str] = (),
) -> None:
    """A start, of a sound processor, asks for the rest that nobody holds, or for nothing at all.

    `elsewhere` is what others have brought, or are to bring. Where nothing is due, nothing is left
    that could be paid, and what was taken beyond the total is marked. `told` are Payments that
    an earlier version recorded wrongly, as a run of reconcile tells people: a start counts what is
    recorded, and reads nothing that it could mark them by.
    """
    stripe = stripe or world.stripe
    answer = await client.post("/payments", headers=session)
    stored = world.store.collection("cart").get(cart_id) or {}
    payments = [p["id"] for p in stored.get("paymentInfo", {}).get("payments", [])]
    intents = [i for i in stripe.intents if i["metadata"].get("ct_payment_id") in payments]
    if any(oracle.is_pending(intent) for intent in intents):
        assert answer.status_code in (200, 400, 409), answer.text
        return
    held = sum(oracle.held(stripe, intent) for intent in intents)
    held += sum(_beyond(world, stripe, each) for each in intents if _payment(each) in told)
    due = stored["totalPrice"]["centAmount"] - elsewhere - held
    record = (due, answer.text, [_record(world, payment) for payment in payments])
    if due > 0:
        assert answer.status_code == 200, record
        secret = answer.json()["clientSecret"]
        asked = stripe.intents[secret.partition("_secret_")[0]]["amount"]
        assert asked == due, f"asked for {asked} of {due}"
        return
    assert answer.status_code == 400, record
    payable = [each["id"] for each in intents if oracle.can_be_paid(world, stripe, each)]
    assert not payable, f"a covered cart can be paid: {payable}"
    marked = any("amount_mismatch" in str(each) for each in record[2])
    marked = marked or any(payment in told for payment in payments)
    assert due == 0 or not held or marked, ("too much was taken, and nobody is told", record)


async def check_page(world: World, client: httpx.AsyncClient, order: Json) -> str | None:
    """However a shopper left: who comes back to an order can pay the rest, or hears why not.

    The id of the page, where something can be paid.
    """
    stripe = world.stripe
    payments = sales.held(world, order)
    held = sum(oracle.held(stripe, each.intent) for each in payments)
    due = sales.total(order) - sales.brought(world, order) - held
    waits = any(oracle.is_pending(intent) for intent in stripe.intents)
    over = order.get("paymentState") == "Paid" or order["orderState"] == "Cancelled"
    body = {"id": order["id"], "uiMode": "hosted_page"}
    answer = await client.post("/api/v1/payments/sessions", json=body)
    if answer.status_code == 201:
        session = stripe.sessions.get(answer.json()["id"])
        asked = session["amount_total"] if session is not None else 0
        assert asked == max(0, due), f"asked for {asked} of {due}"
        return str(session["id"]) if session is not None else None
    assert answer.status_code in (400, 409), answer.text
    another_mode = answer.json().get("code") == PAGE_OPEN
    reason = over or waits or payments or due <= 0 or another_mode
    assert reason, f"{due} cannot be paid: {answer.text}"
    return None


def _payment(intent: Json) -> str:
    return str(intent["metadata"]["ct_payment_id"])


def _beyond(world: World, stripe: StripeState, intent: Json) -> int:
    """What a Payment tells that its intent holds, beyond what that does."""
    sums: Counter[str] = Counter()
    payment = world.store.collection("payment").get(_payment(intent)) or {}
    for transaction in payment["transactions"]:
        if transaction["state"] == "Success":
            sums[transaction["type"]] += transaction["amount"]["centAmount"]
    told = max(sums["Authorization"] - sums["CancelAuthorization"], sums["Charge"])
    return max(0, told - oracle.secured(stripe, intent))


def _record(world: World, payment_id: str) -> Json:
    payment: Json = world.store.collection("payment").get(payment_id) or {}
    rows = [(t["type"], t["amount"]["centAmount"], t["state"]) for t in payment["transactions"]]
    status = payment.get("paymentStatus", {}).get("interfaceCode")
    return {"payment": payment_id, "status": status, "transactions": rows}
