"""What ends connections in time, seen from within: no test waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from stripe_connector.connections import (
    UNREAD_S,
    BoundedConfig,
    BoundedProtocol,
    Bounds,
    Connections,
)


class Pipe(asyncio.Transport):
    """A transport whose client reads what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.unread = 0
        self.written = b""
        self.closing = self.aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closing

    def close(self) -> None:
        self.closing = True

    def abort(self) -> None:
        self.closing = self.aborted = True

    def pause_reading(self) -> None:
        """The client has to wait."""

    def resume_reading(self) -> None:
        """The client may go on."""


async def waits_for_ever(scope: Scope, receive: Receive, _send: Send) -> None:
    """An application that asks a backend which does not answer; with /read it reads a body."""
    if scope["path"] == "/read":
        while (await receive())["type"] != "http.disconnect":
            pass
        return
    await asyncio.Event().wait()


class Server:
    """Connections of one process."""

    def __init__(self, bounds: Bounds) -> None:
        self.config = BoundedConfig(waits_for_ever, http=BoundedProtocol, log_config=None)
        self.config.connections = self.connections = Connections(bounds)
        self.state = ServerState()

    def connect(self, data: bytes = b"") -> tuple[BoundedProtocol, Pipe]:
        protocol, pipe = BoundedProtocol(self.config, self.state, {}), Pipe()
        protocol.connection_made(pipe)
        if data:
            protocol.data_received(data)
        return protocol, pipe

    def sweep(self, after: float) -> None:
        """As if so many seconds had gone by."""
        now = asyncio.get_running_loop().time() + after
        self.connections.sweep(self.state.connections, now)


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    started = Server(Bounds(connections=3, bytes=100_000, receive_s=5))
    yield started
    for task in list(started.state.tasks):
        task.cancel()
    await asyncio.gather(*started.state.tasks, return_exceptions=True)


REQUEST = b"GET / HTTP/1.1\r\n\r\n"


async def test_answers_that_nobody_reads_are_dropped_in_the_end(server: Server) -> None:
    _, slow = server.connect(REQUEST)
    _, quick = server.connect(REQUEST)
    slow.unread = quick.unread = 10
    server.sweep(0)
    quick.unread = 0
    server.sweep(1)
    quick.unread = 10
    server.sweep(UNREAD_S - 1)
    assert (slow.aborted, quick.aborted) == (False, False)
    server.sweep(UNREAD_S + 1)
    assert (slow.aborted, quick.aborted) == (True, False)


async def test_of_answers_that_nobody_reads_the_largest_go_first(server: Server) -> None:
    pipes = [server.connect(REQUEST)[1] for _ in range(3)]
    for pipe, unread in zip(pipes, (40_000, 60_000, 30_000), strict=True):
        pipe.unread = unread
    server.sweep(0)
    assert [pipe.aborted for pipe in pipes] == [False, True, False]


async def test_a_connection_that_closes_and_is_not_read_goes_too(server: Server) -> None:
    _, pipe = server.connect(b"nonsense\r\n\r\n")
    assert pipe.closing
    server.sweep(0)
    server.sweep(UNREAD_S + 1)
    assert pipe.aborted


async def test_the_time_of_a_client_does_not_run_while_we_do_not_read(server: Server) -> None:
    body = b"POST / HTTP/1.1\r\nContent-Length: 90000\r\n\r\n" + b" " * 70_000
    _, waiting = server.connect(body)
    head = b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    _, not_told_yet = server.connect(head)
    server.sweep(60)
    assert (waiting.closing, not_told_yet.closing) == (False, False)


async def test_time_runs_when_a_body_is_read(server: Server) -> None:
    head = b"POST /read HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
    _, pipe = server.connect(head)
    await asyncio.sleep(0)
    assert pipe.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    server.sweep(6)
    assert b"HTTP/1.1 408 " in pipe.written
    [task] = server.state.tasks
    await task


async def test_work_is_never_cut_for_a_newcomer(server: Server) -> None:
    working = [server.connect(REQUEST)[1] for _ in range(3)]
    _, newcomer = server.connect()
    assert newcomer.closing
    assert not any(pipe.closing for pipe in working)


async def test_the_oldest_of_those_who_keep_us_waiting_makes_room(server: Server) -> None:
    _, working = server.connect(REQUEST)
    _, oldest = server.connect(b"GET")
    _, other = server.connect()
    _, newcomer = server.connect()
    closing = [pipe.closing for pipe in (working, oldest, other, newcomer)]
    assert closing == [False, True, False, False]


async def test_bytes_are_counted_once_and_given_back(server: Server) -> None:
    protocol, _ = server.connect(b"GET / HTTP/1.1\r\nX: " + b"a" * 1_000)
    assert server.connections.held == 1_019
    protocol.connection_lost(None)
    protocol.connection_lost(None)
    assert (server.connections.held, server.connections.open) == (0, 0)


async def test_many_cuts_are_one_line_in_the_log(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(500):
        server.connect(b"nonsense\r\n\r\n")
    server.sweep(1)
    server.sweep(2)
    assert [record.message for record in caplog.records] == ["Connections were cut"]
    assert caplog.records[0].__dict__["fields"] == {"cut": {"malformed": 500}}
