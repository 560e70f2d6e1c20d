"""The network between a processor and the stand-ins, in process: it records, delays and fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Literal

import httpx
from msgspec import Struct
from starlette.types import ASGIApp

Trouble = Literal[
    "refused",
    "lost",
    "error before",
    "error after",
    "stored before",
    "stored after",
    "stored later",
    "crash before",
    "crash after",
    "busy",
]
"""refused: never arrives. lost: takes effect, the answer is lost. error: a 503 without or after
the effect. stored: the same inside Stripe, which repeats it for as long as it knows the key; later:
its effect comes when Stripe rolls it forward (`world.stripe.roll_forward`).
crash: the processor dies before or after the effect. busy: 429."""


class Crash(BaseException):
    """The processor is gone: nothing of it may run on."""


class Call(Struct, frozen=True):
    """One call that a processor made."""

    backend: str
    method: str
    path: str
    query: str
    body: bytes
    headers: dict[str, str]

    @property
    def name(self) -> str:
        """Method and path with ids blanked out, to compare call sequences."""
        parts = [_blank(part) for part in self.path.split("/")]
        return f"{self.backend} {self.method} {'/'.join(parts)}"


class Network:
    """The backends by host, and what happens on the way to them."""

    def __init__(self, backends: dict[str, ASGIApp]) -> None:
        self.transports = {
            host: httpx.ASGITransport(app=app, raise_app_exceptions=True)
            for host, app in backends.items()
        }
        self.calls: list[Call] = []
        self.trouble: Callable[[Call], Trouble | None] = lambda _: None
        self.fail_inside: Callable[[Call, str | None], None] = lambda _call, _when: None
        """Makes the backend itself fail with this call, before or after the effect, or not."""
        self.turn: Callable[[Call], Awaitable[None]] | None = None
        """Awaited before a call and before its answer: decides who goes on when."""


class Wire(httpx.AsyncBaseTransport):
    """One processor's transport; dies with it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.dead = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        network = self._network
        call = Call(
            backend=request.url.host.partition(".")[0],
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode(),
            body=await request.aread(),
            headers=dict(request.headers),
        )
        await self._turn(call)
        trouble = network.trouble(call)
        self._die_if(trouble == "crash before")
        network.calls.append(call)
        if trouble == "refused":
            raise httpx.ConnectError("refused", request=request)
        if trouble == "error before":
            return httpx.Response(503, json={}, request=request)
        if trouble == "busy":
            return httpx.Response(429, json={}, request=request)
        if trouble in ("stored before", "stored after", "stored later"):
            network.fail_inside(call, trouble.removeprefix("stored "))
        response = await network.transports[request.url.host].handle_async_request(request)
        network.fail_inside(call, None)
        self._die_if(trouble == "crash after")
        await self._turn(call)
        if trouble == "lost":
            raise httpx.ReadTimeout("lost", request=request)
        if trouble == "error after":
            return httpx.Response(503, json={}, request=request)
        return response

    async def _turn(self, call: Call) -> None:
        self._die_if(self.dead)
        if self._network.turn is not None:
            await self._network.turn(call)
        self._die_if(self.dead)

    def _die_if(self, condition: bool) -> None:
        if condition:
            self.dead = True
            raise Crash


def _blank(part: str) -> str:
    has_digit = any(character.isdigit() for character in part)
    return "*" if (has_digit and len(part) > 3) or part.startswith("key=") else part
