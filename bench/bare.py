"""The least that calls can cost: a bare aiohttp client that makes them, in a process of its own.

`python -m bench.bare` reads its work as JSON and writes CPU-seconds per 1,000 operations.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import aiohttp
import msgspec
from msgspec import Struct
from yarl import URL

from bench.client import LoadFailed
from bench.loop import run
from bench.processes import keep_to_core, module
from bench.server import LOOPBACK, Call

_ROOT = Path(__file__).resolve().parent.parent
_PATIENCE_S = 120.0
_OF_THE_CLIENT = {"host", "content-length"}
"""Headers that a client writes by itself."""


class Work(Struct):
    """Operations to repeat: each makes the same calls, one after the other."""

    port: int
    calls: list[Call]
    operations: int
    callers: int
    core: int | None


class _Prepared(Struct, frozen=True):
    method: str
    url: URL
    headers: dict[str, str]
    body: bytes | None


async def least_cpu(
    port: int, calls: Sequence[Call], operations: int, callers: int, core: int | None
) -> float:
    """CPU-seconds per 1,000 operations of such a client, on `core` only. Raises LoadFailed.

    The backends must be in their mode `replay`.
    """
    work = Work(port, list(calls), operations, callers, core)
    process = await asyncio.create_subprocess_exec(
        *module("bench.bare"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    asked = process.communicate(msgspec.json.encode(work))
    output, _ = await asyncio.wait_for(asked, _PATIENCE_S)
    if process.returncode:
        raise LoadFailed(f"The bare client ended with {process.returncode}.")
    return float(output)


async def repeat(work: Work) -> float:
    """Do the work, after a fifth of it to warm up."""
    prepared = [_prepared(work.port, each) for each in work.calls]
    connector = aiohttp.TCPConnector(limit=work.callers)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        await _callers(session, prepared, work.operations // 5, work.callers)
        before = time.process_time()
        await _callers(session, prepared, work.operations, work.callers)
        return (time.process_time() - before) / work.operations * 1000


async def _callers(
    session: aiohttp.ClientSession, calls: Sequence[_Prepared], operations: int, callers: int
) -> None:
    waiting = iter(range(operations))
    await asyncio.gather(*(_caller(session, calls, waiting) for _ in range(callers)))


async def _caller(
    session: aiohttp.ClientSession, calls: Sequence[_Prepared], waiting: Iterator[int]
) -> None:
    for _ in waiting:
        for each in calls:
            async with session.request(
                each.method, each.url, headers=each.headers, data=each.body
            ) as answer:
                await answer.read()


def _prepared(port: int, call: Call) -> _Prepared:
    headers = {name: value for name, value in call.headers if name.lower() not in _OF_THE_CLIENT}
    url = URL(f"http://{LOOPBACK}:{port}{call.target}", encoded=True)
    return _Prepared(call.method, url, headers, call.body or None)


if __name__ == "__main__":
    work = msgspec.json.decode(sys.stdin.buffer.read(), type=Work)
    keep_to_core(work.core)
    sys.stdout.write(str(run(repeat(work))))
