"""Live updates: one poller while pages watch, and a small mailbox for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import suppress

from sandbox.desk.wire import Refused, Unreachable

Look = Callable[[], Awaitable[Mapping[str, str]]]
"""What each topic looks like now: any text that differs once something has changed."""

_MAILBOX = 8
_PULSE_S = 15.0
_PAUSE_S = 0.5
_MOST_WATCHERS = 100


class TooMany(Exception):
    """No further page can watch at the moment."""


class Live:
    """Tells watchers which topics have changed; it looks only while there are any."""

    def __init__(
        self,
        look: Look,
        *,
        pause: Callable[[], Awaitable[None]] = lambda: asyncio.sleep(_PAUSE_S),
    ) -> None:
        self._look = look
        self._pause = pause
        self._mailboxes: set[asyncio.Queue[str | None]] = set()
        self._poller: asyncio.Task[None] | None = None

    @property
    def watched(self) -> bool:
        """Whether a page watches, and so whether anything is polled."""
        return self._poller is not None

    def watch(self) -> AsyncGenerator[bytes, None]:
        """A stream of server-sent events, each named after a topic; raises TooMany.

        It begins with "hello": the reader refreshes once, as something may have changed before.
        """
        if len(self._mailboxes) >= _MOST_WATCHERS:
            raise TooMany
        return self._stream()

    async def _stream(self) -> AsyncGenerator[bytes, None]:
        mailbox: asyncio.Queue[str | None] = asyncio.Queue(_MAILBOX)
        self._mailboxes.add(mailbox)
        if self._poller is None:
            self._poller = asyncio.create_task(self._poll())
        try:
            yield b"retry: 1000\n" + _event("hello")
            while True:
                try:
                    async with asyncio.timeout(_PULSE_S):
                        topic = await mailbox.get()
                except TimeoutError:
                    yield b": still here\n\n"  # keeps proxies from closing, finds closed readers
                    continue
                if topic is None:
                    return
                yield _event(topic)
        finally:
            self._mailboxes.discard(mailbox)
            if not self._mailboxes and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    def close(self) -> None:
        """End every stream: the process is about to stop."""
        for mailbox in self._mailboxes:
            _post(mailbox, None)

    async def _poll(self) -> None:
        seen: Mapping[str, str] = {}
        while True:
            # a backend that is away changes nothing: what it has to say is seen once it is back
            with suppress(Unreachable, Refused):
                now = await self._look()
                for topic, state in now.items():
                    if seen.get(topic, state) != state:
                        for mailbox in self._mailboxes:
                            _post(mailbox, topic)
                seen = now
            await self._pause()


def _post(mailbox: asyncio.Queue[str | None], topic: str | None) -> None:
    """Drops the oldest where the mailbox is full: each message only says "look again"."""
    if mailbox.full():
        mailbox.get_nowait()
    mailbox.put_nowait(topic)


def _event(topic: str) -> bytes:
    return f"event: {topic}\ndata: {topic}\n\n".encode()
