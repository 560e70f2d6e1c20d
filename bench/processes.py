"""The processes of a run: started, asked for the CPU and memory they took, and ended."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

from bench.operations import SECRET
from bench.samples import PROJECT
from bench.server import LOOPBACK

_STOP_S = 15.0


class Process:
    """A Python module in its own process; its output goes to a file."""

    def __init__(self, module: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own modules, no shell
                [sys.executable, "-m", *module],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def cpu_seconds(self) -> float:
        """CPU time used so far, all threads together."""
        return cpu_seconds(self._process.pid)

    def rss_bytes(self) -> int:
        """Memory used now."""
        return rss_bytes(self._process.pid)

    def keep_to_one_core(self) -> None:
        """Pin it to one core; without effect where processes cannot be pinned."""
        if sys.platform == "linux":
            for task in Path(f"/proc/{self._process.pid}/task").iterdir():
                os.sched_setaffinity(int(task.name), {min(os.sched_getaffinity(0))})

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
