from __future__ import annotations

import asyncio

import pytest

from stripe_connector import context
from stripe_connector.context import RequestContext
from stripe_connector.single_flight import SingleFlight


class Source:
    """Answers once it is released; counts how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0
        self.release = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self) -> int:
        self.calls += 1
        await self.release.wait()
        if self.error:
            raise self.error
        return self.calls


async def settle() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_concurrent_callers_share_one_call() -> None:
    flights, source = SingleFlight[str, int](), Source()
    callers = [asyncio.create_task(flights.do("key", source)) for _ in range(10)]
    await settle()
    source.release.set()
    assert await asyncio.gather(*callers) == [1] * 10


async def test_other_keys_and_later_callers_ask_for_themselves() -> None:
    flights, source = SingleFlight[str, int](), Source()
    source.release.set()
    assert await flights.do("a", source) == 1
    assert await flights.do("a", source) == 2
    assert await flights.do("b", source) == 3


async def test_an_error_reaches_every_caller_and_is_not_kept() -> None:
    flights, source = SingleFlight[str, int](), Source()
    source.error = ValueError("broken")
    callers = [asyncio.create_task(flights.do("key", source)) for _ in range(3)]
    await settle()
    source.release.set()
    results = await asyncio.gather(*callers, return_exceptions=True)
    assert [type(result) for result in results] == [ValueError] * 3

    source.error = None
    assert await flights.do("key", source) == 2


async def test_a_cancelled_caller_leaves_the_others_alone() -> None:
    flights, source = SingleFlight[str, int](), Source()
    first, second = (asyncio.create_task(flights.do("key", source)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    source.release.set()
    assert await second == 1
    assert first.cancelled()


async def test_the_first_callers_request_does_not_bind_the_call() -> None:
    async def seen() -> RequestContext | None:
        return context.current.get()

    token = context.current.set(RequestContext(correlation_id="c-1", deadline=1.0))
    try:
        assert await SingleFlight[str, RequestContext | None]().do("key", seen) is None
    finally:
        context.current.reset(token)


async def test_an_error_that_nobody_waits_for_any_more_is_no_noise(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flights, source = SingleFlight[str, int](), Source()
    source.error = ValueError("broken")
    caller = asyncio.create_task(flights.do("key", source))
    await settle()
    caller.cancel()
    await settle()
    source.release.set()
    await settle()
    assert caplog.records == []
