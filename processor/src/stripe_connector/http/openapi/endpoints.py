"""GET /openapi.json and /docs: the table of endpoints, described for programs and for people."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.http.auth import Open
from stripe_connector.http.openapi.document import document
from stripe_connector.http.openapi.documentation import HTML, JSON, Answer, Documentation
from stripe_connector.http.routing import AnyEndpoint, Endpoint

if TYPE_CHECKING:
    from stripe_connector.http.openapi.page import HtmlPage


def endpoints(table: Iterable[AnyEndpoint], *, token_url: str) -> list[AnyEndpoint]:
    """The rows of the table. They describe `table` as it is when first asked, then remember it."""

    @cache
    def described() -> bytes:
        return msgspec.json.encode(document(table, token_url=token_url))

    @cache
    def written() -> HtmlPage:
        # Templates are imported for who asks for the page.
        from stripe_connector.http.openapi.page import page

        return page(msgspec.json.decode(described()))

    async def openapi(_request: Request, _principal: None) -> Response:
        return Response(described(), media_type=JSON)

    async def docs(_request: Request, _principal: None) -> Response:
        shown = written()
        headers = {"Content-Security-Policy": shown.policy}
        return Response(shown.html, headers=headers, media_type="text/html")

    return [
        Endpoint(("GET",), "/openapi.json", Open(), openapi, operation=_OPENAPI),
        Endpoint(("GET",), "/docs", Open(), docs, operation=_DOCS),
    ]


_OPENAPI = Documentation(
    tag="About",
    summary="This description, for programs",
    answers={200: Answer("An OpenAPI 3.1 document.", dict)},
    asks_backends=False,
)
_DOCS = Documentation(
    tag="About",
    summary="This description, for people",
    answers={200: Answer("A page.", media_type=HTML)},
    asks_backends=False,
)
