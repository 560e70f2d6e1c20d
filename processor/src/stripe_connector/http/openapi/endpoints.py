"""GET /openapi.json and /docs: the table of endpoints, described for programs and for people."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
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


class DescriptionRoutes:
    """Describe `table` as it is when first asked, then remember it."""

    def __init__(self, table: Iterable[AnyEndpoint], *, token_url: str) -> None:
        self._table = table
        self._token_url = token_url

    def routes(self) -> list[AnyEndpoint]:
        return [
            Endpoint(("GET",), "/openapi.json", Open(), self.openapi, operation=self.OPENAPI),
            Endpoint(("GET",), "/docs", Open(), self.docs, operation=self.DOCS),
        ]

    OPENAPI = Documentation(
        tag="About",
        summary="This description, for programs",
        answers={200: Answer("An OpenAPI 3.1 document.", dict)},
        asks_backends=False,
    )

    async def openapi(self, _request: Request, _principal: None) -> Response:
        return Response(self._document, media_type=JSON)

    DOCS = Documentation(
        tag="About",
        summary="This description, for people",
        answers={200: Answer("A page.", media_type=HTML)},
        asks_backends=False,
    )

    async def docs(self, _request: Request, _principal: None) -> Response:
        headers = {"Content-Security-Policy": self._page.policy}
        return Response(self._page.html, headers=headers, media_type="text/html")

    @cached_property
    def _document(self) -> bytes:
        return msgspec.json.encode(document(self._table, token_url=self._token_url))

    @cached_property
    def _page(self) -> HtmlPage:
        # Imports the templates, which most processes never need.
        from stripe_connector.http.openapi.page import page

        return page(msgspec.json.decode(self._document))
