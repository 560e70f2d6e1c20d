"""The outgoing client for a command beside live traffic: rate-limited, and read-only by default."""

from __future__ import annotations

from typing import Any

from stripe_connector.clock import Clock
from stripe_connector.concurrency import Pace
from stripe_connector.errors import ConnectorError
from stripe_connector.gateways.outgoing import REPEATABLE, HttpClient, Outgoing, Response, Retry


class WriteRefused(ConnectorError):
    """A write that this command must not make."""


class PacedOutgoing(Outgoing):
    """Sends at a limited rate. Raises WriteRefused for writes, unless `may_write`."""

    def __init__(self, client: HttpClient, clock: Clock, pace: Pace, *, may_write: bool) -> None:
        super().__init__(client, clock)
        self._pace = pace
        self._may_write = may_write

    async def send(
        self, method: str, url: str, *, backend: str, retry: Retry, **options: Any
    ) -> Response:
        # A token request is a POST, too; it is declared to have no effect.
        harmless = method == "GET" or retry is REPEATABLE
        if not (harmless or self._may_write):
            raise WriteRefused(f"A {method} to {backend} is not allowed in this run.")
        await self._pace.turn()
        return await super().send(method, url, backend=backend, retry=retry, **options)
