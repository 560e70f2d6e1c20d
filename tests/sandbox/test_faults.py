"""The fault desk: which calls a rule meets and what each kind of fault does to them."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from sandbox.faults import SPARED, Backend, FaultDesk, FaultMiddleware, NewFault, routes


class Counter:
    """A backend that counts its calls."""

    def __init__(self, desk: FaultDesk, backend: Backend = "commercetools") -> None:
        self.calls = 0

        async def count(_: Request) -> Response:
            self.calls += 1
            return PlainTextResponse("done")

        app = Starlette(routes=[Route("/count", count, methods=["GET", "POST"]), *routes(desk)])
        self.app = FaultMiddleware(app, desk, backend)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.app), base_url="http://backend.test"
        )


@pytest.fixture
def desk() -> FaultDesk:
    return FaultDesk()


def _kinds(desk: FaultDesk, calls: int) -> list[str | None]:
    decided = [desk.decide("stripe", "POST", "/v1/refunds") for _ in range(calls)]
    return [fault.kind if fault else None for fault in decided]


@pytest.mark.parametrize(
    ("skip", "times", "met"),
    [
        (0, 1, [True, False, False]),
        (1, 1, [False, True, False]),
        (1, 2, [False, True, True]),
        (0, None, [True, True, True]),
    ],
)
def test_a_rule_passes_some_calls_and_meets_as_many_as_asked(
    desk: FaultDesk, skip: int, times: int | None, met: list[bool]
) -> None:
    desk.add(NewFault(backend="stripe", kind="fail_before", skip=skip, times=times))
    assert [kind is not None for kind in _kinds(desk, 3)] == met


def test_the_first_rule_that_matches_decides(desk: FaultDesk) -> None:
    desk.add(NewFault(backend="commercetools", kind="drop_after"))
    desk.add(NewFault(backend="stripe", kind="drop_before", method="GET"))
    desk.add(NewFault(backend="stripe", kind="drop_after", path="/v1/customers/*"))
    desk.add(NewFault(backend="stripe", kind="fail_before", path="/v1/ref*"))
    desk.add(NewFault(backend="stripe", kind="delay"))

    assert _kinds(desk, 3) == ["fail_before", "delay", None]
    assert len(desk.list()) == 3


def test_removed_rules_meet_nothing(desk: FaultDesk) -> None:
    first = desk.add(NewFault(backend="stripe", kind="delay", times=None))
    desk.add(NewFault(backend="stripe", kind="fail_after", times=None))

    assert (desk.remove(first.id), desk.remove(first.id)) == (True, False)
    assert _kinds(desk, 1) == ["fail_after"]
    desk.clear()
    assert _kinds(desk, 1) == [None]


@pytest.mark.parametrize(
    "fault",
    [
        NewFault(backend="stripe", kind="lose"),
        NewFault(backend="webhooks", kind="delay"),
        NewFault(backend="stripe", kind="delay", skip=-1),
        NewFault(backend="stripe", kind="delay", times=0),
        NewFault(backend="stripe", kind="delay", seconds=-1),
        NewFault(backend="stripe", kind="delay", seconds=3600),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(desk: FaultDesk, fault: NewFault) -> None:
    with pytest.raises(ValueError, match=r"cannot|must"):
        desk.add(fault)
    assert desk.list() == []


@pytest.mark.parametrize(
    ("kind", "status", "effects"),
    [("fail_before", 503, 0), ("fail_after", 502, 1), ("delay", 200, 1)],
)
async def test_a_call_is_answered_with_the_fault_before_or_after_its_effect(
    desk: FaultDesk, kind: Any, status: int, effects: int
) -> None:
    backend = Counter(desk)
    desk.add(NewFault(backend="commercetools", kind=kind, status=status))
    response = await backend.client.post("/count")

    assert (response.status_code, backend.calls) == (status, effects)
    if kind != "delay":
        assert response.json()["statusCode"] == status
    assert (await backend.client.post("/count")).text == "done"


async def test_who_only_looks_on_meets_no_fault_and_uses_none_up(desk: FaultDesk) -> None:
    backend = Counter(desk)
    desk.add(NewFault(backend="commercetools", kind="fail_before"))
    spared = await backend.client.post("/count", headers=SPARED)
    met = await backend.client.post("/count")

    assert (spared.status_code, met.status_code) == (200, 500)


async def test_stripes_faults_have_stripes_shape(desk: FaultDesk) -> None:
    backend = Counter(desk, "stripe")
    desk.add(NewFault(backend="stripe", kind="fail_before", status=429))
    response = await backend.client.post("/count")
    assert response.status_code == 429
    assert response.json()["error"]["type"] == "api_error"


@pytest.mark.parametrize(("kind", "effects"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_call_breaks_within_the_process(
    desk: FaultDesk, kind: Any, effects: int
) -> None:
    backend = Counter(desk)
    desk.add(NewFault(backend="commercetools", kind=kind))
    with pytest.raises(httpx.RemoteProtocolError):
        await backend.client.post("/count")
    assert backend.calls == effects


@contextlib.asynccontextmanager
async def _served(backend: Counter) -> AsyncIterator[str]:
    """The backend behind a real server on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(backend.app, log_config=None, lifespan="off", http="h11")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.mark.parametrize(("kind", "effects"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_call_breaks_over_a_real_connection(
    desk: FaultDesk, kind: Any, effects: int
) -> None:
    backend = Counter(desk)
    desk.add(NewFault(backend="commercetools", kind=kind))
    async with _served(backend) as url, httpx.AsyncClient() as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await client.post(f"{url}/count")
        dropped = backend.calls
        answered = await client.post(f"{url}/count")

    assert (dropped, answered.text) == (effects, "done")


async def test_the_desk_is_set_over_http_and_spares_itself(desk: FaultDesk) -> None:
    client = Counter(desk).client
    added = await client.post(
        "/_sandbox/faults",
        json={"backend": "commercetools", "kind": "fail_before", "path": "*", "times": None},
    )
    listed = await client.get("/_sandbox/faults")
    met = await client.get("/count")
    removed = await client.delete(f"/_sandbox/faults/{added.json()['id']}")
    twice = await client.delete(f"/_sandbox/faults/{added.json()['id']}")
    spared = await client.get("/count")

    assert added.status_code == 201
    assert listed.json() == {"faults": [added.json()]}
    assert (met.status_code, spared.status_code) == (500, 200)
    assert (removed.status_code, twice.status_code) == (204, 404)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        msgspec.json.encode({"backend": "paypal", "kind": "delay"}),
        msgspec.json.encode({"backend": "stripe", "kind": "explode"}),
        msgspec.json.encode({"backend": "stripe", "kind": "hold"}),
        msgspec.json.encode({"backend": "stripe", "kind": "delay", "colour": "red"}),
    ],
)
async def test_nonsense_is_refused_over_http(desk: FaultDesk, body: bytes) -> None:
    response = await Counter(desk).client.post("/_sandbox/faults", content=body)
    assert response.status_code == 400
    assert desk.list() == []


async def test_all_rules_are_removed_at_once_over_http(desk: FaultDesk) -> None:
    desk.add(NewFault(backend="commercetools", kind="fail_before", times=None))
    await Counter(desk).client.delete("/_sandbox/faults")
    assert desk.list() == []
