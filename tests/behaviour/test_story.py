"""The log answers what happened to a payment, and who refunded how much."""

from __future__ import annotations

import hashlib
import json
import logging
from typing import Any

import pytest

from stripe_connector.logs import JsonFormatter
from tests.behaviour.steps import confirm, operate, started
from tests.behaviour.stored import charge
from tests.behaviour.test_transactions import customer
from tests.world import World, money


def lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """The lines of requests."""
    written = [json.loads(JsonFormatter().format(record)) for record in caplog.records]
    return [line for line in written if "route" in line]


async def test_every_line_of_a_payment_names_payment_and_intent(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await confirm(world, shop)
    await world.deliver_all()
    await operate(world, shop.payment_id, "refundPayment", 300, key="order-7-refund")
    told = [line for line in lines(caplog) if "payment" in line]
    assert {line["payment"] for line in told} == {shop.payment_id}
    assert {line.get("intent") for line in told} == {shop.intent_id}
    routes = {line["route"] for line in told}
    assert {"/payments", "/confirmPayments/{id}", "/stripe/webhooks"} <= routes
    assert next(line for line in told if line["route"] == "/payments")["cart"] == shop.cart_id


async def test_a_refunds_line_says_who_asked_for_how_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    payment_id = await world.paid()
    await operate(world, payment_id, "refundPayment", 300, key="order-7-refund")
    line = lines(caplog)[-1]
    assert (line["action"], line["amount"], line["currency"]) == ("refundPayment", 300, "EUR")
    assert line["client"] == "sandbox-checkout"
    assert line["outcome"] == "approved"
    assert line["idempotencyKeyHash"] == hashlib.sha256(b"order-7-refund").hexdigest()[:16]
    assert "order-7-refund" not in json.dumps(line)


async def test_an_operations_line_names_the_order_by_the_callers_reference(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    payment_id = await world.paid()
    refund = {"action": "refundPayment", "amount": money(300), "merchantReference": "A-1007"}
    for reference, noted in (("A-1007", "A-1007"), ("Ada Byron, ada@example.com", None)):
        await world.client.post(
            f"/operations/payment-intents/{payment_id}",
            json={"actions": [{**refund, "merchantReference": reference}]},
            headers=await world.checkout(),
        )
        assert lines(caplog)[-1].get("merchantReference") == noted


async def test_the_line_of_a_charge_without_the_shopper_says_who_took_how_much(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    lin, method_id, cart_id = await customer()
    answer = await charge(
        lin.world, cart_id, method_id, idempotencyKey="october", futureOrderNumber="A-1008"
    )
    assert answer.status_code == 201
    payment = await lin.world.payment(answer.json()["paymentId"])
    line = lines(caplog)[-1]
    assert (line["action"], line["client"]) == ("charge", "sandbox-checkout")
    assert (line["payment"], line["intent"]) == (payment["id"], payment["interfaceId"])
    assert (line["cart"], line["orderNumber"]) == (cart_id, "A-1008")
    planned = payment["amountPlanned"]
    assert (line["amount"], line["currency"]) == (planned["centAmount"], planned["currencyCode"])
    assert line["idempotencyKeyHash"] == hashlib.sha256(b"october").hexdigest()[:16]


async def test_a_client_without_the_scope_is_named_as_well(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    payment_id = await world.paid()
    token = await world.token("sandbox-storefront")
    answer = await world.client.post(
        f"/operations/payment-intents/{payment_id}",
        json={"actions": [{"action": "reversePayment"}]},
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 403
    assert lines(caplog)[-1]["client"] == "sandbox-storefront"
