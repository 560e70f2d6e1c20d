"""A processor in a process of its own, and clients that speak to it byte by byte."""

from __future__ import annotations

import os
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.behaviour.buy_now import ENABLED
from tests.world import ENVIRONMENT

PATIENCE_S = 60
"""Until a test gives up. Nothing waits for it when all is well."""


class Target:
    """The processor under attack."""

    def __init__(self, port: int, process: subprocess.Popen[str]) -> None:
        self.port = port
        self._process = process
        self._opened: list[socket.socket] = []

    def connect(self, data: bytes = b"") -> socket.socket:
        """A connection on which `data` has been sent."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        self._opened.append(connection)
        connection.sendall(data)
        return connection

    def ask(self, data: bytes) -> bytes:
        """All that is answered to `data` until the processor ends the connection."""
        with self.connect() as connection:
            with suppress(OSError):  # It may be cut while we are still sending.
                connection.sendall(data)
            return rest(connection)

    def hang_up(self) -> None:
        """End all connections."""
        while self._opened:
            self._opened.pop().close()

    def get(self, path: str) -> int:
        """The status of a plain request."""
        return status(
            self.ask(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        )

    def memory(self) -> int:
        """Resident memory in MB; 0 where the system does not tell."""
        try:
            told = Path(f"/proc/{self._process.pid}/status").read_text()
        except OSError:
            return 0
        found = re.search(r"VmRSS:\s+(\d+)", told)
        return int(found[1]) // 1024 if found else 0


def rest(connection: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    answer = b""
    try:
        while data := connection.recv(65_536):
            answer += data
    except ConnectionError:
        pass
    return answer


def status(answer: bytes) -> int:
    """The status of the first answer, 0 where there is none."""
    found = re.match(rb"HTTP/1\.1 (\d{3}) ", answer)
    return int(found[1]) if found else 0


def is_open(connection: socket.socket) -> bool:
    """Whether the other side has not ended the connection so far; what it sent is dropped."""
    while select.select([connection], [], [], 0)[0]:
        try:
            if not connection.recv(65_536):
                return False
        except ConnectionError:
            return False
    return True


@contextmanager
def processor(environment: Mapping[str, str]) -> Iterator[Target]:
    """A processor that listens on loopback, with buy-now, whose backends are not there."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    nowhere = {
        name: value.replace("http://", "http://127.0.0.1:9/") if ".test" in value else value
        for name, value in {**ENVIRONMENT, **ENABLED}.items()
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "stripe_connector", "serve"],
        env={
            **os.environ,
            **nowhere,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "SHUTDOWN_GRACE_S": "1",
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    target = Target(port, process)
    try:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                if target.get("/health/ready") == 200:
                    break
            except OSError:
                assert process.poll() is None, "The processor did not start."
            assert time.monotonic() < until, "The processor did not become ready."
        yield target
    finally:
        process.kill()
        process.wait()
