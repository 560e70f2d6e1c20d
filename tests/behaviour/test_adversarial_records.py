"""Records that people have changed by hand, and objects that are not what they claim to be."""

from __future__ import annotations

from typing import Any

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    MANUAL,
    Json,
    assert_agreement,
    attempt,
    confirm,
    effect,
    event,
    events,
    intent_of,
    no_trouble,
    operate,
    started,
    status_of,
)
from tests.behaviour.stored import regular
from tests.behaviour.test_bff_payments import Shopper
from tests.world import PROJECT, World, money


async def edited(world: World, payment_id: str, *actions: Json) -> Json:
    """Somebody changes a Payment in the Merchant Center."""
    payment = await world.payment(payment_id)
    body = {"version": payment["version"], "actions": list(actions)}
    return await world.commercetools("POST", f"payments/{payment_id}", body)


def unasked(type_: str, cents: int = 1000, state: str = "Initial") -> Json:
    """A transaction that no request of ours has written ahead."""
    transaction = {"type": type_, "amount": money(cents), "state": state}
    return {"action": "addTransaction", "transaction": transaction}


# Transactions that others have written or changed


@pytest.mark.parametrize("action", ["capturePayment", "cancelPayment", "reversePayment"])
async def test_a_charge_that_others_have_left_unfinished_blocks_nothing(action: str) -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    await edited(world, shop.payment_id, unasked("Charge"))
    cents = 1000 if action == "capturePayment" else None
    answer = await operate(world, shop.payment_id, action, cents)
    assert (answer.status_code, answer.json()["outcome"]) == (200, "approved")
    await assert_agreement(world)


@pytest.mark.parametrize(
    "field", ["stripeConnector_action", "stripeConnector_attempt", "stripeConnector_attemptedAt"]
)
async def test_an_operation_of_which_somebody_has_deleted_a_field_keeps_no_event_out(
    field: str,
) -> None:
    world = World()
    payment_id = await world.paid()
    await world.modify(payment_id, action="refundPayment", amount=money(300))
    [refund] = [
        t for t in (await world.payment(payment_id))["transactions"] if t["type"] == "Refund"
    ]
    unset = {"action": "setTransactionCustomField", "transactionId": refund["id"], "name": field}
    await edited(world, payment_id, unset)
    await world.deliver_all()
    answer = await operate(world, payment_id, "refundPayment", 200)
    assert answer.json()["outcome"] == "approved"
    await assert_agreement(world)


@pytest.mark.parametrize("state", ["Pending", "Initial"])
@pytest.mark.parametrize("type_", ["Authorization", "Charge"])
async def test_a_state_that_somebody_has_changed_becomes_stripes_again(
    type_: str, state: str
) -> None:
    world = World()
    payment_id = await world.paid()
    payment = await world.payment(payment_id)
    [found] = [t for t in payment["transactions"] if t["type"] == type_]
    change = {"action": "changeTransactionState", "transactionId": found["id"], "state": state}
    await edited(world, payment_id, change)
    await assert_agreement(world)


# Customers who change while they pay


@pytest.mark.parametrize("becomes", ["nobody", "somebody else"])
async def test_a_cart_whose_customer_changes_after_the_start_is_paid_and_approved(
    becomes: str,
) -> None:
    world = World()
    people = [
        (await world.commercetools("POST", "customers", {"email": f"{name}@example.com"}))[
            "customer"
        ]
        for name in ("lin", "mia")
    ]
    shop = await started(world, customerId=people[0]["id"])
    other = {"customerId": people[1]["id"]} if becomes == "somebody else" else {}
    await world.change_cart(shop.cart_id, {"action": "setCustomerId", **other})
    again = await world.start(shop.session)
    await world.pay(again["clientSecret"])
    shop.payment_id, shop.secret = again["paymentReference"], again["clientSecret"]
    assert (await confirm(world, shop)).status_code == 200
    named = (await intent_of(world, shop.payment_id))["metadata"].get("ct_customer_id", "")
    assert named == other.get("customerId", "")
    await assert_agreement(world)


async def test_a_guest_who_signs_in_while_paying_keeps_the_method_as_a_customer() -> None:
    world = World({"STORED_PAYMENT_METHODS_ENABLED": "true"})
    lin = await regular(world)
    shop = await started(world)
    await world.change_cart(shop.cart_id, {"action": "setCustomerId", "customerId": lin.id})
    answer = await world.client.post(
        "/payments", json={"storePaymentMethod": True}, headers=shop.session
    )
    await world.pay(answer.json()["clientSecret"])
    await world.deliver_all()
    listed = await world.commercetools("GET", "payment-methods?limit=100")
    [record] = listed["results"]
    assert record["customer"]["id"] == lin.id


async def test_a_customer_who_was_deleted_meanwhile_keeps_no_event_out() -> None:
    world = World({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session"})
    lin = await regular(world)
    shop = await started(world, customerId=lin.id)
    await world.pay(shop.secret)
    customer = await world.commercetools("GET", f"customers/{lin.id}")
    await world.commercetools("DELETE", f"customers/{lin.id}?version={customer['version']}")
    await assert_agreement(world)


# Sessions that are not what they claim to be


async def test_metadata_cannot_point_a_payment_at_somebody_elses_session() -> None:
    world = World()
    shopper = Shopper(world)
    order, other = await shopper.order(2500), await shopper.order(2500)
    for each in (order, other):
        await shopper.pay((await shopper.session(each["id"])).json())
    await world.deliver_all()
    [payment] = await shopper.payments(order["id"])
    before = await world.transactions(payment["id"])
    forged = events(world, "checkout.session.completed")[-1]
    session: dict[str, Any] = forged["data"]["object"]
    session["metadata"] = {**session["metadata"], "ct_payment_id": payment["id"]}
    assert await effect(world, forged) == "foreign"
    assert await world.transactions(payment["id"]) == before


# Money of others on an order


async def test_an_order_that_is_paid_in_part_by_others_is_not_taken_for_a_mismatch() -> None:
    world = World({"STRIPE_MISMATCH_ACTION": "reverse"})
    made = await world.cart(
        2500, shippingAddress={"country": "DE"}, customerEmail="ada@example.com"
    )
    session = await world.session(made["id"], giftCardPlannedAmount=money(500))
    start = await world.start(session)
    assert world.stripe.intents[start["clientSecret"].partition("_secret_")[0]]["amount"] == 2000
    await world.pay(start["clientSecret"])
    await world.deliver_all()
    order = (await world.client.post(f"/api/v1/carts/{made['id']}/order")).json()
    assert (await Shopper(world).confirm(order["id"])).status_code == 409
    await world.deliver_all()
    payment_id = start["paymentReference"]
    assert await status_of(world, payment_id) == "succeeded"
    assert list(world.stripe.refunds) == []


async def test_an_order_that_was_paid_twice_is_told_of() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order(2500)
    session = (await shopper.session(order["id"])).json()
    cash = await world.commercetools(
        "POST",
        "payments",
        {
            "amountPlanned": money(2500),
            "paymentMethodInfo": {"paymentInterface": "cash"},
            "transactions": [{"type": "Charge", "amount": money(2500), "state": "Success"}],
        },
    )
    current = await world.commercetools("GET", f"orders/{order['id']}")
    action = {"action": "addPayment", "payment": {"typeId": "payment", "id": cash["id"]}}
    await world.commercetools(
        "POST", f"orders/{order['id']}", {"version": current["version"], "actions": [action]}
    )
    await shopper.pay(session)
    await world.deliver_all()
    [_, payment] = sorted(
        await shopper.payments(order["id"]), key=lambda each: "interfaceId" in each
    )
    assert await status_of(world, payment["id"]) == "amount_mismatch"


async def test_all_that_is_held_can_be_captured_after_a_capture_of_it_was_abandoned() -> None:
    world = World(MANUAL)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    world.network.trouble = lambda call: "crash before" if call.path.endswith("/capture") else None
    assert await attempt(world, shop.payment_id, "capturePayment", 1000, key="a") is None
    world.network.trouble = no_trouble
    world.clock.advance(601)
    answer = await operate(world, shop.payment_id, "capturePayment", 1000, key="b")
    assert (answer.status_code, answer.json()["outcome"]) == (200, "approved")
    await assert_agreement(world)


async def test_an_orphan_with_an_amount_of_no_money_ends_no_reconciliation() -> None:
    world = World()
    intent = await world.ask_stripe(
        "POST",
        "/v1/payment_intents",
        amount=15000,
        currency="ISK",
        payment_method="pm_card_visa",
        confirm="true",
        **{
            "metadata[ct_project_key]": PROJECT,
            "automatic_payment_methods[enabled]": "true",
            "automatic_payment_methods[allow_redirects]": "never",
        },
    )
    world.stripe.intents[intent["id"]]["amount_received"] = 14_950
    assert (await reconcile(world)).found == ["unreadable"]


async def test_a_saved_method_that_stripe_has_no_more_keeps_no_event_out() -> None:
    world = World({"STRIPE_PAYMENT_INTENT_SETUP_FUTURE_USAGE": "on_session"})
    lin = await regular(world)
    shop = await started(world, customerId=lin.id)
    await world.pay(shop.secret)
    succeeded = event(world, "payment_intent.succeeded")
    succeeded["data"]["object"]["payment_method"] = "pm_gone"
    assert await effect(world, succeeded) == "stored"
    await assert_agreement(world)
