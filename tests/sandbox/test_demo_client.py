"""The demo's client and connections that a server closes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from sandbox.addresses import LOOPBACK, url
from sandbox.demo.client import open_client
from sandbox.runner import IDLE_CONNECTION_S
from stripe_connector.gateways.transport import KEEP_ALIVE

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def forgetful() -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers once on a connection and closes it at the next request; its address,
    and the first bytes of every request."""
    heard: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                heard.append(connection.recv(4096)[:4])
                connection.sendall(_ANSWER)
                heard.append(connection.recv(4096)[:4])

    with socket.create_server((LOOPBACK, 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield url(listener.getsockname()[1]), heard
        listener.shutdown(socket.SHUT_RDWR)
    thread.join()


def test_a_read_on_a_connection_that_is_just_being_closed_is_repeated() -> None:
    with forgetful() as (address, heard):
        with open_client() as client:
            assert [client.get(address).text for _ in range(2)] == ["ok", "ok"]
        assert heard[:3] == [b"GET ", b"GET ", b"GET "]


def test_what_may_have_an_effect_is_not_repeated() -> None:
    with forgetful() as (address, heard):
        with open_client() as client:
            client.get(address)
            with pytest.raises(httpx.TransportError):
                client.post(address)
        assert heard == [b"GET ", b"POST"]


@pytest.mark.parametrize("client", [KEEP_ALIVE, httpx.Limits().keepalive_expiry])
def test_the_sandboxs_servers_keep_idle_connections_longer_than_clients(client: float) -> None:
    assert client < IDLE_CONNECTION_S
