"""`reconcile` after everything went wrong, and while it does: the record ends up as Stripe's."""

from __future__ import annotations

import asyncio
import io
import itertools
import random
from pathlib import Path

import pytest

from stripe_connector.gateways.commercetools import history as commercetools_history
from stripe_connector.gateways.stripe import history as stripe_history
from stripe_connector.ops.reconcile import phases
from tests.behaviour.reconciling import reconcile, repaired_for_good, told, written
from tests.behaviour.steps import (
    Once,
    attempt,
    dashboard_refund,
    no_trouble,
    shuffled,
    started,
)
from tests.behaviour.stored import charge
from tests.behaviour.test_operations_in_trouble import Case, every_operation, prepared
from tests.behaviour.test_transactions import customer
from tests.property import oracle
from tests.wire import Call, Crash, Trouble
from tests.world import Json, World

DAY = 86_400

at_every_call: list[Trouble] = ["crash before", "crash after", "lost", "stored after", "busy"]


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a dozen payments are several pages."""
    for module in (commercetools_history, stripe_history, phases):
        monkeypatch.setattr(module, "PAGE", 4)


async def unfinished(world: World) -> list[Json]:
    return [
        t
        for payment in world.store.collection("payment")
        for t in payment["transactions"]
        if t["state"] == "Initial"
    ]


@every_operation
@pytest.mark.parametrize("trouble", at_every_call)
async def test_operations_cut_off_anywhere_and_never_repeated(case: Case, trouble: Trouble) -> None:
    """No webhook arrives either: a day later the record says what Stripe shows."""
    for call in itertools.count():
        world, payment_id = await prepared(case)
        world.network.trouble = once = Once(call, trouble)
        await attempt(world, payment_id, case.action, case.cents)
        world.network.trouble = no_trouble
        moved = [dict(refund) for refund in world.stripe.refunds]
        received = [intent["amount_received"] for intent in world.stripe.intents]
        world.clock.advance(2 * DAY)
        await repaired_for_good(world, since="P3D")
        oracle.check(world)
        assert await unfinished(world) == []
        # It moved no money of its own.
        assert [dict(refund) for refund in world.stripe.refunds] == moved
        assert [intent["amount_received"] for intent in world.stripe.intents] == received
        if not once.happened:
            break
    assert call > 3


@pytest.mark.parametrize("trouble", at_every_call)
async def test_starts_cut_off_anywhere(trouble: Trouble) -> None:
    """Somebody pays all the same; where the cart never got the Payment, a person has to look."""
    for call in itertools.count():
        world = World()
        cart = await world.cart(1000)
        session = await world.session(cart["id"])
        world.network.trouble = once = Once(call, trouble)
        try:
            await world.client.post("/payments", headers=session)
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        for intent in world.stripe.intents:
            await world.pay(intent["client_secret"])
        first = await reconcile(world, apply=True)
        oracle.check(world)
        before = len(world.network.calls)
        again = await reconcile(world, apply=True)
        assert written(world, before) == []
        assert first.remains == again.found == again.remains
        assert set(again.found) <= {"payment_on_nothing"}
        if not once.happened:
            break
    assert call > 3


async def test_a_young_operation_may_still_be_repeated() -> None:
    case = Case("refund", "refundPayment", {}, (1000, 0, 300), 300)
    world, payment_id = await prepared(case)
    for call in range(12):
        world.network.trouble = Once(call, "crash before", "stripe")
        await attempt(world, payment_id, case.action, case.cents)
        if await unfinished(world):
            break
    world.network.trouble = no_trouble
    assert (await reconcile(world, apply=True)).code == 0
    assert await unfinished(world)
    world.clock.advance(7200)
    result = await reconcile(world, apply=True, abandoned_after="PT1H")
    assert result.repaired == ["abandoned_operation"]
    assert await unfinished(world) == []
    assert len(world.stripe.refunds) == 0


async def many(world: World, count: int = 12) -> list[str]:
    """Payments in many states, of which the record knows little."""
    ids = []
    for number in range(count):
        shop = await started(world, 1000 + number)
        await world.pay(shop.secret, "pm_card_createDispute" if number % 4 == 3 else "pm_card_visa")
        if number % 4 == 1:
            await dashboard_refund(world, shop.intent_id, 100)
        ids.append(shop.payment_id)
    return ids


def differences(lines: list[Json]) -> set[str]:
    """What was told, whatever became of it."""
    return {
        repr(sorted((name, value) for name, value in line.items() if name != "outcome"))
        for line in lines
        if "kind" in line
    }


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("apply", [True, False])
async def test_a_run_that_is_killed_goes_on_where_it_was(
    seed: int, apply: bool, tmp_path: Path
) -> None:
    whole = World()
    await many(whole)
    uninterrupted = await reconcile(whole, apply=apply, at_once=3)

    world = World()
    await many(world)
    dice = random.Random(seed)
    kill: Trouble = "crash after" if seed % 2 else "crash before"
    checkpoint = tmp_path / "checkpoint.json"
    out = io.StringIO()
    last, deaths = None, 0
    while last is None:
        world.network.trouble = Once(dice.randrange(60), kill)
        try:
            last = await reconcile(world, apply=apply, out=out, checkpoint=checkpoint, at_once=3)
        except* Crash:
            deaths += 1
    world.network.trouble = no_trouble
    assert deaths > 0
    assert last.summary["complete"]
    assert not checkpoint.exists()
    assert differences(told(out)) == differences(uninterrupted.lines)
    if apply:
        oracle.check(world)
        assert (await reconcile(world)).code == 0


async def test_a_signal_ends_a_run_after_what_is_under_way(tmp_path: Path) -> None:
    world = World()
    await many(world)
    stop, checkpoint = asyncio.Event(), tmp_path / "checkpoint.json"

    def signalled(call: Call) -> None:
        if call.method == "POST" and "/payments/" in call.path:
            stop.set()

    world.network.trouble = signalled
    first = await reconcile(world, apply=True, stop=stop, checkpoint=checkpoint, at_once=2)
    world.network.trouble = no_trouble
    assert first.code == 3
    assert not first.summary["complete"]
    assert 0 < first.summary["looked_at"]["intents"] < 12
    second = await reconcile(world, apply=True, checkpoint=checkpoint, at_once=2)
    assert second.code == 0
    assert second.summary["looked_at"]["payments"] == 12
    assert second.summary["repaired"] == sum(second.summary["found"].values())
    oracle.check(world)


async def test_a_checkpoint_is_of_no_use_to_another_question(tmp_path: Path) -> None:
    world = World()
    await many(world, 2)
    checkpoint = tmp_path / "checkpoint.json"
    stop = asyncio.Event()
    stop.set()
    assert (await reconcile(world, stop=stop, checkpoint=checkpoint)).code == 3
    other = await reconcile(world, apply=True, checkpoint=checkpoint)
    assert other.code == 2
    assert "other options" in other.errors
    checkpoint.write_text("{}")
    assert (await reconcile(world, checkpoint=checkpoint)).code == 2


async def test_a_backend_that_stays_down_leaves_a_checkpoint(tmp_path: Path) -> None:
    world = World()
    await many(world)
    checkpoint = tmp_path / "checkpoint.json"
    world.network.trouble = lambda call: "busy" if "/v1/payment_intents/" in call.path else None
    down = await reconcile(world, apply=True, checkpoint=checkpoint)
    assert down.code == 3
    assert "Stripe" in down.errors
    world.network.trouble = no_trouble
    assert (await reconcile(world, apply=True, checkpoint=checkpoint)).code == 0
    oracle.check(world)


async def test_a_short_outage_is_waited_for() -> None:
    world = World()
    await many(world)
    dice = random.Random(1)
    world.network.trouble = lambda _: "busy" if dice.random() < 0.3 else None
    result = await reconcile(world, apply=True)
    assert result.code == 0
    oracle.check(world)


async def test_what_was_recorded_since_the_page_was_read_is_no_difference() -> None:
    world = World()
    await many(world, 4)
    recorded = []

    async def turn(call: Call) -> None:
        if call.path.endswith("/carts"):  # once intents and Payments of a page are read
            world.network.turn = None
            await world.deliver_all()
            recorded.append(call)

    world.network.turn = turn
    result = await reconcile(world)
    assert len(recorded) == 1
    assert (result.code, result.lines) == (0, [])


async def test_what_stripe_said_before_a_conflict_is_read_again() -> None:
    world = World()
    await world.paid(method="pm_card_createDispute")
    [dispute] = world.stripe.disputes
    await world.at_stripe(f"disputes/{dispute['id']}", status="under_review")
    await world.at_stripe(f"disputes/{dispute['id']}", status="lost")
    conflicts = []

    async def turn(call: Call) -> None:
        if call.method == "POST" and "/payments/" in call.path:
            world.network.turn = None
            await world.at_stripe(f"disputes/{dispute['id']}", status="won")
            await world.deliver_all()
            conflicts.append(call)

    world.network.turn = turn
    await reconcile(world, apply=True)
    assert len(conflicts) == 1
    oracle.check(world)


@pytest.mark.parametrize("seed", range(10))
async def test_webhooks_that_arrive_during_a_run_are_harmless(seed: int) -> None:
    world = World()
    await many(world, 6)
    shuffled(world, seed)
    delivered = list(world.stripe.events)
    random.Random(seed).shuffle(delivered)

    async def deliver() -> None:
        for event in delivered:
            answer = await world.deliver(event)
            assert answer.status_code in (200, 503)

    result, _ = await asyncio.gather(reconcile(world, apply=True), deliver())
    world.network.turn = None
    assert result.code == 0
    await world.deliver_all()
    oracle.check(world)
    before = len(world.network.calls)
    again = await reconcile(world, apply=True)
    assert (again.code, again.lines, written(world, before)) == (0, [], [])


@pytest.mark.parametrize("trouble", at_every_call)
@pytest.mark.parametrize("method", ["pm_card_visa", "pm_card_chargeCustomerFail"])
async def test_charges_of_stored_methods_cut_off_anywhere(method: str, trouble: Trouble) -> None:
    for call in itertools.count():
        lin, method_id, cart_id = await customer(method)
        world = lin.world
        world.network.trouble = once = Once(call, trouble)
        try:
            await charge(world, cart_id, method_id)
        except Crash:
            world.processor = world.start_processor()
        world.network.trouble = no_trouble
        received = sum(intent["amount_received"] for intent in world.stripe.intents)
        world.clock.advance(2 * DAY)
        await repaired_for_good(world, since="P3D")
        oracle.check(world)
        assert await unfinished(world) == []
        assert received == sum(intent["amount_received"] for intent in world.stripe.intents)
        if not once.happened:
            break
    assert call > 3
