"""One payment page of an order: never given up for what a caller chose, replaced without a gap.

At no moment two pages can be paid, wherever a replacement is cut off, and an expiry of our own
never fails or cancels an order.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from typing import Any

import httpx
import pytest

from tests.behaviour import buy_now
from tests.behaviour.test_bff_payments import Shopper, _reprice
from tests.wire import Call, Crash
from tests.world import Json, Processor, World

CANCELLING = {"CHECKOUT_CANCEL_UNPAID_ORDERS": "true"}
LINKS = {
    "CHECKOUT_LINK_SECRET": "a secret of more than thirty-two characters",
    "CONNECT_SERVICE_URL": "http://processor.test/",
}


async def ask(
    world: World, order_id: str, mode: str = "hosted_page", processor: Processor | None = None
) -> httpx.Response:
    client = (processor or world.processor).client
    return await client.post("/api/v1/payments/sessions", json={"id": order_id, "uiMode": mode})


async def opened(world: World, order_id: str, mode: str = "hosted_page") -> Json:
    answer = await ask(world, order_id, mode)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def open_pages(world: World, order_id: str) -> list[str]:
    return [
        session["id"]
        for session in world.stripe.sessions
        if session["client_reference_id"] == order_id and session["status"] == "open"
    ]


async def link(world: World, order_id: str) -> str:
    answer = await world.client.post(
        "/operations/payment-links", json={"orderId": order_id}, headers=await world.checkout()
    )
    return str(answer.json()["url"]).removeprefix("http://processor.test")


# A caller's choice


@pytest.mark.parametrize(
    ("first", "other"),
    [("hosted_page", "elements"), ("embedded_page", "hosted_page"), ("elements", "embedded_page")],
)
async def test_another_mode_leaves_the_open_page_and_names_it(first: str, other: str) -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"], first)
    answer = await ask(world, order["id"], other)
    assert (answer.status_code, answer.json()["code"]) == (409, "page_open")
    [error] = answer.json()["errors"]
    assert (error["id"], error["mode"], error["url"]) == (page["id"], first, page.get("url"))
    assert open_pages(world, order["id"]) == [page["id"]]
    await world.deliver_all()
    assert await shopper.states(order["id"]) == (None, "Open")
    assert len(await shopper.payments(order["id"])) == 1
    assert (await opened(world, order["id"], first))["id"] == page["id"]


async def test_a_link_of_ours_may_replace_a_page_of_another_mode() -> None:
    world = World({**LINKS, **CANCELLING})
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"], "elements")
    answer = await world.client.get(await link(world, order["id"]))
    assert answer.status_code == 303
    session = {"id": answer.headers["location"].rpartition("/")[2]}
    assert open_pages(world, order["id"]) == [session["id"]] != [page["id"]]
    await world.deliver_all()
    assert await shopper.states(order["id"]) == (None, "Open")
    await shopper.pay(session)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_visitor_who_asks_for_another_mode_keeps_the_page_and_the_cart() -> None:
    world = World(buy_now.ENABLED)
    page = await buy_now.create(world)
    answer = await world.client.get("/create-checkout-session?ui_mode=elements")
    assert (answer.status_code, answer.json()["errors"][0]["id"]) == (409, page["id"])
    assert len(buy_now.carts(world)) == 1


# A changed total


async def test_a_replaced_page_is_marked_and_nothing_of_it_fails_the_order() -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    first = await opened(world, order["id"])
    await _reprice(world, order["id"], 2700)
    second = await opened(world, order["id"])
    for event in [*reversed(list(world.stripe.events)), *world.stripe.events]:
        assert (await world.deliver(event)).status_code == 200
    assert open_pages(world, order["id"]) == [second["id"]] != [first["id"]]
    assert await shopper.states(order["id"]) == (None, "Open")
    old, new = await shopper.payments(order["id"])
    assert old["paymentStatus"]["interfaceCode"] == "superseded"
    assert await world.transactions(old["id"]) == [("Authorization", 2500, "Failure")]
    assert await world.transactions(new["id"]) == [("Authorization", 2700, "Initial")]
    await shopper.pay(second)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_page_on_which_a_card_was_declined_is_replaced_too() -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    first = await opened(world, order["id"])
    await shopper.pay(first, "4000000000000002")
    await _reprice(world, order["id"], 2700)
    second = await opened(world, order["id"])
    await world.deliver_all()
    assert open_pages(world, order["id"]) == [second["id"]]
    assert await shopper.states(order["id"]) == (None, "Open")
    await shopper.pay(second)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_merchants_edits_are_never_capped() -> None:
    world = World({"CHECKOUT_PAGES_PER_ORDER_PER_HOUR": "2"})
    shopper = Shopper(world)
    order = await shopper.order()
    for cents in range(2500, 2506):
        await _reprice(world, order["id"], cents)
        page = await opened(world, order["id"])
        assert world.stripe.sessions[page["id"]]["amount_total"] == cents
        assert open_pages(world, order["id"]) == [page["id"]]


class Trace:
    """What is watched, and done, before and after each call of a replacement."""

    def __init__(self, world: World, order_id: str) -> None:
        self.world = world
        self.order_id = order_id
        self.moments = 0
        self.at: int | None = None
        self.action: Any = None
        self._inside = False
        world.network.turn = self._turn

    async def _turn(self, _call: Call) -> None:
        if self._inside:
            return
        assert len(open_pages(self.world, self.order_id)) <= 1
        self.moments += 1
        if self.action is not None and self.at in (None, self.moments - 1):
            self._inside = True
            await self.action()
            self._inside = False


async def replaced(environment: Json | None = None) -> tuple[World, Shopper, str, Json]:
    """An order whose page asks for an old total."""
    world = World({**CANCELLING, **(environment or {})})
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"])
    await _reprice(world, order["id"], 2700)
    return world, shopper, order["id"], page


async def test_events_between_any_two_calls_of_a_replacement_fail_nothing() -> None:
    world, shopper, order_id, _ = await replaced()
    other = world.start_processor()
    trace = Trace(world, order_id)

    async def everything_arrives() -> None:
        for event in list(world.stripe.events):
            assert (await world.deliver(event, other)).status_code == 200
        assert await shopper.states(order_id) == (None, "Open")

    trace.action = everything_arrives
    page = await opened(world, order_id)
    assert trace.moments > 10
    assert open_pages(world, order_id) == [page["id"]]
    await everything_arrives()


async def test_a_page_that_is_paid_at_any_moment_of_its_replacement_leaves_the_rest_alone() -> None:
    moment, outcomes = 0, set()
    while True:
        world, shopper, order_id, first = await replaced()
        trace = Trace(world, order_id)
        trace.at = moment

        async def pay(shopper: Shopper = shopper, first: Json = first) -> None:
            await shopper.pay(first)

        trace.action = pay
        answer = await ask(world, order_id)
        if trace.moments <= moment:
            break
        world.network.turn = None
        await world.deliver_all()
        old, *later = await shopper.payments(order_id)
        taken = [t for t in await world.transactions(old["id"]) if t[0] == "Charge"]
        outcomes.add((answer.status_code, bool(taken)))
        assert await shopper.states(order_id) == (None, "Open")
        if taken:
            asked = [answer.json()["id"]] if answer.status_code == 201 else []
            assert open_pages(world, order_id) == asked
            assert old["paymentStatus"]["interfaceCode"] == "amount_mismatch"
            rest = await opened(world, order_id)
            assert world.stripe.sessions[rest["id"]]["amount_total"] == 200
            assert open_pages(world, order_id) == [rest["id"]]
        else:
            assert open_pages(world, order_id) == [answer.json()["id"]]
        for each in later:
            assert "Charge" not in [t[0] for t in await world.transactions(each["id"])]
        moment += 1
    # Paid before the replacement began, the rest is asked for at once; later, the request stops.
    assert outcomes == {(201, True), (409, True), (201, False)}


@pytest.mark.parametrize("trouble", ["crash before", "crash after", "lost", "error after"])
async def test_a_replacement_that_is_cut_off_anywhere_is_completed_by_the_next_request(
    trouble: Any,
) -> None:
    index = 0
    while True:
        world, shopper, order_id, _ = await replaced()
        Trace(world, order_id)
        left = index

        def meet(_: object) -> Any:
            nonlocal left
            left -= 1
            return trouble if left == -1 else None

        world.network.trouble = meet
        with contextlib.suppress(Crash):
            await ask(world, order_id)
        if left >= 0:
            break
        world.network.trouble = lambda _: None
        world.processor = world.start_processor()
        await world.deliver_all()
        assert await shopper.states(order_id) == (None, "Open")
        page = await opened(world, order_id)
        assert open_pages(world, order_id) == [page["id"]]
        await world.deliver_all()
        assert await shopper.states(order_id) == (None, "Open")
        await shopper.pay(page)
        await world.deliver_all()
        assert await shopper.states(order_id) == ("Paid", "Confirmed")
        index += 1
    assert index > 8


@pytest.mark.parametrize("seed", range(25))
async def test_two_instances_replace_a_page_at_once_and_open_one(seed: int) -> None:
    world, shopper, order_id, _ = await replaced()
    other = world.start_processor()
    chance = random.Random(seed)

    async def turn(_call: Call) -> None:
        assert len(open_pages(world, order_id)) <= 1
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < 0.1:
            await _reprice(world, order_id, 2700 + chance.randrange(3))

    world.network.turn = turn
    await asyncio.gather(
        *(ask(world, order_id, processor=each) for each in (world.processor, other) * 2)
    )
    world.network.turn = None
    page = await opened(world, order_id)
    assert open_pages(world, order_id) == [page["id"]]
    await world.deliver_all()
    assert await shopper.states(order_id) == (None, "Open")
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order_id) == ("Paid", "Confirmed")


# The end of a page


@pytest.mark.parametrize("action", ["cancelPayment", "reversePayment"])
@pytest.mark.parametrize("declined", [False, True])
async def test_a_page_that_the_merchant_closes_fails_no_order(action: str, declined: bool) -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"])
    if declined:
        await shopper.pay(page, "4000000000000002")
        await world.deliver_all()
    (payment,) = await shopper.payments(order["id"])
    assert await world.modify(payment["id"], action=action) == {"outcome": "approved"}
    await world.deliver_all()
    assert open_pages(world, order["id"]) == []
    assert await shopper.states(order["id"]) == (None, "Open")


async def test_a_page_whose_time_ran_out_fails_its_order() -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    await opened(world, order["id"])
    world.clock.advance(90_000)
    world.stripe.run_due()
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Failed", "Cancelled")


# How often


async def test_openings_of_an_order_share_a_rate_on_all_instances() -> None:
    world = World({"CHECKOUT_PAGES_PER_ORDER_PER_HOUR": "3"})
    shopper = Shopper(world)
    order = await shopper.order()
    for _ in range(3):
        page = await opened(world, order["id"])
        assert (await opened(world, order["id"]))["id"] == page["id"]
        await world.ask_stripe("POST", f"/v1/checkout/sessions/{page['id']}/expire")
        await world.deliver_all()
        world.clock.advance(600)
    answers = [await ask(world, order["id"], processor=world.start_processor()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [429] * 3
    wait = int(answers[0].headers["retry-after"])
    assert 3600 - 1800 - 5 <= wait <= 3600 - 1800 + 5
    assert len(await shopper.payments(order["id"])) == 3
    world.clock.advance(wait)
    await shopper.pay(await opened(world, order["id"]))
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_above_the_rate_a_link_leads_on_to_the_page_that_is_open() -> None:
    world = World({**LINKS, "CHECKOUT_PAGES_PER_ORDER_PER_HOUR": "1"})
    order = await Shopper(world).order()
    page = await opened(world, order["id"], "elements")
    answer = await world.client.get(await link(world, order["id"]))
    assert answer.status_code == 303
    assert open_pages(world, order["id"]) == [page["id"]]


# What others have brought


async def test_a_page_asks_for_the_rest_of_what_the_shops_own_page_has_taken() -> None:
    world = World()
    shopper = Shopper(world)
    fields: Json = {"shippingAddress": {"country": "DE"}}
    cart = await world.cart(1000, **fields)
    started = await world.start(await world.session(cart["id"]))
    await world.pay(started["clientSecret"])
    await world.deliver_all()
    await world.reprice(cart["id"], 1500)
    order = (await world.client.post(f"/api/v1/carts/{cart['id']}/order")).json()
    page = await opened(world, order["id"])
    assert world.stripe.sessions[page["id"]]["amount_total"] == 500
    assert (await opened(world, order["id"]))["id"] == page["id"]
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


async def test_a_debit_that_failed_unheard_does_not_bar_the_next_page() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    debit = {"method": "sepa_debit", "iban": "DE89370400440532013000", "holder": "Ada"}
    await shopper.pay(await opened(world, order["id"]), **debit)
    await world.deliver_all()
    assert (await ask(world, order["id"])).json()["code"] == "PaymentProcessing"
    (intent,) = list(world.stripe.intents)
    await world.at_stripe(f"payment_intents/{intent['id']}/settle", outcome="fail")
    await shopper.pay(await opened(world, order["id"]))
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


# Others in the same account


@pytest.mark.parametrize("told", [False, True])
async def test_a_page_that_is_left_in_the_middle_of_authentication_goes_on(told: bool) -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"])
    await _leave_authentication(world, page["id"])
    if told:
        await world.deliver_all()

    again = await opened(world, order["id"])

    assert again == page
    await world.deliver_all()
    assert await shopper.states(order["id"]) == (None, "Open")
    [intent] = world.stripe.intents
    await world.at_stripe(f"payment_intents/{intent['id']}/authenticate", outcome="succeed")
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")


@pytest.mark.parametrize("told", [False, True])
async def test_a_page_that_is_left_in_the_middle_is_replaced_where_the_total_changed(
    told: bool,
) -> None:
    world = World(CANCELLING)
    shopper = Shopper(world)
    order = await shopper.order()
    page = await opened(world, order["id"])
    await _leave_authentication(world, page["id"])
    if told:
        await world.deliver_all()
    await _reprice(world, order["id"], 2000)

    successor = await opened(world, order["id"])

    assert open_pages(world, order["id"]) == [successor["id"]] != [page["id"]]
    await world.deliver_all()
    assert await shopper.states(order["id"]) == (None, "Open")
    await shopper.pay(successor)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    assert sum(intent["amount_received"] for intent in world.stripe.intents) == 2000


async def _leave_authentication(world: World, session_id: str) -> None:
    """The shopper's bank asks for 3-D Secure, and the shopper goes away."""
    await world.at_stripe(
        f"checkout/sessions/{session_id}/pay",
        payment_method="pm_card_authenticationRequired",
        email="ada@example.com",
    )
    [intent] = world.stripe.intents
    assert intent["status"] == "requires_action"


async def test_a_foreign_session_without_amounts_disturbs_nothing() -> None:
    world = World()
    shopper = Shopper(world)
    order = await shopper.order()
    foreign = await world.ask_stripe(
        "POST", "/v1/checkout/sessions", mode="setup", success_url="https://other.example/done"
    )
    assert (foreign["amount_total"], foreign["currency"]) == (None, None)

    def stored(call: Call) -> Any:
        return "stored after" if call.path == "/v1/checkout/sessions" else None

    world.network.trouble = stored
    await ask(world, order["id"])
    world.network.trouble = lambda _: None
    page = await opened(world, order["id"])
    assert open_pages(world, order["id"]) == [page["id"]]
    await shopper.pay(page)
    await world.deliver_all()
    assert await shopper.states(order["id"]) == ("Paid", "Confirmed")
    assert world.stripe.sessions[foreign["id"]]["status"] == "open"
