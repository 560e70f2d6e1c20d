"""Load balancer in front of several instances: HTTP/1.1, round-robin, skips those not ready."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from msgspec import Struct

from sandbox.addresses import LOOPBACK

_END = b"\r\n\r\n"
_CONNECTION = re.compile(rb"\r\n(?:connection|keep-alive):[^\r]*", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHECK_S = 0.2
_PATIENCE_S = 2.0
_READY = b"GET /health/ready HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
_BACKLOG = 4096


class Cut(Struct, frozen=True):
    """A request that an instance accepted and did not answer."""

    port: int
    at: float
    """Seconds of the monotonic clock."""


class Balancer:
    """Forwards each request to the next instance that is ready.

    It tries another one only if a connection is refused: what has been sent may have had its
    effect, so a request whose instance dies is answered with 502, as a platform does.
    """

    def __init__(self, ports: Sequence[int]) -> None:
        self._ports = list(ports)
        self._turns = itertools.count()
        self.ready = set(ports)
        self.cuts: list[Cut] = []
        self.forwarded = dict.fromkeys(ports, 0)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one caller's connection."""
        try:
            # The caller closed the connection: there is no one to answer.
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                while True:
                    writer.write(await self._forward(await _message(reader)))
                    await writer.drain()
        finally:
            writer.close()

    async def watch(self) -> None:
        """Probe the instances repeatedly."""
        while True:
            await self.look()
            await asyncio.sleep(_CHECK_S)

    async def look(self) -> None:
        """Ask every instance whether it accepts requests."""
        answers = await asyncio.gather(*(_is_ready(port) for port in self._ports))
        self.ready = {port for port, up in zip(self._ports, answers, strict=True) if up}

    async def _forward(self, message: bytes) -> bytes:
        head, _, body = message.partition(_END)
        wire = _CONNECTION.sub(b"", head) + b"\r\nconnection: close" + _END + body
        for port in self._in_turn():
            try:
                reader, writer = await asyncio.open_connection(LOOPBACK, port)
            except OSError:
                self.ready.discard(port)
                continue
            answer = await _exchange(reader, writer, wire)
            if answer is None:
                self.cuts.append(Cut(port, time.monotonic()))
                return _plain(502, b"Bad Gateway")
            self.forwarded[port] += 1
            return answer
        return _plain(503, b"Service Unavailable", b"retry-after: 1\r\n")

    def _in_turn(self) -> list[int]:
        turn = next(self._turns)
        ports = [port for port in self._ports if port in self.ready] or self._ports
        return ports[turn % len(ports) :] + ports[: turn % len(ports)]


@asynccontextmanager
async def balancer(port: int, ports: Sequence[int]) -> AsyncIterator[Balancer]:
    """A balancer that listens on loopback at `port`."""
    made = Balancer(ports)
    tasks: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(made.answer(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(connected, LOOPBACK, port, backlog=_BACKLOG)
    tasks.add(asyncio.create_task(made.watch()))
    try:
        yield made
    finally:
        server.close()
        ending = list(tasks)
        for each in ending:
            each.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(_END)
    length = _LENGTH.search(head)
    return head + (await reader.readexactly(int(length[1])) if length else b"")


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: bytes
) -> bytes | None:
    """The whole answer; None if the connection ended before its end."""
    try:
        writer.write(wire)
        answer = await reader.read()
    except OSError:
        return None
    finally:
        writer.close()
    head, end, body = answer.partition(_END)
    length = _LENGTH.search(head)
    if not end or len(body) < (int(length[1]) if length else 0):
        return None
    return _CONNECTION.sub(b"", head) + _END + body


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            answer = await _exchange(reader, writer, _READY)
    except (OSError, TimeoutError):
        return False
    return answer is not None and answer.startswith(b"HTTP/1.1 200")


def _plain(status: int, reason: bytes, headers: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d %b\r\n%bcontent-length: 0\r\n\r\n" % (status, reason, headers)
