"""One request to the stand-in, as far as its handlers need it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import msgspec

from sandbox.commercetools.errors import invalid_input, invalid_json
from sandbox.commercetools.paths import Document
from sandbox.commercetools.state import Store


@dataclass(frozen=True, slots=True)
class Call:
    """A request, as far as handlers need it."""

    method: str
    path: dict[str, str]
    parameters: dict[str, list[str]]
    authorization: str | None
    raw: bytes

    def document(self) -> Document:
        """The body as a JSON object; 400 where it is something else."""
        try:
            body = msgspec.json.decode(self.raw)
        except msgspec.DecodeError as error:
            raise invalid_json(str(error)) from None
        if not isinstance(body, dict):
            raise invalid_json("JSON object expected")
        return body

    def form(self) -> dict[str, str]:
        """The body as a form."""
        try:
            pairs = parse_qs(self.raw.decode(), keep_blank_values=True)
        except UnicodeDecodeError:
            raise invalid_input("The body is not a form.") from None
        return {name: given[-1] for name, given in pairs.items()}

    def version(self) -> int | None:
        """The `version` parameter of a deletion."""
        given = self.parameters.get("version")
        if given is None:
            return None
        if not given[-1].isdecimal():
            raise invalid_input("Malformed parameter: version: not a number.")
        return int(given[-1])


Answer = tuple[int, Any]
Handler = Callable[[Store, Call], Answer]
