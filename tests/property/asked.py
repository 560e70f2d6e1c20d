"""What a start must ask for, worked out from Stripe's objects and what others have brought."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from sandbox.stripe.state import StripeState
from tests.property import oracle
from tests.world import Json, World


async def check(
    world: World,
    client: httpx.AsyncClient,
    cart_id: str,
    session: Mapping[str, str],
    elsewhere: int,
    stripe: StripeState | None = None,
) -> None:
    """A start, of a sound processor, asks for the rest that nobody holds, or for nothing at all.

    `elsewhere` is what others have brought, or are to bring. Where nothing is due, nothing is left
    that could be paid, and what was taken beyond the total is marked.
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
    due = stored["totalPrice"]["centAmount"] - elsewhere - held
    record = (due, answer.text, [_record(world, payment) for payment in payments])
    if due > 0:
        assert answer.status_code == 200, record
        secret = answer.json()["clientSecret"]
        asked = stripe.intents[secret.partition("_secret_")[0]]["amount"]
        assert asked == due, f"asked for {asked} of {due}"
        return
    assert answer.status_code == 400, record
    payable = [intent["id"] for intent in intents if intent["status"] in oracle.PAYABLE]
    assert not payable, f"a covered cart can be paid: {payable}"
    marked = any("amount_mismatch" in str(each) for each in record[2])
    assert due == 0 or not held or marked, ("too much was taken, and nobody is told", record)


def _record(world: World, payment_id: str) -> Json:
    payment: Json = world.store.collection("payment").get(payment_id) or {}
    rows = [(t["type"], t["amount"]["centAmount"], t["state"]) for t in payment["transactions"]]
    status = payment.get("paymentStatus", {}).get("interfaceCode")
    return {"payment": payment_id, "status": status, "transactions": rows}
