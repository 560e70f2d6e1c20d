"""What an endpoint says about itself to those who may call it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

JSON = "application/json"
HTML = "text/html; charset=utf-8"
TEXT = "text/plain; charset=utf-8"


class Parameter(Struct, frozen=True):
    """A parameter; those in the path are known from the path and need one only to say more."""

    name: str
    place: Literal["path", "query", "header", "cookie"]
    description: str
    type: Any = str
    required: bool = False


class Answer(Struct, frozen=True):
    """One thing that may be answered; without a type it is not JSON, without either it is empty."""

    description: str
    type: Any = None
    media_type: str | None = None
    headers: Mapping[str, str] = {}
    """Names and meanings, of those that only this answer has."""

    @property
    def media(self) -> str | None:
        """The media type of the body, None where there is no body."""
        return self.media_type or (JSON if self.type is not None else None)


class Documentation(Struct, frozen=True, kw_only=True):
    """An endpoint's documentation. What every endpoint of its kind answers need not be repeated."""

    tag: str
    summary: str
    description: str = ""
    answers: Mapping[int, Answer]
    """By status; refusals in the endpoint's error shape are not among them."""
    refusals: Mapping[int, str] = {}
    """Statuses and reasons."""
    body: Any = None
    """The type of the JSON body of requests that have one."""
    example: Mapping[str, Any] | None = None
    """A body that is taken, of the operation's most frequent use."""
    any_media_type: bool = False
    """JSON is read whatever the request calls it."""
    parameters: tuple[Parameter, ...] = ()
    asks_backends: bool = True
    """Whether commercetools or Stripe is asked before the answer."""
