"""The production client against a real socket: what the transport promises to `Outgoing`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from stripe_connector.gateways.outgoing import create_http_client

OK = b"HTTP/1.1 200 OK\r\nSet-Cookie: who=me\r\nContent-Length: 2\r\n\r\nok"


class Server:
    """Answers every request with the same bytes and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = OK
        self.url = ""
        self.heads: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                self.heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
                writer.write(self.answer)
                if self.answer != OK:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    listener = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}"
    yield server
    listener.close()
    await listener.wait_closed()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with create_http_client() as client:
        yield client


async def test_escaped_paths_and_queries_arrive_as_they_were_sent(
    server: Server, client: httpx.AsyncClient
) -> None:
    where = 'interfaceId="pi_1" and key="a+b&c"'
    await client.get(f"{server.url}/sessions/a%2Fb", params={"where": where, "expand": "a[*]"})
    path = server.heads[0].split(" ")[1]
    assert path.startswith("/sessions/a%2Fb?")
    assert dict(httpx.URL(path).params) == {"where": where, "expand": "a[*]"}


async def test_cookies_are_not_kept(server: Server, client: httpx.AsyncClient) -> None:
    await client.get(server.url)
    await client.get(server.url)
    assert "cookie" not in server.heads[1].lower()


async def test_redirects_are_not_followed(server: Server, client: httpx.AsyncClient) -> None:
    server.answer = b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"
    assert (await client.get(server.url)).status_code == 302


@pytest.mark.parametrize(
    "answer",
    [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut"],
    ids=["closed", "no HTTP", "cut short"],
)
async def test_broken_answers_are_transport_errors(
    answer: bytes, server: Server, client: httpx.AsyncClient
) -> None:
    server.answer = answer
    with pytest.raises(httpx.TransportError):
        await client.get(server.url)


async def test_a_closed_port_is_a_transport_error(client: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.TransportError):
        await client.get("http://127.0.0.1:1")
