"""Runs the processor under uvicorn, and ends it without cutting a request."""

from __future__ import annotations

import asyncio
import gc
import logging
import math
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from stripe_connector.connections import (
    BoundedConfig,
    BoundedProtocol,
    Bounds,
    Connections,
    bounded_by_files,
)
from stripe_connector.http.health_routes import Readiness

logger = logging.getLogger(__name__)

_TICKS_PER_SWEEP = 5


class PortTaken(Exception):
    """Another process listens on the port."""


def serve(
    create_app: Callable[[Readiness], ASGIApp],
    *,
    host: str,
    port: int,
    grace_s: float,
    drain_s: float,
    keep_alive_s: int = 75,
    bounds: Bounds | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT; the result is the process's exit code.

    A stop takes at most `drain_s` and `grace_s` seconds. Readiness fails at once; for `drain_s` new
    connections are still accepted, since a load balancer notices with a delay; then requests in
    flight have `grace_s` to finish. A connection may be idle for `keep_alive_s`. `create_app` is
    called inside the event loop. `bounds` is what connections may take. Raises PortTaken.
    """
    listener = _listen(host, port)
    readiness = Readiness()
    config = BoundedConfig(
        lambda: create_app(readiness),
        factory=True,
        lifespan="on",
        ws="none",
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=keep_alive_s,
        timeout_graceful_shutdown=math.ceil(grace_s),
    )
    config.connections = Connections(bounded_by_files(bounds or Bounds()))
    server = _Server(config, readiness, drain_s)
    logger.info("Listening on %s port %d", host, listener.getsockname()[1])
    _collect_garbage_seldom()
    with listener:
        server.run(sockets=[listener])
    return 0 if server.started else 1


class _Server(uvicorn.Server):
    """uvicorn's server, with a stop that fails readiness first."""

    def __init__(self, config: BoundedConfig, readiness: Readiness, drain_s: float) -> None:
        super().__init__(config)
        self._connections = config.connections
        self._readiness = readiness
        self._drain_s = drain_s
        self._hurry = asyncio.Event()

    def handle_exit(self, sig: int, _frame: FrameType | None) -> None:
        """Stop; a second signal stops without draining, a second Ctrl-C at once.

        uvicorn's own would raise the signal again at the end, and so turn a graceful stop into
        a process killed by a signal.
        """
        self._readiness.stop()
        if self.should_exit or sig == signal.SIGINT:
            self._hurry.set()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True

    async def on_tick(self, counter: int) -> bool:
        """Called ten times a second."""
        if counter % _TICKS_PER_SWEEP == 0:
            now = asyncio.get_running_loop().time()
            self._connections.sweep(self.server_state.connections, now)
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._readiness.stop()
        try:
            await asyncio.wait_for(self._hurry.wait(), self._drain_s)
        except TimeoutError:
            logger.info("Drained for %g s", self._drain_s)
        await super().shutdown(sockets)


def _collect_garbage_seldom() -> None:
    """Keep the garbage collector from scanning objects that live as long as process or request.

    Hardly any object is cyclic, but a thousand requests in flight have many: with Python's own
    thresholds a quarter of their CPU time went into garbage collection (docs/performance.md,
    "Paths for speed").
    """
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    both = host == "::" and socket.has_dualstack_ipv6()
    try:
        listener = socket.create_server(
            (host, port), family=family, backlog=2048, dualstack_ipv6=both
        )
    except OSError as error:
        raise PortTaken(
            f"Cannot listen on {host} port {port} ({error.strerror}); set PORT to another."
        ) from error
    # Connections inherit it. uvloop sets it anyway; asyncio does not for a socket that it is given.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener
