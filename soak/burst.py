"""A burst: more callers at once than an instance accepts must be refused quickly."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from bench.statistics import percentile
from sandbox.addresses import LOOPBACK

_PATIENCE_S = 60.0


class Burst(Struct, frozen=True):
    """The answers to so many callers at once."""

    callers: int
    statuses: dict[str, int]
    refused_p50_s: float | None
    """Seconds until half of the refused callers had their answer."""
    refused_p99_s: float | None
    troubles: list[str]


class Answer(Struct, frozen=True):
    """One caller's answer, and how long it took."""

    status: str
    """Status of the answer, or the error in place of one."""
    seconds: float
    overloaded: bool = False
    """Whether it exceeded the limit, rather than met a fault of a backend."""
    retry_after: bool = False


async def burst(port: int, session: str, callers: int) -> Burst:
    """Connect every caller to the instance before any of them sends its request."""
    wire = (
        f"GET /config-element/payment HTTP/1.1\r\nhost: localhost\r\nx-session-id: {session}\r\n"
        "connection: close\r\n\r\n"
    ).encode()
    gate = asyncio.Event()
    tasks = [asyncio.create_task(_call(port, wire, gate)) for _ in range(callers)]
    await asyncio.sleep(0.5)
    gate.set()
    answers = await asyncio.gather(*tasks)
    refused = [each.seconds for each in answers if each.overloaded]
    return Burst(
        callers,
        dict(Counter(each.status for each in answers)),
        percentile(refused, 50) if refused else None,
        percentile(refused, 99) if refused else None,
        troubles(answers),
    )


def troubles(answers: Sequence[Answer]) -> list[str]:
    """Violations in the callers' answers."""
    found = []
    mute = sum(each.overloaded and not each.retry_after for each in answers)
    if mute:
        found.append(f"burst: {mute} were refused without Retry-After")
    unanswered = Counter(each.status for each in answers if not each.status.isdecimal())
    found += [f"burst: {count} x {what}" for what, count in unanswered.items()]
    return found


async def _call(port: int, wire: bytes, gate: asyncio.Event) -> Answer:
    began = time.monotonic()
    try:
        async with asyncio.timeout(_PATIENCE_S):
            reader, writer = await asyncio.open_connection(LOOPBACK, port)
            await gate.wait()
            began = time.monotonic()
            writer.write(wire)
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError) as error:
        return Answer(type(error).__name__, time.monotonic() - began)
    return _read(answer, time.monotonic() - began)


def _read(answer: bytes, seconds: float) -> Answer:
    head, _, body = answer.partition(b"\r\n\r\n")
    return Answer(
        head[9:12].decode() or "no answer",
        seconds,
        overloaded=b'"Overloaded"' in body,
        retry_after=b"\r\nretry-after:" in head.lower(),
    )
