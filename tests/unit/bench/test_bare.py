"""The bare client makes the calls of an operation, and gets the answers that the operation got."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bench.backend import FIRST, Backends
from bench.bare import Work, repeat
from bench.client import Connection, request
from bench.processes import free_port
from bench.samples import PROJECT, make_samples
from bench.server import Call, Server, listen

CART = f"/{PROJECT}/carts/{FIRST}"
TARGET = f"/{PROJECT}/payments"
DRAFT = b'{"key":"cart_1"}'
TRACE = request("POST", "/_bench/mode", body=b'{"trace":true}')
REPLAY = request("POST", "/_bench/mode", body=b'{"replay":true}')


@pytest.fixture(scope="module")
def backends() -> Backends:
    return Backends(make_samples())


async def test_recorded_calls_are_repeated_without_effect(backends: Backends) -> None:
    port = free_port()
    server = Server(backends)
    async with await listen(server, port):
        connection = await Connection.open(port)
        try:
            await connection.ask(TRACE)
            await connection.ask(request("GET", CART))
            first = await connection.ask(request("POST", TARGET, {"x-a": "b"}, DRAFT))
            answer = await connection.ask(request("GET", "/_bench/trace"))
            calls = msgspec.json.decode(answer.body, type=list[Call])
            await connection.ask(REPLAY)
            again = await connection.ask(request("POST", TARGET, body=DRAFT))

            assert [(call.method, call.target, call.body) for call in calls] == [
                ("GET", CART, b""),
                ("POST", TARGET, DRAFT),
            ]
            assert ("x-a", "b") in calls[1].headers
            assert again.body == first.body

            seen = server.answered
            work = Work(port, calls, operations=10, callers=2, core=None)
            assert await asyncio.wait_for(repeat(work), 30) > 0
            assert server.answered - seen == (10 + 10 // 5) * len(calls)
        finally:
            connection.close()
