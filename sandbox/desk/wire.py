"""One HTTP client for all of the desk's calls, and the one way in which a backend can fail it."""

from __future__ import annotations

from typing import Any, TypeAlias
from urllib.parse import quote

import httpx
import msgspec

from sandbox.faults import SPARED

Json: TypeAlias = dict[str, Any]


class Unreachable(Exception):
    """A backend cannot be reached, is broken, or answers what cannot be read."""

    def __init__(self, backend: str, problem: str) -> None:
        super().__init__(f"{backend} {problem}")
        self.backend = backend
        self.problem = problem


class Refused(Exception):
    """A backend understood and said no (4xx); the message is its own."""

    def __init__(self, backend: str, status: int, message: str) -> None:
        super().__init__(message)
        self.backend = backend
        self.status = status
        self.message = message


class Wire:
    """Calls of one client to one backend, whose name people know."""

    def __init__(self, client: httpx.AsyncClient, name: str, address: str) -> None:
        self.name = name
        self._client = client
        self._address = address

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """An answer of any status; raises Unreachable where there is none.

        The fault desk spares these calls: it is there for the processor's, and what counts
        down must not be used up by who is only looking.
        """
        headers = {**SPARED, **options.pop("headers", {})}
        try:
            return await self._client.request(
                method, f"{self._address}{path}", headers=headers, **options
            )
        except httpx.TransportError as error:
            problem = "does not answer in time" if _late(error) else "cannot be reached"
            raise Unreachable(self.name, problem) from error

    async def ask(self, method: str, path: str, **options: Any) -> Json:
        """The document of a call that succeeds; raises Unreachable or Refused."""
        return self.document(await self.send(method, path, **options))

    def document(self, answer: httpx.Response) -> Json:
        """What a successful answer holds; raises Unreachable or Refused."""
        if answer.is_server_error or answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
            raise Unreachable(self.name, f"answered {answer.status_code}")
        try:
            found = msgspec.json.decode(answer.content or b"{}", type=Json)
        except msgspec.DecodeError as error:
            raise Unreachable(self.name, "answered something that is not JSON") from error
        if not answer.is_success:
            raise Refused(self.name, answer.status_code, message_of(found))
        return found


def named(key: str) -> str:
    """A given key, as one segment of a path."""
    return quote(key, safe="")


def message_of(document: Json) -> str:
    """The words of an error, in commercetools' shape or in Stripe's."""
    error = document.get("error")
    inner = error.get("message") if isinstance(error, dict) else None
    return str(document.get("message") or inner or "It gave no reason.")


def _late(error: httpx.TransportError) -> bool:
    return isinstance(error, httpx.TimeoutException)
