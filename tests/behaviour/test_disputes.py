"""Disputes: each is one Chargeback, with its own amount and the state in which Stripe has it."""

from __future__ import annotations

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    Always,
    Json,
    Shop,
    assert_agreement,
    effect,
    events,
    intent_of,
    no_trouble,
    operate,
    started,
)
from tests.world import World


async def disputed(world: World, method: str = "pm_card_createDispute") -> Shop:
    """A payment that the cardholder's bank disputes, all of which is recorded."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    await world.deliver_all()
    return shop


def dispute_of(world: World) -> str:
    [dispute] = world.stripe.disputes
    return str(dispute["id"])


async def chargebacks(world: World, shop: Shop) -> list[tuple[str, int, str]]:
    return [row for row in await world.transactions(shop.payment_id) if row[0] == "Chargeback"]


async def test_a_dispute_is_a_pending_chargeback_named_after_it() -> None:
    world = World()
    shop = await disputed(world)
    payment = await world.payment(shop.payment_id)
    [chargeback] = [t for t in payment["transactions"] if t["type"] == "Chargeback"]
    assert chargeback["amount"]["centAmount"] == 1000
    assert chargeback["state"] == "Pending"
    assert chargeback["interactionId"] == dispute_of(world)


async def test_a_refund_is_no_chargeback() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    await world.modify(
        shop.payment_id,
        action="refundPayment",
        amount={"centAmount": 300, "currencyCode": "EUR"},
    )
    await world.deliver_all()
    assert await chargebacks(world, shop) == []


async def test_a_dispute_of_a_part_is_recorded_with_its_own_amount() -> None:
    world = World()
    shop = await disputed(world, "pm_card_visa")
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", amount=250)
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 250, "Pending")]


@pytest.mark.parametrize(
    ("story", "state"),
    [
        (["under_review"], "Pending"),
        (["lost"], "Success"),
        (["won"], "Failure"),
        (["under_review", "won"], "Failure"),
        (["prevented"], "Failure"),
        (["lost", "appeal_needs_response"], "Pending"),
        (["lost", "appeal_under_review", "won"], "Failure"),
        (["won", "under_review", "lost"], "Success"),
    ],
)
async def test_the_record_follows_the_dispute(story: list[str], state: str) -> None:
    world = World()
    shop = await disputed(world)
    for status in story:
        await world.at_stripe(f"disputes/{dispute_of(world)}", status=status)
        await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 1000, state)]


async def test_old_and_repeated_events_change_nothing_once_it_is_decided() -> None:
    world = World()
    shop = await disputed(world)
    for status in ("under_review", "lost", "appeal_under_review", "won"):
        await world.at_stripe(f"disputes/{dispute_of(world)}", status=status)
    for told in (*reversed(events(world)), *events(world)):
        await effect(world, told)
        assert await chargebacks(world, shop) == [("Chargeback", 1000, "Failure")]


@pytest.mark.parametrize("status", ["warning_under_review", "warning_closed"])
async def test_an_inquiry_moves_no_money(status: str) -> None:
    world = World()
    shop = await disputed(world, "pm_card_createDisputeInquiry")
    assert await chargebacks(world, shop) == []
    await world.at_stripe(f"disputes/{dispute_of(world)}", status=status)
    await assert_agreement(world)
    assert await chargebacks(world, shop) == []


async def test_an_inquiry_that_becomes_a_dispute_is_recorded() -> None:
    world = World()
    shop = await disputed(world, "pm_card_createDisputeInquiry")
    await world.at_stripe(f"disputes/{dispute_of(world)}", status="needs_response")
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 1000, "Pending")]


async def test_two_disputes_of_one_payment_are_two() -> None:
    world = World()
    shop = await disputed(world, "pm_card_visa")
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    for _ in range(2):
        await world.at_stripe(f"charges/{charge}/dispute", amount=250)
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 250, "Pending")] * 2


async def test_while_stripe_cannot_be_asked_about_it_the_event_is_put_off() -> None:
    world = World()
    shop = await disputed(world)
    await world.at_stripe(f"disputes/{dispute_of(world)}", status="won")
    world.network.trouble = Always("refused", "stripe")
    assert (await world.deliver(events(world)[-1])).status_code == 503
    world.network.trouble = no_trouble
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 1000, "Failure")]


async def test_a_disputed_payment_cannot_be_refunded_and_that_is_recorded() -> None:
    world = World()
    shop = await disputed(world)
    answer = await operate(world, shop.payment_id, "refundPayment", 300)
    assert answer.json()["outcome"] == "rejected"
    assert answer.json()["error"]["code"] == "charge_disputed"
    assert ("Refund", 300, "Failure") in await world.transactions(shop.payment_id)


async def test_what_a_lost_dispute_took_cannot_be_refunded() -> None:
    world = World()
    shop = await disputed(world)
    await world.at_stripe(f"disputes/{dispute_of(world)}", status="lost")
    await world.deliver_all()
    answer = await operate(world, shop.payment_id, "refundPayment", 300)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "actions.0.amount.centAmount"


async def test_after_a_won_dispute_refunds_are_possible_again() -> None:
    world = World()
    shop = await disputed(world)
    await world.at_stripe(f"disputes/{dispute_of(world)}", status="won")
    await world.deliver_all()
    answer = await operate(world, shop.payment_id, "refundPayment", 300)
    assert answer.json() == {"outcome": "approved"}


@pytest.mark.parametrize(
    ("status", "reinstated", "state"),
    [
        ("lost", None, "Success"),
        ("lost", True, "Failure"),
        ("won", None, "Failure"),
        ("won", False, "Success"),
        ("prevented", None, "Failure"),
    ],
)
async def test_a_closed_dispute_is_what_its_money_says(
    status: str, reinstated: bool | None, state: str
) -> None:
    """A lost dispute may be paid for by Stripe, and a won one's money may not be back yet."""
    world = World()
    shop = await disputed(world)
    await world.at_stripe(f"disputes/{dispute_of(world)}", status=status, reinstated=reinstated)
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 1000, state)]


async def test_a_dispute_that_was_prevented_before_any_money_moved_took_none() -> None:
    world = World()
    shop = await disputed(world, "pm_card_visa")
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", status="prevented")
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", 1000, "Failure")]


@pytest.mark.parametrize("more", [{"amount": 1500}, {"currency": "usd", "amount": 1100}], ids=str)
async def test_a_dispute_above_its_charge_or_in_another_currency_takes_no_more_than_there_was(
    more: Json,
) -> None:
    world = World()
    shop = await disputed(world, "pm_card_visa")
    charge = (await intent_of(world, shop.payment_id))["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", **more)
    await world.at_stripe(f"disputes/{dispute_of(world)}", status="lost")
    await assert_agreement(world)
    assert await chargebacks(world, shop) == [("Chargeback", more["amount"], "Success")]
    for action, cents in (("refundPayment", 1), ("reversePayment", None)):
        answer = await operate(world, shop.payment_id, action, cents)
        assert answer.status_code == 400, answer.text
        assert "-" not in answer.json()["errors"][0]["message"]
    run = await reconcile(world)
    assert run.lines == [], run.lines
