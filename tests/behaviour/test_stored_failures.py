"""Stripe stores a 500 under its key and may roll the request forward later.

What would move money twice waits until Stripe shows the outcome
(https://docs.stripe.com/error-low-level#server-errors).
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping

import pytest

from sandbox.stripe.state import InternalError
from stripe_connector.logs import JsonFormatter
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Shop,
    assert_agreement,
    intent_of,
    no_trouble,
    operate,
    refunded,
    started,
)
from tests.behaviour.stored import charge, state_of
from tests.behaviour.test_transactions import charged, customer
from tests.wire import Call, Crash, Trouble
from tests.world import World, money

RECEIVED = {"outcome": "received"}
APPROVED = {"outcome": "approved"}
WINDOW = 120
DAY = 86_400


class Stored:
    """Stripe answers the first call to a path 500 and stores that; later it may complete it."""

    def __init__(self, path: str, trouble: Trouble = "stored later") -> None:
        self._path = path
        self._trouble = trouble
        self._done = False

    def __call__(self, call: Call) -> Trouble | None:
        ours = call.backend == "stripe" and call.method == "POST"
        if not ours or self._done or not call.path.endswith(self._path):
            return None
        self._done = True
        return self._trouble


def keys_sent_to(world: World, path: str) -> set[str]:
    return {
        call.headers["idempotency-key"]
        for call in world.network.calls
        if call.method == "POST" and call.path.endswith(path)
    }


async def authorized(environment: Mapping[str, str] = MULTICAPTURE) -> tuple[World, Shop]:
    world = World(environment)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    return world, shop


async def refund_that_waits(cents: int = 300, key: str | None = "return-1") -> tuple[World, str]:
    world = World()
    payment_id = await world.paid(1000)
    world.network.trouble = Stored("/v1/refunds")
    answer = await operate(world, payment_id, "refundPayment", cents, key=key)
    assert (answer.status_code, answer.json()) == (200, RECEIVED)
    world.network.trouble = no_trouble
    return world, payment_id


# Refunds


@pytest.mark.parametrize("key", ["return-1", None])
async def test_a_refund_waits_and_its_late_effect_is_recorded(key: str | None) -> None:
    world, payment_id = await refund_that_waits(key=key)
    assert len(keys_sent_to(world, "/v1/refunds")) == 1
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Initial")
    world.stripe.roll_forward()
    await assert_agreement(world)
    assert refunded(world) == 300
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Success")
    answer = await operate(world, payment_id, "refundPayment", 300, key=key)
    assert answer.json() == APPROVED
    assert refunded(world) == 300


@pytest.mark.parametrize("several", [False, True], ids=["one processor", "several"])
async def test_repetitions_look_at_stripe_first_and_use_no_new_key(several: bool) -> None:
    world, payment_id = await refund_that_waits()
    for seconds in (0, 60, WINDOW, 3600, 23 * 3600, 12 * 3600):
        world.clock.advance(seconds)
        processor = world.start_processor() if several else world.processor
        answer = await operate(
            world, payment_id, "refundPayment", 300, key="return-1", processor=processor
        )
        assert answer.json() == RECEIVED
    assert len(keys_sent_to(world, "/v1/refunds")) == 1
    world.stripe.roll_forward()
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
    assert answer.json() == APPROVED
    assert refunded(world) == 300
    await assert_agreement(world)


async def test_an_equal_refund_without_a_key_is_the_one_that_waits_whatever_its_age() -> None:
    world, payment_id = await refund_that_waits(key=None)
    world.clock.advance(20 * 3600)
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == RECEIVED
    world.stripe.roll_forward()
    assert (await operate(world, payment_id, "refundPayment", 300)).json() == APPROVED
    assert refunded(world) == 300


async def test_what_waits_blocks_its_amount_and_is_named() -> None:
    world, payment_id = await refund_that_waits(cents=700)
    refused = await operate(world, payment_id, "refundPayment", 301, key="return-2")
    waiting = (await world.payment(payment_id))["transactions"][-1]["id"]
    assert refused.status_code == 400
    assert "At most 300 can be refunded" in refused.json()["message"]
    assert waiting in refused.json()["message"]
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-2")
    assert answer.json() == APPROVED
    world.stripe.roll_forward()
    assert refunded(world) == 1000
    await assert_agreement(world)


async def test_a_refund_that_stripe_never_shows_is_closed_after_a_day_and_can_be_asked_again() -> (
    None
):
    world, payment_id = await refund_that_waits()
    world.clock.advance(23 * 3600)
    await reconcile(world, apply=True, since="P7D")
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Initial")
    world.clock.advance(3 * 3600)
    await reconcile(world, apply=True, since="P7D")
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Failure")
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
    assert answer.json() == APPROVED
    assert refunded(world) == 300
    await assert_agreement(world)


async def test_a_crash_while_it_is_written_down_that_it_waits_loses_nothing() -> None:
    for index in itertools.count():
        world = World()
        payment_id = await world.paid(1000)
        stored = Stored("/v1/refunds")
        left = index

        def trouble(call: Call, stored: Stored = stored) -> Trouble | None:
            nonlocal left
            told = stored(call)
            left -= 1
            return told or ("crash after" if left == -1 else None)

        world.network.trouble = trouble
        try:
            await operate(world, payment_id, "refundPayment", 300, key="return-1")
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        world.clock.advance(60)
        answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
        world.stripe.roll_forward()
        if answer.json() == RECEIVED:
            answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
        assert answer.json() == APPROVED
        assert refunded(world) == 300
        await assert_agreement(world)
        if left > 0:
            break
    assert index > 5


async def test_a_busy_stripe_and_a_lock_are_asked_again_under_the_same_key() -> None:
    world = World()
    payment_id = await world.paid(1000)
    world.network.trouble = lambda call: "busy" if call.path == "/v1/refunds" else None
    for hours in (0, 10, 12):
        world.clock.advance(hours * 3600)
        answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
        assert answer.status_code == 503
    assert len(keys_sent_to(world, "/v1/refunds")) == 1
    world.network.trouble = no_trouble
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
    assert answer.json() == APPROVED
    assert refunded(world) == 300


# Captures


async def test_one_of_several_captures_waits_and_is_known_by_the_amount_received() -> None:
    world, shop = await authorized()
    world.network.trouble = Stored("/capture")
    answer = await operate(world, shop.payment_id, "capturePayment", 300, key="parcel-1")
    assert answer.json() == RECEIVED
    assert len(keys_sent_to(world, "/capture")) == 1
    world.network.trouble = no_trouble
    other = await operate(world, shop.payment_id, "capturePayment", 200, key="parcel-2")
    waiting = (await world.payment(shop.payment_id))["transactions"][-1]["id"]
    assert other.status_code == 409
    assert other.json()["errors"][0]["transactionId"] == waiting
    world.clock.advance(3600)
    other = await operate(world, shop.payment_id, "cancelPayment", key="cancel-1")
    assert other.status_code == 409

    world.stripe.roll_forward()
    await world.deliver_all()
    assert (await world.transactions(shop.payment_id))[-1] == ("Charge", 300, "Success")
    answer = await operate(world, shop.payment_id, "capturePayment", 300, key="parcel-1")
    assert answer.json() == APPROVED
    answer = await operate(world, shop.payment_id, "capturePayment", 200, key="parcel-2")
    assert answer.json() == APPROVED
    assert (await intent_of(world, shop.payment_id))["amount_received"] == 500
    await assert_agreement(world)


@pytest.mark.parametrize("trouble", ["stored before", "stored later"])
@pytest.mark.parametrize(
    ("action", "cents", "path"),
    [("capturePayment", 1000, "/capture"), ("cancelPayment", None, "/cancel")],
)
async def test_the_last_capture_and_a_cancellation_go_out_again_once_the_intent_is_seen_open(
    action: str, cents: int | None, path: str, trouble: Trouble
) -> None:
    world, shop = await authorized(MANUAL)
    world.network.trouble = Stored(path, trouble)
    answer = await operate(world, shop.payment_id, action, cents, key="once")
    assert answer.json() == APPROVED
    assert len(keys_sent_to(world, path)) == 2
    world.stripe.roll_forward()
    await assert_agreement(world)
    intent = await intent_of(world, shop.payment_id)
    assert intent["amount_received"] == (cents or 0)


async def test_the_last_capture_waits_where_the_intent_is_not_as_it_was() -> None:
    """Somebody captures a part in the Dashboard while the outcome is unknown."""
    world, shop = await authorized()
    intent_id = (await intent_of(world, shop.payment_id))["id"]
    stored = Stored("/capture")

    async def meanwhile(call: Call) -> None:
        if call.method == "POST" and call.path.endswith("/capture") and not meddled:
            meddled.append(call)
            await world.ask_stripe(
                "POST",
                f"/v1/payment_intents/{intent_id}/capture",
                amount_to_capture=100,
                final_capture="false",
            )

    meddled: list[Call] = []
    world.network.trouble, world.network.turn = stored, meanwhile
    answer = await operate(world, shop.payment_id, "capturePayment", 1000, key="once")
    world.network.trouble, world.network.turn = no_trouble, None
    assert answer.json() == RECEIVED
    assert len(keys_sent_to(world, "/capture")) == 1
    await assert_agreement(world)
    assert (await intent_of(world, shop.payment_id))["amount_received"] == 100


async def test_a_wait_that_may_outlive_the_authorization_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World({**MULTICAPTURE, "METRICS_TOKEN": "m" * 32})
    shop = await started(world, 1000)
    await world.pay(shop.secret)
    await world.deliver_all()
    world.clock.advance(6.5 * DAY)
    world.network.trouble = Stored("/capture")
    answer = await operate(world, shop.payment_id, "capturePayment", 300, key="parcel-1")
    assert answer.json() == RECEIVED
    [told] = [each for each in caplog.records if "stored failure" in each.message]
    assert told.levelname == "ERROR"
    assert json.loads(JsonFormatter().format(told))["endsWithinADay"] is True
    metrics = await world.client.get("/metrics", headers={"Authorization": f"Bearer {'m' * 32}"})
    counted = 'unknown_outcomes_total{authorization_ends_soon="yes",type="Charge"} 1.0'
    assert counted in metrics.text


async def test_reconcile_lists_what_waits_for_stripe() -> None:
    world, _ = await refund_that_waits()
    world.clock.advance(3600)
    report = await reconcile(world)
    [line] = report.lines
    assert (line["kind"], line["amount"]) == ("unknown_outcome", 300)


# Charges of stored methods


@pytest.mark.parametrize("trouble", ["stored before", "stored after", "stored later"])
@pytest.mark.parametrize("path", ["/v1/payment_intents", "/confirm"])
async def test_a_stored_method_is_charged_once(path: str, trouble: Trouble) -> None:
    lin, method_id, cart_id = await customer()
    world = lin.world
    world.network.trouble = Stored(path, trouble)
    answer = await charge(world, cart_id, method_id)
    assert answer.status_code in (201, 503)
    world.network.trouble = no_trouble
    assert state_of(await charge(world, cart_id, method_id)) == "Completed"
    world.stripe.roll_forward()
    assert charged(world) == 1000
    await assert_agreement(world)
    assert state_of(await charge(world, cart_id, method_id)) == "Completed"
    assert charged(world) == 1000


async def test_the_intent_of_a_charge_is_recorded_before_it_is_confirmed() -> None:
    lin, method_id, cart_id = await customer()
    world = lin.world
    known: list[str | None] = []

    async def turn(call: Call) -> None:
        if call.path.endswith("/confirm") and call.method == "POST":
            payments = world.store.collection("payment")
            known.extend(
                each.get("interfaceId") for each in payments if each["key"].endswith("_recurring")
            )

    world.network.turn = turn
    assert state_of(await charge(world, cart_id, method_id)) == "Completed"
    world.network.turn = None
    assert known
    assert None not in known
    assert len(world.stripe.intents) == 1


# Creating what nobody can pay yet


async def test_an_intent_that_is_made_late_is_not_the_carts() -> None:
    world = World()
    cart = await world.cart(1000)
    session = await world.session(cart["id"])
    world.stripe.internal_errors.append(InternalError("e", "/v1/payment_intents", "later"))
    first = await world.start(session)
    world.stripe.roll_forward()
    assert await world.start(session) == first
    await world.pay(first["clientSecret"])
    await assert_agreement(world)
    paid = [each for each in world.stripe.intents if each["status"] == "succeeded"]
    assert len(paid) == 1


# An intent that Stripe does not know


@pytest.mark.parametrize(
    ("action", "cents"),
    [("capturePayment", 300), ("cancelPayment", None), ("reversePayment", None)],
)
async def test_an_operation_on_an_intent_that_stripe_does_not_know_has_failed(
    action: str, cents: int | None
) -> None:
    """Test data was deleted, or the key is another account's."""
    world, shop = await authorized(MANUAL)
    world.stripe.intents.clear()
    answer = await operate(world, shop.payment_id, action, cents)
    assert answer.json()["outcome"] == "rejected"
    assert answer.json()["error"]["code"] == "resource_missing"
    last = (await world.transactions(shop.payment_id))[-1]
    assert last[2] == "Failure"


async def test_a_refund_of_an_intent_that_stripe_does_not_know_has_failed_also_after_a_crash() -> (
    None
):
    world = World()
    payment_id = await world.paid(1000)
    world.network.trouble = lambda call: (
        "crash before" if call.path == "/v1/refunds" and call.method == "POST" else None
    )
    with pytest.raises(Crash):
        await operate(world, payment_id, "refundPayment", 300, key="return-1")
    world.network.trouble = no_trouble
    world.processor = world.start_processor()
    world.stripe.intents.clear()
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
    assert answer.json()["error"]["code"] == "resource_missing"
    assert (await world.transactions(payment_id))[-1] == ("Refund", 300, "Failure")
    assert money(0)["centAmount"] == refunded(world)
