"""POST /operations/transactions: a stored method is charged once, without the shopper."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from typing import Any, Literal

import httpx
import pytest

from sandbox.stripe.state import InternalError
from tests.behaviour import buy_now
from tests.behaviour.steps import Json, Once, assert_agreement, no_trouble, shuffled
from tests.behaviour.stored import (
    DEBIT,
    ENABLED,
    ITEM,
    NOBODY,
    OTHER_ITEM,
    Regular,
    body_of,
    charge,
    records,
    regular,
    state_of,
)
from tests.behaviour.test_stored_methods import RECURRING
from tests.wire import Call, Crash, Trouble
from tests.world import World, money

MANUAL: Mapping[str, str] = {**ENABLED, "STRIPE_CAPTURE_METHOD": "manual"}
FAILURES: list[Trouble] = [
    "refused",
    "lost",
    "error before",
    "error after",
    "stored before",
    "stored after",
    "busy",
]
ABANDONED = 601
"""Seconds after which nobody works on a transaction any more."""
CRASHES: list[Trouble] = ["crash before", "crash after"]
OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")


async def customer(
    method: str = "pm_card_visa", environment: Mapping[str, str] = ENABLED
) -> tuple[Regular, str, str]:
    """A customer, the id of a method on file, and a cart to be charged."""
    lin = await regular(World(environment))
    method_id = await lin.on_file(method)
    cart = await lin.world.cart(1000, customerId=lin.id)
    return lin, method_id, str(cart["id"])


async def debited() -> tuple[Regular, str, str]:
    """The same with a bank account."""
    lin = await regular(World(ENABLED))
    made = await lin.world.ask_stripe("POST", "/v1/payment_methods", **DEBIT)
    method_id = await lin.on_file(made["id"])
    cart = await lin.world.cart(1000, customerId=lin.id)
    return lin, method_id, str(cart["id"])


async def on_cart(world: World, cart_id: str) -> list[Json]:
    """The payments on a cart."""
    cart = await world.commercetools("GET", f"carts/{cart_id}?expand=paymentInfo.payments[*]")
    return [each["obj"] for each in cart.get("paymentInfo", {}).get("payments", [])]


def charged(world: World) -> int:
    return sum(intent["amount_received"] for intent in world.stripe.intents)


def die_before_stripe(call: Call) -> Trouble | None:
    return "crash before" if call.path == "/v1/payment_intents" else None


def refusal(answer: httpx.Response) -> tuple[int, str, str | None]:
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error.get("field")


async def assert_charged_once(world: World, cart_id: str, cents: int = 1000) -> None:
    """One intent has brought the amount, and the cart's one payment says so."""
    await assert_agreement(world)
    paid = [intent for intent in world.stripe.intents if intent["status"] == "succeeded"]
    assert [intent["amount"] for intent in paid] == [cents]
    [payment] = await on_cart(world, cart_id)
    assert payment["interfaceId"] == paid[0]["id"]
    everywhere = await world.commercetools("GET", "payments?limit=500")
    assert [each["id"] for each in everywhere["results"]] == [payment["id"]]


# What is charged and recorded


async def test_a_stored_card_is_charged_and_recorded_at_once() -> None:
    lin, method_id, cart_id = await customer()
    answer = await charge(lin.world, cart_id, method_id, futureOrderNumber="2026-0001")
    [payment] = await on_cart(lin.world, cart_id)
    assert (answer.status_code, answer.json()) == (
        201,
        {"transactionStatus": {"state": "Completed", "errors": []}, "paymentId": payment["id"]},
    )
    assert await lin.world.transactions(payment["id"]) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 1000, "Success"),
    ]
    assert payment["checkoutTransactionItemId"] == ITEM
    assert payment["customer"]["id"] == lin.id
    [record] = await records(lin.world)
    info = (await lin.world.payment(payment["id"]))["paymentMethodInfo"]
    assert (info["token"], info["method"]) == (record["token"], "card")
    [intent] = lin.world.stripe.intents
    assert intent["metadata"]["ct_payment_id"] == payment["id"]
    assert intent["metadata"]["ct_order_number"] == "2026-0001"
    await assert_charged_once(lin.world, cart_id)


async def test_where_money_is_captured_later_it_is_only_authorized() -> None:
    lin, method_id, cart_id = await customer(environment=MANUAL)
    answer = await charge(lin.world, cart_id, method_id)
    assert state_of(answer) == "Completed"
    payment_id = answer.json()["paymentId"]
    assert await lin.world.transactions(payment_id) == [("Authorization", 1000, "Success")]
    await lin.world.modify(payment_id, action="capturePayment", amount=money(1000))
    await assert_charged_once(lin.world, cart_id)


async def test_a_bank_debit_is_pending_and_completed_when_asked_again_later() -> None:
    lin, method_id, cart_id = await debited()
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Pending"
    [intent] = lin.world.stripe.intents
    await lin.world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="succeed")
    await lin.world.deliver_all()
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
    await assert_charged_once(lin.world, cart_id)


async def test_a_bank_debit_that_comes_back_has_failed_and_can_be_paid_no_more() -> None:
    lin, method_id, cart_id = await debited()
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Pending"
    [intent] = lin.world.stripe.intents
    await lin.world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="fail")
    await lin.world.deliver_all()
    answer = await charge(lin.world, cart_id, method_id)
    assert state_of(answer) == "Failed"
    assert intent["status"] == "canceled"
    await assert_agreement(lin.world)


async def test_part_of_the_cart_may_be_charged() -> None:
    lin, method_id, cart_id = await customer()
    assert state_of(await charge(lin.world, cart_id, method_id, cents=400)) == "Completed"
    again = await charge(lin.world, cart_id, method_id, checkoutTransactionItemId=OTHER_ITEM)
    assert state_of(again) == "Completed"
    assert sorted(intent["amount"] for intent in lin.world.stripe.intents) == [400, 600]
    await assert_agreement(lin.world)


async def test_the_method_of_a_recurring_job_is_charged_and_no_second_job_is_made() -> None:
    lin, _, _ = await customer()
    first = await lin.world.cart(1000, customerId=lin.id, **RECURRING)
    session = await lin.world.session(first["id"], checkoutTransactionItemId=OTHER_ITEM)
    started = await lin.world.start(session)
    await lin.world.pay(started["clientSecret"], "pm_card_mastercard")
    await lin.world.deliver_all()
    [job] = lin.world.store.collection("recurring-payment-job")
    renewal = await lin.world.cart(1000, customerId=lin.id, **RECURRING)
    answer = await charge(lin.world, renewal["id"], job["paymentMethod"]["id"])
    assert state_of(answer) == "Completed"
    await assert_agreement(lin.world)
    assert len(lin.world.store.collection("recurring-payment-job")) == 1


# What is declined


@pytest.mark.parametrize(
    ("card", "message"),
    [
        ("pm_card_chargeCustomerFail", "Your card was declined."),
        (
            "pm_card_authenticationRequired",
            "Your card was declined. This transaction requires authentication.",
        ),
    ],
)
async def test_a_refusal_of_the_bank_is_an_answer_and_leaves_nothing_to_pay(
    card: str, message: str
) -> None:
    lin, method_id, cart_id = await customer(card)
    for _ in range(2):
        answer = await charge(lin.world, cart_id, method_id)
        assert answer.json()["transactionStatus"] == {
            "state": "Failed",
            "errors": [{"code": "PaymentRejected", "message": message}],
        }
        assert answer.status_code == 201
        await lin.world.deliver_all()
    [intent] = lin.world.stripe.intents
    assert intent["status"] == "canceled"
    payment_id = answer.json()["paymentId"]
    assert await lin.world.transactions(payment_id) == [("Authorization", 1000, "Failure")]
    await assert_agreement(lin.world)


async def test_after_a_decline_another_transaction_may_succeed() -> None:
    lin, bad, cart_id = await customer("pm_card_chargeCustomerFail")
    good = await lin.on_file()
    assert state_of(await charge(lin.world, cart_id, bad)) == "Failed"
    answer = await charge(lin.world, cart_id, good, checkoutTransactionItemId=OTHER_ITEM)
    assert state_of(answer) == "Completed"
    assert charged(lin.world) == 1000
    await assert_agreement(lin.world)


async def test_a_method_that_stripe_has_lost_fails() -> None:
    lin, method_id, cart_id = await customer()
    [record] = await records(lin.world)
    token = record["token"]["value"]
    await lin.world.ask_stripe("POST", f"/v1/payment_methods/{token}/detach")
    for _ in range(2):
        answer = await charge(lin.world, cart_id, method_id)
        assert state_of(answer) == "Failed"
    assert list(lin.world.stripe.intents) == []
    [payment] = await on_cart(lin.world, cart_id)
    assert await lin.world.transactions(payment["id"]) == [("Authorization", 1000, "Failure")]


# Repetitions


@pytest.mark.parametrize("key", [{}, {"idempotencyKey": "renewal-7"}])
async def test_a_repetition_charges_nothing_and_answers_the_same(key: Json) -> None:
    lin, method_id, cart_id = await customer()
    first = await charge(lin.world, cart_id, method_id, **key)
    for processor in (lin.world.processor, lin.world.start_processor()):
        lin.world.clock.advance(3600 * 30)
        again = await charge(lin.world, cart_id, method_id, processor=processor, **key)
        assert (again.status_code, again.json()) == (201, first.json())
    await assert_charged_once(lin.world, cart_id)


async def test_the_key_names_the_transaction_whatever_the_item_is() -> None:
    lin, method_id, cart_id = await customer()
    key: Json = {"idempotencyKey": "renewal-7"}
    first = await charge(lin.world, cart_id, method_id, **key)
    again = await charge(lin.world, cart_id, method_id, checkoutTransactionItemId=OTHER_ITEM, **key)
    assert again.json() == first.json()
    await assert_charged_once(lin.world, cart_id)


async def test_a_name_that_was_used_for_something_else_is_refused() -> None:
    lin, method_id, cart_id = await customer()
    other = await lin.on_file("pm_card_mastercard")
    await charge(lin.world, cart_id, method_id, cents=400)
    assert (await charge(lin.world, cart_id, method_id, cents=300)).status_code == 409
    assert (await charge(lin.world, cart_id, other, cents=400)).status_code == 409
    assert charged(lin.world) == 400


async def test_the_same_transaction_at_several_instances_at_once_charges_once() -> None:
    for seed in range(12):
        lin, method_id, cart_id = await customer()
        processors = [lin.world.start_processor() for _ in range(3)]
        shuffled(lin.world, seed)
        answers = await asyncio.gather(
            *(charge(lin.world, cart_id, method_id, processor=each) for each in processors)
        )
        lin.world.network.turn = None
        assert {answer.status_code for answer in answers} <= {201, 503}
        assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
        await assert_charged_once(lin.world, cart_id)


async def test_two_transactions_of_one_cart_at_once_charge_it_once() -> None:
    for seed in range(20):
        lin, method_id, cart_id = await customer()
        items = [ITEM, OTHER_ITEM]
        processors = [lin.world.start_processor() for _ in items]
        shuffled(lin.world, seed)
        answers = await asyncio.gather(
            *(
                charge(
                    lin.world,
                    cart_id,
                    method_id,
                    processor=processor,
                    checkoutTransactionItemId=item,
                )
                for processor, item in zip(processors, items, strict=True)
            )
        )
        lin.world.network.turn = None
        assert {answer.status_code for answer in answers} <= {201, 400, 409}
        for item in items:
            await charge(lin.world, cart_id, method_id, checkoutTransactionItemId=item)
        assert charged(lin.world) == 1000, seed
        await assert_agreement(lin.world)


async def test_a_transaction_that_was_abandoned_does_not_block_the_next_one() -> None:
    lin, method_id, cart_id = await customer()
    lin.world.network.trouble = die_before_stripe
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    other: Json = {"checkoutTransactionItemId": OTHER_ITEM}
    blocked = await charge(lin.world, cart_id, method_id, **other)
    assert refusal(blocked)[0] == 409
    lin.world.clock.advance(ABANDONED)
    assert state_of(await charge(lin.world, cart_id, method_id, **other)) == "Completed"
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Failed"
    assert charged(lin.world) == 1000


async def test_an_abandoned_one_is_repeated_while_the_next_one_gives_it_up_charging_once() -> None:
    for seed in range(60):
        lin, method_id, cart_id = await customer()
        lin.world.network.trouble = die_before_stripe
        with pytest.raises(Crash):
            await charge(lin.world, cart_id, method_id)
        lin.world.network.trouble = no_trouble
        lin.world.clock.advance(ABANDONED)
        processors = [lin.world.start_processor() for _ in range(2)]
        shuffled(lin.world, seed)
        await asyncio.gather(
            charge(lin.world, cart_id, method_id, processor=processors[0]),
            charge(
                lin.world,
                cart_id,
                method_id,
                processor=processors[1],
                checkoutTransactionItemId=OTHER_ITEM,
            ),
        )
        lin.world.network.turn = None
        assert charged(lin.world) == 1000, seed
        lin.world.processor = lin.world.start_processor()
        await assert_agreement(lin.world)


async def test_one_whose_answer_was_lost_counts_when_the_next_one_finds_it() -> None:
    lin, method_id, cart_id = await customer()

    def die(call: Call) -> Trouble | None:
        return "crash after" if call.path.endswith("/confirm") else None

    lin.world.network.trouble = die
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    lin.world.clock.advance(ABANDONED)
    other = await charge(lin.world, cart_id, method_id, checkoutTransactionItemId=OTHER_ITEM)
    assert state_of(other) == "Failed"
    assert charged(lin.world) == 1000
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"


async def test_what_a_shopper_had_started_on_the_cart_can_be_paid_no_more() -> None:
    lin, method_id, cart_id = await customer()
    started = await lin.world.start(await lin.world.session(cart_id))
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
    assert (await lin.world.pay(started["clientSecret"]))["error"]
    assert charged(lin.world) == 1000
    await assert_agreement(lin.world)


async def test_a_payment_page_that_is_open_for_the_cart_can_be_used_no_more() -> None:
    lin, method_id, _ = await customer(environment={**ENABLED, **buy_now.ENABLED})
    await buy_now.create(lin.world)
    cart = buy_now.carts(lin.world)[-1]
    lin.world.store.replace("cart", {**cart, "customerId": lin.id})
    assert state_of(await charge(lin.world, cart["id"], method_id)) == "Completed"
    [session] = lin.world.stripe.sessions
    assert session["status"] == "expired"
    assert charged(lin.world) == buy_now.PRICE
    await assert_agreement(lin.world)


async def test_what_a_shopper_has_paid_meanwhile_is_not_charged_again() -> None:
    lin, method_id, cart_id = await customer()
    started = await lin.world.start(await lin.world.session(cart_id))
    await lin.world.pay(started["clientSecret"])
    answer = await charge(lin.world, cart_id, method_id)
    assert state_of(answer) == "Failed"
    assert charged(lin.world) == 1000
    assert refusal(
        await charge(lin.world, cart_id, method_id, checkoutTransactionItemId=OTHER_ITEM)
    )[:2] == (400, "InvalidOperation")


# What is refused


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"cartId": "c-1"}, "cartId"),
        ({"checkoutTransactionItemId": "item"}, "checkoutTransactionItemId"),
        ({"paymentMethodId": "pm_1"}, "paymentMethodId"),
        ({"type": "OneOff"}, "type"),
        ({"amount": {"centAmount": 0, "currencyCode": "EUR"}}, "amount.centAmount"),
        ({"amount": {"centAmount": "1000", "currencyCode": "EUR"}}, "amount.centAmount"),
        ({"amount": {"centAmount": 1001, "currencyCode": "EUR"}}, "amount.centAmount"),
        ({"amount": {"centAmount": 1000, "currencyCode": "USD"}}, "amount.currencyCode"),
        ({"idempotencyKey": ""}, "idempotencyKey"),
        ({"idempotencyKey": "k" * 257}, "idempotencyKey"),
        ({"futureOrderNumber": "n" * 257}, "futureOrderNumber"),
    ],
)
async def test_a_field_that_is_wrong_is_named(fields: dict[str, Any], field: str) -> None:
    lin, method_id, cart_id = await customer()
    answer = await lin.world.client.post(
        "/operations/transactions",
        json={**body_of(cart_id, method_id), **fields},
        headers=await lin.world.checkout(),
    )
    assert refusal(answer) == (400, "InvalidField", field)
    assert list(lin.world.stripe.intents) == []


@pytest.mark.parametrize(
    "field", ["cartId", "checkoutTransactionItemId", "type", "paymentMethodId"]
)
async def test_a_field_that_is_missing_is_named(field: str) -> None:
    lin, method_id, cart_id = await customer()
    body = body_of(cart_id, method_id)
    del body[field]
    answer = await lin.world.client.post(
        "/operations/transactions", json=body, headers=await lin.world.checkout()
    )
    assert refusal(answer) == (400, "RequiredField", field)


async def test_a_guests_cart_cannot_be_charged() -> None:
    lin, method_id, _ = await customer()
    cart = await lin.world.cart()
    answer = await charge(lin.world, cart["id"], method_id)
    assert refusal(answer) == (400, "RequiredField", "customerId")


async def test_a_cart_that_does_not_exist_is_a_404() -> None:
    lin, method_id, _ = await customer()
    assert (await charge(lin.world, NOBODY, method_id)).status_code == 404


async def test_only_the_customers_own_active_methods_of_our_interface_are_charged() -> None:
    lin, method_id, _ = await customer()
    mia = await regular(lin.world, "mia@example.com")
    cart = await lin.world.cart(1000, customerId=mia.id)
    foreign = await lin.world.commercetools(
        "POST",
        "payment-methods",
        {
            "customer": {"typeId": "customer", "id": mia.id},
            "paymentInterface": "another-psp",
            "token": {"value": await mia.saves()},
        },
    )
    removed = await mia.on_file()
    inactive = {"action": "setPaymentMethodStatus", "paymentMethodStatus": "Inactive"}
    await lin.world.commercetools(
        "POST", f"payment-methods/{removed}", {"version": 1, "actions": [inactive]}
    )
    for named in (method_id, foreign["id"], removed, NOBODY):
        answer = await charge(lin.world, cart["id"], named)
        assert refusal(answer) == (400, "InvalidField", "paymentMethodId")
    assert list(lin.world.stripe.intents) == []
    assert await on_cart(lin.world, cart["id"]) == []


async def test_an_ordered_cart_cannot_be_charged() -> None:
    lin, method_id, cart_id = await customer()
    stored = lin.world.store.collection("cart").get(cart_id)
    assert stored is not None
    lin.world.store.replace("cart", {**stored, "cartState": "Ordered"})
    assert (await charge(lin.world, cart_id, method_id)).status_code == 409


async def test_without_the_setting_nothing_is_asked_of_anybody() -> None:
    lin, method_id, cart_id = await customer()
    lin.world.environment = {
        **lin.world.environment,
        "STORED_PAYMENT_METHODS_ENABLED": "false",
    }
    lin.world.processor = lin.world.start_processor()
    answer = await charge(lin.world, cart_id, method_id)
    assert refusal(answer)[:2] == (400, "InvalidOperation")
    assert list(lin.world.stripe.intents) == []


# Trouble


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_after_trouble_at_any_call_a_repetition_charges_exactly_once(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        lin, method_id, cart_id = await customer()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await charge(lin.world, cart_id, method_id)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code in (201, 503), answer.text
            if answer.status_code == 201:
                assert state_of(answer) == "Completed"
        lin.world.network.trouble = no_trouble
        assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
        await assert_charged_once(lin.world, cart_id)
        if not fault.happened:
            break
    assert index >= 8


@pytest.mark.parametrize("trouble", [*FAILURES, *CRASHES])
async def test_after_trouble_at_any_call_a_decline_is_still_a_decline(trouble: Trouble) -> None:
    for index in itertools.count():
        lin, method_id, cart_id = await customer("pm_card_chargeCustomerFail")
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            answer = await charge(lin.world, cart_id, method_id)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        else:
            assert answer.status_code == 503 or state_of(answer) == "Failed"
        lin.world.network.trouble = no_trouble
        assert state_of(await charge(lin.world, cart_id, method_id)) == "Failed"
        [payment] = await on_cart(lin.world, cart_id)
        assert await lin.world.transactions(payment["id"]) == [("Authorization", 1000, "Failure")]
        assert all(intent["status"] not in OPEN for intent in lin.world.stripe.intents)
        await assert_agreement(lin.world)
        if not fault.happened:
            break
    assert index >= 10


@pytest.mark.parametrize("first", CRASHES)
@pytest.mark.parametrize("second", CRASHES)
async def test_after_two_crashes_too(first: Trouble, second: Trouble) -> None:
    for index, again in itertools.product(range(4, 11), range(4, 14, 3)):
        lin, method_id, cart_id = await customer()
        for fault in (Once(index, first), Once(again, second)):
            lin.world.processor = lin.world.start_processor()
            lin.world.network.trouble = fault
            try:
                await charge(lin.world, cart_id, method_id)
            except Crash:
                continue
        lin.world.network.trouble = no_trouble
        lin.world.processor = lin.world.start_processor()
        assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
        await assert_charged_once(lin.world, cart_id)


@pytest.mark.parametrize("trouble", CRASHES)
async def test_after_a_crash_the_webhooks_may_come_first(trouble: Trouble) -> None:
    for index in itertools.count():
        lin, method_id, cart_id = await customer()
        lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = fault = Once(index, trouble)
        try:
            await charge(lin.world, cart_id, method_id)
        except Crash:
            lin.world.processor = lin.world.start_processor()
        lin.world.network.trouble = no_trouble
        await lin.world.deliver_all()
        assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
        await assert_charged_once(lin.world, cart_id)
        if not fault.happened:
            break


@pytest.mark.parametrize("trouble", CRASHES)
@pytest.mark.parametrize("hours", [1, 23.5, 24.5, 24 * 6])
async def test_a_repetition_after_stripe_has_forgotten_the_key_charges_once(
    trouble: Trouble, hours: float
) -> None:
    lin, method_id, cart_id = await customer()

    def die(call: Call) -> Trouble | None:
        return trouble if call.path == "/v1/payment_intents" and call.method == "POST" else None

    lin.world.network.trouble = die
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    lin.world.clock.advance(hours * 3600)
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
    await assert_charged_once(lin.world, cart_id)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 2])
async def test_an_error_that_stripe_stored_for_the_key_is_overcome(
    when: Literal["before", "after"], times: int
) -> None:
    lin, method_id, cart_id = await customer()
    lin.world.stripe.internal_errors.append(
        InternalError("e", "/v1/payment_intents", when, times=times)
    )
    answer = await charge(lin.world, cart_id, method_id)
    assert answer.status_code in (201, 503)
    assert state_of(await charge(lin.world, cart_id, method_id)) == "Completed"
    await assert_charged_once(lin.world, cart_id)


async def test_what_nobody_repeats_is_not_charged_by_a_webhook() -> None:
    lin, method_id, cart_id = await customer()
    lin.world.network.trouble = die_before_stripe
    with pytest.raises(Crash):
        await charge(lin.world, cart_id, method_id)
    lin.world.network.trouble = no_trouble
    lin.world.processor = lin.world.start_processor()
    await lin.world.deliver_all()
    assert charged(lin.world) == 0
