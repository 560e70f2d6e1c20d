"""Pages that change by themselves."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping

import pytest

from sandbox import faults
from sandbox.desk.live import Live, TooMany
from sandbox.desk.wire import Unreachable
from tests.sandbox.office import Office


class Steps:
    """Lets a poller look once for each step that a test takes."""

    def __init__(self) -> None:
        self.state = {"payments": "1", "events": "1"}
        self.looks = 0
        self.trouble: Exception | None = None
        self._step = asyncio.Event()
        self._done = asyncio.Event()

    async def look(self) -> Mapping[str, str]:
        self.looks += 1
        if self.trouble is not None:
            raise self.trouble
        return dict(self.state)

    async def pause(self) -> None:
        self._done.set()
        await self._step.wait()
        self._step.clear()

    async def take(self, **state: str) -> None:
        self.state.update(state)
        self._done.clear()
        self._step.set()
        await self._done.wait()


async def test_watchers_hear_of_what_has_changed_and_of_nothing_else() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    one, two = live.watch(), live.watch()
    assert b"event: hello" in await anext(one)
    assert b"event: hello" in await anext(two)
    await steps.take()
    await steps.take(payments="2")
    assert await anext(one) == await anext(two) == b"event: payments\ndata: payments\n\n"
    await steps.take(events="2")
    assert b"events" in await anext(one)


async def test_nobody_is_polled_for_unless_somebody_watches() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watched = [live.watched]
    one, two = live.watch(), live.watch()
    await anext(one)
    await anext(two)
    await steps.take()
    looks = steps.looks
    await steps.take()
    assert steps.looks == looks + 1, "two watchers, one poller"
    for each in (one, two):
        watched.append(live.watched)
        await each.aclose()
    assert [*watched, live.watched] == [False, True, True, False]


async def test_a_watcher_who_does_not_read_costs_no_memory_and_misses_nothing_newer() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watcher = live.watch()
    await anext(watcher)
    await steps.take()
    for number in range(50):
        await steps.take(payments=f"p{number}")
    await steps.take(events="at last")
    heard = [await anext(watcher) for _ in range(8)]
    assert b"event: events" in heard[-1]


async def test_a_backend_that_is_away_ends_no_stream() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watcher = live.watch()
    await anext(watcher)
    await steps.take()
    steps.trouble = Unreachable("Stripe", "cannot be reached")
    await steps.take(payments="2")
    steps.trouble = None
    await steps.take()
    assert b"event: payments" in await anext(watcher)


async def test_only_so_many_may_watch() -> None:
    steps = Steps()
    live = Live(steps.look, pause=steps.pause)
    watchers = [live.watch() for _ in range(100)]
    for each in watchers:
        await anext(each)
    with pytest.raises(TooMany):
        live.watch()
    for each in watchers:
        await each.aclose()


async def test_a_stream_is_for_who_is_signed_in_and_ends_with_the_process(office: Office) -> None:
    stranger = await office.new_browser().get("/desk/live")
    assert stranger.status_code == 204
    stream = asyncio.create_task(office.browser.get("/desk/live"))
    while not office.desk.live.watched:  # noqa: ASYNC110 - the stream begins within a few turns
        await asyncio.sleep(0)
    office.desk.live.close()
    answer = await stream
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: hello" in answer.text
    assert not office.desk.live.watched


async def test_what_is_polled_differs_once_anything_has_happened(office: Office) -> None:
    looks = []

    async def looked() -> None:
        looks.append(dict(await office.desk.live._look()))

    await looked()
    payment_id = await office.world.paid()
    await looked()
    office.faults.add(faults.NewFault(backend="stripe", kind="delay"))
    await looked()
    await office.world.modify(
        payment_id, action="refundPayment", amount={"centAmount": 1, "currencyCode": "EUR"}
    )
    await looked()
    changed = [
        {topic for topic in now if now[topic] != before[topic]}
        for before, now in itertools.pairwise(looks)
    ]
    assert changed == [{"payments", "events"}, {"faults"}, {"payments", "events"}]
