"""How the stand-ins are served."""

from __future__ import annotations

import asyncio
import socket

import uvloop
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from sandbox.addresses import STRIPE, listen
from sandbox.runner import server_for


async def _sends_at_once() -> bool:
    """Whether the server's end of a connection sends small packets without waiting for more."""
    server = server_for(Starlette(routes=[Route("/", lambda _: PlainTextResponse("there"))]))
    listener = listen(STRIPE, 0)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    reader, writer = await asyncio.open_connection(*listener.getsockname())
    writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
    assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    [connection] = server.server_state.connections
    accepted = connection.transport.get_extra_info("socket")
    option = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    writer.close()
    server.should_exit = True
    await serving
    return bool(option)


def test_an_answer_is_not_held_back_for_more_to_send() -> None:
    """An answer is a head and a body: with Nagle's algorithm the second waits for the first's
    acknowledgement, which a kept-alive caller delays by 40 ms."""
    assert asyncio.run(_sends_at_once())
    assert uvloop.run(_sends_at_once())
