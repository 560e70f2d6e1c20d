"""The load generator: callers with a connection each, at little CPU cost."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import httptools
from msgspec import Struct

_PATIENCE_S = 30.0


class LoadFailed(Exception):
    """A server did not answer as it must, so the measurements would be meaningless."""


class Request(Struct, frozen=True):
    """A request in wire format, and a mark of the expected answer."""

    wire: bytes
    expected: bytes
    """Part of the body of a 200 or 201."""


class Answer(Struct, frozen=True):
    status: int
    body: bytes


def request(
    method: str,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: bytes = b"",
    *,
    expected: bytes = b"",
) -> Request:
    """Encode a request once, ahead of time."""
    lines = [f"{method} {path} HTTP/1.1", "host: localhost", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return Request("\r\n".join([*lines, "", ""]).encode() + body, expected)


class Connection(asyncio.Protocol):
    """One caller's connection: a request at a time."""

    def __init__(self) -> None:
        self._begin()

    @classmethod
    async def open(cls, port: int) -> Connection:
        """Connect; raises OSError if the port is closed."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, "127.0.0.1", port)
        return connection

    async def ask(self, wanted: Request) -> Answer:
        """Send and wait for the answer; raises LoadFailed unless it is the expected one."""
        answer = await self.answer(wanted)
        if answer.status not in (200, 201) or wanted.expected not in answer.body:
            line = wanted.wire.partition(b"\r\n")[0].decode()
            raise LoadFailed(f"{line}: {answer.status} {answer.body[:500].decode()}")
        return answer

    async def answer(self, wanted: Request) -> Answer:
        """Send and wait for any answer; raises LoadFailed if there is none."""
        self._begin()
        self._transport.write(wanted.wire)
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    def _begin(self) -> None:
        self._parser: Any = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []
        self._answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    # Callbacks of the event loop and the parser

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._answer.done():
            self._answer.set_exception(LoadFailed(f"The connection was closed ({exc})."))
            self._answer.exception()  # marks the exception as retrieved

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        if not self._answer.done():
            self._answer.set_result(answer)


async def load(connections: Sequence[Connection], requests: Sequence[Request]) -> list[float]:
    """Send all requests, the next on each connection as soon as it is free: seconds per answer.

    Raises LoadFailed, also when it takes too long.
    """
    waiting = iter(requests)
    seconds: list[float] = []
    limit = _PATIENCE_S + len(requests) / len(connections)
    try:
        async with asyncio.timeout(limit):
            await asyncio.gather(*(_call(each, waiting, seconds) for each in connections))
    except TimeoutError as error:
        raise LoadFailed(f"{len(requests)} requests were not answered in {limit:.0f} s.") from error
    return seconds


async def _call(connection: Connection, waiting: Iterator[Request], seconds: list[float]) -> None:
    for each in waiting:
        began = time.perf_counter()
        await connection.ask(each)
        seconds.append(time.perf_counter() - began)
