"""One address in front of several instances, on real sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from sandbox.addresses import LOOPBACK
from soak.balancer import Balancer, balancer
from soak.instances import free_ports


class Server:
    """An instance that answers with its name; it may stop being ready, or die over a request."""

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        self.ready = True
        self.dies = False
        self.seen: list[str] = []

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        body = await reader.readexactly(4) if "content-length: 4" in head.lower() else b""
        status = 200
        if head.startswith("GET /health/ready"):
            status = 200 if self.ready else 503
        else:
            self.seen.append(head + body.decode())
            if self.dies:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
                writer.close()
                return
        text = self.name.encode()
        writer.write(
            b"HTTP/1.1 %d X\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%b"
            % (status, len(text), text)
        )
        writer.close()


@asynccontextmanager
async def running(*servers: Server) -> AsyncIterator[None]:
    listening = [await asyncio.start_server(s.answer, LOOPBACK, s.port) for s in servers]
    yield
    for each in listening:
        each.close()


@pytest.fixture
def servers() -> list[Server]:
    first, second = free_ports(2)
    return [Server("first", first), Server("second", second)]


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as opened:
        yield opened


@asynccontextmanager
async def in_front_of(servers: list[Server]) -> AsyncIterator[tuple[Balancer, str]]:
    (port,) = free_ports(1)
    async with balancer(port, [each.port for each in servers]) as made:
        yield made, f"http://{LOOPBACK}:{port}/"


async def test_requests_are_served_in_turn(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    async with running(*servers), in_front_of(servers) as (made, url):
        names = [(await client.get(url)).text for _ in range(4)]
    assert sorted(names) == ["first", "first", "second", "second"]
    assert set(made.forwarded.values()) == {2}


async def test_a_request_arrives_whole_and_a_connection_is_kept(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    async with running(servers[0]), in_front_of(servers[:1]) as (_, url):
        first = await client.post(url, content=b"body", headers={"x-mark": "1"})
        second = await client.post(url, content=b"more")
    assert (first.text, second.text) == ("first", "first")
    assert servers[0].seen[0].endswith("\r\n\r\nbody")
    assert "x-mark: 1" in servers[0].seen[0].lower()
    assert servers[0].seen[1].endswith("\r\n\r\nmore")


async def test_an_instance_that_refuses_connections_is_passed_over(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    async with running(servers[1]), in_front_of(servers) as (made, url):
        names = {(await client.get(url)).text for _ in range(4)}
    assert names == {"second"}
    assert made.cuts == []


async def test_an_instance_that_is_not_ready_gets_nothing(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    servers[0].ready = False
    async with running(*servers), in_front_of(servers) as (made, url):
        await made.look()
        assert {(await client.get(url)).text for _ in range(4)} == {"second"}


async def test_a_request_over_which_an_instance_dies_is_not_sent_again(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    servers[0].dies = True
    async with running(servers[0]), in_front_of(servers[:1]) as (made, url):
        answer = await client.post(url, content=b"body")
    assert answer.status_code == 502
    assert len(servers[0].seen) == 1
    assert [each.port for each in made.cuts] == [servers[0].port]


async def test_without_an_instance_callers_are_told_to_come_back(
    servers: list[Server], client: httpx.AsyncClient
) -> None:
    async with in_front_of(servers) as (_, url):
        answer = await client.get(url)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"
