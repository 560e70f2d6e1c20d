"""Looking around: all products, those of a category, one with its variants."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.shop import visitor
from sandbox.shop.bff import Bff, Category, Products
from sandbox.shop.rendering import Pages

_PAGE = 24
_RELATED = 4


class Catalogue:
    """Pages that are the same for all visitors, but for prices."""

    def __init__(self, bff: Bff, pages: Pages) -> None:
        self._bff = bff
        self._pages = pages

    def routes(self) -> list[Route]:
        return [
            Route("/", self.home),
            Route("/categories/{slug}", self.category),
            Route("/products/{sku}", self.product),
        ]

    async def home(self, request: Request) -> Response:
        categories, products = await asyncio.gather(
            self._categories(), self._products(request, None)
        )
        return self._listing(request, categories, None, products)

    async def category(self, request: Request) -> Response:
        categories = await self._categories()
        wanted = request.path_params["slug"]
        for each in categories:
            if wanted in (each.slug, each.id):
                products = await self._products(request, each.id)
                return self._listing(request, categories, each, products)
        raise HTTPException(HTTPStatus.NOT_FOUND)

    async def _categories(self) -> tuple[Category, ...]:
        """Those to choose from: below the root, where one stands above all others."""
        found = await self._bff.categories()
        roots = [each for each in found if each.parent is None]
        if len(roots) != 1:
            return tuple(roots)
        below = [each for each in found if each.parent and each.parent.id == roots[0].id]
        return tuple(below or roots)

    async def _products(self, request: Request, category_id: str | None) -> Products:
        region = visitor.of(request).market.region
        return await self._bff.products(region, category_id, _page(request), _PAGE)

    def _listing(
        self,
        request: Request,
        categories: tuple[Category, ...],
        chosen: Category | None,
        products: Products,
    ) -> Response:
        return self._pages.render(
            request,
            "listing.html",
            categories=categories,
            chosen=chosen,
            products=products.results,
            page=_page(request),
            last_page=-(-products.total // _PAGE),
        )

    async def product(self, request: Request) -> Response:
        sku = request.path_params["sku"]
        region = visitor.of(request).market.region
        product, others = await asyncio.gather(
            self._bff.product(region, sku), self._bff.products(region, None, 1, _PAGE)
        )
        ours = {each.id for each in product.categories}
        related = [
            each
            for each in others.results
            if each.id != product.id and ours & {category.id for category in each.categories}
        ]
        variant = next(
            (each for each in product.all_variants if each.sku == sku), product.master_variant
        )
        return self._pages.render(
            request,
            "product.html",
            product=product,
            variant=variant,
            related=related[:_RELATED],
        )


def _page(request: Request) -> int:
    """The page of a listing, from one."""
    given = request.query_params.get("page", "1")
    return max(int(given), 1) if given.isdecimal() and len(given) < 5 else 1
