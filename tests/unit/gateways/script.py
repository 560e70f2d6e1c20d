"""A backend that answers from a script, and the outgoing client in front of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any
from urllib.parse import parse_qs

import httpx

from stripe_connector.gateways.outgoing import Outgoing
from tests.fakes import FakeClock

Handler = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]
Answer = httpx.Response | Exception | Handler


class Script:
    """Answers requests in order; the last answer repeats for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, httpx.Response):
            return httpx.Response(
                answer.status_code, headers=answer.headers, content=answer.content
            )
        return await answer(request)

    @property
    def last(self) -> httpx.Request:
        return self.requests[-1]


def outgoing_to(handler: Handler, clock: FakeClock | None = None) -> Outgoing:
    """Pauses are always the longest that the policy allows."""
    client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
    return Outgoing(client, clock or FakeClock(), uniform=lambda _, longest: longest)


def body_of(request: httpx.Request) -> Any:
    return json.loads(request.content)


def form_of(request: httpx.Request) -> dict[str, list[str]]:
    return parse_qs(request.content.decode(), strict_parsing=True)
