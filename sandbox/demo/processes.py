"""Starts the programs of the demo, waits until they answer, and stops what it has started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

_START_S = 120.0
_STOP_S = 30.0
_LOG_LINES = 15


class ProgramFailed(Exception):
    """A program did not start or ended by itself; the message ends with its last words."""


class Program:
    """A Python module run as a process of its own, with its output in a file."""

    def __init__(
        self, name: str, module: list[str], environment: Mapping[str, str], log: Path
    ) -> None:
        self.name = name
        self._log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            # A session of its own: Ctrl-C reaches the demo alone, which then stops the others.
            self._process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                [sys.executable, "-m", *module],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    def require_running(self) -> None:
        """Raises ProgramFailed where it has ended."""
        code = self._process.poll()
        if code is not None:
            raise ProgramFailed(f"The {self.name} ended with exit code {code}.\n{self._tail()}")

    def wait_until(self, client: httpx.Client, url: str) -> None:
        """Wait until a URL answers 200; raises ProgramFailed."""
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            self.require_running()
            try:
                if client.get(url).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass  # it does not listen yet
            time.sleep(0.05)
        raise ProgramFailed(f"The {self.name} does not answer at {url}.\n{self._tail()}")

    def ask_to_stop(self) -> None:
        """SIGTERM; it may take its time."""
        self._process.terminate()

    def wait(self) -> int:
        """Its exit code, once it has ended by itself or because it was asked to."""
        return self._process.wait()

    def stop(self) -> int:
        """End it gracefully, or by force where that takes too long: its exit code."""
        self.ask_to_stop()
        try:
            return self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def kill(self) -> None:
        """SIGKILL: it finishes nothing."""
        self._process.kill()
        self._process.wait()

    def _tail(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()[-_LOG_LINES:]
        return "\n".join([f"Its last words, from {self._log}:", *lines])


def inherited(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The caller's environment without what configures a processor: the demo has its own.

    Calls among the programs of this machine never take the way through a proxy.
    """
    ours = ("CTP_", "CT_", "STRIPE_", "STORED_", "BFF_", "MOCK_")
    kept = {name: value for name, value in environment.items() if not name.startswith(ours)}
    return {**kept, "NO_PROXY": "localhost,127.0.0.1", "no_proxy": "localhost,127.0.0.1"}
