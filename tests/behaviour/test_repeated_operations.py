"""The same operation asked for again: recognised by the caller's key, or by what is asked for."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.clock import SandboxClock
from tests.behaviour.steps import (
    MANUAL,
    MULTICAPTURE,
    Always,
    Shop,
    assert_agreement,
    intent_of,
    no_trouble,
    operate,
    refunded,
    shuffled,
    started,
)
from tests.world import Processor, World, WorldClock, money

APPROVED = {"outcome": "approved"}
WINDOW = 120


async def refunds_of(world: World, payment_id: str) -> list[tuple[int, str]]:
    transactions = await world.transactions(payment_id)
    return [(cents, state) for type_, cents, state in transactions if type_ == "Refund"]


async def authorized(world: World) -> Shop:
    shop = await started(world)
    await world.pay(shop.secret)
    await world.deliver_all()
    return shop


# At once


@pytest.mark.parametrize("key", [None, "return-1"])
@pytest.mark.parametrize("several", [False, True], ids=["one processor", "several"])
async def test_a_refund_five_times_at_once_is_one(key: str | None, several: bool) -> None:
    for seed in range(8):
        world = World()
        payment_id = await world.paid()
        shuffled(world, seed)
        answers = await asyncio.gather(
            *(
                operate(
                    world,
                    payment_id,
                    "refundPayment",
                    300,
                    key=key,
                    processor=world.start_processor() if several else world.processor,
                )
                for _ in range(5)
            )
        )
        assert {answer.status_code for answer in answers} <= {200, 503}
        assert all(a.json() == APPROVED for a in answers if a.status_code == 200)
        world.network.turn = None
        assert len(world.stripe.refunds) == 1
        assert await refunds_of(world, payment_id) == [(300, "Success")]
        await assert_agreement(world)


@pytest.mark.parametrize("key", [None, "return-1"])
async def test_a_refund_five_times_in_a_row_is_one(key: str | None) -> None:
    world = World()
    payment_id = await world.paid()
    for _ in range(5):
        outcome = await world.modify(payment_id, key, action="refundPayment", amount=money(300))
        assert outcome == APPROVED
    assert refunded(world) == 300


# Without a key: what is asked for


async def test_equal_refunds_with_different_references_are_different() -> None:
    world = World()
    payment_id = await world.paid()
    for reference in ("return-1", "return-2"):
        outcome = await world.modify(
            payment_id, action="refundPayment", amount=money(300), merchantReference=reference
        )
        assert outcome == APPROVED
    assert refunded(world) == 600


async def test_the_reference_may_stand_beside_the_actions() -> None:
    world = World()
    payment_id = await world.paid()
    for reference in ("return-1", "return-2", "return-2"):
        answer = await world.client.post(
            f"/operations/payment-intents/{payment_id}",
            json={
                "actions": [{"action": "refundPayment", "amount": money(300)}],
                "merchantReference": reference,
            },
            headers=await world.checkout(),
        )
        assert answer.json() == APPROVED
    assert refunded(world) == 600


async def test_after_the_window_an_equal_refund_is_another_one() -> None:
    world = World()
    payment_id = await world.paid()
    for seconds, total in ((0, 300), (WINDOW - 1, 300), (1, 600), (WINDOW, 900)):
        world.clock.advance(seconds)
        await world.modify(payment_id, action="refundPayment", amount=money(300))
        assert refunded(world) == total
    await assert_agreement(world)


async def test_the_window_can_be_set() -> None:
    world = World({"STRIPE_REPEAT_WINDOW_S": "10"})
    payment_id = await world.paid()
    for seconds, total in ((0, 300), (9, 300), (1, 600)):
        world.clock.advance(seconds)
        await world.modify(payment_id, action="refundPayment", amount=money(300))
        assert refunded(world) == total


@pytest.mark.parametrize("key", [None, "return-1"])
async def test_what_stripe_has_not_answered_stays_the_same_however_long_it_takes(
    key: str | None,
) -> None:
    world = World()
    payment_id = await world.paid()
    world.network.trouble = Always("refused", "stripe", writes=True)
    for seconds in (0, WINDOW, 12 * 3600):
        world.clock.advance(seconds)
        answer = await operate(world, payment_id, "refundPayment", 300, key=key)
        assert answer.status_code == 503
    world.network.trouble = no_trouble
    await operate(world, payment_id, "refundPayment", 300, key=key)
    assert refunded(world) == 300
    assert await refunds_of(world, payment_id) == [(300, "Success")]


async def test_an_equal_refund_days_later_is_another_while_the_first_is_at_the_bank() -> None:
    world = World()
    payment_id = await world.paid(method="pm_card_pendingRefund")
    world.stripe.refund_seconds = 10 * 86_400
    for seconds, total in ((0, 300), (WINDOW - 1, 300), (2 * 86_400, 600)):
        world.clock.advance(seconds)
        outcome = await world.modify(payment_id, action="refundPayment", amount=money(300))
        assert outcome == {"outcome": "received"}
        assert refunded(world) == total
    world.clock.advance(10 * 86_400)
    world.stripe.run_due()
    await assert_agreement(world)
    assert await refunds_of(world, payment_id) == [(300, "Success"), (300, "Success")]


async def test_a_named_refund_stays_the_same_while_the_bank_works_on_it() -> None:
    world = World()
    payment_id = await world.paid(method="pm_card_pendingRefund")
    world.stripe.refund_seconds = 10 * 86_400
    for seconds in (0, WINDOW, 2 * 86_400):
        world.clock.advance(seconds)
        outcome = await world.modify(
            payment_id, "return-1", action="refundPayment", amount=money(300)
        )
        assert outcome == {"outcome": "received"}
    assert refunded(world) == 300


@pytest.mark.parametrize("skew", [-180, 180, 86_400])
@pytest.mark.parametrize("key", [None, "return-1"])
async def test_an_instance_whose_clock_goes_wrong_moves_nothing_twice(
    key: str | None, skew: float
) -> None:
    """commercetools' answers tell the time, which all instances share."""
    world = World()
    payment_id = await world.paid()
    wrong = Processor(world.network, Skewed(world.clock, skew), world.environment)
    for processor in (world.processor, wrong, world.processor, wrong):
        answer = await operate(
            world, payment_id, "refundPayment", 300, key=key, processor=processor
        )
        assert answer.json() == APPROVED
    assert refunded(world) == 300
    world.clock.advance(WINDOW + 1)
    await operate(world, payment_id, "refundPayment", 100, processor=wrong)
    await operate(world, payment_id, "refundPayment", 100)
    assert refunded(world) == 400


class Skewed(WorldClock):
    """The world's time, seen by an instance whose clock is wrong by some seconds."""

    def __init__(self, clock: SandboxClock, seconds: float) -> None:
        super().__init__(clock)
        self._seconds = seconds

    def time(self) -> float:
        return super().time() + self._seconds


async def test_another_amount_is_another_refund() -> None:
    world = World()
    payment_id = await world.paid()
    for cents in (300, 301):
        await world.modify(payment_id, action="refundPayment", amount=money(cents))
    assert refunded(world) == 601


async def test_a_refused_refund_can_be_asked_for_again_after_the_window() -> None:
    world = World()
    payment_id = await world.paid()
    charge = (await intent_of(world, payment_id))["latest_charge"]
    dispute = await world.at_stripe(f"charges/{charge}/dispute", amount=100)
    body = (await operate(world, payment_id, "refundPayment", 300)).json()
    assert body["outcome"] == "rejected"
    await world.at_stripe(f"disputes/{dispute['id']}", status="won")
    world.clock.advance(WINDOW)
    await world.deliver_all()
    assert await world.modify(payment_id, action="refundPayment", amount=money(300)) == APPROVED
    assert await refunds_of(world, payment_id) == [(300, "Failure"), (300, "Success")]


# With a key


async def test_different_keys_are_different_operations() -> None:
    world = World()
    payment_id = await world.paid()
    for key in ("return-1", "return-2"):
        outcome = await world.modify(payment_id, key, action="refundPayment", amount=money(300))
        assert outcome == APPROVED
    assert refunded(world) == 600


@pytest.mark.parametrize("days", [0, 1, 40])
async def test_a_key_stays_the_same_operation_once_money_has_moved(days: int) -> None:
    world = World()
    payment_id = await world.paid()
    await world.modify(payment_id, "return-1", action="refundPayment", amount=money(300))
    world.clock.advance(WINDOW + days * 86_400)
    outcome = await world.modify(payment_id, "return-1", action="refundPayment", amount=money(300))
    assert outcome == APPROVED
    assert refunded(world) == 300


@pytest.mark.parametrize("later", [0, WINDOW, 40 * 86_400])
@pytest.mark.parametrize(
    ("action", "cents"),
    [("refundPayment", 200), ("refundPayment", 301), ("reversePayment", None)],
)
async def test_a_key_cannot_be_used_for_something_else(
    action: str, cents: int | None, later: int
) -> None:
    world = World()
    payment_id = await world.paid()
    await world.modify(payment_id, "return-1", action="refundPayment", amount=money(300))
    world.clock.advance(later)
    answer = await operate(world, payment_id, action, cents, key="return-1")
    assert answer.status_code == 409
    assert refunded(world) == 300


async def test_a_key_of_a_capture_cannot_be_used_for_a_cancellation() -> None:
    world = World(MULTICAPTURE)
    shop = await authorized(world)
    await world.modify(shop.payment_id, "order-1", action="capturePayment", amount=money(300))
    answer = await operate(world, shop.payment_id, "cancelPayment", key="order-1")
    assert answer.status_code == 409
    await assert_agreement(world)
    assert (await intent_of(world, shop.payment_id))["status"] == "requires_capture"


async def test_the_same_key_on_two_payments_is_two_operations() -> None:
    world = World()
    for _ in range(2):
        payment_id = await world.paid()
        outcome = await world.modify(
            payment_id, "return-1", action="refundPayment", amount=money(300)
        )
        assert outcome == APPROVED
    assert refunded(world) == 600


async def test_a_key_and_no_key_are_different_operations() -> None:
    world = World()
    payment_id = await world.paid()
    await world.modify(payment_id, "return-1", action="refundPayment", amount=money(300))
    await world.modify(payment_id, action="refundPayment", amount=money(300))
    assert refunded(world) == 600


async def test_a_key_counts_also_where_the_first_answer_was_no_answer() -> None:
    world = World()
    payment_id = await world.paid()
    world.network.trouble = Always("lost", "stripe", writes=True)
    answer = await operate(world, payment_id, "refundPayment", 300, key="return-1")
    assert answer.status_code == 503
    world.network.trouble = no_trouble
    outcome = await world.modify(payment_id, "return-1", action="refundPayment", amount=money(300))
    assert outcome == APPROVED
    assert refunded(world) == 300


async def test_the_key_itself_is_not_written_down() -> None:
    world = World(MANUAL)
    shop = await authorized(world)
    key = "customer@example.com/4711"
    await world.modify(shop.payment_id, key, action="capturePayment", amount=money(1000))
    assert key not in str(await world.payment(shop.payment_id))
    assert key not in str(world.stripe.events)
