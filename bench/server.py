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


class Call(Struct):
    """One call that the processor made; times in seconds of the server's clock."""

    method: str
    target: str
    began: float
    ended: float = 0.0
    headers: list[tuple[str, str]] = []
    body: bytes = b""
    status: int = 200


class Mode(Struct):
    """Behaviour of the server from now on."""

    latency: float = 0.0
    """Seconds before each answer."""
    trace: bool = False
    """Records each call and its answer."""
    replay: bool = False
    """Repeats the answers recorded, without looking at anything but method and target."""


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
        self.trace: list[Call] = []
        self.answered = 0
        """Calls so far."""
        self._recorded: dict[tuple[str, str], Reply] = {}

    def answer(self, method: str, target: str, body: bytes, call: Call | None) -> Reply:
        """What a backend answers; `call` is what is recorded of it."""
        self.answered += 1
        if self.mode.replay:
            return self._recorded[method, target]
        reply = self.backends.answer(method, target, body)
        if call is not None:
            call.status = reply.status
            self._recorded[method, target] = reply
        return reply

    def control(self, path: str, body: bytes) -> Reply:
        """The benchmark's own routes."""
        answer: list[Prepared] | list[Call] | Mode
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
        self._headers: list[tuple[str, str]] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    # Callbacks of the parser

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._server.mode.trace:
            self._headers.append((name.decode(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        method, target, body = self._parser.get_method().decode(), self._url.decode(), self._body
        headers, self._headers = self._headers, []
        self._url = self._body = b""
        if target.startswith("/_bench/"):
            self._write(self._server.control(target, body), None)
            return
        mode = self._server.mode
        call = None
        if mode.trace:
            call = Call(method, target, time.monotonic(), headers=headers, body=body)
        reply = self._server.answer(method, target, body, call)
        if mode.latency:
            asyncio.get_running_loop().call_later(mode.latency, self._write, reply, call)
        else:
            self._write(reply, call)

    def _write(self, reply: Reply, call: Call | None) -> None:
        if call is not None:
            call.ended = time.monotonic()
            self._server.trace.append(call)
        self._transport.write(
            b"HTTP/1.1 %d OK\r\ncontent-type: application/json\r\nrequest-id: req_1\r\n"
            b"content-length: %d\r\n\r\n%b" % (reply.status, len(reply.body), reply.body)
        )


async def listen(server: Server, port: int) -> asyncio.Server:
    """Begin to serve."""
    return await asyncio.get_running_loop().create_server(
        lambda: _Connection(server), LOOPBACK, port, backlog=4096
    )


async def serve(port: int, backends: Backends) -> None:
    """Serve until the process is ended."""
    server = Server(backends)
    listening = await listen(server, port)
    await listening.serve_forever()


if __name__ == "__main__":
    made = Backends(make_samples())
    run(serve(int(sys.argv[1]), made))
