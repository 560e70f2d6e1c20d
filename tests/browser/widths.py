"""No page scrolls sideways: on small screens, zoomed, with large text, in narrow and wide type."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from playwright.sync_api import Page

from tests.browser.typefaces import NARROW, WIDE, Typeface


class View(NamedTuple):
    """A window's width, in CSS pixels, and the size of text in it."""

    width: int
    text: str = "100%"


VIEWS = (
    # WCAG 1.4.10: as narrow as 1280 pixels at 400 % zoom.
    View(320),
    View(360),
    # 1280 pixels at 200 % zoom.
    View(640),
    # WCAG 1.4.4: only the text is twice as large, on a large screen and on the smallest.
    View(640, "200%"),
    View(320, "200%"),
)
_HEIGHT = 740

_DRESS = """async ([family, files, text]) => {
  for (const [weight, file] of files) {
    const bytes = Uint8Array.from(atob(file), (each) => each.charCodeAt(0));
    document.fonts.add(await new FontFace(family, bytes, { weight }).load());
  }
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`*, *::before, *::after { font-family: "${family}" !important }
    html { font-size: ${text} !important }`);
  document.adoptedStyleSheets = [sheet];
}"""
_UNDRESS = "() => { document.adoptedStyleSheets = []; document.fonts.clear(); }"
_TOO_WIDE = """() => {
  const root = document.documentElement;
  if (root.scrollWidth <= root.clientWidth) return [];
  const found = [...document.body.querySelectorAll("*")].filter(
    (each) => each.getBoundingClientRect().right > root.clientWidth + 0.5);
  return [root.scrollWidth, ...found.slice(0, 12).map((each) =>
    `${each.tagName} ${each.className} ${Math.round(each.getBoundingClientRect().right)}`)];
}"""


@contextmanager
def dressed(page: Page, typeface: Typeface, view: View) -> Iterator[None]:
    """The page and what it frames in a typeface and a window."""
    size = page.viewport_size
    assert size is not None
    page.set_viewport_size({"width": view.width, "height": _HEIGHT})
    for frame in page.frames:
        frame.evaluate(_DRESS, [typeface.name, typeface.files(), view.text])
    yield
    for frame in page.frames:
        frame.evaluate(_UNDRESS)
    page.set_viewport_size(size)


def assert_fits(page: Page) -> None:
    """Nothing on the page as it is, or in what it frames, is wider than the window."""
    wide = []
    for typeface in (NARROW, WIDE):
        for view in VIEWS:
            with dressed(page, typeface, view):
                for frame in page.frames:
                    found = frame.evaluate(_TOO_WIDE)
                    if found:
                        wide.append((typeface.name, *view, frame.url, found))
    assert wide == [], wide
