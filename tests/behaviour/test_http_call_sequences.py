"""How many backend calls each operation makes in sequence: what its latency is made of.

Calls that run side by side count once. Every call takes the same time here, so the number is that
of the longest row of calls of which each began after the one before it had ended.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from stripe_connector.ledger import proof
from tests.behaviour.stored import PATH, body_of, charge, regular, state_of
from tests.wire import Call
from tests.world import World, money

Json = dict[str, Any]

_LASTS = 60
"""Turns of the event loop that a call takes: enough for equal ones to begin meanwhile."""


class Timeline:
    """Begins and ends of calls, in order."""

    def __init__(self) -> None:
        self._now = 0
        self._begun: dict[int, tuple[Call, int]] = {}
        self._ended: list[tuple[str, int, int]] = []

    async def turn(self, call: Call) -> None:
        """Plugged into the network: called before each call and before its answer."""
        self._now += 1
        if id(call) not in self._begun:
            self._begun[id(call)] = (call, self._now)
            for _ in range(_LASTS):
                await asyncio.sleep(0)
            return
        self._ended.append((call.name, self._begun[id(call)][1], self._now))

    def clear(self) -> None:
        self._begun.clear()
        self._ended.clear()

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self._ended]

    @property
    def in_sequence(self) -> int:
        """The length of the longest chain of calls that did not overlap."""
        longest: list[tuple[int, int]] = []
        for _, began, ended in sorted(self._ended, key=lambda call: call[1]):
            before = max((n for end, n in longest if end < began), default=0)
            longest.append((ended, before + 1))
        return max((n for _, n in longest), default=0)


class Stage:
    """A world whose processor has its access token and whose types exist."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.timeline = Timeline()

    async def call(self, method: str, path: str, **request: Any) -> tuple[httpx.Response, int]:
        """The answer, and the calls in sequence that it took."""
        self.timeline.clear()
        answer = await self.world.client.request(method, path, **request)
        return answer, self.timeline.in_sequence

    async def forget_sessions(self) -> None:
        """Let what is remembered of sessions grow too old."""
        self.world.clock.advance(11)

    async def cached(self, session: Mapping[str, str]) -> Mapping[str, str]:
        await self.world.client.get("/operations/config", headers=session)
        return session

    async def deliver(self, event: Json) -> tuple[str, int]:
        """The effect of a webhook, and the calls in sequence that it took."""
        self.timeline.clear()
        answer = await self.world.deliver(event)
        assert answer.status_code == 200, answer.text
        return answer.json()["effect"], self.timeline.in_sequence

    def event(self, type_: str) -> Json:
        return next(event for event in reversed(self.world.stripe.events) if event["type"] == type_)


async def stage(**environment: str) -> Stage:
    world = World(environment)
    await world.client.get("/operations/status", headers=await world.merchant_center())
    await world.commercetools("POST", "types", proof.proof_type_draft())
    set_ = Stage(world)
    world.network.turn = set_.timeline.turn
    return set_


async def new_session(world: World, **cart: Any) -> Mapping[str, str]:
    made = await world.cart(**cart)
    return await world.session(made["id"])


async def test_the_timeline_counts_calls_side_by_side_once() -> None:
    timeline = Timeline()

    async def call(path: str) -> None:
        made = Call("stripe", "GET", path, "", b"", {})
        await timeline.turn(made)
        await timeline.turn(made)

    await call("/a")
    await asyncio.gather(call("/b"), call("/c"), call("/d"))
    await call("/e")
    assert len(timeline.names) == 5
    assert timeline.in_sequence == 3


async def test_the_first_call_of_a_processor_fetches_its_access_token_too() -> None:
    on = await stage()
    on.world.processor = on.world.start_processor()
    _, calls = await on.call("GET", "/operations/config", headers=await new_session(on.world))
    assert calls == 2
    assert on.timeline.names[0] == "commercetools POST /oauth/token"


async def test_config_reads_the_session_unless_it_is_known() -> None:
    on = await stage()
    session = await new_session(on.world)
    assert (await on.call("GET", "/operations/config", headers=session))[1] == 1
    assert (await on.call("GET", "/operations/config", headers=session))[1] == 0


async def test_a_first_start_takes_five_calls_and_four_where_the_cart_is_known() -> None:
    on = await stage()
    session = await new_session(on.world)
    answer, calls = await on.call("POST", "/payments", headers=session)
    assert (answer.status_code, calls) == (200, 5)
    assert on.timeline.names == [
        "commercetools GET /sandbox/sessions/*",
        "commercetools GET /sandbox/carts/*",
        # Once per process, beside the reads:
        "stripe GET /v1/account",
        "commercetools GET /sandbox/custom-objects/stripe-connector/live-owner",
        "commercetools POST /sandbox/payments",
        "stripe POST /v1/payment_intents",
        "commercetools POST /sandbox/carts/*",
        "commercetools POST /sandbox/payments/*",
    ]
    session = await on.cached(await new_session(on.world))
    assert (await on.call("POST", "/payments", headers=session))[1] == 4


async def test_a_known_customers_start_takes_no_longer_than_a_guests() -> None:
    on = await stage()
    created = await on.world.commercetools("POST", "customers", {"email": "lin@example.com"})
    fields = {"customerId": created["customer"]["id"]}
    await on.world.client.get("/customer/session", headers=await new_session(on.world, **fields))
    session = await new_session(on.world, **fields)
    assert (await on.call("POST", "/payments", headers=session))[1] == 5
    assert (await on.call("POST", "/payments", headers=session))[1] == 2


@pytest.mark.parametrize("body", [{}, {"storePaymentMethod": True}], ids=["once", "stored"])
@pytest.mark.parametrize("cart_known", [False, True], ids=["unknown cart", "known cart"])
async def test_nor_does_a_customers_whom_an_instance_has_not_met(
    cart_known: bool, body: Json
) -> None:
    """Whose the Stripe customer is that the profile names is asked beside the intent's making."""
    on = await stage(STORED_PAYMENT_METHODS_ENABLED="true")
    lin = await regular(on.world)
    on.world.processor = on.world.start_processor()
    await on.world.client.get("/operations/config", headers=await new_session(on.world))
    session = await lin.session()
    if cart_known:
        await on.cached(session)
    answer, calls = await on.call("POST", "/payments", headers=session, json=body)
    assert (answer.status_code, calls) == (200, 4 if cart_known else 5)
    [intent] = on.world.stripe.intents.newest({})
    assert intent["customer"] == lin.stripe_id


async def test_starting_again_takes_three_calls_and_two_where_the_cart_is_known() -> None:
    on = await stage()
    session = await new_session(on.world)
    await on.world.start(session)
    assert (await on.call("POST", "/payments", headers=session))[1] == 2
    await on.forget_sessions()
    assert (await on.call("POST", "/payments", headers=session))[1] == 3
    assert not any("POST" in name for name in on.timeline.names)


async def test_starting_again_at_another_price_takes_the_two_writes_more() -> None:
    on = await stage()
    cart = await on.world.cart()
    session = await on.world.session(cart["id"])
    await on.world.start(session)
    await on.world.reprice(cart["id"], 1700)
    assert (await on.call("POST", "/payments", headers=session))[1] == 4


async def test_confirming_takes_at_most_three_calls() -> None:
    on = await stage()
    for known, expected in ((True, 2), (False, 3)):
        session = await new_session(on.world)
        started = await on.world.start(session)
        paid = await on.world.pay(started["clientSecret"])
        if not known:
            await on.forget_sessions()
        path = f"/confirmPayments/{started['paymentReference']}"
        body = {"paymentIntent": paid["id"]}
        answer, calls = await on.call("POST", path, headers=session, json=body)
        assert (answer.status_code, calls) == (200, expected)
        # Told already: nothing is written.
        assert (await on.call("POST", path, headers=session, json=body))[1] == 1


async def test_the_element_takes_two_calls_and_one_where_the_cart_is_known() -> None:
    on = await stage()
    for path in ("/config-element/payment", "/express-payment-data"):
        session = await new_session(on.world)
        assert (await on.call("GET", path, headers=session))[1] == 2
        assert (await on.call("GET", path, headers=session))[1] == 1


async def test_a_known_customers_session_takes_four_calls() -> None:
    on = await stage()
    created = await on.world.commercetools("POST", "customers", {"email": "lin@example.com"})
    session = await new_session(on.world, customerId=created["customer"]["id"])
    await on.world.client.get("/customer/session", headers=session)
    await on.forget_sessions()
    answer, calls = await on.call("GET", "/customer/session", headers=session)
    assert (answer.status_code, calls) == (200, 4)
    assert (await on.call("GET", "/customer/session", headers=session))[1] == 3


async def test_a_guests_customer_session_asks_for_the_cart_alone() -> None:
    on = await stage()
    session = await on.cached(await new_session(on.world))
    answer, calls = await on.call("GET", "/customer/session", headers=session)
    assert (answer.status_code, calls) == (204, 1)


async def test_where_methods_are_stored_config_reads_the_cart_too() -> None:
    on = await stage(STORED_PAYMENT_METHODS_ENABLED="true")
    session = await new_session(on.world)
    assert (await on.call("GET", "/operations/config", headers=session))[1] == 2
    assert (await on.call("GET", "/operations/config", headers=session))[1] == 1


async def test_stored_methods_take_four_calls_and_starting_with_one_no_more_than_without() -> None:
    on = await stage(STORED_PAYMENT_METHODS_ENABLED="true")
    lin = await regular(on.world)
    method_id = await lin.on_file()
    session = await lin.session()
    answer, calls = await on.call("GET", PATH, headers=session)
    assert (answer.status_code, calls) == (200, 4)
    assert (await on.call("GET", PATH, headers=session))[1] == 3
    await on.forget_sessions()
    body = {"storedPaymentMethodId": method_id}
    session = await lin.session()
    answer, calls = await on.call("POST", "/payments", headers=session, json=body)
    assert (answer.status_code, calls) == (200, 5)
    session = await on.cached(await lin.session())
    answer, calls = await on.call("POST", "/payments", headers=session, json=body)
    assert (answer.status_code, calls) == (200, 4)
    path = f"{PATH}/{method_id}"
    answer, calls = await on.call("DELETE", path, headers=session)
    # Whether a recurring order is paid with it is asked before it is detached.
    assert (answer.status_code, calls) == (200, 4)


async def test_a_charge_of_a_stored_method_takes_eight_calls_where_the_caller_is_known() -> None:
    """Two of them so that a repetition always meets one intent: made, recorded, then confirmed."""
    on = await stage(STORED_PAYMENT_METHODS_ENABLED="true")
    lin = await regular(on.world)
    method_id = await lin.on_file()
    first = await on.world.cart(customerId=lin.id)
    assert state_of(await charge(on.world, first["id"], method_id)) == "Completed"
    cart = await on.world.cart(customerId=lin.id)
    answer, calls = await on.call(
        "POST",
        "/operations/transactions",
        json=body_of(cart["id"], method_id),
        headers=await on.world.checkout(),
    )
    assert (state_of(answer), calls) == ("Completed", 8)


async def test_a_webhook_takes_two_calls_and_one_when_it_comes_again() -> None:
    on = await stage()
    started = await on.world.start(await new_session(on.world))
    await on.world.pay(started["clientSecret"])
    succeeded = on.event("payment_intent.succeeded")
    assert await on.deliver(succeeded) == ("stored", 2)
    assert await on.deliver(succeeded) == ("already stored", 1)
    assert on.timeline.names == ["commercetools GET /sandbox/payments/*"]


async def test_an_event_that_says_nothing_takes_no_call() -> None:
    on = await stage()
    await on.world.start(await new_session(on.world))
    assert await on.deliver(on.event("payment_intent.created")) == ("ignored", 0)


async def test_a_refund_made_at_stripe_takes_three_calls() -> None:
    on = await stage()
    payment = await on.world.paid()
    interface_id = (await on.world.payment(payment))["interfaceId"]
    await on.world.ask_stripe("POST", "/v1/refunds", payment_intent=interface_id, amount="400")
    assert await on.deliver(on.event("charge.refunded")) == ("stored", 3)
    assert (await on.deliver(on.event("charge.refunded")))[1] <= 3
    assert (await on.world.transactions(payment))[-1] == ("Refund", 400, "Success")


async def test_a_capture_takes_five_calls_and_four_where_the_caller_is_known() -> None:
    on = await stage(STRIPE_CAPTURE_METHOD="manual")
    await on.world.modify(await on.world.paid(), action="cancelPayment")  # makes the custom type
    for known, expected in ((True, 4), (False, 5)):
        payment = await on.world.paid()
        headers = await on.world.checkout()
        if not known:
            on.world.clock.advance(31)
        answer, calls = await on.call(
            "POST",
            f"/operations/payment-intents/{payment}",
            headers=headers,
            json={"actions": [{"action": "capturePayment", "amount": money(1000)}]},
        )
        assert (answer.json(), calls) == ({"outcome": "approved"}, expected)


async def test_probes_and_refusals_take_no_call() -> None:
    on = await stage()
    for method, path in (
        ("GET", "/health/live"),
        ("GET", "/health/ready"),
        ("GET", "/operations/config"),
        ("POST", "/stripe/webhooks"),
        ("POST", "/operations/payment-intents/1"),
    ):
        assert (await on.call(method, path))[1] == 0
