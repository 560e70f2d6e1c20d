"""Starting a payment while everything goes wrong: crashes, lost answers, double clicks, old errors.

Whatever happened, one more call must leave the cart with one payment and one intent to pay it.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Mapping
from typing import Any, Literal

import httpx
import pytest

from sandbox.stripe.state import InternalError
from tests.behaviour.steps import with_total
from tests.wire import Call, Crash, Trouble
from tests.world import Processor, World, money

Json = dict[str, Any]

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
FAILURES: list[Trouble] = [
    "refused",
    "lost",
    "error before",
    "error after",
    "stored before",
    "stored after",
    "busy",
]
"""All that can go wrong while the processor lives."""
CUSTOMER = {"email": "lin@example.com", "firstName": "Lin"}


class Once:
    """Trouble at the n-th call, counted from zero."""

    def __init__(self, index: int, trouble: Trouble) -> None:
        self._left = index
        self._trouble = trouble
        self.happened = False

    def __call__(self, call: Call) -> Trouble | None:
        self._left -= 1
        if self._left == -1:
            self.happened = True
            return self._trouble
        return None


async def shop(*, known_customer: bool = False) -> tuple[World, str, Mapping[str, str]]:
    """A world, a cart and its session."""
    world = World()
    fields = {}
    if known_customer:
        created = await world.commercetools("POST", "customers", CUSTOMER)
        fields["customerId"] = created["customer"]["id"]
    cart = await world.cart(1000, **fields)
    session = await world.session(cart["id"])
    if known_customer:
        answer = await world.client.get("/customer/session", headers=session)
        assert answer.status_code == 200
        world.processor = world.start_processor()
    return world, cart["id"], session


async def start(processor: Processor, session: Mapping[str, str]) -> httpx.Response | None:
    """POST /payments; None where the processor died over it."""
    try:
        return await processor.client.post("/payments", headers=session)
    except Crash:
        return None


async def assert_one_payment(world: World, cart_id: str, started: Json) -> None:
    """One open intent in the whole account; it and the cart's one live payment are linked."""
    [intent] = [each for each in world.stripe.intents.newest({}) if each["status"] in OPEN]
    assert started["clientSecret"] == intent["client_secret"]
    cart = await world.commercetools("GET", f"carts/{cart_id}?expand=paymentInfo.payments[*]")
    on_cart = [reference["obj"] for reference in cart["paymentInfo"]["payments"]]
    assert len({payment["id"] for payment in on_cart}) == len(on_cart)
    live = [p for p in on_cart if p.get("paymentStatus", {}).get("interfaceCode") != "failed"]
    assert [p["id"] for p in live] == [started["paymentReference"]]
    assert live[0]["interfaceId"] == intent["id"]
    assert intent["metadata"]["ct_payment_id"] == live[0]["id"]
    customers = [each["id"] for each in world.stripe.customers.newest({})]
    assert [intent["customer"]] == (customers if "customerId" in cart else [None])
    total = cart["totalPrice"]["centAmount"]
    assert live[0]["amountPlanned"]["centAmount"] == intent["amount"] == total
    # No payment has been left beside the cart.
    everywhere = await world.commercetools("GET", "payments?limit=500")
    assert {payment["id"] for payment in everywhere["results"]} == {p["id"] for p in on_cart}


# Crashes


@pytest.mark.parametrize("known_customer", [False, True], ids=["guest", "customer"])
@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_after_a_crash_at_any_call_a_repetition_completes_the_start(
    trouble: Trouble, known_customer: bool
) -> None:
    crashes = 0
    for index in itertools.count():
        world, cart_id, session = await shop(known_customer=known_customer)
        world.network.trouble = fault = Once(index, trouble)
        await start(world.processor, session)
        if not fault.happened:
            break
        crashes += 1
        world.processor = world.start_processor()
        await assert_one_payment(world, cart_id, await world.start(session))
    assert crashes >= 7


@pytest.mark.parametrize("first", ["crash before", "crash after"])
@pytest.mark.parametrize("second", ["crash before", "crash after"])
async def test_after_two_crashes_too(first: Trouble, second: Trouble) -> None:
    for index, again in itertools.product(range(3, 7), range(3, 10)):
        world, cart_id, session = await shop()
        for fault in (Once(index, first), Once(again, second)):
            world.network.trouble = fault
            await start(world.processor, session)
            world.processor = world.start_processor()
        world.network.trouble = lambda _: None
        await assert_one_payment(world, cart_id, await world.start(session))


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_after_a_crash_the_cart_may_have_changed(trouble: Trouble) -> None:
    for index in range(3, 7):
        world, cart_id, session = await shop()
        world.network.trouble = Once(index, trouble)
        await start(world.processor, session)
        world.processor = world.start_processor()
        await world.reprice(cart_id, 2500)
        await assert_one_payment(world, cart_id, await world.start(session))


@pytest.mark.parametrize("trouble", ["crash before", "crash after"])
async def test_a_crash_while_the_amount_changes_is_made_good(trouble: Trouble) -> None:
    for index in itertools.count():
        world, cart_id, session = await shop()
        await world.start(session)
        await world.reprice(cart_id, 2500)
        world.processor = world.start_processor()
        world.network.trouble = fault = Once(index, trouble)
        await start(world.processor, session)
        if not fault.happened:
            break
        world.processor = world.start_processor()
        await assert_one_payment(world, cart_id, await world.start(session))
    assert index >= 5


async def test_a_start_that_was_cut_off_days_ago_is_completed_with_an_intent_of_its_own() -> None:
    """By then Stripe has forgotten the idempotency key; nobody ever had the first secret."""
    world, cart_id, session = await shop()
    world.network.trouble = lambda call: (
        "crash after" if call.path == "/v1/payment_intents" else None
    )
    await start(world.processor, session)
    world.network.trouble = lambda _: None
    world.processor = world.start_processor()
    world.clock.advance(25 * 3600)
    session = await world.session(cart_id)
    started = await world.start(session)
    payment = await world.payment(started["paymentReference"])
    assert payment["key"] == f"{cart_id}_1"
    assert started["clientSecret"].startswith(payment["interfaceId"])
    assert await world.start(session) == started


# Answers that are lost, and backends that fail


@pytest.mark.parametrize("known_customer", [False, True], ids=["guest", "customer"])
@pytest.mark.parametrize("trouble", FAILURES)
async def test_trouble_at_any_call_is_overcome_or_told_and_overcome_by_a_repetition(
    trouble: Trouble, known_customer: bool
) -> None:
    for index in itertools.count():
        world, cart_id, session = await shop(known_customer=known_customer)
        world.network.trouble = fault = Once(index, trouble)
        answer = await start(world.processor, session)
        if not fault.happened:
            break
        assert answer is not None
        assert answer.status_code in (200, 503), answer.text
        again = await world.start(session)
        if answer.status_code == 200:
            assert again == answer.json()
        await assert_one_payment(world, cart_id, again)
    assert index >= 7


@pytest.mark.parametrize("trouble", ["refused", "lost", "error before", "error after", "busy"])
@pytest.mark.parametrize("backend", ["stripe", "commercetools"])
async def test_while_a_backend_is_down_shoppers_get_a_503_and_afterwards_their_payment(
    backend: str, trouble: Trouble
) -> None:
    world, cart_id, session = await shop()
    world.network.trouble = lambda call: trouble if call.backend == backend else None
    for _ in range(3):
        answer = await start(world.processor, session)
        assert answer is not None
        assert answer.status_code == 503
        assert answer.json()["errors"][0]["code"] == "BackendUnavailable"
    world.network.trouble = lambda _: None
    await assert_one_payment(world, cart_id, await world.start(session))


@pytest.mark.parametrize("trouble", FAILURES)
async def test_trouble_at_any_two_calls_is_overcome(trouble: Trouble) -> None:
    for first, second in itertools.combinations(range(3, 9), 2):
        world, cart_id, session = await shop()
        faults = [Once(first, trouble), Once(second, trouble)]

        def on_the_way(call: Call, faults: list[Once] = faults) -> Trouble | None:
            return max((fault(call) for fault in faults), key=lambda found: found is not None)

        world.network.trouble = on_the_way
        answer = await start(world.processor, session)
        assert answer is not None
        assert answer.status_code in (200, 503), answer.text
        world.network.trouble = lambda _: None
        await assert_one_payment(world, cart_id, await world.start(session))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("times", [1, 2])
async def test_an_error_that_stripe_stores_for_the_key_does_not_block_the_cart(
    when: Literal["before", "after"], times: int
) -> None:
    world, cart_id, session = await shop()
    world.stripe.internal_errors.append(
        InternalError("err_1", "/v1/payment_intents", when, times=times)
    )
    for _ in range(times):
        answer = await start(world.processor, session)
        assert answer is not None
        assert answer.status_code in (200, 503)
    await assert_one_payment(world, cart_id, await world.start(session))


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("path", ["/v1/payment_intents/pi_*", "/v1/payment_intents/*/cancel"])
async def test_nor_does_one_that_it_stores_while_the_intent_changes(
    path: str, when: Literal["before", "after"]
) -> None:
    world, cart_id, session = await shop()
    await world.start(session)
    currency = "USD" if path.endswith("cancel") else "EUR"
    with_total(world, cart_id, money(1700, currency))
    world.stripe.internal_errors.append(InternalError("err_1", path, when))
    headers = {**session, "X-Correlation-ID": "always-the-same"}
    first = await world.client.post("/payments", headers=headers)
    assert first.status_code in (200, 503)
    again = await world.client.post("/payments", headers=headers)
    assert again.status_code == 200, again.text
    [intent] = [each for each in world.stripe.intents.newest({}) if each["status"] in OPEN]
    assert (intent["amount"], intent["currency"]) == (1700, currency.lower())
    assert intent["client_secret"] == again.json()["clientSecret"]


async def test_what_stripe_says_about_our_key_is_not_the_shoppers_business() -> None:
    world = World({"STRIPE_SECRET_KEY": "sk_test_wrong_0123456789"})
    cart = await world.cart()
    answer = await start(world.processor, await world.session(cart["id"]))
    assert answer is not None
    assert answer.status_code == 502
    assert "sk_test" not in answer.text
    assert "key" not in answer.text.lower()


# Two at once


def shuffled(world: World, seed: int) -> None:
    """Let calls of both processors overtake each other, differently for every seed."""
    dice = random.Random(seed)

    async def turn(_call: Call) -> None:
        for _ in range(dice.randrange(12)):
            await asyncio.sleep(0)

    world.network.turn = turn


@pytest.mark.parametrize("tabs", [2, 3], ids="{} tabs".format)
@pytest.mark.parametrize("same_processor", [True, False], ids=["one processor", "several"])
async def test_double_clicks_and_tabs_get_the_same_payment(same_processor: bool, tabs: int) -> None:
    for seed in range(25):
        world, cart_id, session = await shop()
        processors = [
            world.processor if same_processor else world.start_processor() for _ in range(tabs)
        ]
        shuffled(world, seed)
        answers = await asyncio.gather(*(start(each, session) for each in processors))
        bodies = [answer.json() for answer in answers if answer is not None]
        assert all(body == bodies[0] for body in bodies), (seed, bodies)
        assert "clientSecret" in bodies[0], (seed, bodies)
        await assert_one_payment(world, cart_id, bodies[0])


@pytest.mark.parametrize("trouble", ["crash after", "lost", "error after"])
async def test_a_tab_that_fails_halfway_does_not_harm_the_other(trouble: Trouble) -> None:
    for seed in range(12):
        world, cart_id, session = await shop()
        unlucky, lucky = world.start_processor(), world.start_processor()
        shuffled(world, seed)
        world.network.trouble = Once(4 + seed % 8, trouble)
        answers = await asyncio.gather(start(unlucky, session), start(lucky, session))
        statuses = {answer.status_code for answer in answers if answer is not None}
        assert statuses <= {200, 503}
        world.network.trouble = lambda _: None
        world.processor = world.start_processor()
        await assert_one_payment(world, cart_id, await world.start(session))


async def test_two_instances_of_which_one_has_met_the_customer_agree() -> None:
    """One knows at once whose Stripe customer it is, the other adds them when that is proven."""
    for seed in range(25):
        world, cart_id, session = await shop(known_customer=True)
        met, unmet = world.start_processor(), world.start_processor()
        customer_id = (await world.commercetools("GET", f"carts/{cart_id}"))["customerId"]
        other = await world.cart(700, customerId=customer_id)
        assert await start(met, await world.session(other["id"])) is not None
        for intent in list(world.stripe.intents.newest({})):
            await world.ask_stripe("POST", f"/v1/payment_intents/{intent['id']}/cancel")
        shuffled(world, seed)
        answers = await asyncio.gather(start(met, session), start(unmet, session))
        first, second = [answer.json() for answer in answers if answer is not None]
        assert first == second
        linked = await world.payment(first["paymentReference"])
        assert first["clientSecret"].startswith(linked["interfaceId"])
        world.network.turn = None
        assert await world.start(session) == first
        [known] = world.stripe.customers.newest({})
        assert world.stripe.intents[linked["interfaceId"]]["customer"] == known["id"]


async def test_two_tabs_at_a_cart_whose_price_has_changed_agree() -> None:
    for seed in range(15):
        world, cart_id, session = await shop()
        first = await world.start(session)
        await world.reprice(cart_id, 3100)
        shuffled(world, seed)
        answers = await asyncio.gather(*(start(world.start_processor(), session) for _ in range(2)))
        assert [answer.json() for answer in answers if answer] == [first, first]
        await assert_one_payment(world, cart_id, first)


async def test_a_cart_that_changes_while_it_is_started_is_followed_by_the_next_call() -> None:
    for seed in range(15):
        world, cart_id, session = await shop()
        shuffled(world, seed)
        answer, _ = await asyncio.gather(
            start(world.processor, session), world.reprice(cart_id, 4200)
        )
        assert answer is not None
        assert answer.status_code == 200, answer.text
        await assert_one_payment(world, cart_id, await world.start(session))


async def test_two_carts_never_share_anything() -> None:
    world = World()
    carts = [await world.cart(1000 + n) for n in range(5)]
    sessions = [await world.session(cart["id"]) for cart in carts]
    shuffled(world, 1)
    answers = await asyncio.gather(*(start(world.processor, session) for session in sessions))
    bodies = [answer.json() for answer in answers if answer is not None]
    assert [body["cartId"] for body in bodies] == [cart["id"] for cart in carts]
    assert len({body["clientSecret"] for body in bodies}) == len(carts)
    assert len({body["paymentReference"] for body in bodies}) == len(carts)
