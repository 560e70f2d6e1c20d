"""Webhooks: acknowledged only when their effect is stored, whatever order and form they come in."""

from __future__ import annotations

import asyncio
import copy
import itertools
import logging
import random
from typing import Any

import pytest

from sandbox.stripe.webhooks import signature
from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Always,
    Json,
    Once,
    Shop,
    assert_agreement,
    dashboard_refund,
    effect,
    event,
    events,
    intent_of,
    no_trouble,
    operate,
    shuffled,
    started,
    status_of,
)
from tests.property import oracle
from tests.wire import Crash, Trouble
from tests.world import SECRET, World

PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


async def paid(world: World, method: str = "pm_card_visa") -> Shop:
    """The shopper has paid; nobody has told the processor."""
    shop = await started(world)
    await world.pay(shop.secret, method)
    return shop


def outcome(caplog: pytest.LogCaptureFixture) -> Any:
    """What the last request's log line says became of it."""
    lines = [record.__dict__["fields"] for record in caplog.records if "fields" in record.__dict__]
    return next(
        line["outcome"] for line in reversed(lines) if line.get("route") == "/stripe/webhooks"
    )


# What is recorded


async def test_a_payment_is_recorded_with_what_stripe_took() -> None:
    world = World()
    shop = await paid(world)
    assert await effect(world, event(world, "payment_intent.succeeded")) == "stored"
    payment = await world.payment(shop.payment_id)
    assert await world.transactions(shop.payment_id) == PAID
    assert payment["paymentStatus"]["interfaceCode"] == "succeeded"
    authorization, charge = payment["transactions"]
    assert authorization["interactionId"] == shop.intent_id
    [at_stripe] = world.stripe.charges
    assert charge["interactionId"] == f"{at_stripe['id']}:1000"


async def test_the_payment_method_is_recorded() -> None:
    world = World()
    shop = await paid(world)
    await world.deliver_all()
    payment = await world.payment(shop.payment_id)
    assert payment["paymentMethodInfo"]["method"] == "card"


async def test_a_charge_is_recorded_with_its_amount_and_not_with_what_was_refunded() -> None:
    world = World()
    shop = await paid(world)
    await effect(world, event(world, "charge.succeeded"))
    assert await world.transactions(shop.payment_id) == PAID


async def test_overlapping_stories_add_nothing() -> None:
    world = World()
    shop = await paid(world)
    assert await effect(world, event(world, "payment_intent.succeeded")) == "stored"
    for _ in range(3):
        await world.deliver_all()
    assert await world.transactions(shop.payment_id) == PAID


async def test_an_event_that_comes_again_is_acknowledged_and_changes_nothing() -> None:
    world = World()
    shop = await paid(world)
    succeeded = event(world, "payment_intent.succeeded")
    assert await effect(world, succeeded) == "stored"
    before = await world.payment(shop.payment_id)
    for _ in range(4):
        assert await effect(world, succeeded) == "already stored"
    assert await world.payment(shop.payment_id) == before


@pytest.mark.parametrize("copies", [2, 5])
async def test_the_same_event_at_several_instances_at_once_is_recorded_once(copies: int) -> None:
    for seed in range(10):
        world = World()
        shop = await paid(world)
        shuffled(world, seed)
        succeeded = event(world, "payment_intent.succeeded")
        answers = await asyncio.gather(
            *(world.deliver(succeeded, world.start_processor()) for _ in range(copies))
        )
        assert {answer.status_code for answer in answers} == {200}
        assert await world.transactions(shop.payment_id) == PAID


async def test_the_whole_story_at_once_comes_to_the_same() -> None:
    for seed in range(10):
        world = World()
        shop = await paid(world, "pm_card_createDispute")
        shuffled(world, seed)
        answers = await asyncio.gather(*(world.deliver(each) for each in events(world)))
        assert {answer.status_code for answer in answers} <= {200, 503}
        world.network.turn = None
        await assert_agreement(world)
        assert ("Chargeback", 1000, "Pending") in await world.transactions(shop.payment_id)


async def test_in_every_order_the_story_comes_to_the_same() -> None:
    for seed in range(12):
        world = World(MANUAL)
        shop = await paid(world)
        await world.ask_stripe(
            "POST", f"/v1/payment_intents/{shop.intent_id}/capture", amount_to_capture=700
        )
        await dashboard_refund(world, shop.intent_id, 200)
        await dashboard_refund(world, shop.intent_id, 200)
        story = events(world)
        random.Random(seed).shuffle(story)
        for told in story:
            await effect(world, told)
        oracle.check(world)
        assert sorted(await world.transactions(shop.payment_id)) == [
            ("Authorization", 1000, "Success"),
            ("CancelAuthorization", 300, "Success"),
            ("Charge", 700, "Success"),
            ("Refund", 200, "Success"),
            ("Refund", 200, "Success"),
        ]


# Acknowledged only when it is stored


@pytest.mark.parametrize("trouble", ["refused", "error before", "busy"])
async def test_while_commercetools_cannot_store_it_stripe_is_told_so_and_a_repetition_repairs(
    trouble: Trouble,
) -> None:
    world = World()
    shop = await paid(world)
    succeeded = event(world, "payment_intent.succeeded")
    world.network.trouble = Always(trouble, "commercetools", writes=True)
    answer = await world.deliver(succeeded)
    assert answer.status_code == 503
    assert "effect" not in answer.json()
    world.network.trouble = no_trouble
    assert await world.transactions(shop.payment_id) == []
    assert await effect(world, succeeded) == "stored"
    assert await world.transactions(shop.payment_id) == PAID


@pytest.mark.parametrize("trouble", ["lost", "error after"])
async def test_a_write_whose_answer_is_lost_is_not_made_twice(trouble: Trouble) -> None:
    world = World()
    shop = await paid(world)
    world.network.trouble = Always(trouble, "commercetools", writes=True)
    answer = await world.deliver(event(world, "payment_intent.succeeded"))
    assert answer.status_code in (200, 503)
    world.network.trouble = no_trouble
    await world.deliver_all()
    assert await world.transactions(shop.payment_id) == PAID


async def test_while_stripe_cannot_be_asked_an_event_that_needs_it_is_put_off() -> None:
    world = World()
    shop = await paid(world)
    await dashboard_refund(world, shop.intent_id, 300)
    await effect(world, event(world, "payment_intent.succeeded"))
    world.network.trouble = Always("refused", "stripe")
    answer = await world.deliver(event(world, "charge.refunded"))
    assert answer.status_code == 503
    world.network.trouble = no_trouble
    assert await effect(world, event(world, "charge.refunded")) == "stored"
    assert await world.transactions(shop.payment_id) == [*PAID, ("Refund", 300, "Success")]


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_after_a_crash_at_any_call_the_next_delivery_completes_the_record(
    trouble: Trouble,
) -> None:
    for index in itertools.count():
        world = World()
        shop = await paid(world)
        world.network.trouble = crash = Once(index, trouble)
        try:
            await world.deliver(event(world, "payment_intent.succeeded"))
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        await world.deliver_all()
        assert await world.transactions(shop.payment_id) == PAID
        if not crash.happened:
            break
    assert index >= 2


async def test_whoever_keeps_changing_the_payment_does_not_lose_the_event() -> None:
    world = World()
    shop = await paid(world)
    succeeded = event(world, "payment_intent.succeeded")

    async def somebody_else_first(call: Any) -> None:
        if call.method == "POST" and call.path.endswith(f"/payments/{shop.payment_id}"):
            payment = await world.payment(shop.payment_id)
            text = f"seen at version {payment['version']}"
            await world.commercetools(
                "POST",
                f"payments/{shop.payment_id}",
                {
                    "version": payment["version"],
                    "actions": [{"action": "setStatusInterfaceText", "interfaceText": text}],
                },
            )

    world.network.turn = somebody_else_first
    answer = await world.deliver(succeeded)
    assert answer.status_code == 503
    world.network.turn = None
    assert await effect(world, succeeded) == "stored"
    assert await world.transactions(shop.payment_id) == PAID


# Deliberately nothing


@pytest.mark.parametrize(
    "kind", ["invoice.paid", "customer.created", "payment_intent.of_tomorrow", "charge.of_tomorrow"]
)
async def test_an_unknown_type_is_acknowledged_without_effect(
    kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    shop = await paid(world)
    unknown = {**event(world, "payment_intent.succeeded"), "type": kind}
    assert await effect(world, unknown) == "ignored"
    assert outcome(caplog) == "ignored"
    assert await world.transactions(shop.payment_id) == []


async def test_a_payment_that_waits_for_the_shopper_has_no_transaction() -> None:
    world = World()
    shop = await paid(world, "pm_card_authenticationRequired")
    assert await effect(world, event(world, "payment_intent.requires_action")) == "ignored"
    assert await world.transactions(shop.payment_id) == []


async def test_an_event_of_another_api_version_is_read_anew() -> None:
    world = World()
    shop = await paid(world)
    await dashboard_refund(world, shop.intent_id, 300)
    charge = world.stripe.charges[(await intent_of(world, shop.payment_id))["latest_charge"]]
    await world.at_stripe(f"charges/{charge['id']}/dispute", amount=100)
    for told in events(world):
        old = copy.deepcopy(told)
        old["api_version"] = "2019-12-03"
        # of such an event only ids are believed
        for field in ("amount", "amount_received", "amount_captured"):
            if field in old["data"]["object"]:
                old["data"]["object"][field] = 1
        await effect(world, old)
    oracle.check(world)
    assert await world.transactions(shop.payment_id) == [
        *PAID,
        ("Refund", 300, "Success"),
        ("Chargeback", 100, "Pending"),
    ]


async def test_without_any_api_version_it_is_read_anew_too() -> None:
    world = World()
    shop = await paid(world)
    nameless = {**event(world, "payment_intent.succeeded"), "api_version": None}
    assert await effect(world, nameless) == "stored"
    assert await world.transactions(shop.payment_id) == PAID


@pytest.mark.parametrize(
    "content", [b"", b"no json", b"[]", b"{}", b'{"id": 1}', b'{"type": "charge.succeeded"}']
)
async def test_a_signed_body_that_is_no_event_is_a_400(content: bytes) -> None:
    world = World()
    header = signature(content, [SECRET], int(world.clock.time()))
    answer = await world.client.post(
        "/stripe/webhooks", content=content, headers={"Stripe-Signature": header}
    )
    assert answer.status_code == 400
    assert world.network.calls == []


async def test_an_event_whose_object_has_another_form_is_put_off() -> None:
    world = World()
    shop = await paid(world)
    broken: Json = copy.deepcopy(event(world, "payment_intent.succeeded"))
    broken["data"]["object"]["amount"] = "ten"
    answer = await world.deliver(broken)
    assert answer.status_code == 502
    assert await world.transactions(shop.payment_id) == []


# Authorizations


async def test_a_late_failure_does_not_undo_a_payment() -> None:
    world = World()
    shop = await paid(world, "pm_card_visa_chargeDeclined")
    await world.pay(shop.secret)
    await effect(world, event(world, "payment_intent.succeeded"))
    assert await effect(world, event(world, "payment_intent.payment_failed")) == "already stored"
    assert await world.transactions(shop.payment_id) == PAID
    assert await status_of(world, shop.payment_id) == "succeeded"


async def test_a_late_failure_does_not_undo_an_authorization() -> None:
    world = World(MANUAL)
    shop = await paid(world, "pm_card_visa_chargeDeclined")
    await world.pay(shop.secret)
    await effect(world, event(world, "payment_intent.amount_capturable_updated"))
    await effect(world, event(world, "payment_intent.payment_failed"))
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Success")]
    assert await status_of(world, shop.payment_id) == "requires_capture"


async def test_a_failed_attempt_becomes_a_success_on_the_same_intent() -> None:
    world = World()
    shop = await paid(world, "pm_card_visa_chargeDeclinedInsufficientFunds")
    await effect(world, event(world, "payment_intent.payment_failed"))
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]
    text = (await world.payment(shop.payment_id))["paymentStatus"]["interfaceText"]
    assert text == "Your card has insufficient funds. (insufficient_funds)"
    await world.pay(shop.secret)
    await effect(world, event(world, "payment_intent.succeeded"))
    assert await world.transactions(shop.payment_id) == PAID


async def test_a_failure_that_comes_after_the_next_attempt_has_begun_is_not_recorded() -> None:
    world = World()
    shop = await paid(world, "pm_card_visa_chargeDeclined")
    await world.pay(shop.secret, "sepa_debit")
    await effect(world, event(world, "payment_intent.payment_failed"))
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    assert await status_of(world, shop.payment_id) == "processing"


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_delayed_payment_is_pending_until_the_bank_pays(at_once: bool) -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    if at_once:
        await effect(world, event(world, "payment_intent.processing"))
        assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="succeed")
    await effect(world, event(world, "payment_intent.succeeded"))
    await effect(world, event(world, "payment_intent.processing"))
    assert await world.transactions(shop.payment_id) == PAID


async def test_a_delayed_payment_that_the_bank_returns_has_failed() -> None:
    world = World()
    shop = await paid(world, "sepa_debit")
    await world.deliver_all()
    await world.at_stripe(f"payment_intents/{shop.intent_id}/settle", outcome="fail")
    await world.deliver_all()
    await effect(world, event(world, "payment_intent.processing"))
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


async def test_processing_told_twice_at_once_is_one_pending_authorization() -> None:
    for seed in range(10):
        world = World()
        shop = await paid(world, "sepa_debit")
        shuffled(world, seed)
        told = event(world, "payment_intent.processing")
        answers = await asyncio.gather(
            world.deliver(told), world.deliver(told, world.start_processor())
        )
        assert [answer.status_code for answer in answers] == [200, 200]
        assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]


# Cancellations


async def test_an_intent_that_was_canceled_before_anything_was_authorized_has_failed() -> None:
    world = World()
    shop = await started(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    await world.deliver_all()
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]
    assert await status_of(world, shop.payment_id) == "canceled"


async def test_an_intent_that_was_canceled_after_a_declined_attempt_has_failed() -> None:
    world = World()
    shop = await paid(world, "pm_card_visa_chargeDeclined")
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    for told in reversed(events(world)):
        await effect(world, told)
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Failure")]


@pytest.mark.parametrize("backwards", [False, True])
async def test_an_authorization_that_was_canceled_stays_and_its_amount_is_released(
    backwards: bool,
) -> None:
    world = World(MANUAL)
    shop = await paid(world)
    await world.ask_stripe("POST", f"/v1/payment_intents/{shop.intent_id}/cancel")
    for told in reversed(events(world)) if backwards else events(world):
        await effect(world, told)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("CancelAuthorization", 1000, "Success"),
    ]
    assert await status_of(world, shop.payment_id) == "canceled"


async def test_an_authorization_that_nobody_captures_expires() -> None:
    world = World(MANUAL)
    shop = await paid(world)
    await world.deliver_all()
    world.clock.advance(8 * 86_400)
    world.stripe.run_due()
    assert await effect(world, event(world, "charge.expired")) == "stored"
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("CancelAuthorization", 1000, "Success"),
    ]
    await assert_agreement(world)


# Captures made elsewhere


async def test_a_capture_in_the_dashboard_is_recorded_and_the_rest_released() -> None:
    world = World(MANUAL)
    shop = await paid(world)
    await world.ask_stripe(
        "POST", f"/v1/payment_intents/{shop.intent_id}/capture", amount_to_capture=600
    )
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1000, "Success"),
        ("Charge", 600, "Success"),
        ("CancelAuthorization", 400, "Success"),
    ]


@pytest.mark.parametrize("backwards", [False, True])
async def test_several_captures_in_the_dashboard_add_up_in_presentment_currency(
    backwards: bool,
) -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    for cents in (300, 300, 200):
        await world.ask_stripe(
            "POST",
            f"/v1/payment_intents/{shop.intent_id}/capture",
            amount_to_capture=cents,
            final_capture="false",
        )
    story = events(world)
    for told in reversed(story) if backwards else story:
        await effect(world, told)
    transactions = await world.transactions(shop.payment_id)
    assert sum(cents for type_, cents, _ in transactions if type_ == "Charge") == 800
    assert ("CancelAuthorization", 200, "Success") not in transactions
    oracle.check(world)


async def test_a_partly_captured_authorization_that_expires_releases_the_rest() -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{shop.intent_id}/capture",
        amount_to_capture=300,
        final_capture="false",
    )
    world.clock.advance(8 * 86_400)
    world.stripe.run_due()
    await assert_agreement(world)
    assert sorted(await world.transactions(shop.payment_id)) == [
        ("Authorization", 1000, "Success"),
        ("CancelAuthorization", 700, "Success"),
        ("Charge", 300, "Success"),
    ]


async def test_a_capture_here_and_one_in_the_dashboard_are_both_counted() -> None:
    world = World(MULTICAPTURE)
    shop = await paid(world)
    await world.deliver_all()
    await operate(world, shop.payment_id, "capturePayment", 300)
    await world.ask_stripe(
        "POST",
        f"/v1/payment_intents/{shop.intent_id}/capture",
        amount_to_capture=250,
        final_capture="false",
    )
    await assert_agreement(world)
    charges = [row for row in await world.transactions(shop.payment_id) if row[0] == "Charge"]
    assert charges == [("Charge", 300, "Success"), ("Charge", 250, "Success")]


async def test_amounts_in_a_currency_without_minor_unit() -> None:
    world = World()
    shop = await started(world, 1500, "JPY")
    await world.pay(shop.secret)
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 1500, "Success"),
        ("Charge", 1500, "Success"),
    ]


@pytest.mark.parametrize(("currency", "cents"), [("ISK", 500), ("UGX", 40_000), ("KWD", 12_340)])
async def test_amounts_in_a_currency_that_stripe_writes_differently(
    currency: str, cents: int
) -> None:
    world = World()
    shop = await started(world, cents, currency)
    await world.pay(shop.secret)
    await world.deliver_all()
    answer = await operate(world, shop.payment_id, "refundPayment", 100, currency=currency)
    assert answer.json() == {"outcome": "approved"}
    await world.deliver_all()
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", cents, "Success"),
        ("Charge", cents, "Success"),
        ("Refund", 100, "Success"),
    ]


async def test_the_official_connectors_empty_authorization_is_taken_over() -> None:
    world = World()
    shop = await paid(world)
    payment = await world.payment(shop.payment_id)
    amount = {"centAmount": 1000, "currencyCode": "EUR"}
    left = {"type": "Authorization", "amount": amount, "state": "Initial"}
    await world.commercetools(
        "POST",
        f"payments/{shop.payment_id}",
        {
            "version": payment["version"],
            "actions": [{"action": "addTransaction", "transaction": left}],
        },
    )
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == PAID


async def test_a_thin_event_is_acknowledged_and_changes_nothing() -> None:
    """An event destination may send them beside snapshots; a 400 would switch it off in time.

    The shape is of https://docs.stripe.com/event-destinations#thin-events.
    """
    world = World()
    shop = await paid(world)
    before = await world.payment(shop.payment_id)
    thin = {
        "id": "evt_test_65R9Ijk8dKEYZcXeRWn16R9A7j1FSQ3w3TGDPLLGSM4CW0",
        "object": "v2.core.event",
        "type": "v1.payment_intent.succeeded",
        "livemode": False,
        "created": "2026-11-28T06:00:00.000Z",
        "related_object": {
            "id": before["interfaceId"],
            "type": "payment_intent",
            "url": f"/v1/payment_intents/{before['interfaceId']}",
        },
    }
    answer = await world.deliver(thin)
    assert (answer.status_code, answer.json()) == (200, {"received": True, "effect": "ignored"})
    assert await world.payment(shop.payment_id) == before
