"""Whose an event is: decided by the intent, never by what a refund, dispute or charge carries."""

from __future__ import annotations

import copy
import logging
from typing import Any

import pytest

from tests.behaviour.steps import (
    Always,
    Json,
    Shop,
    assert_agreement,
    dashboard_refund,
    effect,
    event,
    events,
    no_trouble,
    started,
)
from tests.wire import Crash
from tests.world import World

PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


async def foreign_payment(world: World, **metadata: str) -> str:
    """A payment that somebody else takes with the same Stripe account; the intent's id."""
    intent = await world.ask_stripe(
        "POST",
        "/v1/payment_intents",
        amount="1000",
        currency="eur",
        confirm="true",
        payment_method="pm_card_visa",
        return_url="http://localhost:3000/return",
        **{"automatic_payment_methods[enabled]": "true"},
        **{f"metadata[{name}]": value for name, value in metadata.items()},
    )
    return str(intent["id"])


def outcome(caplog: pytest.LogCaptureFixture) -> Any:
    """What the last request's log line says became of it."""
    lines = [record.__dict__["fields"] for record in caplog.records if "fields" in record.__dict__]
    return next(
        line["outcome"] for line in reversed(lines) if line.get("route") == "/stripe/webhooks"
    )


def written(world: World) -> list[str]:
    """What a processor has written to commercetools."""
    return [
        call.path
        for call in world.network.calls
        if call.backend == "commercetools" and call.method == "POST" and "/oauth/" not in call.path
    ]


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"ct_project_key": "another-project"},
        {"ct_project_key": "another-project", "ct_payment_id": "their-payment"},
        {"ct_payment_id": "without-a-project"},
        {"order": "4711"},
    ],
)
@pytest.mark.parametrize("later", [False, True], ids=["at once", "two hours later"])
async def test_whatever_happens_to_somebody_elses_payment_is_acknowledged_and_logged(
    metadata: dict[str, str], later: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    intent_id = await foreign_payment(world, **metadata)
    await dashboard_refund(world, intent_id, 300)
    charge = world.stripe.intents[intent_id]["latest_charge"]
    await world.at_stripe(f"charges/{charge}/dispute", amount=100)
    if later:
        world.clock.advance(7200)
    for told in events(world):
        became = await effect(world, told)
        assert became == ("ignored" if told["type"] == "payment_intent.created" else "foreign")
        assert outcome(caplog) == became
    assert written(world) == []


async def test_processing_of_a_foreign_intent_is_not_asked_for_again_and_again() -> None:
    world = World()
    shop = await started(world)
    await world.pay(shop.secret, "sepa_debit")
    foreign: Json = copy.deepcopy(event(world, "payment_intent.processing"))
    foreign["data"]["object"] |= {"id": "pi_somebody_elses", "metadata": {}}
    assert await effect(world, foreign) == "foreign"


@pytest.mark.parametrize("kind", ["charge.succeeded", "charge.refunded", "refund.created"])
async def test_an_object_without_an_intent_is_foreign_and_nobody_is_asked(kind: str) -> None:
    world = World()
    shop = await paid(world)
    await dashboard_refund(world, shop.intent_id, 300)
    stray: Json = copy.deepcopy(event(world, kind))
    stray["data"]["object"]["payment_intent"] = None
    assert await effect(world, stray) == "foreign"
    assert world.network.calls == []


async def test_an_intent_of_another_account_is_foreign() -> None:
    world = World()
    shop = await paid(world)
    elsewhere: Json = copy.deepcopy(event(world, "charge.succeeded"))
    elsewhere["data"]["object"]["payment_intent"] = "pi_of_another_account"
    assert await effect(world, elsewhere) == "foreign"
    assert await world.transactions(shop.payment_id) == []


async def paid(world: World) -> Shop:
    shop = await started(world)
    await world.pay(shop.secret)
    world.network.calls.clear()
    return shop


async def test_a_refund_needs_no_metadata_of_ours() -> None:
    world = World()
    shop = await paid(world)
    await dashboard_refund(world, shop.intent_id, 300)
    created = event(world, "refund.created")
    assert created["data"]["object"]["metadata"] == {}
    assert await effect(world, created) == "stored"
    assert ("Refund", 300, "Success") in await world.transactions(shop.payment_id)


async def test_a_charges_metadata_decide_nothing() -> None:
    world = World()
    shop = await paid(world)
    charge: Json = copy.deepcopy(event(world, "charge.succeeded"))
    charge["data"]["object"]["metadata"] = {
        "ct_project_key": "another-project",
        "ct_payment_id": "another-payment",
    }
    assert await effect(world, charge) == "stored"
    assert await world.transactions(shop.payment_id) == PAID


async def test_two_payments_are_never_mixed_up() -> None:
    world = World()
    one, other = await paid(world), await paid(world)
    await dashboard_refund(world, one.intent_id, 300)
    await assert_agreement(world)
    assert await world.transactions(one.payment_id) == [*PAID, ("Refund", 300, "Success")]
    assert await world.transactions(other.payment_id) == PAID


# Ours, but the Payment is not found


async def orphan(world: World) -> Json:
    """The event of an intent whose Payment does not exist."""
    await foreign_payment(
        world,
        ct_project_key="sandbox",
        ct_payment_id="00000000-0000-4000-8000-00000000dead",
    )
    return event(world, "payment_intent.succeeded")


async def test_a_payment_that_is_not_there_yet_is_waited_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    told = await orphan(world)
    for seconds in (0, 60, 3500):
        world.clock.advance(seconds)
        assert (await world.deliver(told)).status_code == 503
        assert outcome(caplog) == "failed"


async def test_a_payment_that_never_comes_is_an_orphan_after_an_hour(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    world = World()
    told = await orphan(world)
    world.clock.advance(3601)
    assert await effect(world, told) == "orphan"
    assert outcome(caplog) == "orphan"
    assert written(world) == []


async def test_a_refund_of_an_orphan_is_one_too() -> None:
    world = World()
    told = await orphan(world)
    await dashboard_refund(world, told["data"]["object"]["id"], 300)
    assert (await world.deliver(event(world, "refund.created"))).status_code == 503
    world.clock.advance(3601)
    assert await effect(world, event(world, "refund.created")) == "orphan"


async def test_while_commercetools_is_down_nobody_is_taken_for_foreign() -> None:
    world = World()
    shop = await paid(world)
    world.clock.advance(7200)
    world.network.trouble = Always("error before", "commercetools")
    for told in events(world, "payment_intent.succeeded", "charge.succeeded"):
        assert (await world.deliver(told)).status_code == 503
    world.network.trouble = no_trouble
    await assert_agreement(world)
    assert await world.transactions(shop.payment_id) == PAID


async def test_while_stripe_is_down_a_refund_of_an_unknown_intent_is_put_off() -> None:
    world = World()
    intent_id = await foreign_payment(world)
    await dashboard_refund(world, intent_id, 300)
    world.network.trouble = Always("refused", "stripe")
    assert (await world.deliver(event(world, "refund.created"))).status_code == 503
    world.network.trouble = no_trouble
    assert await effect(world, event(world, "refund.created")) == "foreign"


async def test_a_start_that_was_cut_off_before_the_payment_knew_its_intent_is_completed() -> None:
    world = World()
    cart = await world.cart()
    session = await world.session(cart["id"])
    world.network.trouble = lambda call: "crash before" if b"setInterfaceId" in call.body else None
    with pytest.raises(Crash):
        await world.client.post("/payments", headers=session)
    world.network.trouble = no_trouble
    world.processor = world.start_processor()
    [intent] = world.stripe.intents
    payment_id = intent["metadata"]["ct_payment_id"]
    assert "interfaceId" not in await world.payment(payment_id)
    await world.pay(intent["client_secret"])
    await assert_agreement(world)
    assert (await world.payment(payment_id))["interfaceId"] == intent["id"]
    assert await world.transactions(payment_id) == PAID


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.succeeded"])
async def test_metadata_cannot_point_a_payment_at_somebody_elses_intent(kind: str) -> None:
    world = World()
    shop = await paid(world)
    await foreign_payment(world, ct_project_key="sandbox", ct_payment_id=shop.payment_id)
    theirs = events(world, kind)[-1]
    assert (await world.deliver(theirs)).status_code == 503
    world.clock.advance(3601)
    assert await effect(world, theirs) == "orphan"
    assert await world.transactions(shop.payment_id) == []


# Where the Payment is looked for


async def test_a_payment_is_read_by_the_id_in_the_metadata() -> None:
    world = World()
    shop = await paid(world)
    assert await effect(world, event(world, "payment_intent.succeeded")) == "stored"
    reads = [c.path for c in world.network.calls if c.backend == "commercetools"]
    assert reads == [f"/sandbox/payments/{shop.payment_id}"] * 2


@pytest.mark.parametrize("kind", ["payment_intent.succeeded", "charge.succeeded", "refund.created"])
async def test_a_payment_of_ours_stays_ours_when_the_interface_is_renamed(kind: str) -> None:
    world = World()
    shop = await paid(world)
    await dashboard_refund(world, shop.intent_id, 300)
    world.environment = {**world.environment, "PAYMENT_INTERFACE": "renamed"}
    world.processor = world.start_processor()
    assert await effect(world, event(world, kind)) == "stored"
    await world.deliver_all()
    recorded = await world.transactions(shop.payment_id)
    assert sorted(recorded) == [*PAID, ("Refund", 300, "Success")]


async def test_a_refund_that_names_another_payment_belongs_to_its_intents() -> None:
    world = World()
    one, other = await paid(world), await paid(world)
    await world.deliver_all()
    await world.ask_stripe(
        "POST",
        "/v1/refunds",
        payment_intent=one.intent_id,
        amount=300,
        **{"metadata[ct_project_key]": "sandbox", "metadata[ct_payment_id]": other.payment_id},
    )
    assert await effect(world, event(world, "refund.created")) == "stored"
    assert ("Refund", 300, "Success") in await world.transactions(one.payment_id)
    assert await world.transactions(other.payment_id) == PAID


@pytest.mark.parametrize(
    "named", ["", "..", "key=x", "a/b", "?", "00000000-0000-4000-8000-00000000000z", "x" * 9000]
)
async def test_what_has_not_the_form_of_an_id_is_not_asked_for(named: str) -> None:
    world = World()
    shop = await paid(world)
    told: Json = copy.deepcopy(event(world, "payment_intent.succeeded"))
    told["data"]["object"]["metadata"]["ct_payment_id"] = named
    assert await effect(world, told) == "stored"
    assert {c.path for c in world.network.calls if c.backend == "commercetools"} == {
        "/sandbox/payments",
        f"/sandbox/payments/{shop.payment_id}",
    }
