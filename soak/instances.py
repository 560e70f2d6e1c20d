"""The processors under test: started, stopped, killed, and measured from outside."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import httpx
from msgspec import Struct
from msgspec.structs import replace

from bench.processes import cpu_seconds, rss_bytes
from sandbox.addresses import LOOPBACK, Addresses, url
from sandbox.demo.processes import Program, inherited
from sandbox.demo.start import processor_environment

METRICS_TOKEN = "the-soak-reads-the-metrics-of-each-instance"
AT_ONCE = 200
"""Requests that one instance accepts at the same time."""
VERSIONS: tuple[Mapping[str, str], ...] = (
    {"STRIPE_INTERFACE_INTERACTIONS": "false", "STRIPE_REPEAT_WINDOW_S": "120"},
    {"STRIPE_INTERFACE_INTERACTIONS": "true", "STRIPE_REPEAT_WINDOW_S": "300"},
)
"""Configurations before and after an upgrade."""


class Footprint(Struct, frozen=True):
    """What a process holds at one time."""

    rss_bytes: int
    files: int | None
    """Open file descriptors, including sockets; None if the system does not report them."""
    threads: int | None


class Instance:
    """One processor at one port, restarted as often as the soak does."""

    def __init__(self, at: Addresses, port: int, client: httpx.Client, logs: Path) -> None:
        self.port = port
        self.life = 0
        self.version = 0
        self.environment = {
            **inherited(),
            **processor_environment(replace(at, processor=port)),
            "CONNECT_SERVICE_URL": url(at.processor),
            "BFF_REQUESTS_PER_MINUTE": "0",
            "METRICS_TOKEN": METRICS_TOKEN,
            "STORED_PAYMENT_METHODS_ENABLED": "true",
            "MAX_CONCURRENT_REQUESTS": str(AT_ONCE),
        }
        self._client = client
        self._logs = logs
        self._program: Program | None = None

    @property
    def program(self) -> Program:
        """The running process; raises RuntimeError if there is none."""
        if self._program is None:
            raise RuntimeError(f"The instance at {self.port} is not running.")
        return self._program

    async def start(self) -> None:
        """Start it; raises ProgramFailed unless it becomes ready."""
        self.life += 1
        environment = self.environment | dict(VERSIONS[self.version])
        log = self._logs / f"processor-{self.port}-{self.life}.log"
        self._program = Program("processor", ["stripe_connector", "serve"], environment, log)
        ready = f"http://127.0.0.1:{self.port}/health/ready"
        await asyncio.to_thread(self._program.wait_until, self._client, ready)

    async def stop(self) -> int:
        """Send SIGTERM; returns the exit code."""
        program, self._program = self.program, None
        return await asyncio.to_thread(program.stop)

    async def kill(self) -> None:
        """Send SIGKILL: no work in progress is finished."""
        program, self._program = self.program, None
        await asyncio.to_thread(program.kill)

    def footprint(self) -> Footprint | None:
        """Its resources now; None while it is not running."""
        if self._program is None:
            return None
        pid = self._program.pid
        try:
            return Footprint(rss_bytes(pid), _files(pid), _threads(pid))
        except (OSError, StopIteration):
            return None  # it ends just now

    def cpu_seconds(self) -> float:
        return cpu_seconds(self.program.pid)

    def end(self) -> None:
        """Stop it if it runs; for the end of every run, also a failed one."""
        if self._program is not None:
            self._program.stop()
            self._program = None


def free_ports(count: int) -> list[int]:
    """Free ports; all are held until the last is found, so that they differ."""
    with ExitStack() as stack:
        held = [stack.enter_context(socket.create_server((LOOPBACK, 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in held]


def instances(
    stack: ExitStack, at: Addresses, ports: list[int], client: httpx.Client, logs: Path
) -> list[Instance]:
    """Not started yet; ended with the stack."""
    made = [Instance(at, port, client, logs) for port in ports]
    for each in made:
        stack.callback(each.end)
    return made


def _files(pid: int) -> int | None:
    folder = Path(f"/proc/{pid}/fd")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else None


def _threads(pid: int) -> int | None:
    folder = Path(f"/proc/{pid}/task")
    return sum(1 for _ in folder.iterdir()) if folder.exists() else None
