"""What the state machines share: two instances, trouble on the way, and a world that moves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, get_args

import httpx
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.property.outside import Move, Outside, with_nulls
from tests.property.schedule import TimelessLoop, interleaved
from tests.wire import Call, Crash, Trouble
from tests.world import Create, Json, Processor, World, create_today

Send = Callable[[], Coroutine[Any, Any, None]]
Request = Callable[[int], Coroutine[Any, Any, None]]
"""A request to the instance of a number, not sent yet."""

troubles = st.sampled_from(get_args(Trouble))


class Machine(Outside, RuleBasedStateMachine):
    """All is real but the network. What is asked and what moves, its subclasses say."""

    second: Create = staticmethod(create_today)
    """What the second instance runs; the first runs today's code."""

    def __init__(self) -> None:
        super().__init__()
        logging.disable(logging.CRITICAL)
        self.runner = asyncio.Runner(loop_factory=TimelessLoop)
        self.processors: list[Processor] = []
        self.acknowledged: set[str] = set()
        self.raised: set[str] = set()

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
            # One draw says both whose turn it is and whether, one time in eight, the world moves.
            drawn = data.draw(st.integers(0, 8 * waiting - 1), label="turn")
            if drawn >= 7 * waiting:
                await self._outside(data)
            return drawn % waiting

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
        if self.unkind and self.nulls and data.draw(st.integers(0, 7), label="nulls") == 7:
            event = with_nulls(event)
        return partial(self.deliver, event)

    def everything_is_delivered(self) -> None:
        """Stripe repeats what was not acknowledged, and only that; the network is sound again."""
        for _ in range(6):
            for event in list(self.world.stripe.events):
                if event["id"] not in self.acknowledged:
                    self.run(self.deliver(event, 0))
        left = [e["id"] for e in self.world.stripe.events if e["id"] not in self.acknowledged]
        assert not left, f"never acknowledged: {left}"

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
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
