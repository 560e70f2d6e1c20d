"""Words that Stripe may add, fields that it may leave empty, and what others of the account do."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    Json,
    dashboard_refund,
    effect,
    event,
    events,
    operate,
    started,
    status_of,
)
from tests.behaviour.test_bff_payments import Shopper
from tests.wire import Crash
from tests.world import World

PAID = [("Authorization", 1000, "Success"), ("Charge", 1000, "Success")]


def told(caplog: pytest.LogCaptureFixture) -> list[Any]:
    """The words that were told as unknown."""
    lines = [record.__dict__["fields"] for record in caplog.records if "fields" in record.__dict__]
    return [line["word"] for line in lines if "word" in line]


async def refunded_in_the_dashboard(world: World, **fields: Any) -> str:
    """A payment of 1000 with a refund of 200, whose fields Stripe sends like that."""
    payment_id = await world.paid(1000)
    [intent] = world.stripe.intents
    await dashboard_refund(world, intent["id"], 200)
    [refund] = world.stripe.refunds
    refund.update(fields)
    for each in events(world, "refund.created"):
        each["data"]["object"].update(fields)
    return payment_id


async def test_a_refund_without_metadata_is_recorded() -> None:
    """`Refund.metadata` is Optional in Stripe's SDK."""
    world = World()
    payment_id = await refunded_in_the_dashboard(world, metadata=None)
    for each in events(world, "refund.created", "charge.refunded"):
        await effect(world, each)
    assert await world.transactions(payment_id) == [*PAID, ("Refund", 200, "Success")]
    assert (await operate(world, payment_id, "refundPayment", 100)).json()["outcome"] == "approved"


async def test_a_refund_in_an_unknown_state_is_pending_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`Refund.status` is a plain string in Stripe's SDK."""
    world = World()
    payment_id = await refunded_in_the_dashboard(world, status="on_hold")
    for each in events(world, "refund.created", "charge.refunded"):
        await effect(world, each)
    assert await world.transactions(payment_id) == [*PAID, ("Refund", 200, "Pending")]
    assert "on_hold" in told(caplog)
    world.network.trouble = lambda c: "lost" if c.path == "/v1/refunds" else None
    assert (await operate(world, payment_id, "refundPayment", 100, key="k")).status_code == 503
    world.network.trouble = lambda _: None
    again = await operate(world, payment_id, "refundPayment", 100, key="k")
    assert again.json()["outcome"] == "approved"


async def test_an_intent_in_an_unknown_state_is_pending_told_and_left_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """`PaymentIntent.status` is open in Stripe's SDK (a union with str)."""
    world = World()
    shop = await started(world)
    [intent] = world.stripe.intents
    intent["status"] = "requires_review"
    again = await world.client.post("/payments", headers=shop.session)
    assert again.status_code == 409
    assert again.json()["errors"][0]["code"] == "PaymentProcessing"
    assert await world.transactions(shop.payment_id) == [("Authorization", 1000, "Pending")]
    text = (await world.payment(shop.payment_id))["paymentStatus"]["interfaceText"]
    assert "requires_review" in text
    assert await status_of(world, shop.payment_id) == "requires_review"
    assert "requires_review" in told(caplog)
    assert [each["status"] for each in world.stripe.intents] == ["requires_review"]


async def test_a_disputes_unknown_state_is_pending_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    payment_id = await world.paid(1000)
    [charge] = world.stripe.charges
    await world.at_stripe(f"charges/{charge['id']}/dispute", amount=300)
    [dispute] = world.stripe.disputes
    dispute["status"] = "arbitration"
    assert await effect(world, event(world, "charge.dispute.created")) == "stored"
    assert await world.transactions(payment_id) == [*PAID, ("Chargeback", 300, "Pending")]
    assert told(caplog) == ["arbitration"]


SETUP = {
    "metadata": None,
    "payment_intent": None,
    "mode": "setup",
    "amount_total": None,
    "currency": None,
    "status": None,
}
"""A session of another integration, which takes no payment: nullable in Stripe's SDK."""


async def test_a_setup_session_of_another_integration_is_foreign() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    await shopper.pay((await shopper.session(order["id"])).json())
    theirs: Json = copy.deepcopy(event(world, "checkout.session.completed"))
    theirs["data"]["object"].update(SETUP)
    assert await effect(world, theirs) == "foreign"


async def test_a_setup_session_in_the_accounts_list_hides_no_session_of_ours() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    world.network.trouble = lambda c: (
        "crash after" if c.path == "/v1/checkout/sessions" and c.method == "POST" else None
    )
    with pytest.raises(Crash):
        await shopper.session(order["id"])
    world.network.trouble = lambda _: None
    world.processor = world.start_processor()
    [mine] = world.stripe.sessions
    world.stripe.sessions.add(copy.deepcopy(mine) | SETUP | {"id": "cs_test_theirs"})
    world.clock.advance(2 * 86_400)
    answer = await shopper.session(order["id"])
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize(
    "strange",
    [{"metadata": None}, {"status": "blocked"}, {"amount": None}, {"currency": None}],
    ids=str,
)
@pytest.mark.parametrize("kind", ["refunds", "intents", "disputes", "events"])
async def test_what_others_of_the_account_have_stops_no_reconciliation(
    kind: str, strange: Json
) -> None:
    world = World()
    theirs = await world.ask_stripe(
        "POST",
        "/v1/payment_intents",
        amount="500",
        currency="eur",
        payment_method="pm_card_visa",
        confirm="true",
        **{"automatic_payment_methods[enabled]": "true"},
        **{"automatic_payment_methods[allow_redirects]": "never"},
    )
    await world.ask_stripe("POST", "/v1/refunds", payment_intent=theirs["id"], amount="200")
    await world.at_stripe(f"charges/{theirs['latest_charge']}/dispute", amount=100)
    if kind == "events":
        for each in world.stripe.events:
            each["data"]["object"].update(strange)
    else:
        for obj in getattr(world.stripe, kind):
            obj.update(strange)
    shop = await started(world, 700)
    await world.pay(shop.secret)
    run = await reconcile(world, apply=True)
    assert run.code == 0, run.errors
    assert await world.transactions(shop.payment_id) == [
        ("Authorization", 700, "Success"),
        ("Charge", 700, "Success"),
    ]


async def test_one_payment_of_ours_that_cannot_be_read_is_told_and_the_others_are_repaired() -> (
    None
):
    world = World()
    broken = await started(world, 1000)
    await world.pay(broken.secret)
    sound = await started(world, 700)
    await world.pay(sound.secret)
    world.stripe.intents[broken.intent_id]["amount"] = None  # no type allows that
    run = await reconcile(world, apply=True)
    assert [line["payment"] for line in run.lines if line["kind"] == "unreadable"][:1] == [
        broken.payment_id
    ]
    assert ("Charge", 700, "Success") in await world.transactions(sound.payment_id)


async def test_a_customer_of_another_integration_that_is_deleted_is_foreign() -> None:
    world = World()
    theirs = await world.ask_stripe("POST", "/v1/customers", email="theirs@example.com")
    deleted = {"id": theirs["id"], "object": "customer", "metadata": None}
    kind = {"type": "customer.deleted", "data": {"object": deleted}}
    assert await effect(world, {**events(world)[-1], **kind}) == "foreign"
