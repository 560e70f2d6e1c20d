"""Real processes on real sockets: ports that nobody uses, stand-ins and processors on them."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from msgspec.structs import replace

from sandbox.addresses import LOOPBACK, Addresses
from sandbox.demo.client import open_client
from sandbox.demo.people import People
from sandbox.demo.processes import Program, inherited
from sandbox.demo.start import processor, stand_ins


def free_ports(count: int) -> list[int]:
    """Ports that nobody uses; all are held until the last is found, so that they differ."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in held]


@pytest.fixture
def at() -> Addresses:
    return Addresses(*free_ports(5))


@pytest.fixture
def environment(at: Addresses) -> dict[str, str]:
    """What moves a demo to those ports."""
    return {**inherited(), **{place.variable: str(port) for place, port in at.ports()}}


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with open_client() as opened:
        yield opened


class World:
    """Stand-ins with one processor; more may join."""

    def __init__(
        self,
        at: Addresses,
        client: httpx.Client,
        logs: Path,
        stack: ExitStack,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.at = at
        self.client = client
        self.told: list[str] = []
        self.people = People(at, client, self.told.append)
        self._logs = logs
        self._stack = stack
        stack.enter_context(stand_ins(at, client, logs))
        self.processor = stack.enter_context(processor(at, client, logs, settings))

    def another_processor(self) -> tuple[People, Program]:
        """A second instance over the same stand-ins, and people who speak to it."""
        (port,) = free_ports(1)
        at = replace(self.at, processor=port)
        started = self._stack.enter_context(processor(at, self.client, self._logs))
        return People(at, self.client, self.told.append), started


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """For tests that leave faults, settings and processes as they are; none is asked too often."""
    with ExitStack() as stack:
        client = stack.enter_context(open_client())
        logs = tmp_path_factory.mktemp("shared")
        settings = {"BFF_REQUESTS_PER_MINUTE": "0"}
        yield World(Addresses(*free_ports(5)), client, logs, stack, settings)


@pytest.fixture(scope="session")
def elsewhere(shared: World) -> People:
    """People who speak to a second processor of the shared world."""
    return shared.another_processor()[0]


@pytest.fixture
def world(at: Addresses, client: httpx.Client, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(at, client, tmp_path, stack)
