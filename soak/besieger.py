"""One attacker of a siege, in its own process: `python -m soak.besieger KIND PORT`."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
from collections.abc import Callable

from msgspec import Struct

from bench.loop import run

_HEAD = b"POST /api/v1/carts HTTP/1.1\r\nHost: x\r\n"
_PAUSE_S = 0.5


class Attack(Struct, frozen=True):
    """What each connection sends: a beginning, then the same bytes until it is closed."""

    connections: int
    begin: bytes
    more: Callable[[], bytes] = lambda: b""
    pause_s: float = _PAUSE_S
    """Seconds between two sends; 0 sends as fast as possible."""


ATTACKS: dict[str, Attack] = {
    "idle connections": Attack(1_000, b""),
    "half a request": Attack(1_000, b"GET /config HTTP/1.1\r\nHost: x\r\nX-"),
    "slow headers": Attack(1_000, b"GET /config HTTP/1.1\r\nHost: x\r\n", lambda: b"X: a\r\n"),
    "slow bodies": Attack(1_000, _HEAD + b"Content-Length: 100000\r\n\r\n", lambda: b" "),
    "bodies that are held": Attack(
        1_000, _HEAD + b"Content-Length: 262144\r\n\r\n" + b" " * 262_143
    ),
    "endless headers": Attack(
        20, b"GET /config HTTP/1.1\r\nHost: x\r\n", lambda: b"X-A: " + b"a" * 65_000 + b"\r\n", 0
    ),
    "endless bodies": Attack(
        20, _HEAD + b"Transfer-Encoding: chunked\r\n\r\n", lambda: b"10000\r\n%065536d\r\n" % 0, 0
    ),
    "random bytes": Attack(20, b"", lambda: os.urandom(random.randrange(1, 65_536)), 0),
}


async def _connection(port: int, attack: Attack) -> None:
    """Open one connection after another until the process ends."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(attack.begin)
                await writer.drain()
                await _go_on(reader, writer, attack)
            finally:
                writer.close()
        await asyncio.sleep(random.uniform(0, _PAUSE_S))


async def _go_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attack: Attack
) -> None:
    ended = asyncio.ensure_future(reader.read())
    try:
        while not ended.done():
            if more := attack.more():
                writer.write(more)
                await writer.drain()
            if attack.pause_s or not more:
                await asyncio.wait([ended], timeout=attack.pause_s or None)
    finally:
        ended.cancel()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await ended


async def _besiege(port: int, attack: Attack) -> None:
    await asyncio.gather(*(_connection(port, attack) for _ in range(attack.connections)))


if __name__ == "__main__":
    run(_besiege(int(sys.argv[2]), ATTACKS[sys.argv[1]]))
