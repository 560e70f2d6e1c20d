"""Starting a payment: one open intent per cart, and that it is the cart's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from sandbox.stripe import currencies
from tests.behaviour.steps import with_total
from tests.world import World, money

Json = dict[str, Any]


def open_intents(world: World) -> list[Json]:
    """The intents with which the shopper could still pay."""
    return [
        intent
        for intent in world.stripe.intents.newest({})
        if intent["status"] in ("requires_payment_method", "requires_action")
    ]


async def payments_of(world: World, cart_id: str) -> list[Json]:
    cart = await world.commercetools("GET", f"carts/{cart_id}?expand=paymentInfo.payments[*]")
    return [each["obj"] for each in cart.get("paymentInfo", {}).get("payments", [])]


async def refusal(world: World, session: Mapping[str, str], status: int) -> Json:
    """POST /payments, refused; the one error."""
    answer = await world.client.post("/payments", headers=session)
    assert answer.status_code == status, answer.text
    [error] = answer.json()["errors"]
    return dict(error)


async def place_order(world: World, cart_id: str) -> None:
    cart = await world.commercetools("GET", f"carts/{cart_id}")
    await world.commercetools(
        "POST", "orders", {"cart": {"id": cart_id, "typeId": "cart"}, "version": cart["version"]}
    )


def secret_of(intent: Json) -> str:
    return str(intent["client_secret"])


# The first call


async def test_the_answer_names_the_intent_under_both_names() -> None:
    world = World()
    cart = await world.cart(2599)
    started = await world.start(await world.session(cart["id"]))
    [intent] = open_intents(world)
    [payment] = await payments_of(world, cart["id"])
    assert started == {
        "clientSecret": secret_of(intent),
        "sClientSecret": secret_of(intent),
        "paymentReference": payment["id"],
        "merchantReturnUrl": "http://localhost:3000/return",
        "cartId": cart["id"],
    }


async def test_payment_and_intent_point_at_each_other_and_nothing_is_paid() -> None:
    world = World()
    cart = await world.cart(2599)
    started = await world.start(await world.session(cart["id"]))
    [intent] = open_intents(world)
    payment = await world.payment(started["paymentReference"])
    assert payment["interfaceId"] == intent["id"]
    assert payment["key"] == f"{cart['id']}_1"
    assert payment["amountPlanned"]["centAmount"] == intent["amount"] == 2599
    assert payment["paymentMethodInfo"]["paymentInterface"] == "checkout-stripe"
    assert payment["transactions"] == []
    assert (intent["currency"], intent["status"]) == ("eur", "requires_payment_method")
    assert intent["metadata"]["ct_payment_id"] == payment["id"]
    assert intent["metadata"]["cart_id"] == cart["id"]
    assert intent["metadata"]["ct_project_key"] == "sandbox"
    assert "ct_customer_id" not in intent["metadata"]


async def test_the_payments_id_is_in_the_intent_from_its_first_event() -> None:
    world = World()
    cart = await world.cart()
    started = await world.start(await world.session(cart["id"]))
    created = world.stripe.events[0]
    assert created["type"] == "payment_intent.created"
    assert created["data"]["object"]["metadata"]["ct_payment_id"] == started["paymentReference"]


async def test_get_is_an_alias() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    answer = await world.client.get("/payments", headers=session)
    assert answer.status_code == 200
    assert answer.json() == await world.start(session)


# Again


async def test_starting_again_returns_the_same_intent_and_writes_nothing() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    payment = await world.payment(first["paymentReference"])
    assert await world.start(session) == first
    assert await world.start(await world.session(cart["id"])) == first
    assert await world.payment(first["paymentReference"]) == payment
    assert len(world.stripe.intents) == 1


@pytest.mark.parametrize("cents", [1, 999, 1001, 50_000])
async def test_intent_and_plan_follow_the_cart(cents: int) -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.reprice(cart["id"], max(cents, 50))
    assert await world.start(session) == first
    payment = await world.payment(first["paymentReference"])
    [intent] = open_intents(world)
    assert intent["amount"] == payment["amountPlanned"]["centAmount"] == max(cents, 50)


async def test_a_cart_that_changes_back_and_forth_ends_with_its_own_amount() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    headers = {**session, "X-Correlation-ID": "always-the-same"}
    for cents in (2000, 1000, 2000, 3000, 1000):
        await world.reprice(cart["id"], cents)
        answer = await world.client.post("/payments", headers=headers)
        assert answer.json() == first
        assert open_intents(world)[0]["amount"] == cents
    assert (await world.payment(first["paymentReference"]))["amountPlanned"]["centAmount"] == 1000


async def test_an_amount_that_stripe_refuses_leaves_intent_and_plan_as_they_were() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.reprice(cart["id"], 10)
    error = await refusal(world, session, 400)
    assert error["code"] == "amount_too_small"
    payment = await world.payment(first["paymentReference"])
    assert payment["amountPlanned"]["centAmount"] == open_intents(world)[0]["amount"] == 1000
    await world.reprice(cart["id"], 1200)
    assert await world.start(session) == first


async def test_another_currency_gets_another_intent_and_the_old_one_cannot_be_paid() -> None:
    world = World()
    cart = await world.cart(1000, "EUR")
    session = await world.session(cart["id"])
    first = await world.start(session)
    with_total(world, cart["id"], money(1100, "USD"))
    second = await world.start(session)
    assert second["paymentReference"] != first["paymentReference"]
    [intent] = open_intents(world)
    assert (intent["amount"], intent["currency"]) == (1100, "usd")
    assert intent["metadata"]["ct_payment_id"] == second["paymentReference"]


async def test_after_a_canceled_intent_the_next_number_is_taken() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.ask_stripe("POST", f"/v1/payment_intents/{open_intents(world)[0]['id']}/cancel")
    second = await world.start(session)
    assert second["paymentReference"] != first["paymentReference"]
    assert [p["key"] for p in await payments_of(world, cart["id"])] == [
        f"{cart['id']}_1",
        f"{cart['id']}_2",
    ]
    assert secret_of(open_intents(world)[0]) == second["clientSecret"]


async def test_an_intent_that_was_declined_is_tried_again() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    declined = await world.pay(first["clientSecret"], "pm_card_visa_chargeDeclined")
    assert declined["error"]["code"] == "card_declined"
    await world.deliver_all()
    assert await world.start(session) == first
    await world.pay(first["clientSecret"])
    await world.deliver_all()
    assert ("Charge", 1000, "Success") in await world.transactions(first["paymentReference"])


async def test_while_a_payment_is_processed_there_is_no_second_one() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"], "sepa_debit")
    for _ in range(2):
        error = await refusal(world, session, 409)
        assert error["code"] == "PaymentProcessing"
        assert error["paymentReference"] == first["paymentReference"]
    assert len(world.stripe.intents) == 1


async def test_a_processed_payment_that_failed_in_the_end_can_be_tried_again() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"], "sepa_debit")
    await refusal(world, session, 409)
    await world.at_stripe(
        f"payment_intents/{first['clientSecret'].partition('_secret_')[0]}/settle", outcome="fail"
    )
    again = await world.start(session)
    assert secret_of(open_intents(world)[0]) == again["clientSecret"]


@pytest.mark.parametrize("told", [True, False])
async def test_a_paid_cart_is_not_paid_again(told: bool) -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"])
    if told:
        await world.deliver_all()
    assert (await refusal(world, session, 400))["code"] == "InvalidOperation"
    assert len(world.stripe.intents) == 1
    assert ("Charge", 1000, "Success") in await world.transactions(first["paymentReference"])


# States of the cart


async def test_an_ordered_cart_cannot_be_paid() -> None:
    world = World()
    cart = await world.cart(shippingAddress={"country": "DE"})
    session = await world.session(cart["id"])
    await place_order(world, cart["id"])
    await refusal(world, session, 409)
    assert len(world.stripe.intents) == 0


async def test_a_merged_cart_cannot_be_paid() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    stored = world.store.collection("cart").get(cart["id"])
    assert stored is not None
    world.store.replace("cart", {**stored, "cartState": "Merged"})
    await refusal(world, session, 409)
    assert len(world.stripe.intents) == 0


@pytest.mark.parametrize("strategy", ["SoftFreeze", "HardFreeze"])
async def test_a_frozen_cart_can_be_paid(strategy: str) -> None:
    world = World()
    cart = await world.cart()
    await world.change_cart(cart["id"], {"action": "freezeCart", "strategy": strategy})
    started = await world.start(await world.session(cart["id"]))
    assert [p["id"] for p in await payments_of(world, cart["id"])] == [started["paymentReference"]]


async def test_a_cart_that_is_gone_is_not_found() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    world.store.collection("cart").remove(cart["id"])
    assert (await refusal(world, session, 404))["code"] == "ResourceNotFound"


async def test_an_empty_cart_has_nothing_to_pay() -> None:
    world = World()
    cart = await world.cart(customLineItems=[])
    error = await refusal(world, await world.session(cart["id"]), 400)
    assert error["code"] == "InvalidOperation"
    assert (error["resource"], error["cartAmount"]) == ("cart", 0)
    assert await payments_of(world, cart["id"]) == []


# Amounts that Stripe does not take


@pytest.mark.parametrize(
    ("cents", "currency", "stripe_amount"),
    [
        (50, "EUR", 50),
        (999_999_999_999, "EUR", 999_999_999_999),
        (1234, "JPY", 1234),
        (12_340, "KWD", 12_340),
        (500, "ISK", 50_000),
        (3000, "UGX", 300_000),
        (5000, "HUF", 5000),
        (2000, "TWD", 2000),
        (1000, "CLP", 1000),
    ],
)
async def test_stripe_is_asked_for_exactly_what_the_cart_costs(
    cents: int, currency: str, stripe_amount: int
) -> None:
    world = World()
    if currency == "HUF":
        cents = stripe_amount = 20_000
    cart = await world.cart(cents, currency)
    started = await world.start(await world.session(cart["id"]))
    [intent] = open_intents(world)
    assert (intent["amount"], intent["currency"]) == (stripe_amount, currency.lower())
    plan = (await world.payment(started["paymentReference"]))["amountPlanned"]
    assert (plan["centAmount"], plan["currencyCode"]) == (cents, currency)


async def test_what_stripe_cannot_charge_exactly_is_refused_before_anything_is_made() -> None:
    world = World()
    cart = await world.cart(12_345, "KWD")
    error = await refusal(world, await world.session(cart["id"]), 400)
    assert error["amount"] == money(12_345, "KWD")
    assert await payments_of(world, cart["id"]) == []


@pytest.mark.parametrize(
    ("cents", "currency", "least"),
    [(49, "EUR", 50), (29, "GBP", 30), (49, "JPY", 50), (17_499, "HUF", 17_500)],
)
async def test_less_than_stripes_minimum_is_a_clear_400_before_anything_is_made(
    cents: int, currency: str, least: int
) -> None:
    world = World()
    cart = await world.cart(cents, currency)
    session = await world.session(cart["id"])
    error = await refusal(world, session, 400)
    assert error["code"] == "amount_too_small"
    assert error["amount"] == money(cents, currency)
    assert error["minimum"] == money(least, currency)
    assert await payments_of(world, cart["id"]) == []
    assert open_intents(world) == []
    await world.reprice(cart["id"], least)
    await world.start(session)
    assert open_intents(world)[0]["amount"] == least


async def test_a_rest_below_stripes_minimum_is_a_clear_400() -> None:
    world = World()
    cart = await world.cart(1000)
    await foreign_payment(world, cart["id"], ("Charge", 960, "Success"))
    error = await refusal(world, await world.session(cart["id"]), 400)
    assert (error["code"], error["amount"]) == ("amount_too_small", money(40))
    assert open_intents(world) == []


async def test_what_stripe_alone_finds_too_small_is_a_400_and_recorded_as_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Stripe's table has no minimum of this currency; that of the account's own decides."""
    monkeypatch.setitem(currencies._MINIMUM, "sar", 50)
    world = World()
    cart = await world.cart(49, "SAR")
    session = await world.session(cart["id"])
    error = await refusal(world, session, 400)
    assert error["code"] == "amount_too_small"
    [payment] = await payments_of(world, cart["id"])
    assert payment["paymentStatus"]["interfaceCode"] == "failed"
    assert await world.transactions(payment["id"]) == [("Authorization", 49, "Failure")]
    assert "interfaceId" not in payment
    await world.reprice(cart["id"], 50)
    started = await world.start(session)
    assert (await world.payment(started["paymentReference"]))["key"] == f"{cart['id']}_2"
    assert open_intents(world)[0]["amount"] == 50


# What is due


@pytest.mark.parametrize(("gift", "due"), [(300, 700), (950, 50)])
async def test_a_planned_gift_card_is_left_out(gift: int, due: int) -> None:
    world = World()
    cart = await world.cart(1000)
    started = await world.start(await world.session(cart["id"], giftCardPlannedAmount=money(gift)))
    assert open_intents(world)[0]["amount"] == due
    payment = await world.payment(started["paymentReference"])
    assert payment["amountPlanned"]["centAmount"] == due


async def test_a_gift_card_of_another_currency_pays_nothing_here() -> None:
    world = World()
    cart = await world.cart(1000)
    await world.start(await world.session(cart["id"], giftCardPlannedAmount=money(300, "USD")))
    assert open_intents(world)[0]["amount"] == 1000


@pytest.mark.parametrize("gift", [1000, 1001])
async def test_where_the_gift_card_pays_all_there_is_nothing_to_start(gift: int) -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"], giftCardPlannedAmount=money(gift))
    assert (await refusal(world, session, 400))["code"] == "InvalidOperation"
    assert len(world.stripe.intents) == 0


async def test_a_gift_card_planned_after_the_start_lowers_the_intent() -> None:
    world = World()
    cart = await world.cart(1000)
    first = await world.start(await world.session(cart["id"]))
    again = await world.start(await world.session(cart["id"], giftCardPlannedAmount=money(400)))
    assert again == first
    assert open_intents(world)[0]["amount"] == 600


async def foreign_payment(
    world: World, cart_id: str, *transactions: tuple[str, int, str], currency: str = "EUR"
) -> str:
    """A payment of another connector on the cart; its id."""
    payment = await world.commercetools(
        "POST",
        "payments",
        {
            "amountPlanned": money(1000, currency),
            "paymentMethodInfo": {"paymentInterface": "gift-card"},
            "transactions": [
                {
                    "type": type_,
                    "amount": money(cents, currency),
                    "state": state,
                    "interactionId": f"{type_}-{number}",
                }
                for number, (type_, cents, state) in enumerate(transactions)
            ],
        },
    )
    await world.change_cart(
        cart_id, {"action": "addPayment", "payment": {"typeId": "payment", "id": payment["id"]}}
    )
    return str(payment["id"])


@pytest.mark.parametrize(
    ("transactions", "due"),
    [
        ([], 1000),
        ([("Charge", 400, "Success")], 600),
        ([("Charge", 400, "Pending")], 600),
        ([("Charge", 400, "Initial")], 1000),
        ([("Charge", 400, "Failure")], 1000),
        ([("Authorization", 400, "Success")], 600),
        ([("Authorization", 400, "Success"), ("Charge", 400, "Success")], 600),
        ([("Authorization", 400, "Success"), ("Charge", 150, "Success")], 600),
        ([("Authorization", 400, "Success"), ("CancelAuthorization", 400, "Success")], 1000),
        (
            [
                ("Authorization", 400, "Success"),
                ("Charge", 150, "Success"),
                ("CancelAuthorization", 250, "Success"),
            ],
            850,
        ),
        ([("Charge", 400, "Success"), ("Refund", 100, "Success")], 600),
        ([("Charge", 400, "Success"), ("Refund", 100, "Pending")], 600),
        ([("Charge", 400, "Success"), ("Refund", 100, "Failure")], 600),
        (
            [("Charge", 400, "Success"), ("Refund", 100, "Success"), ("Refund", 300, "Success")],
            1000,
        ),
        ([("Charge", 400, "Success"), ("Refund", 400, "Success")], 1000),
        ([("Charge", 400, "Success"), ("Chargeback", 300, "Success")], 900),
        ([("Charge", 400, "Success"), ("Chargeback", 300, "Initial")], 600),
        ([("Charge", 950, "Success")], 50),
    ],
    ids=str,
)
async def test_what_is_due_is_what_other_payments_have_not_really_brought(
    transactions: list[tuple[str, int, str]], due: int
) -> None:
    world = World()
    cart = await world.cart(1000)
    await foreign_payment(world, cart["id"], *transactions)
    await world.start(await world.session(cart["id"]))
    assert open_intents(world)[0]["amount"] == due


async def test_several_payments_add_up() -> None:
    world = World()
    cart = await world.cart(1000)
    await foreign_payment(world, cart["id"], ("Charge", 200, "Success"))
    await foreign_payment(world, cart["id"], ("Authorization", 300, "Success"))
    await foreign_payment(world, cart["id"], ("Charge", 300, "Success"), currency="USD")
    await world.start(await world.session(cart["id"], giftCardPlannedAmount=money(100)))
    assert open_intents(world)[0]["amount"] == 400


async def test_what_others_overpaid_is_not_ours_to_charge() -> None:
    world = World()
    cart = await world.cart(1000)
    await foreign_payment(world, cart["id"], ("Charge", 1500, "Success"))
    await refusal(world, await world.session(cart["id"]), 400)


@pytest.mark.parametrize(("back", "due"), [(300, None), (1000, 1000)])
async def test_after_a_refund_something_is_due_again_only_where_all_went_back(
    back: int, due: int | None
) -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"])
    await world.deliver_all()
    await world.modify(first["paymentReference"], action="refundPayment", amount=money(back))
    again = await world.client.post("/payments", headers=session)
    assert again.status_code == (400 if due is None else 200)
    assert [intent["amount"] for intent in open_intents(world)] == ([] if due is None else [due])


async def test_after_a_lost_dispute_its_amount_is_due_again() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"])
    [charge] = world.stripe.charges.newest({})
    dispute = await world.at_stripe(f"charges/{charge['id']}/dispute")
    await world.deliver_all()
    await world.at_stripe(f"disputes/{dispute['id']}", status="lost")
    await world.deliver_all()
    await world.start(session)
    assert open_intents(world)[0]["amount"] == 1000


async def test_a_cart_that_grew_after_it_was_paid_is_charged_the_difference() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    first = await world.start(session)
    await world.pay(first["clientSecret"])
    await world.deliver_all()
    await world.reprice(cart["id"], 1600)
    second = await world.start(session)
    assert second["paymentReference"] != first["paymentReference"]
    assert open_intents(world)[0]["amount"] == 600


async def test_a_customer_that_stripe_will_not_put_on_the_intent_gets_another_one() -> None:
    """Stripe never exchanges an intent's customer; the cart must not be stuck with it."""
    world = World()
    customer = (await world.commercetools("POST", "customers", {"email": "lin@example.com"}))[
        "customer"
    ]
    cart = await world.cart(1000, customerId=customer["id"])
    session = await world.session(cart["id"])
    known = (await world.client.get("/customer/session", headers=session)).json()
    first = await world.start(session)
    await world.ask_stripe("DELETE", f"/v1/customers/{known['stripeCustomerId']}")
    replaced = (await world.client.get("/customer/session", headers=session)).json()
    second = await world.start(session)
    assert second["paymentReference"] != first["paymentReference"]
    [intent] = open_intents(world)
    assert intent["customer"] == replaced["stripeCustomerId"]
    assert secret_of(intent) == second["clientSecret"]
    assert await world.start(session) == second


async def test_the_intent_follows_other_payments_back_and_forth_while_the_cart_stays() -> None:
    """Checkout's correlation id is the same for all requests of a session."""
    world = World()
    cart = await world.cart(1000)
    other = await foreign_payment(world, cart["id"], ("Authorization", 400, "Success"))
    session = await world.session(cart["id"], correlationId="the-same-for-the-whole-session")
    first = await world.start(session)
    for state, due in (
        ("Failure", 1000),
        ("Success", 600),
        ("Failure", 1000),
        ("Success", 600),
    ):
        payment = await world.payment(other)
        await world.commercetools(
            "POST",
            f"payments/{other}",
            {
                "version": payment["version"],
                "actions": [
                    {
                        "action": "changeTransactionState",
                        "transactionId": payment["transactions"][0]["id"],
                        "state": state,
                    }
                ],
            },
        )
        assert await world.start(session) == first
        assert open_intents(world)[0]["amount"] == due
