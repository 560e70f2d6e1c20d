"""What the state machines share: two instances, trouble on the way, and a world that moves."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, get_args

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sandbox.stripe import charges
from tests.property.schedule import interleaved
from tests.wire import Call, Crash, Trouble
from tests.world import Create, Json, Processor, World, create_today

Send = Callable[[], Coroutine[Any, Any, None]]
Request = Callable[[int], Coroutine[Any, Any, None]]
"""A request to the instance of a number, not sent yet."""
Move = Callable[[st.DataObject], Coroutine[Any, Any, None]]

amounts = st.sampled_from([100, 300, 400, 1000])
troubles = st.sampled_from(get_args(Trouble))


class Machine(RuleBasedStateMachine):
    """All is real but the network. What is asked and what moves, its subclasses say."""

    world: World
    second: Create = staticmethod(create_today)
    """What the second instance runs; the first runs today's code."""
    unkind: bool = True
    """Whether Stripe does what version 0.1.0 knew nothing of: 500s that it completes later, refunds
    that are none, raised authorizations and overcaptures, disputes whose money says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.runner = asyncio.Runner()
        self.processors: list[Processor] = []
        self.acknowledged: set[str] = set()

    def open_world(self, environment: dict[str, str]) -> None:
        self.world = World(environment)
        self.processors = [self.world.processor, self.world.start_processor(self.second)]

    def draw_request(self, data: st.DataObject) -> Request:
        """Any request that somebody may send now."""
        raise NotImplementedError

    def moves(self) -> list[Move]:
        """What may happen outside of the processors."""
        raise NotImplementedError

    def check(self) -> None:
        """What must hold at the end; delivers what has to be delivered before."""
        raise NotImplementedError

    def run(self, request: Coroutine[Any, Any, Any]) -> Any:
        try:
            return self.runner.run(request)
        except Crash:
            return None
        finally:
            self._revive()

    def _revive(self) -> None:
        """A crashed instance is replaced, as a platform would do."""
        for number, processor in enumerate(self.processors):
            if processor.wire.dead:
                self.processors[number] = self.world.start_processor(processor.create)

    # Rules

    @rule(data=st.data())
    def one_request(self, data: st.DataObject) -> None:
        self.run(self._any_request(data)())

    @rule(data=st.data(), trouble=troubles, after=st.integers(0, 7), calls=st.integers(1, 6))
    def one_request_in_trouble(
        self, data: st.DataObject, trouble: Trouble, after: int, calls: int
    ) -> None:
        self._in_trouble(trouble, after, calls)
        self.run(self._any_request(data)())
        self.world.network.trouble = lambda _: None

    @rule(
        data=st.data(),
        number=st.integers(2, 4),
        same=st.booleans(),
        trouble=st.none() | troubles,
        after=st.integers(0, 12),
    )
    def requests_at_once(
        self,
        data: st.DataObject,
        number: int,
        same: bool,
        trouble: Trouble | None,
        after: int,
    ) -> None:
        """Different ones, or one that is sent several times at once."""
        if same:
            request = self.draw_request(data)
            requests: list[Send] = [partial(request, processor % 2) for processor in range(number)]
        else:
            requests = [self._any_request(data) for _ in range(number)]
        if trouble is not None:
            self._in_trouble(trouble, after, 1)

        async def choose(waiting: int) -> int:
            if data.draw(st.integers(0, 7), label="outside") == 7:
                await self._outside(data)
            return data.draw(st.integers(0, waiting - 1), label="turn") if waiting > 1 else 0

        self.run(interleaved(self.world.network, [send() for send in requests], choose))
        self.world.network.trouble = lambda _: None

    @rule(data=st.data())
    def outside_world_moves(self, data: st.DataObject) -> None:
        self.run(self._outside(data))

    def _any_request(self, data: st.DataObject) -> Send:
        """One request to one of the instances."""
        return partial(self.draw_request(data), data.draw(st.integers(0, 1), label="processor"))

    def _in_trouble(self, trouble: Trouble, after: int, calls: int) -> None:
        """The calls after so many calls, and those alone, meet trouble."""
        made = 0
        if trouble == "stored later" and not self.unkind:
            trouble = "stored before"

        def meet(_: Call) -> Trouble | None:
            nonlocal made
            made += 1
            return trouble if after < made <= after + calls else None

        self.world.network.trouble = meet

    async def _outside(self, data: st.DataObject) -> None:
        await data.draw(st.sampled_from(self.moves()), label="move")(data)

    # What may be asked of any processor

    async def deliver(self, event: Json, processor: int) -> None:
        answer: httpx.Response = await self.world.deliver(event, self.processors[processor])
        assert answer.status_code in (200, 502, 503), answer.text
        if answer.status_code == 200:
            self.acknowledged.add(event["id"])

    def draw_delivery(self, data: st.DataObject) -> Request:
        event = data.draw(st.sampled_from(self.world.stripe.events), label="event")
        return partial(self.deliver, event)

    def everything_is_delivered(self) -> None:
        """Stripe repeats what was not acknowledged, and only that; the network is sound again."""
        for _ in range(6):
            for event in list(self.world.stripe.events):
                if event["id"] not in self.acknowledged:
                    self.run(self.deliver(event, 0))
        left = [e["id"] for e in self.world.stripe.events if e["id"] not in self.acknowledged]
        assert not left, f"never acknowledged: {left}"

    # What may move outside

    async def bank_or_shopper_decides(self, data: st.DataObject) -> None:
        undecided = {
            i["id"]: "settle" if i["status"] == "processing" else "authenticate"
            for i in self.world.stripe.intents
            if i["status"] in ("processing", "requires_action")
        }
        if undecided:
            intent = data.draw(st.sampled_from(sorted(undecided)), label="intent")
            outcome = data.draw(st.sampled_from(["succeed", "fail"]), label="outcome")
            path = f"payment_intents/{intent}/{undecided[intent]}"
            await self.world.at_stripe(path, outcome=outcome)

    async def merchant_uses_the_dashboard(self, data: st.DataObject) -> None:
        """Captures, cancels and refunds that the processor learns of by webhook alone."""
        if not list(self.world.stripe.intents):
            return
        intent = data.draw(st.sampled_from(list(self.world.stripe.intents)), label="intent")
        amount = data.draw(amounts, label="amount")
        path = f"/v1/payment_intents/{intent['id']}"
        if intent["status"] == "requires_capture":
            if data.draw(st.integers(0, 3), label="increment") == 3:
                with contextlib.suppress(AssertionError):  # not asked for, or captured in part
                    await self.world.ask_stripe(
                        "POST",
                        f"{path}/increment_authorization",
                        amount=intent["amount"] + amount,
                    )
            elif data.draw(st.integers(0, 3), label="overcapture") == 3:
                most = charges.most_capturable(self.world.stripe.charges[intent["latest_charge"]])
                if most > intent["amount_capturable"] and not intent["amount_received"]:
                    await self.world.ask_stripe("POST", f"{path}/capture", amount_to_capture=most)
                    self.was_captured_elsewhere(intent["id"], most)
            elif data.draw(st.booleans(), label="capture"):
                amount = min(amount, intent["amount_capturable"])
                await self.world.ask_stripe("POST", f"{path}/capture", amount_to_capture=amount)
                self.was_captured_elsewhere(intent["id"], amount)
            elif not intent["amount_received"]:
                await self.world.ask_stripe("POST", f"{path}/cancel")
        elif intent["status"] == "succeeded" and self._refundable(intent) >= amount:
            await self.world.ask_stripe(
                "POST", "/v1/refunds", payment_intent=intent["id"], amount=amount
            )

    def was_captured_elsewhere(self, intent_id: str, amount: int) -> None:
        """The merchant has captured so much without the processor."""

    def allow_increments_and_overcaptures(self, client_secret: str) -> None:
        """What a merchant may ask of a card, before it is charged."""
        intent = self.world.stripe.intents[client_secret.partition("_secret_")[0]]
        intent["payment_method_options"]["card"].update(
            request_overcapture="if_available", request_incremental_authorization="if_available"
        )

    def _refundable(self, intent: Json) -> int:
        if any(d["payment_intent"] == intent["id"] for d in self.world.stripe.disputes):
            return 0
        refunded = sum(
            r["amount"]
            for r in self.world.stripe.refunds
            if r["payment_intent"] == intent["id"]
            and r["status"] not in ("failed", "canceled")
            and r["balance_transaction"] is not None
        )
        return int(intent["amount_received"] - refunded)

    async def refund_moves_on(self, data: st.DataObject) -> None:
        """Pending ones settle, and even a succeeded one may fail."""
        movable = {
            r["id"]: ["succeeded", "failed"] if r["status"] == "pending" else ["failed"]
            for r in self.world.stripe.refunds
            if r["status"] in ("pending", "succeeded") and r["balance_transaction"] is not None
        }
        if movable:
            refund = data.draw(st.sampled_from(sorted(movable)), label="refund")
            status = data.draw(st.sampled_from(movable[refund]), label="status")
            await self.world.at_stripe(f"refunds/{refund}", status=status)

    async def dispute_moves_on(self, data: st.DataObject) -> None:
        """A shopper disputes a payment; the dispute is decided, or reopened by an appeal."""
        disputes = sorted(d["id"] for d in self.world.stripe.disputes)
        charges = sorted(c["id"] for c in self.world.stripe.charges if c["captured"])
        path = ""
        body: Json = {}
        if disputes:
            path = f"disputes/{data.draw(st.sampled_from(disputes), label='dispute')}"
            states = ["under_review", "won", "lost", "needs_response"]
            body = {"status": data.draw(st.sampled_from(states), label="status")}
            if self.unkind and data.draw(st.integers(0, 3), label="against the status") == 3:
                body["reinstated"] = data.draw(st.booleans(), label="reinstated")
        elif charges and data.draw(st.integers(0, 3), label="open one") == 3:
            path = f"charges/{data.draw(st.sampled_from(charges), label='charge')}/dispute"
        if path:
            with contextlib.suppress(AssertionError):  # not a step that Stripe allows from here
                await self.world.at_stripe(path, **body)

    # The end

    def teardown(self) -> None:
        try:
            if self.processors:
                self.check()
        finally:
            self.runner.close()
            logging.disable(logging.NOTSET)


def bounded(examples: int, steps: int) -> settings:
    """How long a machine runs."""
    return settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        report_multiple_bugs=False,
    )
