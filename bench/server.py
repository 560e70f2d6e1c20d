"""Serves the backends in their own process: `python -m bench.server PORT`."""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any, cast

import httptools
import msgspec
from msgspec import Struct

from bench.backend import Backends, Prepared, Reply, Size
from bench.loop import run
from bench.samples import make_samples

LOOPBACK = "127.0.0.1"


class Interval(Struct):
    """One call that the processor made, in seconds of the server's clock."""

    name: str
    began: float
    ended: float


class Mode(Struct):
    """Behaviour of the server from now on."""

    latency: float = 0.0
    """Seconds before each answer."""
    trace: bool = False


class Order(Struct):
    """Situations to prepare."""

    kind: str
    count: int
    size: Size = Size()


class Server:
    """What all connections share."""

    def __init__(self, backends: Backends) -> None:
        self.backends = backends
        self.mode = Mode()
        self.trace: list[Interval] = []

    def control(self, path: str, body: bytes) -> Reply:
        """The benchmark's own routes."""
        answer: list[Prepared] | list[Interval] | Mode
        match path:
            case "/_bench/mode":
                answer = self.mode = msgspec.json.decode(body, type=Mode)
            case "/_bench/prepare":
                order = msgspec.json.decode(body, type=Order)
                answer = self.backends.prepare(order.kind, order.count, order.size)
            case "/_bench/trace":
                answer, self.trace = self.trace, []
            case _:
                return Reply(404, b"{}")
        return Reply(200, msgspec.json.encode(answer))


class _Connection(asyncio.Protocol):
    """Minimal HTTP/1.1 with keep-alive."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._parser: Any = httptools.HttpRequestParser(self)
        self._url = b""
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # Callbacks of the parser

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method, target, body = self._parser.get_method().decode(), self._url.decode(), self._body
        self._url = self._body = b""
        if target.startswith("/_bench/"):
            self._write(self._server.control(target, body), None)
            return
        mode = self._server.mode
        interval = Interval(f"{method} {target}", time.monotonic(), 0.0) if mode.trace else None
        reply = self._server.backends.answer(method, target, body)
        if mode.latency:
            asyncio.get_running_loop().call_later(mode.latency, self._write, reply, interval)
        else:
            self._write(reply, interval)

    def _write(self, reply: Reply, interval: Interval | None) -> None:
        if interval is not None:
            interval.ended = time.monotonic()
            self._server.trace.append(interval)
        self._transport.write(
            b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\nrequest-id: req_1\r\n"
            b"content-length: %d\r\n\r\n%b" % (reply.status, len(reply.body), reply.body)
        )


async def serve(port: int, backends: Backends) -> None:
    """Serve until the process is ended."""
    server = Server(backends)
    listening = await asyncio.get_running_loop().create_server(
        lambda: _Connection(server), LOOPBACK, port, backlog=4096
    )
    await listening.serve_forever()


if __name__ == "__main__":
    made = Backends(make_samples())
    run(serve(int(sys.argv[1]), made))
