"""What the cache keeps, for how long, and what a caller who gives up leaves to the others."""

import asyncio

import pytest

from stripe_connector import context
from stripe_connector.cache import Cache
from stripe_connector.errors import BackendUnavailable
from tests.fakes import FakeClock


@pytest.fixture
def cache(clock: FakeClock) -> Cache[str, float]:
    """Keeps a value for as many seconds as it says itself."""
    return Cache(clock, capacity=2, keep_for=lambda value: value)


async def test_a_value_lives_as_long_as_granted(cache: Cache[str, float], clock: FakeClock) -> None:
    loads = 0

    async def load() -> float:
        nonlocal loads
        loads += 1
        return 5.0

    await cache.get("a", load)
    clock.advance(4.9)
    await cache.get("a", load)
    assert loads == 1
    clock.advance(0.1)
    await cache.get("a", load)
    assert loads == 2


async def test_the_oldest_value_makes_room(cache: Cache[str, float]) -> None:
    for key in "abc":
        cache.put(key, 5.0)
    assert len(cache) == 2

    async def load() -> float:
        return 1.0

    assert [await cache.get(key, load) for key in "bca"] == [5.0, 5.0, 1.0]


async def test_a_caller_who_gives_up_does_not_take_the_answer_from_the_others(
    cache: Cache[str, float],
) -> None:
    answer: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    async def load() -> float:
        return await answer

    first = asyncio.create_task(cache.get("a", load))
    second = asyncio.create_task(cache.get("a", load))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    answer.set_result(5.0)
    assert first.cancelled()
    assert await second == 5.0


async def test_an_error_reaches_all_who_wait_and_is_forgotten(cache: Cache[str, float]) -> None:
    async def fail() -> float:
        await asyncio.sleep(0)
        raise BackendUnavailable("down")

    async def succeed() -> float:
        return 5.0

    results = await asyncio.gather(
        cache.get("a", fail), cache.get("a", fail), return_exceptions=True
    )
    assert [type(result) for result in results] == [BackendUnavailable, BackendUnavailable]
    assert await cache.get("a", succeed) == 5.0


async def test_a_load_carries_its_askers_correlation_id_but_not_its_deadline(
    cache: Cache[str, float],
) -> None:
    seen: list[context.RequestContext | None] = []

    async def load() -> float:
        seen.append(context.current.get())
        return 5.0

    token = context.current.set(context.RequestContext("corr-1", deadline=1.0))
    await cache.get("a", load)
    context.current.reset(token)
    assert seen == [context.RequestContext("corr-1")]
