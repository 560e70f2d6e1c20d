"""Records every call of a side: to which backend, how it was answered, and the answer's shape."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from msgspec import Struct

from rehearse.shapes import Shape, shape
from stripe_connector.gateways.outgoing import HttpClient, Response

_FIXED = re.compile(r"[a-z]+([-_.][a-z]+)*|v1|confirmPayments")
"""Segments of a path that name no resource."""
_CREATES = {
    "payment_intents": re.compile(r"/v1/payment_intents"),
    "customers": re.compile(r"/v1/customers"),
    "carts": re.compile(r"/[^/]+/carts"),
    "payments": re.compile(r"/[^/]+/payments"),
    "sessions": re.compile(r"/[^/]+/sessions"),
}
"""Paths to which something is posted that stays until it is taken away."""


class Exchange(Struct, frozen=True):
    """A call, without what would tell whose it was."""

    step: str
    backend: str
    call: str
    """Method, path without ids, and the names of the query's parameters."""
    status: int
    answer: Shape


class Recorder:
    """An outgoing client that records what passes, while a step is set."""

    def __init__(self, client: HttpClient, backends: Mapping[str, str], project_key: str) -> None:
        """`backends` names the backend of each origin."""
        self._client = client
        self._backends = backends
        self._project_key = project_key
        self.step: str | None = None
        self.exchanges: list[Exchange] = []
        self.created: dict[str, list[str]] = {kind: [] for kind in _CREATES}
        """Ids of what was created, by kind."""

    async def request(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes | None
    ) -> Response:
        answer = await self._client.request(method, url, headers=headers, content=content)
        parts = urlsplit(url)
        body = decoded(answer.content)
        if method == "POST" and answer.is_success:
            for kind, path in _CREATES.items():
                if path.fullmatch(parts.path):
                    self.created[kind].append(str(body["id"]))
        backend = self._backends[f"{parts.scheme}://{parts.netloc}"]
        self.record(backend, method, url, answer.status_code, body)
        return answer

    def record(self, backend: str, method: str, url: str, status: int, body: Any) -> None:
        """Write down an exchange, if a step is set."""
        if self.step is not None:
            call = f"{method} {self.without_ids(url)}"
            self.exchanges.append(Exchange(self.step, backend, call, status, shape(body)))

    async def aclose(self) -> None:
        await self._client.aclose()

    def without_ids(self, url: str) -> str:
        """The path without what names a resource, and the names of the query's parameters."""
        parts = urlsplit(url)
        segments = [
            "{project}"
            if each == self._project_key
            else each
            if _FIXED.fullmatch(each) or not each
            else "{id}"
            for each in parts.path.split("/")
        ]
        names = sorted({name for name, _ in parse_qsl(parts.query)})
        return "/".join(segments) + ("?" + "&".join(names) if names else "")


def decoded(content: bytes) -> Any:
    """The JSON document; None where there is none."""
    try:
        return json.loads(content)
    except ValueError:
        return None
