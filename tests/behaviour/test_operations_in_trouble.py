"""Operations while everything goes wrong: money moves once, and the record says what moved."""

from __future__ import annotations

import asyncio
import copy
import itertools
from collections.abc import Mapping
from typing import Literal

import pytest
from msgspec import Struct

from sandbox.stripe.state import InternalError
from tests.behaviour.reconciling import reconcile
from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Always,
    Once,
    assert_agreement,
    attempt,
    intent_of,
    no_trouble,
    operate,
    refunded,
    started,
)
from tests.wire import Call, Trouble
from tests.world import World, money

KEY_LIFETIME = 23 * 3600


class Case(Struct, frozen=True):
    """An operation, and what must have become of the money in the end."""

    name: str
    action: str
    environment: Mapping[str, str]
    moved: tuple[int, int, int]
    """Received, released, and refunded of 1000."""
    cents: int | None = None
    captured: int = 0
    """Captured before."""


CASES = [
    Case("capture", "capturePayment", MANUAL, (1000, 0, 0), 1000),
    Case("partial capture", "capturePayment", MANUAL, (400, 600, 0), 400),
    Case("one of several captures", "capturePayment", MULTICAPTURE, (400, 0, 0), 400),
    Case("refund", "refundPayment", {}, (1000, 0, 300), 300),
    Case("cancel", "cancelPayment", MANUAL, (0, 1000, 0)),
    Case("cancel after a capture", "cancelPayment", MULTICAPTURE, (300, 700, 0), captured=300),
    Case("reverse", "reversePayment", {}, (1000, 0, 1000)),
    Case("reverse in two parts", "reversePayment", MULTICAPTURE, (300, 700, 300), captured=300),
]

every_operation = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


async def prepared(case: Case) -> tuple[World, str]:
    """A recorded payment of 10.00 on which the operation is possible."""
    world = World(case.environment)
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    if case.captured:
        await world.modify(shop.payment_id, action="capturePayment", amount=money(case.captured))
    return world, shop.payment_id


async def assert_moved(world: World, payment_id: str, case: Case) -> None:
    """The money has moved as it should, once, and the record agrees."""
    await assert_agreement(world)
    intent = await intent_of(world, payment_id)
    payment = await world.payment(payment_id)
    released = sum(
        t["amount"]["centAmount"]
        for t in payment["transactions"]
        if t["type"] == "CancelAuthorization" and t["state"] == "Success"
    )
    assert (intent["amount_received"], released, refunded(world)) == case.moved


async def assert_a_repetition_completes(
    world: World, payment_id: str, case: Case, key: str | None = None
) -> None:
    answer = await operate(world, payment_id, case.action, case.cents, key=key)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"outcome": "approved"}
    await assert_moved(world, payment_id, case)


async def assert_completed_once_it_is_closed(
    world: World, payment_id: str, case: Case, key: str | None = None
) -> None:
    """What waits for Stripe has moved nothing; after a day it is closed, and goes out again."""
    for _ in range(3):
        answer = await operate(world, payment_id, case.action, case.cents, key=key)
        assert answer.status_code in (200, 503), answer.text
        if answer.status_code == 200 and answer.json() == {"outcome": "approved"}:
            break
        if answer.status_code == 200:
            assert answer.json() == {"outcome": "received"}
            world.clock.advance(25 * 3600)
            await reconcile(world, apply=True, since="P7D")
    else:
        raise AssertionError("it was never completed")
    await assert_moved(world, payment_id, case)


# Crashes


@every_operation
@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_after_a_crash_at_any_call_a_repetition_completes_it(
    case: Case, trouble: Trouble
) -> None:
    for index in itertools.count():
        world, payment_id = await prepared(case)
        world.network.trouble = crash = Once(index, trouble)
        await attempt(world, payment_id, case.action, case.cents)
        world.network.trouble = no_trouble
        await assert_a_repetition_completes(world, payment_id, case)
        if not crash.happened:
            break
    assert index >= 3


@every_operation
@pytest.mark.parametrize("first", ["crash before", "crash after"])
@pytest.mark.parametrize("second", ["crash before", "crash after"])
async def test_after_a_crash_of_the_repetition_too(
    case: Case, first: Trouble, second: Trouble
) -> None:
    for index in range(8):
        world, payment_id = await prepared(case)
        for trouble, at in ((first, index), (second, 7 - index)):
            world.network.trouble = Once(at, trouble)
            await attempt(world, payment_id, case.action, case.cents, key="operation-1")
        world.network.trouble = no_trouble
        await assert_a_repetition_completes(world, payment_id, case, "operation-1")


@every_operation
@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_after_a_crash_the_webhooks_may_come_first(case: Case, trouble: Trouble) -> None:
    for index in itertools.count():
        world, payment_id = await prepared(case)
        world.network.trouble = crash = Once(index, trouble)
        await attempt(world, payment_id, case.action, case.cents)
        world.network.trouble = no_trouble
        await world.deliver_all()
        await assert_a_repetition_completes(world, payment_id, case)
        if not crash.happened:
            break


@every_operation
async def test_what_nobody_repeats_is_not_carried_out_by_a_webhook(case: Case) -> None:
    world, payment_id = await prepared(case)
    world.network.trouble = lambda call: (
        "crash before" if call.backend == "stripe" and call.method == "POST" else None
    )
    await attempt(world, payment_id, case.action, case.cents)
    world.network.trouble = no_trouble
    before = copy.deepcopy(list(world.stripe.intents))
    for _ in range(2):
        await world.deliver_all()
    assert list(world.stripe.intents) == before
    assert refunded(world) == 0


# Lost answers and errors


@every_operation
@pytest.mark.parametrize(
    "trouble",
    ["refused", "lost", "error before", "error after", "busy", "stored before", "stored after"],
)
async def test_trouble_at_any_call_is_overcome_or_told_and_overcome_by_a_repetition(
    case: Case, trouble: Trouble
) -> None:
    for index in itertools.count():
        world, payment_id = await prepared(case)
        world.network.trouble = fault = Once(index, trouble)
        answer = await operate(world, payment_id, case.action, case.cents)
        assert answer.status_code in (200, 503), answer.text
        world.network.trouble = no_trouble
        if answer.status_code == 200 and answer.json() == {"outcome": "received"}:
            assert trouble == "stored before"
            await assert_completed_once_it_is_closed(world, payment_id, case)
        else:
            if answer.status_code == 200:
                assert answer.json() == {"outcome": "approved"}
            await assert_a_repetition_completes(world, payment_id, case)
        if not fault.happened:
            break


@every_operation
@pytest.mark.parametrize("backend", ["stripe", "commercetools"])
@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "error after", "busy"])
async def test_while_a_backend_fails_nothing_is_rejected_and_afterwards_it_moves_once(
    case: Case, backend: str, trouble: Trouble
) -> None:
    world, payment_id = await prepared(case)
    world.network.trouble = Always(trouble, backend, writes=True)
    for _ in range(2):
        answer = await operate(world, payment_id, case.action, case.cents)
        if answer.status_code == 200:  # it was found to have happened all the same
            assert answer.json() == {"outcome": "approved"}
        else:
            assert answer.status_code == 503, answer.text
    world.network.trouble = no_trouble
    await assert_a_repetition_completes(world, payment_id, case)


# Stripe's keys


def path_of(case: Case) -> str:
    """Where the operation's last call to Stripe goes."""
    if case.action in ("refundPayment", "reversePayment"):
        return "/v1/refunds"
    capture = case.action == "capturePayment" or case.captured
    return f"/v1/payment_intents/*/{'capture' if capture else 'cancel'}"


@every_operation
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 2])
async def test_an_error_that_stripe_stored_for_the_key_is_overcome(
    case: Case, when: Literal["before", "after"], times: int
) -> None:
    world, payment_id = await prepared(case)
    world.stripe.internal_errors.append(InternalError("e", path_of(case), when, times=times))
    await assert_completed_once_it_is_closed(world, payment_id, case)


@every_operation
async def test_as_long_as_stripe_fails_nothing_is_rejected(case: Case) -> None:
    world, payment_id = await prepared(case)
    world.stripe.internal_errors.append(InternalError("e", path_of(case), "before", times=None))
    for _ in range(3):
        answer = await operate(world, payment_id, case.action, case.cents)
        if answer.status_code == 200:
            assert answer.json() == {"outcome": "received"}
        else:
            assert answer.status_code == 503
    world.stripe.remove_internal_errors()
    await assert_completed_once_it_is_closed(world, payment_id, case)


@every_operation
@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
@pytest.mark.parametrize("hours", [1, 23.5, 24.5, 24 * 6])
async def test_a_repetition_after_stripe_has_forgotten_the_key_moves_money_once(
    case: Case, trouble: Trouble, hours: float
) -> None:
    world, payment_id = await prepared(case)

    def die(call: Call) -> Trouble | None:
        return trouble if call.backend == "stripe" and call.method == "POST" else None

    world.network.trouble = die
    await attempt(world, payment_id, case.action, case.cents, key="operation-1")
    world.network.trouble = no_trouble
    world.clock.advance(hours * 3600)
    await assert_a_repetition_completes(world, payment_id, case, "operation-1")


async def test_a_key_that_stripe_may_have_forgotten_is_not_used_again() -> None:
    world, payment_id = await prepared(CASES[3])
    keys: list[str] = []

    def refuse(call: Call) -> Trouble | None:
        if call.path == "/v1/refunds" and call.method == "POST":
            keys.append(call.headers["idempotency-key"])
            return "refused"
        return None

    world.network.trouble = refuse
    for seconds in (0, KEY_LIFETIME - 60, 120):
        world.clock.advance(seconds)
        answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
        assert answer.status_code == 503
    transaction = (await world.payment(payment_id))["transactions"][-1]
    assert sorted(set(keys)) == [f"{transaction['id']}:1", f"{transaction['id']}:2"]
    world.network.trouble = no_trouble
    await assert_a_repetition_completes(world, payment_id, CASES[3], "return-1")


async def test_every_movement_has_a_key_made_of_its_transaction() -> None:
    for case in CASES:
        world, payment_id = await prepared(case)
        world.network.calls.clear()
        await operate(world, payment_id, case.action, case.cents)
        ours = {t["id"] for t in (await world.payment(payment_id))["transactions"]}
        keys = [
            call.headers["idempotency-key"]
            for call in world.network.calls
            if call.backend == "stripe" and call.method == "POST"
        ]
        assert keys
        assert all(key.rpartition(":")[0] in ours for key in keys), (case.name, keys)


@pytest.mark.parametrize("calls", [1, 2, 20])
async def test_an_equal_call_under_way_is_waited_for_or_told(calls: int) -> None:
    world, payment_id = await prepared(CASES[3])
    met = 0

    async def occupy(call: Call) -> None:
        """Somebody else uses the key while the first so many calls arrive."""
        nonlocal met
        if call.path == "/v1/refunds" and call.method == "POST":
            met += 1
            owner = ("sk_test_sandbox", call.headers["idempotency-key"])
            world.stripe.keys_in_use.discard(owner)
            if met <= 2 * calls:  # a turn is taken before a call and before its answer
                world.stripe.keys_in_use.add(owner)

    world.network.turn = occupy
    answer = await operate(world, payment_id, "refundPayment", 300)
    assert answer.status_code in (200, 503)
    world.network.turn = None
    world.stripe.keys_in_use.clear()
    await assert_a_repetition_completes(world, payment_id, CASES[3])


async def test_a_caller_who_hangs_up_in_the_middle_is_answered_when_asking_again() -> None:
    world = World()
    payment = await world.paid()
    at_stripe, go_on = asyncio.Event(), asyncio.Event()

    async def wait(call: Call) -> None:
        if call.path == "/v1/refunds" and call.method == "POST":
            at_stripe.set()
            await go_on.wait()

    world.network.turn = wait
    asked = asyncio.create_task(operate(world, payment, "refundPayment", 300, key="named"))
    await at_stripe.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    world.network.turn = None
    go_on.set()

    again = await operate(world, payment, "refundPayment", 300, key="named")

    assert again.json() == {"outcome": "approved"}
    assert refunded(world) == 300
    assert (await world.transactions(payment))[-1] == ("Refund", 300, "Success")
