from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email.utils import formatdate

import httpx
import pytest

from stripe_connector import context
from stripe_connector.context import RequestContext
from stripe_connector.errors import BackendUnavailable, NotFound
from stripe_connector.gateways.outgoing import ONCE, REPEATABLE, Outgoing, Response, Retry, segment
from tests.fakes import FakeClock
from tests.unit.gateways.script import Answer, Script, outgoing_to

URL = "https://backend.test/a/session-secret"
OK = httpx.Response(200, content=b"fine")
DOWN = httpx.Response(503)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def request_in_hand(clock: FakeClock) -> Iterator[RequestContext]:
    """A request that must be answered within a second."""
    request = RequestContext(correlation_id="c-1", deadline=clock.monotonic() + 1)
    token = context.current.set(request)
    yield request
    context.current.reset(token)


async def hang(_: httpx.Request) -> httpx.Response:
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


async def get(outgoing: Outgoing, retry: Retry = REPEATABLE) -> Response:
    return await outgoing.send("GET", URL, backend="Backend", retry=retry)


@pytest.mark.parametrize(
    "failure",
    [
        httpx.Response(429),
        httpx.Response(500),
        httpx.Response(502),
        DOWN,
        httpx.Response(504),
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
        httpx.DecodingError("not gzip"),
        httpx.Response(400, headers={"stripe-should-retry": "true"}),
    ],
    ids=repr,
)
async def test_a_passing_failure_is_survived(failure: Answer, clock: FakeClock) -> None:
    backend = Script(failure, failure, OK)
    assert (await get(outgoing_to(backend, clock))).content == b"fine"
    assert clock.slept == [0.2, 0.4]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(400),
        httpx.Response(401),
        httpx.Response(404),
        httpx.Response(409),
        httpx.Response(503, headers={"stripe-should-retry": "false"}),
        httpx.Response(500, headers={"idempotent-replayed": "true"}),
    ],
    ids=repr,
)
async def test_a_final_answer_is_not_asked_for_again(answer: httpx.Response) -> None:
    backend = Script(answer, OK)
    assert (await get(outgoing_to(backend))).status_code == answer.status_code


async def test_a_lasting_failure_is_returned_after_three_tries() -> None:
    backend = Script(DOWN)
    assert (await get(outgoing_to(backend))).status_code == 503
    assert len(backend.requests) == 3


async def test_no_response_at_all_is_unavailable_and_names_no_path() -> None:
    backend = Script(httpx.ConnectError("refused"))
    with pytest.raises(BackendUnavailable) as caught:
        await get(outgoing_to(backend))
    assert len(backend.requests) == 3
    assert caught.value.detail == "GET backend.test: ConnectError refused"
    assert "session-secret" not in f"{caught.value!r} {caught.value.body()}"


async def test_a_write_that_may_not_be_repeated_is_sent_once() -> None:
    backend = Script(httpx.ReadTimeout("slow"), OK)
    with pytest.raises(BackendUnavailable):
        await get(outgoing_to(backend), ONCE)
    assert len(backend.requests) == 1


async def test_a_conflict_is_waited_for_where_the_policy_says_so(clock: FakeClock) -> None:
    backend = Script(httpx.Response(409), httpx.Response(409), httpx.Response(409), OK)
    response = await get(outgoing_to(backend, clock), Retry(tries=1, conflict_tries=4))
    assert response.content == b"fine"


async def test_retry_after_in_seconds_is_honoured(clock: FakeClock) -> None:
    backend = Script(httpx.Response(429, headers={"retry-after": "2"}), OK)
    assert (await get(outgoing_to(backend, clock))).content == b"fine"
    assert clock.slept == [2]


async def test_retry_after_as_a_date_is_honoured(clock: FakeClock) -> None:
    date = formatdate(clock.time() + 3, usegmt=True)
    backend = Script(httpx.Response(503, headers={"retry-after": date}), OK)
    assert (await get(outgoing_to(backend, clock))).content == b"fine"
    assert clock.slept == [3]


@pytest.mark.parametrize("value", ["soon", "9" * 5_000, "Sun, 06 Nov 99999 08:49:37 GMT"])
async def test_retry_after_that_is_nonsense_is_ignored(value: str, clock: FakeClock) -> None:
    backend = Script(httpx.Response(503, headers={"retry-after": value}), OK)
    assert (await get(outgoing_to(backend, clock))).content == b"fine"


async def test_a_backend_that_asks_for_a_long_pause_is_not_waited_for(clock: FakeClock) -> None:
    backend = Script(httpx.Response(429, headers={"retry-after": "60"}), OK)
    assert (await get(outgoing_to(backend, clock))).status_code == 429
    assert clock.slept == []


async def test_pauses_differ_between_callers() -> None:
    clock = FakeClock()
    client = httpx.AsyncClient(transport=httpx.MockTransport(Script(DOWN)))
    await get(Outgoing(client, clock, uniform=lambda shortest, _: shortest))
    assert clock.slept == [0.1, 0.2]


@pytest.mark.usefixtures("request_in_hand")
async def test_each_try_gets_no_more_than_the_time_that_is_left(clock: FakeClock) -> None:
    clock.advance(0.999)
    backend = Script(hang)
    with pytest.raises(BackendUnavailable):
        await get(outgoing_to(backend, clock))
    assert len(backend.requests) == 1


@pytest.mark.usefixtures("request_in_hand")
async def test_nothing_is_sent_after_the_deadline(clock: FakeClock) -> None:
    clock.advance(1)
    backend = Script(OK)
    with pytest.raises(BackendUnavailable):
        await get(outgoing_to(backend, clock))
    assert backend.requests == []


@pytest.mark.usefixtures("request_in_hand")
async def test_no_pause_goes_beyond_the_deadline(clock: FakeClock) -> None:
    backend = Script(httpx.Response(503, headers={"retry-after": "1"}), OK)
    assert (await get(outgoing_to(backend, clock))).status_code == 503
    assert clock.slept == []


async def test_a_backend_that_never_answers_is_given_up() -> None:
    outgoing = outgoing_to(hang)
    with pytest.raises(BackendUnavailable):
        await outgoing.send("GET", URL, backend="Backend", retry=ONCE, per_try=0.001)


async def test_cancelling_the_caller_cancels_the_call() -> None:
    asked = asyncio.Event()

    async def hang_visibly(_: httpx.Request) -> httpx.Response:
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    call = asyncio.create_task(get(outgoing_to(hang_visibly)))
    await asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call


def test_a_value_stays_one_segment_of_a_path() -> None:
    assert segment("a/../b?c#d%2F") == "a%2F..%2Fb%3Fc%23d%252F"


@pytest.mark.parametrize("value", ["", ".", ".."])
def test_what_no_segment_can_hold_does_not_exist(value: str) -> None:
    with pytest.raises(NotFound):
        segment(value)


async def test_a_call_that_is_cut_off_stays_noted_and_an_answered_one_does_not() -> None:
    waiting: list[str] = []
    token = context.waiting.set(waiting)
    try:
        await get(outgoing_to(Script(OK), FakeClock()))
        assert waiting == []
        cut = asyncio.create_task(get(outgoing_to(Script(hang), FakeClock())))
        await asyncio.sleep(0)
        cut.cancel()
        await asyncio.gather(cut, return_exceptions=True)
        assert waiting == ["Backend"]
    finally:
        context.waiting.reset(token)
