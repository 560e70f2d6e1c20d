"""What the processor says to its backends, and what the stand-ins answer, while the world runs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from msgspec import Struct, field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.wire import Call
from tests.world import World

Json = dict[str, Any]
Form = dict[str, "str | Form"]


class Answer(Struct, frozen=True):
    """A successful answer of a stand-in with a JSON body, to whomever."""

    host: str
    method: str
    path: str
    body: Json
    to_browser: bool
    """Asked for with the publishable key."""


class Traffic(Struct):
    """All that was seen."""

    calls: list[Call] = field(default_factory=list)
    """By the processor."""
    answers: list[Answer] = field(default_factory=list)
    events: list[Json] = field(default_factory=list)

    def sent_to(self, backend: str) -> list[Call]:
        return [call for call in self.calls if call.backend == backend]

    def answered_by(self, host: str) -> list[Answer]:
        return [answer for answer in self.answers if answer.host == host]

    async def record(
        self, walk: Callable[[World], Awaitable[None]], environment: dict[str, str] | None = None
    ) -> None:
        """Let one walk happen in a world of its own."""
        world = World(environment)
        for host, transport in world.network.transports.items():
            transport.app = _Tap(transport.app, host, self.answers)
        await walk(world)
        self.calls += world.network.calls
        self.events += world.stripe.events


class _Tap:
    """A stand-in whose answers are kept."""

    def __init__(self, app: ASGIApp, host: str, answers: list[Answer]) -> None:
        self._app = app
        self._host = host
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, body = 0, b""

        async def keep(message: Message) -> None:
            nonlocal status, body
            status = message.get("status", status)
            body += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, keep)
        if 200 <= status < 300 and body:
            to_browser = any(
                name == b"authorization" and value.startswith(b"Bearer pk_")
                for name, value in scope["headers"]
            )
            self._answers.append(
                Answer(
                    self._host,
                    scope["method"],
                    scope["path"],
                    msgspec.json.decode(body),
                    to_browser,
                )
            )


def decoded(encoded: str) -> Form:
    """Nested values of a form or query in Stripe's brackets; lists are hashes with numbers."""
    form: Form = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True, strict_parsing=bool(encoded)):
        *parents, last = name.replace("]", "").split("[")
        node = form
        for part in parents:
            child = node.setdefault(part or str(len(node)), {})
            assert isinstance(child, dict), name
            node = child
        node[last or str(len(node))] = value
    return form
