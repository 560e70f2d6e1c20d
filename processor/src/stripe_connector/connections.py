"""Limits on connections: their number, and the time and bytes that each may take.

uvicorn has no time-out for the first byte, for headers or for a body. This subclass of its protocol
adds them.
"""

from __future__ import annotations

import asyncio
import logging
import resource
from collections import Counter
from typing import Any, Literal

import httptools
import msgspec
import uvicorn
from msgspec import Struct
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

logger = logging.getLogger(__name__)

Reason = Literal[
    "malformed", "large_head", "pipelined", "slow", "bytes", "connections", "unwanted", "unread"
]
"""Why a connection was cut. bytes: too many are held, so the largest request is cut. connections:
too many are open, so one is cut. unwanted: a body continues long after its answer. unread: the
client does not read its answers."""

MAX_HEAD_BYTES = 65_536
"""Of the request line and all headers together."""
MAX_HEADERS = 100
MAX_PIPELINED = 16
"""Requests on one connection that wait for the answer to an earlier one."""
MAX_UNWANTED_BYTES = 2**20
"""Of a body that continues after its answer. The client may have sent it before the answer came; if
the connection were cut at once, it could not read the answer."""
UNREAD_S = 30.0
"""Seconds in which a client must read its answer."""

_REPORT_EVERY_S = 10.0
_RESERVED_FILES = 256
"""Files reserved for calls to backends and for other purposes."""


class Bounds(Struct, frozen=True):
    """Limits for all connections of a process together, and for the time of each."""

    connections: int = 2_000
    bytes: int = 16 * 2**20
    """Of requests that are not answered yet."""
    receive_s: float = 5.0
    """From the first byte of a request, or the opening of its connection, to its last byte."""


class Connections:
    """All connections of a process: which are incomplete, since when, and which are idle."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.held = 0
        """Bytes of requests that have not been answered yet."""
        self.open = 0
        """Connections that are open and have not been cut."""
        self.cut: Counter[Reason] = Counter()
        """Connections that were ended, by reason, since the start."""
        self._receiving: dict[BoundedProtocol, float] = {}
        self._idle: dict[BoundedProtocol, None] = {}
        self._reported: Counter[Reason] = Counter()
        self._reported_at = 0.0

    def opened(self, new: BoundedProtocol, now: float) -> None:
        """Count a connection; where there are too many, cut the one that has waited for longest.

        It is taken from the larger group, incomplete requests or idle connections: an attack needs
        many of one kind, and a client that is neither slow nor idle is in neither.
        """
        if self.open >= self.bounds.connections:
            slow, idle = list(self._receiving), list(self._idle)
            oldest = [*max(slow, idle, key=len), new][0]
            oldest.cut("connections")
            if oldest is new:
                return
        self.open += 1
        new.counted = True
        self._receiving[new] = now

    def closed(self, old: BoundedProtocol) -> None:
        """Forget a connection, once."""
        if old.counted:
            old.counted = False
            self.open -= 1
        self._receiving.pop(old, None)
        self._idle.pop(old, None)
        self.release(old)

    def receiving(self, connection: BoundedProtocol, now: float) -> None:
        """Note that a request has begun and is not complete."""
        self._idle.pop(connection, None)
        self._receiving.setdefault(connection, now)

    def working(self, connection: BoundedProtocol) -> None:
        """Note that the request is complete: from now on the client waits for us."""
        self._idle.pop(connection, None)
        self._receiving.pop(connection, None)

    def idle(self, connection: BoundedProtocol) -> None:
        """Note that all requests have been answered."""
        self._idle[connection] = None

    def is_idle(self, connection: BoundedProtocol) -> bool:
        """Whether the connection's next byte begins a request."""
        return connection in self._idle

    def hold(self, connection: BoundedProtocol, size: int) -> None:
        """Count bytes; where there are too many, cut a large incomplete request.

        It is the one to which these bytes belong, if it has more than its share, else the largest.
        """
        if self.held + size > self.bounds.bytes:
            large = connection
            if connection.held + size <= self.bounds.bytes / max(1, len(self._receiving)):
                large = max((*self._receiving, connection), key=lambda each: each.held)
            large.cut("bytes")
        connection.held += size
        self.held += size

    def release(self, connection: BoundedProtocol) -> None:
        """Release the bytes of a connection's requests."""
        self.held -= connection.held
        connection.held = 0

    def sweep(self, connections: set[Any], now: float) -> None:
        """End what has taken too long; called every half second or so."""
        late = now - self.bounds.receive_s
        for connection in [each for each, since in self._receiving.items() if since < late]:
            if connection.waits_for_us():
                # The client's time starts when we read.
                del self._receiving[connection]
                self._receiving[connection] = now
            else:
                connection.cut("slow")
        self._sweep_unread(connections, now)
        self._report(now)

    def _sweep_unread(self, connections: set[BoundedProtocol], now: float) -> None:
        total = 0
        waiting: list[tuple[int, BoundedProtocol]] = []
        for connection in connections:
            unread = connection.transport.get_write_buffer_size()
            if not unread and not connection.transport.is_closing():
                connection.unread_since = None
                continue
            total += unread
            waiting.append((unread, connection))
            connection.unread_since = connection.unread_since or now
        for unread, connection in sorted(waiting, key=lambda each: each[0], reverse=True):
            since = connection.unread_since
            if total > self.bounds.bytes or (since is not None and now - since > UNREAD_S):
                total -= unread
                self.cut["unread"] += 1
                connection.transport.abort()

    def _report(self, now: float) -> None:
        """Log one line for all connections that were cut: an attack must not flood the log."""
        news = self.cut - self._reported
        if news and now - self._reported_at >= _REPORT_EVERY_S:
            logger.warning("Connections were cut", extra={"fields": {"cut": dict(news)}})
            self._reported = self.cut.copy()
            self._reported_at = now


class BoundedConfig(uvicorn.Config):
    """uvicorn's configuration, with the state that its protocols share."""

    connections: Connections


class BoundedProtocol(HttpToolsProtocol):
    """uvicorn's connection, which ends when its client takes too much or too long."""

    def __init__(
        self,
        config: BoundedConfig,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._all = config.connections
        self.held = 0
        """Bytes received of requests that have not been answered yet."""
        self.counted = False
        """Whether it is counted as open."""
        self.unread_since: float | None = None
        self._complete = False
        """Whether the latest request was received completely."""
        self._begun = self._ended = 0
        self._in_head = True
        self._head = 0
        self._fields = 0
        self._fed = 0
        self._unwanted = 0
        self._refusal: Reason = "malformed"

    def waits_for_us(self) -> bool:
        """Whether the client waits for us to read, or for 100 Continue."""
        cycle: RequestResponseCycle | None = self.cycle
        told_to = cycle is None or cycle.response_complete or not cycle.waiting_for_100_continue
        return self.flow.read_paused or not told_to

    # What uvicorn and the transport call

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._all.opened(self, self.loop.time())

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._all.closed(self)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        everything, size = self._all, len(data)
        if not self.transport.is_closing():
            everything.hold(self, size)
        if self.transport.is_closing():
            return
        if everything.is_idle(self):
            self._complete = False
        ended = self._ended
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # No upgrade is supported: the request is answered as a plain one.
        except httptools.HttpParserError:
            self.cut(self._refusal)
            return
        if self._complete:
            everything.working(self)
            return
        everything.receiving(self, self.loop.time())
        if not self._in_head:
            if self.cycle.response_complete:
                everything.release(self)
                self._unwanted += size
                if self._unwanted > MAX_UNWANTED_BYTES:
                    self.cut("unwanted")
        elif ended == self._ended:
            # An incomplete header has not been counted yet.
            self._fed += size
            if self._fed > MAX_HEAD_BYTES:
                self.cut("large_head")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun += 1
        self._complete = False
        self._in_head = True
        self._head = self._fields = self._fed = self._unwanted = 0

    def on_url(self, url: bytes) -> None:
        self._count_head(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields += 1
        self._count_head(len(name) + len(value) + len(": \r\n"))
        # After a body they are trailers, which must not pass for headers: a proxy has seen
        # neither (https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1).
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        if len(self.pipeline) >= MAX_PIPELINED:
            self._refuse("pipelined")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._complete = True
        self._ended += 1
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self._all.release(self)
        if self.cycle.response_complete:
            # Otherwise an unread body would be kept as long as the connection.
            self.cycle.body = bytearray()
        super().on_response_complete()
        if self._complete and self.cycle.response_complete and not self.transport.is_closing():
            self._all.idle(self)

    # What ends a connection

    def cut(self, reason: Reason) -> None:
        """End the connection, with an answer where the client can assign it to its request."""
        if self.transport.is_closing():
            return
        self._all.cut[reason] += 1
        cycle: RequestResponseCycle | None = self.cycle
        # Without a request there is no answer: browsers and proxies open connections ahead, and
        # would take it for the answer to the request that they send later.
        asked = reason != "slow" or self._begun > self._ended
        if asked and self._may_answer() and reason in _ANSWERS:
            self.transport.write(_ANSWERS[reason])
        self.transport.close()
        self._all.closed(self)
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()

    def _may_answer(self) -> bool:
        """Whether the client would assign an answer to the request that is being received."""
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or (cycle.response_complete and not cycle.more_body):
            return True
        return cycle.more_body and not cycle.response_started and not self.pipeline

    def _count_head(self, size: int) -> None:
        self._head += size
        if self._head > MAX_HEAD_BYTES or self._fields > MAX_HEADERS:
            self._refuse("large_head")

    def _refuse(self, reason: Reason) -> None:
        """Stop the parser from within."""
        self._refusal = reason
        raise ValueError(reason)


def _answer(status: str, code: str, message: str) -> bytes:
    """A whole answer in the shape of all errors."""
    error = {"code": code, "message": message}
    body = {"message": message, "statusCode": int(status[:3]), "errors": [error]}
    content = msgspec.json.encode(body)
    return (
        f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncache-control: no-store\r\n"
        f"x-content-type-options: nosniff\r\nconnection: close\r\n"
        f"content-length: {len(content)}\r\n\r\n"
    ).encode() + content


_ANSWERS: dict[Reason, bytes] = {
    "malformed": _answer("400 Bad Request", "MalformedRequest", "This is not HTTP/1.1."),
    "large_head": _answer(
        "431 Request Header Fields Too Large", "HeadersTooLarge", "The headers are too large."
    ),
    "slow": _answer("408 Request Timeout", "RequestTimeout", "The request arrived too slowly."),
    "bytes": _answer(
        "503 Service Unavailable", "Overloaded", "The server is overloaded. Try again shortly."
    ),
}


def bounded_by_files(bounds: Bounds) -> Bounds:
    """The bounds, with no more connections than this process may have files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = bounds.connections + _RESERVED_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    if soft >= wanted:
        return bounds
    most = max(soft - _RESERVED_FILES, soft // 2)
    logger.warning(
        "Only %d connections: this process may have %d files, MAX_CONNECTIONS asks for %d",
        most,
        soft,
        wanted,
    )
    return Bounds(most, bounds.bytes, bounds.receive_s)
