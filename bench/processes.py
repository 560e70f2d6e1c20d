"""The processes of a run: started, asked for the CPU and memory they took, and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from bench.operations import SECRET
from bench.samples import PROJECT
from bench.server import LOOPBACK

_STOP_S = 15.0
_LISTENS = "0A"
"""State of a listening socket in /proc/net/tcp."""


class Measured:
    """A process whose use of CPU and memory is measured."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def cpu_seconds(self) -> float:
        """CPU time used so far, all threads together."""
        return cpu_seconds(self.pid)

    def rss_bytes(self) -> int:
        """Memory used now."""
        return rss_bytes(self.pid)

    def keep_to(self, core: int | None) -> None:
        """Pin it to a core, threads included; without effect where processes cannot be pinned."""
        if core is not None and sys.platform == "linux":
            for task in Path(f"/proc/{self.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {core})


class Process(Measured):
    """A process of a run; its output goes to a file."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        core: int | None = None,
    ) -> None:
        """`core` is the only one that it may use, from the start."""
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - the caller's command, no shell
                command,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        super().__init__(self._process.pid)
        self.keep_to(core)

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def __enter__(self) -> Process:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._process.terminate()
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def keep_to_core(core: int | None) -> None:
    """Pin this process, and what it starts, to a core, if there is one to keep to."""
    if core is not None and sys.platform == "linux":
        os.sched_setaffinity(0, {core})


def keep_apart() -> int | None:
    """Pin this process, and what it starts, to one core; returns another for what is measured.

    None, without effect, where there is only one core or processes cannot be pinned.
    """
    usable = sorted(os.sched_getaffinity(0)) if sys.platform == "linux" else []
    if len(usable) < 2:
        return None
    keep_to_core(usable[-1])
    return usable[0]


def module(*arguments: str) -> list[str]:
    """The command that runs a Python module."""
    return [sys.executable, "-m", *arguments]


def listener(port: int) -> Measured | None:
    """The process that listens on a port of this machine, if /proc shows one."""
    listening = {
        fields[9]
        for table in ("tcp", "tcp6")
        for fields in map(str.split, _lines(Path(f"/proc/net/{table}")))
        if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port
    }
    sockets = {f"socket:[{inode}]" for inode in listening}
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with suppress(OSError):  # it may be another user's, or be gone by now
            if str(descriptor.readlink()) in sockets:
                return Measured(int(descriptor.parts[2]))
    return None


def _lines(table: Path) -> list[str]:
    return table.read_text().splitlines()[1:] if table.exists() else []


def cpu_seconds(pid: int) -> float:
    """From the scheduler's own count where Linux shows it, else from `ps`, which rounds."""
    tasks = list(Path(f"/proc/{pid}/task").glob("*/schedstat"))
    if tasks:
        return sum(int(each.read_text().split()[0]) for each in tasks) / 1e9
    return seconds_of(_ps(pid, "cputime"))


def rss_bytes(pid: int) -> int:
    """Resident memory, from /proc where there is one, else from `ps`."""
    status = Path(f"/proc/{pid}/status")
    if status.exists():
        line = next(each for each in status.read_text().splitlines() if each.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024
    return int(_ps(pid, "rss")) * 1024


def source_of_cpu() -> str:
    """The source of `cpu_seconds` on this machine, for the report."""
    if Path(f"/proc/{os.getpid()}/schedstat").exists():
        return "/proc (nanoseconds)"
    return "ps (rounded to 10 ms or worse: look at full runs only)"


def seconds_of(text: str) -> float:
    """What `ps` prints as CPU time: [[days-]hours:]minutes:seconds."""
    days, _, rest = text.strip().rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86_400 * int(days or 0)


def free_port() -> int:
    """A free port."""
    with socket.create_server((LOOPBACK, 0)) as held:
        port: int = held.getsockname()[1]
        return port


def processor_environment(port: int, backend_port: int) -> dict[str, str]:
    """Settings of a processor with the benchmark's backends; ignores the caller's configuration."""
    backend = f"http://{LOOPBACK}:{backend_port}"
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "CTP_PROJECT_KEY": PROJECT,
        "CTP_CLIENT_ID": "bench",
        "CTP_CLIENT_SECRET": "bench-secret",
        "CTP_AUTH_URL": backend,
        "CTP_API_URL": backend,
        "CTP_SESSION_URL": backend,
        "CTP_CHECKOUT_URL": backend,
        "CTP_JWKS_URL": f"{backend}/jwks.json",
        "CTP_JWT_ISSUER": backend,
        "STRIPE_SECRET_KEY": "sk_test_bench",
        "STRIPE_PUBLISHABLE_KEY": "pk_test_bench",
        "STRIPE_WEBHOOK_SIGNING_SECRET": SECRET,
        "STRIPE_API_BASE": backend,
        "MERCHANT_RETURN_URL": "http://localhost:3000/return",
        "ALLOWED_ORIGINS": "http://localhost:3000",
        "HOST": LOOPBACK,
        # The callers of a benchmark connect before they send a request.
        "MAX_CONNECTIONS": "10000",
        "REQUEST_RECEIVE_S": "60",
        "PORT": str(port),
        "SHUTDOWN_DRAIN_S": "0",
    }


def _ps(pid: int, column: str) -> str:
    ps = shutil.which("ps")
    if ps is None:
        raise OSError("There is neither /proc nor ps to tell what a process has used.")
    command = [ps, "-o", f"{column}=", "-p", str(pid)]
    return subprocess.run(  # noqa: S603 - a fixed command
        command, text=True, capture_output=True, check=True, timeout=10
    ).stdout
