"""The languages of the shop: its own texts, which the English ones stand for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files

import msgspec
from starlette.requests import Request

LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
}
DEFAULT_LANGUAGE = "en"


class Texts:
    """Says an English text in a language; braces are where values go."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._known = _known(language)

    def __call__(self, text: str, *values: object) -> str:
        return self._known.get(text, text).format(*values)

    def others(self, message: str, text: str) -> str:
        """What another system says in English, and `text` instead of it in other languages."""
        return message if self.language == DEFAULT_LANGUAGE else self(text)


def preferred(request: Request) -> str:
    """The first language of the shop among those that the browser asks for."""
    for each in request.headers.get("accept-language", "").split(","):
        language = each.partition(";")[0].strip().partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return DEFAULT_LANGUAGE


@lru_cache
def _known(language: str) -> Mapping[str, str]:
    if language == DEFAULT_LANGUAGE:
        return {}
    content = (files("sandbox.shop") / "texts" / f"{language}.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, str])
