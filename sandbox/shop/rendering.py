"""Turns templates into pages, with what every page shows."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from sandbox.shop import visitor
from sandbox.shop.elements import Elements
from sandbox.shop.languages import LANGUAGES, Texts
from sandbox.shop.markets import COUNTRIES, MARKETS, Market, digits
from sandbox.shop.pictures import Pictures
from sandbox.shop.security import admit_elements
from sandbox.shown_cards import SHOWN_CARDS


class Pages:
    """The templates, and the names that they may use."""

    def __init__(self, pictures: Pictures, elements: Elements | None = None) -> None:
        self._elements = elements
        self._templates = Environment(
            loader=PackageLoader("sandbox.shop"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            cards=SHOWN_CARDS,
            countries=COUNTRIES,
            digits=digits,
            languages=LANGUAGES,
            markets=tuple(MARKETS.values()),
            picture=pictures.address,
            swatch=pictures.swatch,
            version=_version(),
        )

    def render(
        self,
        request: Request,
        template: str,
        status: int = 200,
        *,
        market: Market | None = None,
        has_elements: bool = False,
        **context: object,
    ) -> HTMLResponse:
        """A page for the visitor; `market` where its prices are of another than theirs.

        Templates see by `bundle` whether the shop takes payments in its own pages.
        """
        who = visitor.of(request)
        bundle = self._elements.bundle if self._elements else None
        if has_elements and bundle:
            admit_elements(request)
        html = self._templates.get_template(template).render(
            visitor=who,
            market=(market or who.market).spoken(who.language),
            t=Texts(who.language),
            path=request.url.path,
            bundle=bundle,
            processor=self._elements.processor if self._elements else "",
            **{"basket_size": who.basket_size, **context},
        )
        return HTMLResponse(html, status)


def _version() -> str:
    """Changes with the static files, so that browsers may keep them for ever."""
    digest = hashlib.sha256()
    folder = files("sandbox.shop") / "static"
    for each in sorted(folder.iterdir(), key=lambda file: file.name):
        digest.update(each.read_bytes())
    return digest.hexdigest()[:12]
