"""Payments that wait outside of the page: vouchers, codes, transfers, deposits to be verified."""

from __future__ import annotations

from typing import Any

import pytest

from stripe_connector.storefront.events import HANDLED
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    Json,
    Shop,
    assert_agreement,
    confirm,
    effect,
    event,
    events,
    operate,
    started,
    status_of,
)
from tests.world import World

KINDS = {
    "boleto": "BRL",
    "konbini": "JPY",
    "multibanco": "EUR",
    "oxxo": "MXN",
    "pix": "BRL",
}


async def shown(world: World, kind: str = "multibanco", currency: str = "EUR") -> Shop:
    """A shopper has the voucher, code or account to pay to, and has left the page."""
    shop = await started(world, 1000, currency)
    await show(world, shop, kind)
    return shop


async def show(world: World, shop: Shop, kind: str, **options: str) -> None:
    await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{shop.intent_id}/confirm",
        return_url="http://localhost:3000/return",
        **{"payment_method_data[type]": kind},
        **options,
    )
    assert world.stripe.intents[shop.intent_id]["status"] == "requires_action"


async def customer(world: World) -> Shop:
    """A customer's cart: a bank transfer goes to an account of the customer."""
    made = await world.commercetools(
        "POST", "customers", {"email": "lin@example.com", "password": "secret"}
    )
    cart = await world.cart(1000, customerId=made["customer"]["id"])
    session = await world.session(cart["id"])
    await world.client.get("/customer/session", headers=session)
    answer = await world.start(session)
    shop = Shop(cart["id"], session, answer["paymentReference"], answer["clientSecret"])
    intent = world.stripe.intents[shop.intent_id]
    if intent["customer"] is None:
        theirs = await world.ask_stripe("POST", "/v1/customers", email="lin@example.com")
        await world.ask_stripe(
            "POST", f"/v1/payment_intents/{shop.intent_id}", customer=theirs["id"]
        )
    return shop


@pytest.mark.parametrize(("kind", "currency"), KINDS.items())
@pytest.mark.parametrize("first", ["confirm", "event"])
async def test_a_voucher_is_pending_until_it_is_paid(kind: str, currency: str, first: str) -> None:
    world = World()
    shop = await shown(world, kind, currency)
    if first == "confirm":
        answer = await confirm(world, shop)
        assert answer.status_code == 202, answer.text
        assert answer.json()["outcome"] == "pending"
    else:
        assert await effect(world, event(world, "payment_intent.requires_action")) == "stored"
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    assert await status_of(world, shop.payment_id) == "requires_action"
    again = await world.client.post("/payments", headers=shop.session)
    assert again.status_code == 409
    assert again.json()["errors"][0]["code"] == "PaymentProcessing"
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_a_voucher_that_nobody_has_recorded_is_not_offered_as_if_it_were_open() -> None:
    world = World()
    shop = await shown(world)
    again = await world.client.post("/payments", headers=shop.session)
    assert again.status_code == 409
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    [intent] = world.stripe.intents
    assert intent["status"] == "requires_action"


async def test_after_a_voucher_has_expired_the_same_intent_can_be_paid_again() -> None:
    world = World()
    shop = await shown(world)
    await confirm(world, shop)
    world.clock.advance(4 * 86_400)
    world.stripe.run_due()
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]
    again = await world.start(await world.session(shop.cart_id))
    assert again["paymentReference"] == shop.payment_id
    await world.pay(again["clientSecret"])
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_a_shopper_who_tries_a_card_instead_of_a_voucher_is_no_longer_waited_for() -> None:
    world = World()
    shop = await shown(world)
    await confirm(world, shop)
    # The page is still open, and its next attempt stops at the bank's challenge.
    intent = world.stripe.intents[shop.intent_id]
    intent["next_action"] = {"type": "use_stripe_sdk"}
    world.stripe.emit("payment_intent.requires_action", intent)
    assert await effect(world, events(world, "payment_intent.requires_action")[-1]) == "stored"
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]
    again = await world.start(await world.session(shop.cart_id))
    assert again["paymentReference"] == shop.payment_id
    await world.pay(again["clientSecret"])
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


@pytest.mark.parametrize("state", ["Open", "Cancelled", "Complete"])
async def test_a_voucher_of_a_closed_order_cannot_be_paid_any_more_once_it_has_expired(
    state: str,
) -> None:
    world = World()
    shop = await shown(world)
    await confirm(world, shop)
    address = {"action": "setShippingAddress", "address": {"country": "DE"}}
    cart = await world.change_cart(shop.cart_id, address)
    order = await world.commercetools(
        "POST", "orders", {"cart": {"id": cart["id"], "typeId": "cart"}, "version": cart["version"]}
    )
    if state != "Open":
        action = {"action": "changeOrderState", "orderState": state}
        await world.commercetools(
            "POST", f"orders/{order['id']}", {"version": order["version"], "actions": [action]}
        )
    world.clock.advance(4 * 86_400)
    world.stripe.run_due()
    await world.deliver_all()
    [intent] = world.stripe.intents
    assert intent["status"] == ("requires_payment_method" if state == "Open" else "canceled")
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_a_voucher_can_be_cancelled_by_the_merchant() -> None:
    world = World()
    shop = await shown(world)
    await confirm(world, shop)
    answer = await operate(world, shop.payment_id, "cancelPayment")
    assert answer.json() == {"outcome": "approved"}
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_microdeposits_are_pending_until_they_are_verified() -> None:
    world = World()
    shop = await started(world, 1000, "USD")
    await show(
        world,
        shop,
        "us_bank_account",
        **{
            "payment_method_data[us_bank_account][account_number]": "000123456789",
            "payment_method_options[us_bank_account][verification_method]": "microdeposits",
        },
    )
    assert (await confirm(world, shop)).status_code == 202
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    await world.at_stripe(f"payment_intents/{shop.intent_id}/authenticate", outcome="succeed")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    await assert_agreement(world)
    assert ("Charge", 1000, "Success") in await world.transactions(shop.payment_id)


@pytest.mark.parametrize("action", ["card_await_notification", "telepathy"])
async def test_an_action_outside_of_the_page_is_pending_also_an_unknown_one(action: str) -> None:
    world = World()
    shop = await started(world)
    world.stripe.intents[shop.intent_id].update(
        status="requires_action", next_action={"type": action}
    )
    assert (await confirm(world, shop)).status_code == 202
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    text = (await world.payment(shop.payment_id))["paymentStatus"]["interfaceText"]
    assert action in text
    await world.reprice(shop.cart_id, 1200)
    assert (await world.client.post("/payments", headers=shop.session)).status_code == 409
    assert [i["status"] for i in world.stripe.intents] == ["requires_action"], "never cancelled"


@pytest.mark.parametrize("kind", ["use_stripe_sdk", "redirect_to_url", "blik_authorize"])
async def test_an_action_in_the_page_is_unfinished_and_the_same_intent_is_offered_again(
    kind: str,
) -> None:
    world = World()
    shop = await started(world)
    intent = world.stripe.intents[shop.intent_id]
    intent.update(status="requires_action", next_action={"type": kind})
    world.stripe.emit("payment_intent.requires_action", intent)
    assert await effect(world, event(world, "payment_intent.requires_action")) == "ignored"
    answer = await confirm(world, shop)
    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "PaymentNotConfirmed"
    again = await world.start(await world.session(shop.cart_id))
    assert again["clientSecret"] == shop.secret
    assert await world.transactions(shop.payment_id) == []


# Bank transfers in parts


def parts_of(payment: Json) -> Any:
    """What the Authorization says of a transfer in parts: received and remaining."""
    [authorization] = [t for t in payment["transactions"] if t["type"] == "Authorization"]
    fields = authorization.get("custom", {}).get("fields", {})
    names = ("stripeConnector_received", "stripeConnector_remaining")
    return tuple(fields[name]["centAmount"] if name in fields else None for name in names)


async def test_a_part_of_a_bank_transfer_is_no_charge_and_shown() -> None:
    world = World()
    shop = await customer(world)
    await show(world, shop, "customer_balance")
    assert (await confirm(world, shop)).status_code == 202
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=400)
    await world.deliver_all()
    payment = await world.payment(shop.payment_id)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    assert parts_of(payment) == (400, 600)
    text = payment["paymentStatus"]["interfaceText"]
    assert text == "4.00 EUR of 10.00 EUR have come by bank transfer, 6.00 EUR remain."
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=600)
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]
    assert parts_of(await world.payment(shop.payment_id)) == (1000, 0)


async def test_parts_that_are_told_late_or_after_the_payment_change_nothing() -> None:
    world = World()
    shop = await customer(world)
    await show(world, shop, "customer_balance")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=400)
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=600)
    for told in reversed(events(world)):
        await effect(world, told)
    assert sorted(await world.transactions(shop.payment_id)) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]


async def test_a_missing_field_of_the_custom_type_keeps_no_money_from_being_recorded() -> None:
    """A deployment whose post-deploy script of this version has not run yet."""
    world = World()
    shop = await customer(world)
    await show(world, shop, "customer_balance")
    await confirm(world, shop)
    for kind in world.store.collection("type"):
        kind["fieldDefinitions"] = [
            f
            for f in kind["fieldDefinitions"]
            if not f["name"].endswith(("_received", "_remaining"))
        ]
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=400)
    await world.deliver_all()
    payment = await world.payment(shop.payment_id)
    assert "6.00 EUR remain" in payment["paymentStatus"]["interfaceText"]
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=600)
    await assert_agreement(world)


async def test_a_transfer_in_parts_that_is_cancelled_took_nothing() -> None:
    world = World()
    shop = await customer(world)
    await show(world, shop, "customer_balance")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=400)
    intent = world.stripe.intents[shop.intent_id]
    intent["amount_received"] = 400  # whether Stripe shows it there is unconfirmed
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    await world.deliver_all()
    recorded = await world.transactions(shop.payment_id)
    assert {(t, s) for t, _, s in recorded} == {("Authorization", "Failure")}
    assert (await reconcile(world)).lines == []


async def test_what_a_customer_transfers_too_much_is_told_and_listed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    shop = await customer(world)
    intent = world.stripe.intents[shop.intent_id]
    theirs = world.stripe.customers[intent["customer"]]
    theirs["metadata"]["ct_project_key"] = "sandbox"
    await show(world, shop, "customer_balance")
    await world.at_stripe(f"payment_intents/{shop.intent_id}/fund", amount=1300)
    *_, last = events(world, "customer_cash_balance_transaction.created")
    assert await effect(world, last) == "told"
    assert "Money is left in a customer's cash balance at Stripe" in caplog.messages
    run = await reconcile(world, apply=True)
    [listed] = [line for line in run.lines if line["kind"] == "cash_balance"][:1]
    assert (listed["amount"], listed["currency"]) == (300, "EUR")
    assert ("Charge", 1000, "Success") in await world.transactions(shop.payment_id)
    theirs["metadata"].clear()
    assert await effect(world, last) == "foreign"


def test_the_events_of_waiting_payments_are_subscribed_to() -> None:
    assert {
        "payment_intent.requires_action",
        "payment_intent.partially_funded",
        "customer_cash_balance_transaction.created",
    } <= HANDLED
