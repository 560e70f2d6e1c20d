"""Refunds that a merchant asks for: checked, made once, linked and recorded."""

from __future__ import annotations

import asyncio

import pytest

from tests.behaviour.steps import (
    MULTICAPTURE,
    Always,
    Json,
    assert_agreement,
    dashboard_refund,
    intent_of,
    no_trouble,
    operate,
    refunded,
    shuffled,
    started,
)
from tests.wire import Trouble
from tests.world import World, money

PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


async def refunds_of(world: World, payment_id: str) -> list[tuple[int, str]]:
    transactions = await world.transactions(payment_id)
    return [(cents, state) for type_, cents, state in transactions if type_ == "Refund"]


async def test_a_refund_is_approved_and_recorded_before_any_event() -> None:
    world = World()
    payment_id = await world.paid()
    outcome = await world.modify(payment_id, action="refundPayment", amount=money(300))
    assert outcome == {"outcome": "approved"}
    assert await world.transactions(payment_id) == [*PAID, ("Refund", 300, "Success")]
    [refund] = world.stripe.refunds
    payment = await world.payment(payment_id)
    assert payment["transactions"][-1]["interactionId"] == refund["id"]
    await assert_agreement(world)


async def test_the_refund_at_stripe_carries_our_metadata() -> None:
    world = World()
    payment_id = await world.paid()
    await world.modify(payment_id, action="refundPayment", amount=money(300))
    [refund] = world.stripe.refunds
    payment = await world.payment(payment_id)
    identity = payment["interfaceInteractions"][-1]["fields"]["stripeConnector_operation"]
    assert refund["metadata"] == {
        "ct_operation": identity,
        "ct_payment_id": payment_id,
        "ct_project_key": "sandbox",
        "ct_transaction_id": payment["transactions"][-1]["id"],
    }


async def test_a_refund_on_which_stripe_still_works_is_received_and_follows_later() -> None:
    world = World()
    payment_id = await world.paid(method="pm_card_pendingRefund")
    outcome = await world.modify(payment_id, action="refundPayment", amount=money(300))
    assert outcome == {"outcome": "received"}
    assert await refunds_of(world, payment_id) == [(300, "Pending")]
    world.clock.advance(61)
    world.stripe.run_due()
    await assert_agreement(world)
    assert await refunds_of(world, payment_id) == [(300, "Success")]


async def test_a_refund_of_a_direct_debit_is_received() -> None:
    world = World()
    payment_id = await world.paid(method="sepa_debit")
    intent = await intent_of(world, payment_id)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="succeed")
    await world.deliver_all()
    outcome = await world.modify(payment_id, action="refundPayment", amount=money(300))
    assert outcome == {"outcome": "received"}


async def test_a_refund_right_after_the_payment_needs_no_webhook() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    outcome = await world.modify(shop.payment_id, action="refundPayment", amount=money(300))
    assert outcome == {"outcome": "approved"}
    await assert_agreement(world)


# Limits


@pytest.mark.parametrize("cents", [1001, 5000])
async def test_more_than_was_captured_is_refused(cents: int) -> None:
    world = World()
    payment_id = await world.paid()
    answer = await operate(world, payment_id, "refundPayment", cents)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["code"] == "InvalidField"
    assert error["field"] == "actions.0.amount.centAmount"
    assert refunded(world) == 0
    assert await world.transactions(payment_id) == PAID


async def test_another_currency_is_refused() -> None:
    world = World()
    payment_id = await world.paid()
    answer = await operate(world, payment_id, "refundPayment", 300, currency="USD")
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert error["field"] == "actions.0.amount.currencyCode"
    assert error["allowedValues"] == ["EUR"]
    assert refunded(world) == 0


async def test_pending_refunds_count() -> None:
    world = World()
    payment_id = await world.paid(method="pm_card_pendingRefund")
    await world.modify(payment_id, action="refundPayment", amount=money(700))
    assert (await operate(world, payment_id, "refundPayment", 301)).status_code == 400
    assert (await operate(world, payment_id, "refundPayment", 300)).status_code == 200
    assert refunded(world) == 1000


async def test_refunds_made_in_the_dashboard_count_once_they_are_told() -> None:
    world = World()
    payment_id = await world.paid()
    await dashboard_refund(world, (await intent_of(world, payment_id))["id"], 800)
    await world.deliver_all()
    assert (await operate(world, payment_id, "refundPayment", 201)).status_code == 400
    assert (await operate(world, payment_id, "refundPayment", 200)).status_code == 200


async def test_refunds_in_the_dashboard_that_nobody_told_of_are_refused_by_stripe() -> None:
    world = World()
    payment_id = await world.paid()
    await dashboard_refund(world, (await intent_of(world, payment_id))["id"], 800)
    answer = await operate(world, payment_id, "refundPayment", 300)
    assert answer.json()["outcome"] == "rejected"
    assert answer.json()["error"]["code"] == "amount_too_large"
    await assert_agreement(world)
    assert sorted(await refunds_of(world, payment_id)) == [(300, "Failure"), (800, "Success")]


async def test_an_unpaid_payment_cannot_be_refunded() -> None:
    world = World()
    shop = await started(world)
    answer = await operate(world, shop.payment_id, "refundPayment", 300)
    assert answer.status_code == 400
    assert await world.transactions(shop.payment_id) == []


async def test_several_different_refunds_add_up_to_the_whole() -> None:
    world = World()
    payment_id = await world.paid()
    for cents in (100, 200, 300, 400):
        outcome = await world.modify(payment_id, action="refundPayment", amount=money(cents))
        assert outcome == {"outcome": "approved"}
    assert (await operate(world, payment_id, "refundPayment", 1)).status_code == 400
    assert refunded(world) == 1000
    await assert_agreement(world)


async def test_different_refunds_at_once_never_give_back_more_than_was_taken() -> None:
    for seed in range(10):
        world = World()
        payment_id = await world.paid()
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(
                operate(
                    world,
                    payment_id,
                    "refundPayment",
                    400,
                    key=f"return-{number}",
                    processor=world.start_processor(),
                )
                for number in range(4)
            )
        )
        assert {answer.status_code for answer in answers} <= {200, 400, 503}
        world.network.turn = None
        assert refunded(world) <= 800
        assert [(c, s) for c, s in await refunds_of(world, payment_id) if s != "Failure"] == [
            (400, "Success")
        ] * (refunded(world) // 400)


# Linked to a capture


async def captured_twice(world: World) -> tuple[str, list[Json]]:
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    for cents in (600, 400):
        outcome = await world.modify(shop.payment_id, action="capturePayment", amount=money(cents))
        assert outcome == {"outcome": "approved"}
    payment = await world.payment(shop.payment_id)
    return shop.payment_id, [t for t in payment["transactions"] if t["type"] == "Charge"]


async def test_a_refund_names_the_charge_that_it_belongs_to() -> None:
    world = World(MULTICAPTURE)
    payment_id, [_, second] = await captured_twice(world)
    outcome = await world.modify(
        payment_id, action="refundPayment", amount=money(300), transactionId=second["id"]
    )
    assert outcome == {"outcome": "approved"}
    payment = await world.payment(payment_id)
    refund = payment["transactions"][-1]
    assert refund["type"] == "Refund"
    assert refund["custom"]["fields"]["stripeConnector_refundOf"] == second["id"]
    await assert_agreement(world)


async def test_a_charge_gives_back_no_more_than_it_took() -> None:
    world = World(MULTICAPTURE)
    payment_id, [first, second] = await captured_twice(world)
    for cents, charge, status in (
        (401, second, 400),
        (300, second, 200),
        (101, second, 400),
        (100, second, 200),
        (600, first, 200),
    ):
        answer = await operate(
            world, payment_id, "refundPayment", cents, transactionId=charge["id"]
        )
        assert answer.status_code == status, answer.text
    assert refunded(world) == 1000


async def test_equal_refunds_of_two_charges_are_two() -> None:
    world = World(MULTICAPTURE)
    payment_id, charges = await captured_twice(world)
    for charge in charges:
        outcome = await world.modify(
            payment_id, action="refundPayment", amount=money(300), transactionId=charge["id"]
        )
        assert outcome == {"outcome": "approved"}
    assert refunded(world) == 600


@pytest.mark.parametrize("which", ["unknown", "authorization"])
async def test_a_refund_of_what_is_no_charge_is_refused(which: str) -> None:
    world = World()
    payment_id = await world.paid()
    payment = await world.payment(payment_id)
    named = "unknown" if which == "unknown" else payment["transactions"][0]["id"]
    answer = await operate(world, payment_id, "refundPayment", 300, transactionId=named)
    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert (error["field"], error["invalidValue"]) == ("actions.0.transactionId", named)
    assert refunded(world) == 0


# Refused or put off


async def test_what_stripe_refuses_is_rejected_with_its_code_and_recorded_as_failed() -> None:
    world = World()
    payment_id = await world.paid()
    charge = (await intent_of(world, payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute")
    body = (await operate(world, payment_id, "refundPayment", 300)).json()
    assert body["outcome"] == "rejected"
    assert body["error"]["code"] == "charge_disputed"
    assert "charged back" in body["error"]["message"]
    payment = await world.payment(payment_id)
    refund = payment["transactions"][-1]
    assert (refund["type"], refund["state"]) == ("Refund", "Failure")
    assert refund["custom"]["fields"]["stripeConnector_error"] == "charge_disputed"
    assert "charged back" in refund["custom"]["fields"]["stripeConnector_errorMessage"]


async def test_a_refusal_that_is_repeated_is_the_same_refusal() -> None:
    world = World()
    payment_id = await world.paid()
    charge = (await intent_of(world, payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute")
    first = await operate(world, payment_id, "refundPayment", 300)
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == first.json()
    assert await refunds_of(world, payment_id) == [(300, "Failure")]


@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_stripe_is_down_nothing_is_rejected_and_a_repetition_completes_it(
    trouble: Trouble,
) -> None:
    world = World()
    payment_id = await world.paid()
    world.network.trouble = Always(trouble, "stripe")
    answer = await operate(world, payment_id, "refundPayment", 300)
    assert answer.status_code == 503
    assert await refunds_of(world, payment_id) == [(300, "Initial")]
    world.network.trouble = no_trouble
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == {
        "outcome": "approved"
    }
    assert await refunds_of(world, payment_id) == [(300, "Success")]
    assert refunded(world) == 300


@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_commercetools_is_down_no_money_moves(trouble: Trouble) -> None:
    world = World()
    payment_id = await world.paid()
    world.network.trouble = Always(trouble, "commercetools", writes=True)
    answer = await operate(world, payment_id, "refundPayment", 300)
    assert answer.status_code == 503
    world.network.trouble = no_trouble
    assert refunded(world) == 0
    assert await world.transactions(payment_id) == PAID


async def test_a_key_of_ours_that_stripe_does_not_accept_is_not_the_merchants_refusal() -> None:
    world = World()
    payment_id = await world.paid()
    world.stripe.secret_keys = frozenset()
    answer = await operate(world, payment_id, "refundPayment", 300)
    assert answer.status_code == 502
    assert "sk_test" not in answer.text
    world.stripe.secret_keys = frozenset({"sk_test_sandbox"})
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == {
        "outcome": "approved"
    }
    assert refunded(world) == 300


async def test_a_payment_that_is_not_ours_is_not_found() -> None:
    world = World()
    theirs = await world.commercetools(
        "POST",
        "payments",
        {
            "amountPlanned": money(1000),
            "interfaceId": "pi_of_another_connector",
            "paymentMethodInfo": {"paymentInterface": "another-connector"},
        },
    )
    answer = await operate(world, theirs["id"], "refundPayment", 300)
    assert answer.status_code == 404
    # The account is read once per process, for whatever payment.
    calls = [call for call in world.network.calls if call.path != "/v1/account"]
    assert [call for call in calls if call.backend == "stripe"] == []
